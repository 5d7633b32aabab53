"""Recorded answers, blemished at random: none that says otherwise comes out as cancelled, and none raises."""

import base64
from random import Random

import pytest

from tests.mutations.answers import mutate, saying_otherwise
from tests.mutations.blemishes import added, cut, facts, flipped, lost
from worker.answer import Reaction

SEED = 20260203


def assert_next_to_none_comes_out_as_cancelled(count: int) -> None:
    tally = mutate(count, SEED)

    print(tally)
    assert 1_000 * len(tally.wrong) < count, tally.wrong[:3]


def test_of_blemished_answers_that_say_otherwise_next_to_none_comes_out_as_cancelled():
    assert_next_to_none_comes_out_as_cancelled(1_500)


@pytest.mark.size
def test_of_twelve_thousand_blemished_answers_next_to_none_comes_out_as_cancelled():
    assert_next_to_none_comes_out_as_cancelled(12_000)


def test_no_recorded_answer_that_says_otherwise_is_read_as_cancelled():
    recorded = saying_otherwise()

    assert {"evidence-disagrees", "another-document", "xml-disagrees"} <= {one.name for one in recorded}
    assert [one.name for one in recorded if one.reaction() is Reaction.CANCELLED] == []


@pytest.mark.parametrize("blemish", [flipped, lost, added, cut])
def test_a_blemish_leaves_every_fact_whole(blemish):
    fact, random = b"11111111-2222-4333-8444-555555555555", Random(SEED)
    content = b"<Acuse><UUID>" + fact + b"</UUID><EstatusUUID>205</EstatusUUID></Acuse>"
    digits = base64.b64encode(content)

    changed = [blemish(content, random) for _ in range(200)]

    assert all(fact in one and b"205" in one for one in changed)
    assert len(set(changed)) > 20
    assert [content[slice(*span)] for span in facts(content)] == [fact, b"205"]
    assert len(facts(digits)) == 2
