"""From an answer to what happens next: park the job, or end its run. No clock, no network, no Redis."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from worker.answer import Answer, Disproves, Reaction, Reason
from worker.ledger.records import Record
from worker.ledger.steps import Effects, Finish, Park
from worker.outcome import Status, Verdict
from worker.retry import Kind, Waits
from worker.situation import AbuseRule, Call, Situation
from worker.verdicts import EVIDENCE_MISSING, MAY_STILL_BE_CANCELLED, evidence_given_up

HISTORY_MESSAGE_LENGTH = 200
"""Of the provider's words in a line of a job's history: there are up to 20 lines, in Redis's memory, for every job."""


def decide(now: Situation, answer: Answer) -> Park | Finish:  # noqa: PLR0911 - one for each reaction
    """What follows from an answer (docs/architecture.md, the table of reactions)."""
    if now.call is Call.EVIDENCE:
        return _after_download(now, answer)
    match answer.reaction:
        case Reaction.CANCELLED:
            return _cancelled(now, answer)
        case Reaction.REJECTED:
            return _rejected(now, answer)
        case Reaction.UNRESOLVED:
            reason = answer.reason or Reason.UNREADABLE_ANSWER
            return _finish(now, answer, Status.UNRESOLVED, reason, may_have_acted=True)
        case Reaction.NOT_CANCELLED:
            return _not_cancelled(now, answer)
        case Reaction.ACCOUNT | Reaction.ABUSE:
            return _park(now, answer, wait_s=0.0, next_call=now.call, waits=now.waits)
        case Reaction.IN_PROCESS:
            return _ask_again(now, answer, Kind.IN_PROCESS, Reason.STILL_IN_PROCESS)
        case Reaction.TRANSIENT:
            return _ask_again(now, answer, Kind.TRANSIENT, Reason.GAVE_UP)
        case Reaction.UNKNOWN | Reaction.CONFIRM:
            return _ask_again(now, answer, Kind.UNKNOWN, _why_given_up(answer))


def _why_given_up(answer: Answer) -> Reason:
    """What was said to be cancelled already, and never confirmed, must not end as already cancelled."""
    said = answer.reason if answer.reaction is Reaction.UNKNOWN else None
    return said or Reason.GAVE_UP


def _cancelled(now: Situation, answer: Answer) -> Park | Finish:
    """Final, but for the evidence: where it is missing and can be had, fetching it is the run's last phase."""
    if answer.evidence is not None:
        return _finish(now, answer, Status.CANCELLED, answer.reason or Reason.CANCELLED)
    if not now.inquires:
        return _finish(now, _without_evidence(answer), Status.CANCELLED, answer.reason or Reason.CANCELLED)
    wait_s, waits = now.policies.next_wait(Kind.EVIDENCE, now.waits)
    return _park(
        now,
        answer,
        wait_s=wait_s or 0.0,
        next_call=Call.EVIDENCE,
        waits=waits,
        pending=answer.as_json(),
        until_s=now.policies.evidence_total_s,
    )


def _without_evidence(answer: Answer) -> Answer:
    if answer.warnings:
        return answer
    return replace(answer, warnings=(EVIDENCE_MISSING,))


def _after_download(now: Situation, answer: Answer) -> Park | Finish:
    """Whatever a download says, the document is cancelled."""
    cancelled = Answer.from_json(now.record.pending or {})
    if answer.evidence is not None:
        whole = replace(
            cancelled,
            evidence=answer.evidence,
            protocol=cancelled.protocol or answer.protocol,
            registered_at=cancelled.registered_at or answer.registered_at,
            warnings=cancelled.warnings + answer.warnings,
        )
        return _finish(now, whole, Status.CANCELLED, whole.reason or Reason.CANCELLED, heard=answer)
    if answer.reaction in {Reaction.ACCOUNT, Reaction.ABUSE}:
        return _park(now, answer, wait_s=0.0, next_call=Call.EVIDENCE, waits=now.waits, code=cancelled.code)
    wait_s, waits = now.policies.next_wait(Kind.EVIDENCE, now.waits, least_s=answer.least_wait_s)
    if wait_s is None:
        ending = replace(cancelled, warnings=(*cancelled.warnings, EVIDENCE_MISSING))
        return _finish(now, ending, Status.CANCELLED, ending.reason or Reason.CANCELLED, heard=answer)
    return _park(now, answer, wait_s=wait_s, next_call=Call.EVIDENCE, waits=waits, code=cancelled.code)


