"""The table of reactions (docs/architecture.md), without a clock."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import retries
from config.accounts import Environment
from config.settings import Settings
from worker import decision, verdicts
from worker.answer import Answer, Disproves, Evidence, Reaction, Reason
from worker.decision import HISTORY_MESSAGE_LENGTH, decide
from worker.ledger.records import Begun, Record
from worker.ledger.steps import Effects, Finish, Park
from worker.outcome import Status
from worker.retry import Kind, Policies
from worker.situation import AbuseRule, Call, Situation
from worker.verdicts import EVIDENCE_MISSING, MAY_STILL_BE_CANCELLED

POLICIES = Policies(retries.policies(Settings(), Environment.PRODUCTION))
ABUSE_RULE = AbuseRule(pause_s=3_600, slow_s=86_400, per_minute=8)
ACUSE = Evidence(b"<Acuse/>")
DAY_S = 86_400.0


def record(**fields: Any) -> Record:
    found = {
        "state": "running",
        "run": "1",
        "account": "norte",
        "lane": "interactive",
        "request": "{}",
        "references": "[]",
        "submitted_at": "0",
        "next": "cancel",
        "seq": "1",
    }
    return Record.from_fields("solucion-factible:X", found | {name: str(value) for name, value in fields.items()})


def situation(
    call: Call = Call.CANCEL,
    *,
    inquires: bool = True,
    waited_s: float = 0.0,
    left_s: float | None = None,
    since_doubt_s: float | None = None,
    **fields: Any,
) -> Situation:
    begun = Begun(record(**fields), 1, waited_s, until_deadline_s=left_s, since_doubt_s=since_doubt_s)
    return Situation(begun, call, inquires, POLICIES, ABUSE_RULE)


def answer(reaction: Reaction, **fields: Any) -> Answer:
    return Answer(reaction=reaction, **fields)


def parked(now: Situation, said: Answer) -> Park:
    step = decide(now, said)
    assert isinstance(step, Park), step
    return step


def finished(now: Situation, said: Answer) -> Finish:
    step = decide(now, said)
    assert isinstance(step, Finish), step
    return step


def waits(asked: dict[str, int] | None = None, age_s: dict[str, float] | None = None, last: Any = None) -> str:
    return json.dumps({"asked": asked or {}, "age_s": age_s or {}, "last": last})


def pending(**fields: Any) -> str:
    return json.dumps(answer(Reaction.CANCELLED, reason=Reason.ALREADY_CANCELLED, code="631", **fields).as_json())


# CANCELLED


@pytest.mark.parametrize("reason", [Reason.CANCELLED, Reason.ALREADY_CANCELLED, None])
@pytest.mark.parametrize("inquires", [True, False])
def test_cancelled_with_evidence_is_final(reason, inquires):
    step = finished(situation(inquires=inquires), answer(Reaction.CANCELLED, reason=reason, code="200", evidence=ACUSE))

    assert (step.verdict.status, step.verdict.reason) == (Status.CANCELLED, reason or Reason.CANCELLED)
    assert step.verdict.answer is not None
    assert step.verdict.answer.evidence == ACUSE
    assert step.effects == Effects(feeds="answer", proves=True)
    assert not step.may_have_acted


def test_cancelled_without_evidence_is_final_with_a_warning_where_it_cannot_be_fetched():
    step = finished(situation(inquires=False), answer(Reaction.CANCELLED))

    assert step.verdict.status is Status.CANCELLED
    assert step.verdict.warnings == (EVIDENCE_MISSING,)


def test_the_adapter_s_own_warning_stands_for_the_missing_evidence():
    step = finished(situation(inquires=False), answer(Reaction.CANCELLED, warnings=("no acuse",)))

    assert step.verdict.warnings == ("no acuse",)


@pytest.mark.parametrize("call", [Call.CANCEL, Call.LOOK_UP])
def test_missing_evidence_is_fetched_as_a_phase_of_the_run(call):
    said = answer(Reaction.CANCELLED, reason=Reason.ALREADY_CANCELLED, code="631", protocol="1431", warnings=("w",))

    step = parked(situation(call, acted=1), said)

    assert step.next_call is Call.EVIDENCE
    assert step.until_s == 600
    assert step.wait_s <= 1
    assert not step.may_have_acted
    assert Answer.from_json(step.pending or {}) == said


def evidence_phase(**fields: Any) -> Situation:
    return situation(Call.EVIDENCE, pending=pending(protocol="1", warnings=("first",)), next="evidence", **fields)


def test_fetched_evidence_ends_the_run_with_what_the_cancellation_said():
    said = answer(
        Reaction.CANCELLED, code="135", protocol="2", registered_at="then", evidence=ACUSE, warnings=("second",)
    )

    verdict = finished(evidence_phase(), said).verdict

    assert (verdict.status, verdict.reason) == (Status.CANCELLED, Reason.ALREADY_CANCELLED)
    assert verdict.answer is not None
    assert (verdict.answer.code, verdict.answer.protocol, verdict.answer.registered_at) == ("631", "1", "then")
    assert verdict.answer.evidence == ACUSE
    assert verdict.warnings == ("first", "second")


@pytest.mark.parametrize("reaction", [one for one in Reaction if one not in {Reaction.ACCOUNT, Reaction.ABUSE}])
def test_evidence_that_is_not_there_yet_is_asked_for_again(reaction):
    step = parked(evidence_phase(), answer(reaction, code="x", least_wait_s=7))

    assert step.next_call is Call.EVIDENCE
    assert step.wait_s >= 7
    assert step.pending is None, "what is kept stays as it is"
    assert step.code == "631"
    assert not step.may_have_acted


@pytest.mark.parametrize("reaction", [one for one in Reaction if one not in {Reaction.ACCOUNT, Reaction.ABUSE}])
def test_evidence_is_given_up_with_a_warning_after_its_time(reaction):
    step = finished(evidence_phase(retry=waits(age_s={"evidence": 600})), answer(reaction))

    assert (step.verdict.status, step.verdict.reason) == (Status.CANCELLED, Reason.ALREADY_CANCELLED)
    assert step.verdict.warnings == ("first", EVIDENCE_MISSING)


@pytest.mark.parametrize("reaction", [Reaction.ACCOUNT, Reaction.ABUSE])
def test_trouble_with_the_account_does_not_use_up_the_time_for_evidence(reaction):
    now = evidence_phase(retry=waits(asked={"evidence": 3}, age_s={"evidence": 599}))

    step = parked(now, answer(reaction, code="401"))

    assert step.next_call is Call.EVIDENCE
    assert step.retry["asked"] == {"evidence": 3}
    assert step.retry["age_s"] == {"evidence": 599}
    assert step.effects.suspend or step.effects.hold_s


# REJECTED


@pytest.mark.parametrize("reason", [Reason.NOT_CANCELLABLE, Reason.NOT_FOUND, None])
@pytest.mark.parametrize("call", [Call.CANCEL, Call.LOOK_UP])
def test_a_rejection_is_final(reason, call):
    step = finished(situation(call), answer(Reaction.REJECTED, reason=reason, code="204"))

    assert (step.verdict.status, step.verdict.reason) == (Status.REJECTED, reason or Reason.UNCLASSIFIED)
    assert not step.may_have_acted


def test_a_rejection_after_a_call_that_may_have_acted_proves_nothing():
    step = finished(situation(acted=1), answer(Reaction.REJECTED, reason=Reason.NOT_CANCELLABLE, code="204"))

    assert (step.verdict.status, step.verdict.reason) == (Status.UNRESOLVED, Reason.MAY_HAVE_ACTED)
    assert step.verdict.answer is not None
    assert step.verdict.answer.code == "204"
    assert step.may_have_acted


def test_a_rejection_after_in_process_proves_nothing_because_what_was_in_process_may_have_worked():
    step = finished(situation(in_process=1), answer(Reaction.REJECTED, reason=Reason.NOT_CANCELLABLE))

    assert (step.verdict.status, step.verdict.reason) == (Status.UNRESOLVED, Reason.MAY_HAVE_ACTED)


def test_the_recipient_s_rejection_ends_what_was_in_process():
    said = answer(Reaction.REJECTED, reason=Reason.REJECTED_BY_RECIPIENT, disproves=Disproves.EVERY_RUN)

    assert finished(situation(in_process=1), said).verdict.status is Status.REJECTED


def test_a_rejection_that_disproves_what_came_before_is_final():
    said = answer(Reaction.REJECTED, reason=Reason.REFUSED_BY_AUTHORITY, disproves=Disproves.EVERY_RUN)

    step = finished(situation(acted=1), said)

    assert (step.verdict.status, step.verdict.reason) == (Status.REJECTED, Reason.REFUSED_BY_AUTHORITY)


@pytest.mark.parametrize(
    ("disproves", "doubt", "status"),
    [
        (Disproves.NOTHING, {"run": 2, "acted": 2}, Status.UNRESOLVED),
        (Disproves.THIS_RUN, {"run": 2, "acted": 2}, Status.REJECTED),
        (Disproves.THIS_RUN, {"run": 2, "acted": 1}, Status.UNRESOLVED),
        (Disproves.THIS_RUN, {"run": 2, "acted": 2, "in_process": 1}, Status.UNRESOLVED),
        (Disproves.EVERY_RUN, {"run": 2, "acted": 2}, Status.REJECTED),
        (Disproves.EVERY_RUN, {"run": 2, "acted": 1}, Status.REJECTED),
        (Disproves.EVERY_RUN, {"run": 2, "acted": 1, "in_process": 1}, Status.REJECTED),
    ],
)
def test_a_rejection_of_the_request_disproves_only_calls_that_sent_the_same(disproves, doubt, status):
    """An earlier run may have sent another body, which was not wrong."""
    step = finished(situation(**doubt), answer(Reaction.REJECTED, code="222", disproves=disproves))

    assert step.verdict.status is status
    assert step.may_have_acted is (status is Status.UNRESOLVED)


@pytest.mark.parametrize(
    ("disproves", "status"), [(Disproves.THIS_RUN, "unresolved"), (Disproves.EVERY_RUN, "rejected")]
)
def test_where_the_document_was_said_to_be_cancelled_a_wrong_request_disproves_nothing(disproves, status):
    now = situation(run=2, acted=2, claimed=1)

    assert finished(now, answer(Reaction.REJECTED, code="222", disproves=disproves)).verdict.status == status


@pytest.mark.parametrize(("reason", "told"), [(Reason.EVIDENCE_DISAGREES,) * 2, (None, Reason.UNREADABLE_ANSWER)])
def test_an_answer_that_contradicts_itself_is_for_a_person(reason, told):
    step = finished(situation(), answer(Reaction.UNRESOLVED, reason=reason, evidence=ACUSE))

    assert (step.verdict.status, step.verdict.reason) == (Status.UNRESOLVED, told)
    assert step.verdict.answer is not None
    assert step.verdict.answer.evidence == ACUSE
    assert step.may_have_acted


# Asked again


def test_in_process_is_asked_again_on_its_own_schedule():
    step = parked(situation(), answer(Reaction.IN_PROCESS, code="211"))

    assert (step.next_call, step.in_process, step.may_have_acted) == (Call.CANCEL, True, False)
    assert 60 <= step.wait_s <= 72
    assert step.effects == Effects(feeds="answer", proves=True)


def test_an_answer_that_did_not_act_is_sent_again():
    step = parked(situation(), answer(Reaction.TRANSIENT, code="500"))

    assert (step.next_call, step.may_have_acted) == (Call.CANCEL, False)
    assert 0.5 <= step.wait_s <= 0.6
    assert step.least_wait_s == 0.5
    assert step.effects.feeds == "failure"


@pytest.mark.parametrize(("inquires", "next_call"), [(True, Call.LOOK_UP), (False, Call.CANCEL)])
@pytest.mark.parametrize(
    "said",
    [
        answer(Reaction.TRANSIENT, may_have_acted=True),
        answer(Reaction.UNKNOWN, may_have_acted=True),
        answer(Reaction.CONFIRM, may_have_acted=True),
    ],
    ids=lambda said: said.reaction,
)
def test_what_may_have_acted_is_looked_up_before_it_is_sent_again(said, inquires, next_call):
    step = parked(situation(inquires=inquires), said)

    assert (step.next_call, step.may_have_acted) == (next_call, True)


@pytest.mark.parametrize("reaction", [Reaction.UNKNOWN, Reaction.CONFIRM])
def test_an_unknown_answer_is_not_followed_up_before_15_seconds(reaction):
    assert 15 <= parked(situation(), answer(reaction)).wait_s <= 18


@pytest.mark.parametrize("said", [answer(Reaction.UNKNOWN), answer(Reaction.TRANSIENT)], ids=lambda said: said.reaction)
def test_a_look_up_without_an_answer_is_made_again_and_marks_nothing(said):
    step = parked(situation(Call.LOOK_UP, acted=1, next="look_up"), said)

    assert (step.next_call, step.may_have_acted) == (Call.LOOK_UP, False)


def test_not_cancelled_is_sent_again_at_once_without_a_new_age():
    now = situation(
        Call.LOOK_UP, acted=1, retry=waits({"unknown": 4}, {"unknown": 300.0}, ["unknown", 60.0]), waited_s=99
    )

    step = parked(now, answer(Reaction.NOT_CANCELLED, code="100"))

    assert (step.next_call, step.wait_s) == (Call.CANCEL, 0)
    assert step.retry["asked"] == {"unknown": 4}
    assert step.retry["age_s"] == {"unknown": 360.0}
    assert step.effects == Effects(feeds="answer", proves=True)


# A look-up that says "not cancelled"

COUNTS_AFTER_S = 300.0
DENIED = answer(Reaction.NOT_CANCELLED, code="100", message="authorised", disproves=Disproves.EVERY_RUN)
TELLS_NOTHING = answer(Reaction.NOT_CANCELLED, code="413")
DOUBTS: list[tuple[Answer, dict[str, Any], bool]] = [
    (DENIED, {"acted": 1, "since_doubt_s": COUNTS_AFTER_S}, True),
    (DENIED, {"acted": 1, "since_doubt_s": COUNTS_AFTER_S - 0.001}, False),
    (DENIED, {"acted": 1, "since_doubt_s": None}, False),
    (DENIED, {"acted": 1, "since_doubt_s": DAY_S, "in_process": 1}, False),
    (DENIED, {"in_process": 1}, False),
    (DENIED, {"acted": 1, "since_doubt_s": DAY_S, "claimed": 1}, False),
    (TELLS_NOTHING, {"acted": 1, "since_doubt_s": DAY_S}, False),
    (TELLS_NOTHING, {}, True),
]


@pytest.mark.parametrize(("said", "doubt", "is_settled"), DOUBTS)
def test_past_the_deadline_a_look_up_that_proves_it_ends_the_run_and_another_is_asked_again(said, doubt, is_settled):
    now = situation(Call.LOOK_UP, left_s=-1.0, **doubt)

    if is_settled:
        step = finished(now, said)
        assert (step.verdict.status, step.verdict.reason) == (Status.REJECTED, Reason.DEADLINE_PASSED)
        assert step.verdict.answer == said
        assert step.verdict.warnings == ()
    else:
        again = parked(now, said)
        assert (again.next_call, again.disproved) == (Call.LOOK_UP, False)
        assert 15 <= again.wait_s <= 18, "as after an unknown answer"
        assert again.retry["asked"] == {"unknown": 1}


@pytest.mark.parametrize(("said", "doubt", "is_settled"), DOUBTS)
@pytest.mark.parametrize("left_s", [None, 60.0])
def test_before_the_deadline_the_request_is_sent_again_and_a_proof_ends_the_doubt(said, doubt, is_settled, left_s):
    step = parked(situation(Call.LOOK_UP, left_s=left_s, **doubt), said)

    assert (step.next_call, step.wait_s, step.disproved) == (Call.CANCEL, 0, is_settled)


def test_no_other_answer_ends_the_doubt():
    for reaction in set(Reaction) - {Reaction.NOT_CANCELLED}:
        said = answer(reaction, disproves=Disproves.EVERY_RUN)
        step = decide(situation(Call.LOOK_UP, acted=1, since_doubt_s=DAY_S, left_s=60.0), said)
        assert isinstance(step, Finish) or not step.disproved


@pytest.mark.parametrize("said", [answer(Reaction.TRANSIENT), answer(Reaction.UNKNOWN), TELLS_NOTHING, DENIED])
def test_when_the_policy_ends_past_the_deadline_what_is_in_doubt_is_unresolved(said):
    spent = waits(age_s={"transient": DAY_S, "unknown": DAY_S})
    now = situation(Call.LOOK_UP, left_s=-1.0, acted=1, since_doubt_s=10.0, retry=spent)

    verdict = finished(now, said).verdict

    assert (verdict.status, verdict.reason) == (Status.UNRESOLVED, Reason.DEADLINE_PASSED)
    assert verdict.warnings == (MAY_STILL_BE_CANCELLED,)
    assert verdict.answer is not None
    assert verdict.answer.code == said.code


def test_past_the_deadline_looking_up_comes_to_an_end():
    state, waited_s, look_ups = waits(), 0.0, 0
    while True:
        look_ups += 1
        now = situation(Call.LOOK_UP, left_s=-1.0, acted=1, since_doubt_s=None, retry=state, waited_s=waited_s)
        step = decide(now, answer(Reaction.UNKNOWN) if look_ups % 3 else TELLS_NOTHING)
        if isinstance(step, Finish):
            break
        state, waited_s = json.dumps(step.retry), step.wait_s
        assert look_ups < 1_000

    assert step.verdict.reason is Reason.DEADLINE_PASSED
    assert look_ups > 90


def test_past_the_deadline_a_look_up_that_says_cancelled_is_believed():
    step = finished(
        situation(Call.LOOK_UP, left_s=-1.0, acted=1), answer(Reaction.CANCELLED, code="101", evidence=ACUSE)
    )

    assert step.verdict.status is Status.CANCELLED


def test_said_to_be_cancelled_already_is_remembered_whatever_a_look_up_says():
    assert parked(situation(), answer(Reaction.CONFIRM, may_have_acted=True)).claimed
    assert not parked(situation(), answer(Reaction.UNKNOWN, may_have_acted=True)).claimed


def test_looking_up_and_sending_again_comes_to_an_end():
    state, calls = waits(), 0
    waited_s = 0.0
    while True:
        calls += 1
        sent = decide(situation(acted=1, retry=state, waited_s=0.0), answer(Reaction.UNKNOWN, may_have_acted=True))
        if isinstance(sent, Finish):
            break
        waited_s += sent.wait_s
        looked_up = parked(
            situation(Call.LOOK_UP, acted=1, retry=json.dumps(sent.retry), waited_s=sent.wait_s),
            answer(Reaction.NOT_CANCELLED),
        )
        state = json.dumps(looked_up.retry)
        assert calls < 1_000

    assert sent.verdict.reason is Reason.GAVE_UP
    assert DAY_S <= waited_s <= DAY_S + 900


@pytest.mark.parametrize(
    ("said", "kind", "reason"),
    [
        (answer(Reaction.TRANSIENT), Kind.TRANSIENT, Reason.GAVE_UP),
        (answer(Reaction.UNKNOWN), Kind.UNKNOWN, Reason.GAVE_UP),
        (answer(Reaction.UNKNOWN, reason=Reason.UNREADABLE_ANSWER), Kind.UNKNOWN, Reason.UNREADABLE_ANSWER),
        (answer(Reaction.CONFIRM, reason=Reason.ALREADY_CANCELLED), Kind.UNKNOWN, Reason.GAVE_UP),
        (answer(Reaction.IN_PROCESS), Kind.IN_PROCESS, Reason.STILL_IN_PROCESS),
    ],
    ids=lambda value: getattr(value, "reaction", value),
)
@pytest.mark.parametrize("call", [Call.CANCEL, Call.LOOK_UP])
def test_at_its_cap_a_run_ends_unresolved(said, kind, reason, call):
    now = situation(call, retry=waits(age_s={kind: 604_800.0}))

    verdict = finished(now, said).verdict

    assert (verdict.status, verdict.reason) == (Status.UNRESOLVED, reason)


def test_giving_up_after_a_call_that_may_have_acted_is_remembered():
    now = situation(retry=waits(age_s={"unknown": DAY_S}))

    assert finished(now, answer(Reaction.UNKNOWN, may_have_acted=True)).may_have_acted
    assert not finished(now, answer(Reaction.UNKNOWN)).may_have_acted


@pytest.mark.parametrize(
    "reactions", [[Reaction.UNKNOWN, Reaction.TRANSIENT], [Reaction.UNKNOWN] + [Reaction.TRANSIENT] * 9]
)
def test_unknown_and_transient_in_turn_come_to_an_end_after_twice_the_longer_policy(reactions):
    state, wait_s, waited_s, calls = waits(), 0.0, 0.0, 0
    while True:
        said = answer(reactions[calls % len(reactions)])
        step = decide(situation(inquires=False, retry=state, waited_s=wait_s), said)
        if isinstance(step, Finish):
            break
        state, wait_s = json.dumps(step.retry), step.wait_s
        waited_s, calls = waited_s + wait_s, calls + 1
        assert calls < 100_000

    assert step.verdict.reason is Reason.GAVE_UP
    assert 2 * DAY_S <= waited_s < 2 * DAY_S + 900


def test_an_answer_of_another_reaction_starts_what_they_share_anew():
    state = waits({"unknown": 9}, {"unknown": 5.0})[:-1] + ', "in_turn_s": 172799.0}'
    assert parked(situation(retry=state), answer(Reaction.TRANSIENT)).retry["in_turn_s"] == 172_799.0

    step = parked(situation(retry=state), answer(Reaction.IN_PROCESS))

    assert step.retry["in_turn_s"] == 0.0


SPENT = waits({"transient": 9, "unknown": 9, "in_process": 9}, {"transient": 5.0, "unknown": 6.0, "in_process": 7.0})


@pytest.mark.parametrize(
    ("reaction", "kept"),
    [
        (Reaction.TRANSIENT, {"transient", "in_process"}),
        (Reaction.UNKNOWN, {"unknown", "in_process"}),
        (Reaction.CONFIRM, {"unknown", "in_process"}),
        (Reaction.IN_PROCESS, {"in_process"}),
    ],
)
def test_another_reaction_starts_the_others_anew_but_in_process_keeps_its_age(reaction, kept):
    step = parked(situation(retry=SPENT), answer(reaction))

    assert set(step.retry["age_s"]) == kept
    assert set(step.retry["asked"]) == kept


@pytest.mark.parametrize("reaction", [Reaction.TRANSIENT, Reaction.UNKNOWN])
def test_a_look_up_without_an_answer_starts_nothing_anew(reaction):
    step = parked(situation(Call.LOOK_UP, retry=SPENT), answer(reaction))

    assert step.retry["age_s"] == {"transient": 5.0, "unknown": 6.0, "in_process": 7.0}


@pytest.mark.parametrize("call", list(Call))
def test_retry_after_is_obeyed(call):
    now = evidence_phase() if call is Call.EVIDENCE else situation(call)

    step = parked(now, answer(Reaction.TRANSIENT, least_wait_s=300))

    assert step.wait_s >= 300
    assert step.least_wait_s >= 300


# The account


@pytest.mark.parametrize("call", [Call.CANCEL, Call.LOOK_UP])
@pytest.mark.parametrize("reaction", [Reaction.ACCOUNT, Reaction.ABUSE])
def test_trouble_with_the_account_leaves_the_job_uncounted(call, reaction):
    step = parked(situation(call, retry=SPENT), answer(reaction, code="601"))

    assert (step.next_call, step.wait_s, step.may_have_acted) == (call, 0, False)
    assert step.retry["asked"] == {"transient": 9, "unknown": 9, "in_process": 9}
    assert step.retry["age_s"] == {"transient": 5.0, "unknown": 6.0, "in_process": 7.0}


def test_account_suspends_and_proves_nothing():
    effects = parked(situation(), answer(Reaction.ACCOUNT, code="601", message="wrong password")).effects

    assert (effects.suspend, effects.suspend_code) == ("601 wrong password", "601")
    assert (effects.feeds, effects.proves, effects.hold_s) == ("answer", False, 0)


def test_an_account_is_suspended_even_without_words():
    assert parked(situation(), answer(Reaction.ACCOUNT)).effects.suspend


def test_only_the_provider_s_own_word_suspends_an_account():
    said = answer(Reaction.ACCOUNT, unsent=True, message="WSDL x.wsdl cannot be read")

    assert parked(situation(), said).effects == Effects()


@pytest.mark.parametrize(
    ("said", "note"),
    [
        (answer(Reaction.TRANSIENT, unsent=True, provider_status={"transport": "refused"}), "nothing was sent"),
        (
            answer(Reaction.ACCOUNT, unsent=True, message="WSDL x.wsdl is wrong"),
            "nothing was sent: WSDL x.wsdl is wrong",
        ),
    ],
    ids=lambda value: getattr(value, "reaction", value),
)
def test_what_was_not_sent_is_no_attempt_and_the_history_says_so(said, note):
    step = parked(situation(), said)

    assert step.unsent
    assert step.entry["note"] == note


def test_a_run_that_is_given_up_does_not_count_what_was_not_sent():
    now = situation(retry=waits(age_s={"transient": DAY_S}))

    step = finished(now, answer(Reaction.TRANSIENT, unsent=True, provider_status={"transport": "refused"}))

    assert step.unsent
    assert step.verdict.reason is Reason.GAVE_UP


def test_the_history_keeps_words_and_excerpt_of_every_answer():
    said = answer(Reaction.UNKNOWN, message="SOAP fault: it went wrong", excerpt="HTTP 500, text/xml, 90 bytes: <a>")

    given_up = finished(situation(retry=waits(age_s={"unknown": DAY_S})), said)

    for step in (parked(situation(), said), given_up, parked(evidence_phase(), said)):
        assert (step.entry["message"], step.entry["excerpt"]) == (said.message, said.excerpt)


def test_the_history_keeps_the_beginning_of_long_words():
    step = parked(situation(), answer(Reaction.UNKNOWN, message="é" * HISTORY_MESSAGE_LENGTH + "x"))

    assert step.entry["message"] == "é" * (HISTORY_MESSAGE_LENGTH - 1) + "…"


@pytest.mark.parametrize("call", list(Call))
def test_what_was_sent_counts(call):
    now = evidence_phase() if call is Call.EVIDENCE else situation(call)

    step = parked(now, answer(Reaction.TRANSIENT, code="108"))

    assert not step.unsent
    assert "note" not in step.entry


def test_the_history_has_the_provider_s_words_shortened():
    assert (
        parked(situation(), answer(Reaction.TRANSIENT, message="come back later")).entry["message"] == "come back later"
    )
    long = parked(situation(), answer(Reaction.TRANSIENT, message="x" * 1_000)).entry["message"]
    assert (len(long), long[-1]) == (200, "…")


def test_abuse_pauses_the_account_and_slows_it_down():
    effects = parked(situation(), answer(Reaction.ABUSE, code="678")).effects

    assert (effects.hold_s, effects.slow_s, effects.slow_per_minute) == (3_600, 86_400, 8)
    assert "678" in (effects.hold_reason or "")
    assert (effects.suspend, effects.proves) == (None, False)


def test_a_pause_that_was_asked_for_holds_the_account():
    effects = parked(situation(), answer(Reaction.TRANSIENT, code="109", hold_account_s=900)).effects

    assert (effects.hold_s, effects.feeds, effects.suspend) == (900, "failure", None)


@pytest.mark.parametrize(
    ("call", "code", "feeds"),
    [
        (Call.CANCEL, None, "failure"),
        (Call.CANCEL, "108", "failure"),
        (Call.LOOK_UP, None, "failure"),
        (Call.LOOK_UP, "-6", "failure"),
        (Call.EVIDENCE, None, "failure"),
        (Call.EVIDENCE, "-6", "answer"),
    ],
)
@pytest.mark.parametrize("reaction", [Reaction.TRANSIENT, Reaction.UNKNOWN])
def test_what_feeds_the_circuit(reaction, call, code, feeds):
    now = evidence_phase() if call is Call.EVIDENCE else situation(call)

    step = parked(now, answer(reaction, code=code))

    assert step.effects.feeds == feeds
    assert not step.effects.proves


# Without a call


def test_what_was_too_late_to_be_sent_counts_for_nothing():
    step = decision.too_late(situation(Call.LOOK_UP, retry=SPENT, code="211"))

    assert (step.unsent, step.wait_s, step.code, step.next_call) == (True, 0, "211", Call.LOOK_UP)
    assert step.effects == Effects()


def test_a_bug_ends_the_run_unresolved_and_tells_no_secret():
    step = decision.bug(situation(), ValueError("hunter2"))

    assert (step.verdict.status, step.verdict.reason) == (Status.UNRESOLVED, Reason.INTERNAL_ERROR)
    assert step.may_have_acted
    assert step.effects == Effects()
    assert "ValueError" in step.verdict.warnings[0]
    assert "hunter2" not in str(step)


def test_a_bug_while_looking_up_did_not_act():
    assert not decision.bug(situation(Call.LOOK_UP), KeyError()).may_have_acted


def test_a_bug_while_fetching_evidence_leaves_the_document_cancelled():
    verdict = decision.bug(evidence_phase(), KeyError()).verdict

    assert (verdict.status, verdict.reason) == (Status.CANCELLED, Reason.ALREADY_CANCELLED)
    assert EVIDENCE_MISSING in verdict.warnings


IN_DOUBT: list[dict[str, Any]] = [{"acted": 1}, {"in_process": 1}, {"acted": 1, "in_process": 1}]


@pytest.mark.parametrize("fields", IN_DOUBT)
def test_a_deadline_leaves_a_document_in_doubt_unresolved(fields):
    verdict = verdicts.time_is_up(record(code="211", **fields))

    assert (verdict.status, verdict.reason) == (Status.UNRESOLVED, Reason.DEADLINE_PASSED)
    assert verdict.warnings == (MAY_STILL_BE_CANCELLED,)
    assert verdict.answer is not None
    assert verdict.answer.code == "211"


def test_a_run_that_ends_without_a_call_carries_the_words_that_came_with_its_last_code():
    history = [
        {"at": 1, "call": "cancel", "reaction": "in_process", "code": "211", "message": "in process"},
        {"at": 2, "call": "cancel", "reaction": "lost"},
    ]

    for ending in (verdicts.time_is_up, verdicts.revoked, verdicts.worn_out):
        said = ending(record(code="211", history=json.dumps(history))).answer
        assert said is not None
        assert (said.code, said.message) == ("211", "in process")


def test_a_deadline_rejects_what_never_acted():
    verdict = verdicts.time_is_up(record())

    assert (verdict.status, verdict.reason) == (Status.REJECTED, Reason.DEADLINE_PASSED)
    assert (verdict.warnings, verdict.answer) == ((), None)


def test_a_revoked_job_warns_if_it_was_asked_for():
    plain = verdicts.revoked(record())

    assert (plain.status, plain.reason, plain.warnings) == (Status.REVOKED, Reason.REVOKED, ())
    for fields in IN_DOUBT:
        assert verdicts.revoked(record(**fields)).warnings == (MAY_STILL_BE_CANCELLED,)


def test_a_worn_out_job_is_given_up():
    verdict = verdicts.worn_out(record(lost=3))

    assert (verdict.status, verdict.reason) == (Status.UNRESOLVED, Reason.GAVE_UP)
    assert verdict.warnings


@pytest.mark.parametrize("ending", [verdicts.time_is_up, verdicts.worn_out, verdicts.evidence_given_up])
def test_whatever_ends_the_wait_for_evidence_the_document_is_cancelled(ending):
    verdict = ending(record(pending=pending(warnings=("first",)), lost=3, acted=1))

    assert (verdict.status, verdict.reason) == (Status.CANCELLED, Reason.ALREADY_CANCELLED)
    assert verdict.warnings == ("first", EVIDENCE_MISSING)


# Properties

ANSWERS = st.builds(
    Answer,
    reaction=st.sampled_from(Reaction),
    reason=st.none() | st.sampled_from(Reason),
    code=st.none() | st.text(max_size=5),
    message=st.none() | st.text(max_size=20),
    provider_status=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
    evidence=st.none() | st.builds(Evidence, st.binary(max_size=20)),
    warnings=st.lists(st.text(max_size=5), max_size=2).map(tuple),
    may_have_acted=st.booleans(),
    disproves=st.sampled_from(Disproves),
    unsent=st.booleans(),
    least_wait_s=st.floats(0, 3_600),
    hold_account_s=st.floats(0, 3_600),
)


@given(
    said=ANSWERS,
    call=st.sampled_from(Call),
    inquires=st.booleans(),
    acted=st.sampled_from([None, 1, 2]),
    age_s=st.floats(0, 1_000_000),
)
def test_no_answer_makes_more_of_the_document_than_was_said(said, call, inquires, acted, age_s):
    fields: dict[str, Any] = {"run": 2} | ({"acted": acted} if acted else {})
    if call is Call.EVIDENCE:
        fields |= {"pending": pending()}
    now = situation(call, inquires=inquires, retry=waits(age_s=dict.fromkeys(Kind, age_s)), **fields)

    step = decide(now, said)

    json.dumps(step.entry)
    if isinstance(step, Park):
        assert step.wait_s >= 0
        assert step.next_call in tuple(Call)
        assert step.next_call is not Call.LOOK_UP or inquires or call is Call.LOOK_UP
        return
    if step.verdict.status is Status.CANCELLED:
        assert said.reaction is Reaction.CANCELLED or call is Call.EVIDENCE
    if step.verdict.status is Status.REJECTED:
        assert said.reaction is Reaction.REJECTED
        assert (
            said.disproves is Disproves.EVERY_RUN or not acted or (said.disproves is Disproves.THIS_RUN and acted == 2)
        )


@given(said=ANSWERS)
def test_an_answer_comes_back_from_the_ledger_as_it_went_in(said):
    again = Answer.from_json(json.loads(json.dumps(said.as_json())))

    of_this_call = {"may_have_acted": False, "disproves": Disproves.NOTHING, "unsent": False}
    assert again == replace(said, **of_this_call, least_wait_s=0.0, hold_account_s=0.0)
