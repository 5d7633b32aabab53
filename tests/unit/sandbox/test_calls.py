"""The record of calls keeps their order and its own size."""

from worker.sandbox.calls import CallLog, Kind


def filled(size, calls):
    log = CallLog(size)
    for number in range(calls):
        log.begin(Kind.CANCEL, "somebody", f"document {number}")
    return log


def test_calls_are_told_in_order_from_an_index_on():
    told = filled(10, 6).since(2, 3)

    assert [call["index"] for call in told["calls"]] == [2, 3, 4]
    assert (told["total"], told["next"], told["forgotten"]) == (6, 5, 0)


def test_the_oldest_calls_are_forgotten_and_that_is_said():
    told = filled(4, 10).since(1, 100)

    assert [call["document"] for call in told["calls"]] == [f"document {number}" for number in (6, 7, 8, 9)]
    assert told["forgotten"] == 5


def test_asking_beyond_the_end_gives_nothing():
    told = filled(4, 2).since(50, 10)

    assert told["calls"] == []


def test_a_call_under_way_has_no_end():
    told = filled(4, 1).since(0, 1)

    assert told["calls"][0]["ended"] is None
    assert told["calls"][0]["ended_at"] is None