def _rejected(now: Situation, answer: Answer) -> Finish:
    """A rejection proves nothing where an earlier call may be what makes the provider say so."""
    if now.record.is_in_doubt and not _settles(now.record, answer):
        return _finish(now, answer, Status.UNRESOLVED, Reason.MAY_HAVE_ACTED, may_have_acted=True)
    return _finish(now, answer, Status.REJECTED, answer.reason or Reason.UNCLASSIFIED)


def _settles(record: Record, answer: Answer) -> bool:
    """Whether a rejection disproves every call that is in doubt."""
    is_of_this_run = record.doubted_run == record.run and not (record.in_process or record.claimed)
    return answer.disproves is Disproves.EVERY_RUN or (answer.disproves is Disproves.THIS_RUN and is_of_this_run)


def _not_cancelled(now: Situation, answer: Answer) -> Park | Finish:
    """Safe to send again. Past the deadline, where nothing is sent, the run ends by it, or is looked up again."""
    ends_doubt = now.is_disproved_by(answer)
    if not now.is_past_deadline:
        return _park(now, answer, wait_s=0.0, next_call=Call.CANCEL, waits=now.waits, disproved=ends_doubt)
    if ends_doubt:
        return _finish(now, answer, Status.REJECTED, Reason.DEADLINE_PASSED)
    return _ask_again(now, answer, Kind.UNKNOWN, Reason.DEADLINE_PASSED)


def _ask_again(now: Situation, answer: Answer, kind: Kind, at_the_end: Reason) -> Park | Finish:
    waits = now.waits.turned_to(kind) if now.call is Call.CANCEL else now.waits
    wait_s, waits = now.policies.next_wait(kind, waits, least_s=answer.least_wait_s)
    if wait_s is not None:
        return _park(now, answer, wait_s=wait_s, next_call=_next_call(now, answer), waits=waits)
    if now.is_past_deadline:
        warned = replace(answer, warnings=(*answer.warnings, MAY_STILL_BE_CANCELLED))
        return _finish(now, warned, Status.UNRESOLVED, Reason.DEADLINE_PASSED)
    return _finish(now, answer, Status.UNRESOLVED, at_the_end, may_have_acted=answer.may_have_acted)


def _next_call(now: Situation, answer: Answer) -> Call:
    """Look up before a resend, wherever the call may have worked and the provider can say."""
    in_doubt = answer.may_have_acted or answer.reaction in {Reaction.UNKNOWN, Reaction.CONFIRM}
    return Call.LOOK_UP if in_doubt and now.inquires else now.call


def _park(
    now: Situation,
    answer: Answer,
    *,
    wait_s: float,
    next_call: Call,
    waits: Waits,
    pending: Mapping[str, Any] | None = None,
    until_s: float | None = None,
    code: str | None = None,
    disproved: bool = False,
) -> Park:
    return Park(
        wait_s=wait_s,
        least_wait_s=max(answer.least_wait_s, _least_wait_s(now, answer)),
        next_call=next_call,
        retry=waits.as_json(),
        entry=_entry(now.call, answer, wait_s=wait_s),
        effects=effects_of(answer, now.call, now.abuse),
        code=code or answer.code,
        may_have_acted=now.call is Call.CANCEL and (answer.may_have_acted or answer.reaction is Reaction.CONFIRM),
        claimed=answer.reaction is Reaction.CONFIRM,
        disproved=disproved,
        in_process=answer.reaction is Reaction.IN_PROCESS,
        pending=pending,
        until_s=until_s,
        unsent=answer.unsent,
    )


