"""The checker itself: every kind of breach, planted in a sound run, is found; the documented exception is excused."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.chaos.breach import Breach, Kind
from tests.chaos.checks import breaches
from tests.chaos.load import Load, Submission, Way
from tests.chaos.observed import Call, Clock, Observed
from tests.chaos.producers import HandedIn
from tests.chaos.stage import LABELS, Freeze, Sent
from worker.ledger.records import Admitted, Record
from worker.sandbox.numbers import sandbox_uuid

UUID = sandbox_uuid(200, 1)
JOB = f"solucion-factible:{UUID}"


def wall(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def call(started: float, ended: float, *, kind: str = "cancel", document: str = UUID, code: str = "200/201") -> Call:
    return Call(kind, LABELS["norte"], document, code, "", "made", started, ended)


def outcome(**changes: Any) -> dict[str, Any]:
    """Of the one run, from 100 to 110."""
    plain = {
        "job": JOB,
        "run": 1,
        "document": UUID,
        "status": "cancelled",
        "reason": "cancelled",
        "references": ["erp-0"],
        "replayed": False,
        "attempts": 1,
        "evidence": {"sha256": "made"},
        "submission": None,
        "submitted_at": wall(100),
        "finished_at": wall(110),
    }
    return plain | changes


def record(state: str = "cancelled", run: int = 1) -> Record:
    fields = {"state": state, "run": str(run), "account": "norte", "lane": "bulk", "request": "{}", "seq": "1"}
    return Record.from_fields(JOB, fields | {"references": '["erp-0"]', "submitted_at": "100000", "next": "cancel"})


@pytest.fixture
def seen() -> Observed:
    """A run in which all is well: one request, one call, one outcome."""
    submission = Submission(0, 0.0, Way.CLIENT, json.dumps({"uuid": UUID}), JOB, "erp-0", "200")
    return Observed(
        load=Load((submission,), {}),
        handed_in=[HandedIn(submission, result=Admitted(JOB, 1, joined=False, replayed=False))],
        outcomes=[outcome()],
        calls=[call(101, 102)],
        documents={UUID: {"cancelled_at": wall(101.5)}},
        records={JOB: record()},
        moments={},
        retried={},
        freezes=(),
        sent=[Sent(100.9, 0, UUID)],
        leftovers={},
        clock=Clock(0.0, 0.005),
    )


def kinds(seen: Observed) -> list[Kind]:
    return [breach.kind for breach in breaches(seen)]


def test_a_sound_run_has_no_breach(seen):
    assert breaches(seen) == []


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"outcomes": []}, Kind.LOST),
        ({"records": {JOB: None}}, Kind.LOST),
        ({"outcomes": [outcome(references=[])]}, Kind.LOST),
        ({"documents": {UUID: {"cancelled_at": None}}}, Kind.LOST),
        ({"outcomes": [outcome(status="rejected", evidence=None)]}, Kind.LOST),
        ({"outcomes": [outcome(evidence={"sha256": "other"})]}, Kind.LOST),
        ({"outcomes": [outcome(), outcome()]}, Kind.DOUBLED),
        ({"outcomes": [outcome(), outcome(run=2, references=[])], "records": {JOB: record(run=2)}}, Kind.DOUBLED),
        ({"calls": [call(101, 103), call(102, 104, kind="look-up")]}, Kind.DOUBLED),
        ({"calls": [call(101, 102), call(103, 104)]}, Kind.DOUBLED),
        ({"calls": [call(101, 102), call(111, 112, kind="look-up")]}, Kind.LATE),
        ({"calls": [call(99, 102)]}, Kind.LATE),
        ({"records": {JOB: record(state="waiting")}, "outcomes": []}, Kind.UNRELEASED),
        ({"leftovers": {"leases": 1}}, Kind.UNRELEASED),
    ],
)
def test_what_must_not_be_is_found(seen, changes, kind):
    assert kind in kinds(replace(seen, **changes))


def test_a_request_after_its_deadline_is_late(seen):
    load = Load(seen.load.submissions, {JOB: datetime.fromtimestamp(100.5, UTC)})

    assert kinds(replace(seen, load=load)) == [Kind.LATE]


@pytest.mark.parametrize(
    "moments",
    [
        [(99_000, "suspended", "chaos"), (105_000, "resumed", "chaos")],
        [(99_500, "paused", "")],
    ],
)
def test_a_call_on_a_shut_account_is_found(seen, moments):
    assert kinds(replace(seen, moments={"norte": moments})) == [Kind.SUSPENDED]


def test_a_call_that_was_begun_before_the_suspension_is_none(seen):
    moments = [(100_500, "suspended", "chaos"), (105_000, "resumed", "chaos")]

    assert breaches(replace(seen, moments={"norte": moments})) == []


@pytest.mark.parametrize(
    ("moments", "code"),
    [
        ([(100_000, "resumed", "chaos")], "603"),
        ([(99_000, "circuit opened", ""), (109_000, "circuit closed", "")], "500"),
    ],
)
def test_two_calls_at_a_time_on_trial_are_found(seen, moments, code):
    other = sandbox_uuid(200, 2)
    calls = [call(101, 103, code=code), call(102, 104, code=code, document=other)]

    found = breaches(replace(seen, calls=calls, moments={"norte": moments}))

    assert Kind.SUSPENDED in [breach.kind for breach in found]


def test_a_call_that_was_given_up_right_before_the_next_on_trial_is_no_breach(seen):
    calls = [call(101, 105, code="603"), call(104.99, 106, code="603", document=sandbox_uuid(200, 2))]

    assert Kind.SUSPENDED not in kinds(replace(seen, calls=calls, moments={"norte": [(100_000, "resumed", "chaos")]}))


OPEN = [(100_500, "circuit opened", ""), (109_000, "circuit closed", "")]


def test_a_new_document_that_is_probed_beside_one_that_has_failed_is_no_breach(seen):
    before = call(99, 99.5, code="500")
    calls = [before, call(102, 105, code="500"), call(103, 104, code="500", document=sandbox_uuid(200, 2))]

    assert Kind.SUSPENDED not in kinds(replace(seen, calls=calls, moments={"norte": OPEN}))


def test_a_third_probe_at_a_time_is_found(seen):
    before = call(99, 99.5, code="500")
    others = [call(103, 105, code="500", document=sandbox_uuid(200, number)) for number in (2, 3)]
    calls = [before, call(102, 105, code="500"), others[0], replace(others[1], started=104)]

    assert Kind.SUSPENDED in kinds(replace(seen, calls=calls, moments={"norte": OPEN}))


def test_more_calls_at_a_time_than_the_account_may_have_are_found(seen):
    calls = [call(101, 103, document=sandbox_uuid(200, number)) for number in range(9)]

    assert Kind.SUSPENDED in kinds(replace(seen, calls=calls))


def test_junk_that_does_not_come_back_is_lost(seen):
    junk = Submission(1, 0.0, Way.STREAM, "[]", None, "erp-1", "junk")
    handed_in = [*seen.handed_in, HandedIn(junk, known_as=["5-0"])]

    assert breaches(replace(seen, handed_in=handed_in)) == [Breach(Kind.LOST, "junk 5-0 has 0 outcomes")]


def test_a_late_call_of_a_process_that_stood_still_is_counted_apart(seen):
    calls = [call(101, 102), call(111, 112, kind="look-up")]
    sent = [Sent(100.9, 0, UUID), Sent(110.99, 1, UUID)]
    late = replace(seen, calls=calls, sent=sent)

    assert kinds(replace(late, freezes=[Freeze(1, 104.0, 110.9)])) == [Kind.FROZEN]
    assert kinds(replace(late, freezes=[Freeze(0, 104.0, 110.9)])) == [Kind.LATE]
    assert kinds(replace(late, freezes=[Freeze(1, 104.0, 109.0)])) == [Kind.LATE]


def test_a_repeat_that_was_not_recognised_is_found_wherever_repeats_have_an_id(seen):
    replay = outcome(replayed=True)
    again = [replace(seen.handed_in[0], tries=2)]
    by_stream = [replace(again[0], submission=replace(again[0].submission, way=Way.STREAM))]

    assert kinds(replace(seen, handed_in=again, outcomes=[outcome(), replay])) == [Kind.DOUBLED]
    assert kinds(replace(seen, handed_in=by_stream, outcomes=[outcome(), replay])) == []
