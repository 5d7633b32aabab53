import dataclasses

import pytest

from worker.answer import Evidence
from worker.demo.examples import Expected
from worker.demo.verdicts import Seen, answers_in

EVIDENCE = Evidence(b"<Acuse/>").as_json()
EXPECTED = Expected(document="X", status="cancelled", reason="cancelled", evidence=True, shows=("500", "200"))
OUTCOME = {"status": "cancelled", "reason": "cancelled", "evidence": EVIDENCE}
SEEN = Seen(EXPECTED, OUTCOME, [["500"], ["200", "201"]])


def test_what_is_as_expected_has_no_differences():
    assert list(SEEN.differences()) == []


@pytest.mark.parametrize(
    "change, difference",
    [
        ({"status": "rejected"}, "status rejected instead of cancelled"),
        ({"reason": "not-found"}, "reason not-found instead of cancelled"),
        ({"evidence": None}, "evidence missing"),
        ({"evidence": EVIDENCE | {"content": "<Acuse />"}}, "the evidence does not fit its sha256"),
    ],
)
def test_what_is_not_as_expected_is_named(change, difference):
    seen = dataclasses.replace(SEEN, outcome=OUTCOME | change)

    assert list(seen.differences()) == [difference]


def test_a_code_that_should_have_been_met_is_missed():
    seen = dataclasses.replace(SEEN, answers=[["200", "201"]])

    assert list(seen.differences()) == ["never answered 500"]


def test_answers_are_told_layer_by_layer_and_call_by_call():
    history = [
        {"call": "cancel", "reaction": "unknown", "answer": "transport=the connection was cut"},
        {"call": "look_up", "reaction": "unknown", "answer": "http=502"},
        {"call": "look_up", "reaction": "unknown", "answer": "http=502"},
        {"call": "cancel", "reaction": "rejected", "code": "220", "answer": "status=-3 cStat=220"},
        {"what": "revoked", "by": "somebody"},
    ]

    answers = answers_in(history)

    assert answers == [["no answer: the connection was cut"], ["HTTP 502"], ["HTTP 502"], ["-3", "220"]]
    assert dataclasses.replace(SEEN, answers=answers).answers_in_short == "no answer → HTTP 502 ×2 → -3/220"