def _least_wait_s(now: Situation, answer: Answer) -> float:
    """How early the job may be asked again when its account's outage ends before its wait does: the first wait."""
    kinds = {Reaction.TRANSIENT: Kind.TRANSIENT, Reaction.UNKNOWN: Kind.UNKNOWN}
    kind = kinds.get(answer.reaction)
    return now.policies.first_s(kind) if kind else 0.0


def _finish(
    now: Situation,
    answer: Answer,
    status: Status,
    reason: Reason,
    *,
    may_have_acted: bool = False,
    heard: Answer | None = None,
) -> Finish:
    verdict = Verdict(status=status, reason=reason, answer=answer, warnings=answer.warnings)
    said = heard or answer
    return Finish(
        verdict=verdict,
        entry=_entry(now.call, said),
        effects=effects_of(said, now.call, now.abuse),
        may_have_acted=may_have_acted,
        unsent=said.unsent,
    )


def _entry(call: Call, answer: Answer, *, wait_s: float | None = None) -> dict[str, Any]:
    """The line of the job's history."""
    wait = None if wait_s is None else round(wait_s, 3)
    layers = " ".join(f"{name}={value}" for name, value in answer.provider_status.items())
    entry = {"call": call, "reaction": answer.reaction, "code": answer.code, "answer": layers or None, "wait_s": wait}
    if answer.unsent:
        return entry | {"note": _nothing_sent(answer)}
    return entry | {"message": _shortened(answer.message), "excerpt": answer.excerpt}


def _shortened(message: str | None) -> str | None:
    """The words as the history keeps them."""
    if message is None or len(message) <= HISTORY_MESSAGE_LENGTH:
        return message
    return message[: HISTORY_MESSAGE_LENGTH - 1] + "…"


def _nothing_sent(answer: Answer) -> str:
    """Why there was no call; where the transport said why, that stands beside it."""
    why = None if answer.provider_status else answer.message
    return f"nothing was sent: {why}" if why else "nothing was sent"


def effects_of(answer: Answer, call: Call, abuse: AbuseRule) -> Effects:
    """What the answer means for the account. A download that is not ready yet says nothing against the provider."""
    match answer.reaction:
        case Reaction.ACCOUNT if answer.is_misconfiguration:
            return Effects()
        case Reaction.ACCOUNT:
            words = " ".join(part for part in (answer.code, answer.message) if part)
            return Effects(feeds="answer", suspend=words or "refused", suspend_code=answer.code)
        case Reaction.ABUSE:
            return Effects(
                feeds="answer",
                hold_s=abuse.pause_s,
                hold_reason=f"the authority's abuse code {answer.code}",
                slow_s=abuse.slow_s,
                slow_per_minute=abuse.per_minute,
            )
        case Reaction.TRANSIENT | Reaction.UNKNOWN:
            is_failure = call is not Call.EVIDENCE or answer.code is None
            return Effects(
                feeds="failure" if is_failure else "answer",
                hold_s=answer.hold_account_s,
                hold_reason=f"the provider asked for a pause ({answer.code or 'HTTP'})",
            )
        case _:
            return Effects(feeds="answer", proves=True)


def too_late(now: Situation) -> Park:
    """No call was made, because lease or deadline had run out right before it: the job waits, uncounted."""
    return Park(
        wait_s=0.0,
        least_wait_s=0.0,
        next_call=now.call,
        retry=now.record.retry,
        entry={"call": now.call, "note": "not sent: lease or deadline had run out"},
        effects=Effects(),
        code=now.record.code,
        unsent=True,
    )


def bug(now: Situation, error: Exception) -> Finish:
    """An unexpected exception ends the run; whether the call worked is unknown. Never retried as if it were weather."""
    verdict = Verdict(
        status=Status.UNRESOLVED,
        reason=Reason.INTERNAL_ERROR,
        warnings=(f"internal error ({type(error).__name__}): see the worker's log",),
    )
    if now.record.pending is not None:
        verdict = evidence_given_up(now.record)
    entry = {"call": now.call, "reaction": "internal-error", "note": type(error).__name__}
    return Finish(verdict=verdict, entry=entry, effects=Effects(), may_have_acted=now.call is Call.CANCEL)
