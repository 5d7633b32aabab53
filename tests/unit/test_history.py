"""The history of a record, whatever somebody else has written into it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.ledger.history import DAMAGED, entries
from worker.ledger.records import instant

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["at", "wait_s", "call", "code", "by", "reaction"])


def test_what_is_sound_stays_as_it_is():
    sound = [{"at": 1795257610992, "call": "cancel", "wait_s": 0.5, "code": "211"}, {"at": 0, "what": "retried"}]

    assert list(entries(json.dumps(sound))) == sound
    assert entries(None) == entries("") == ()


@given(st.lists(JSON | st.dictionaries(NAMES, JSON), max_size=4))
def test_every_entry_has_a_time_or_none_and_can_be_printed(found):
    read = entries(json.dumps(found))

    assert len(read) == len(found)
    for entry in read:
        assert instant(entry["at"]) or entry["at"] is None
        assert format(entry.get("wait_s", 0), "g")
        json.dumps(dict(entry), ensure_ascii=False, allow_nan=False).encode()


def test_what_is_no_list_is_one_damaged_entry():
    assert entries('{"at": "x"}') == ({"at": None},)
    assert entries("[5]") == ({"at": None, "what": DAMAGED},)


@pytest.mark.parametrize("text", ["x", "5", '"x"', "[1", "null"])
def test_what_is_no_history_at_all_is_a_damaged_record(text):
    with pytest.raises((ValueError, TypeError)):
        entries(text)
