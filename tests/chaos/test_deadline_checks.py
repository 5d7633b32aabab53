"""The checks of deadlines: what breaks the rule is found, and what the rule allows is no breach."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.chaos.breach import Kind
from tests.chaos.deadline_checks import given_up
from tests.chaos.load import Load, Submission, Way
from tests.chaos.observed import Call, Clock, Observed
from tests.chaos.stage import LABELS
from worker.sandbox.numbers import sandbox_chbpe

KEY = sandbox_chbpe(135, 1)
JOB = f"ns-bpe:{KEY}"
DEADLINE = 102


def wall(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def call(kind: str, started: float, code: str, fault: str = "") -> Call:
    return Call(kind, LABELS["rodoviaria"], KEY, code, fault, None, started, started + 0.1)


def outcome(status: str, finished: float, submitted: float = 100) -> dict[str, Any]:
    told = {"job": JOB, "document": KEY, "provider": "ns-bpe", "account": "rodoviaria", "run": 1, "replayed": False}
    times = {"submitted_at": wall(submitted), "finished_at": wall(finished)}
    return {**told, **times, "status": status, "reason": "deadline-passed"}


def seen(one: dict[str, Any], *calls: Call, **others: Any) -> Observed:
    submission = Submission(0, 0.0, Way.CLIENT, "{}", JOB, "erp-0", "135")
    load = Load((submission,), {JOB: datetime.fromtimestamp(DEADLINE, UTC)})
    plain = Observed(load, [], [one], calls, {}, {}, {}, {}, (), (), {}, Clock(0.0, 0.005), patience_s=12.0)
    return replace(plain, **others)


def kinds(found: Observed) -> list[Kind]:
    return [breach.kind for breach in given_up(found)]


def test_what_is_given_up_before_its_policy_ends_is_found():
    assert kinds(seen(outcome("unresolved", DEADLINE + 0.2))) == [Kind.LOST]
    assert kinds(seen(outcome("unresolved", 111.9))) == [Kind.LOST]
    assert kinds(seen(outcome("unresolved", 112.1))) == []


def test_a_deadline_that_was_past_when_submitted_ends_a_run_at_once():
    assert kinds(seen(outcome("unresolved", 102.1, submitted=102))) == []


@pytest.mark.parametrize(
    ("moments", "is_breach"),
    [
        ([(90_000, "suspended", ""), (101_900, "resumed", "")], True),
        ([(90_000, "suspended", ""), (102_100, "resumed", "")], False),
        ([(102_100, "suspended", "")], False),
        ([(102_300, "suspended", "")], True),
    ],
)
def test_a_suspension_ends_a_run_at_once(moments, is_breach):
    assert kinds(seen(outcome("unresolved", 102.2), moments={"rodoviaria": moments})) == [Kind.LOST] * is_breach


@pytest.mark.parametrize(
    ("look_ups", "is_breach"),
    [
        ([], True),
        ([call("look-up", 103.9, "200/100")], True),
        ([call("look-up", 104.1, "200/100")], False),
        ([call("look-up", 104.1, "200/413")], True),
        ([call("look-up", 120.0, "200/100")], True),
    ],
)
def test_a_rejection_without_a_look_up_that_counts_is_found(look_ups, is_breach):
    request = call("cancel", 101.0, "")

    assert kinds(seen(outcome("rejected", 105), request, *look_ups)) == [Kind.LOST] * is_breach


@pytest.mark.parametrize(("code", "fault"), [("-3/108", ""), ("", "busy-429"), ("", "redirect")])
def test_a_rejection_of_what_did_not_act_needs_no_look_up(code, fault):
    assert kinds(seen(outcome("rejected", 102.1), call("cancel", 101.0, code, fault))) == []


def test_a_busy_answer_that_may_come_from_behind_the_service_needs_a_look_up():
    assert kinds(seen(outcome("rejected", 102.1), call("cancel", 101.0, "", "busy-503"))) == [Kind.LOST]
