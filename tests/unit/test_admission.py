"""The ids under which repeats are recognised."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.csv_file.encoding import Text
from worker.csv_file.handing_in import submission_id
from worker.ledger.admission import id_of_client, refusal_id

OF_ANOTHER_WAY = re.compile(r"(celery|stream|entry|oversize):.*|[0-9a-f]{16}:\d+", re.DOTALL)
BEGINNINGS = st.sampled_from(["", "celery", "stream", "entry", "oversize", "client", "0123456789abcdef"])


@given(BEGINNINGS, st.text(max_size=4), st.integers(0, 10**6))
@example("celery", "", 0)
@example("client", ":celery", 0)
def test_a_client_s_id_is_none_of_another_way_s(beginning, end, place):
    assert not OF_ANOTHER_WAY.fullmatch(id_of_client(beginning + end, place))


@given(st.lists(st.tuples(BEGINNINGS, st.text(":client0", max_size=9)), min_size=2, max_size=2, unique=True))
def test_two_ids_of_clients_stay_two(both):
    one, other = ("".join(parts) for parts in both)

    assert (id_of_client(one, 0) == id_of_client(other, 0)) == (one == other)


@pytest.mark.parametrize("submission", ["mine", "6f1c0a9e4f7b4f0db0e6a3a4f2b0c111", "order 7/ñ"])
def test_other_ids_are_those_that_older_versions_have_remembered(submission):
    assert id_of_client(submission, 3) == f"{submission}:3"


def test_a_file_s_id_is_of_the_form_that_is_kept_for_files():
    name = submission_id(Text("utf-8", "0" * 64), {})

    assert re.fullmatch("[0-9a-f]{16}", name)
    assert id_of_client(name, 0).startswith("client:")


def test_a_refusal_is_known_by_id_and_body():
    known = {refusal_id(submission, digest) for submission in ("a", "a\nb") for digest in ("b", "c")}

    assert len(known) == 4
