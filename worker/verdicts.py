"""The verdicts on runs that end without a further call: time is up, worn out, revoked, evidence not to be had."""

from worker.answer import Answer, Reaction, Reason
from worker.ledger.records import Record
from worker.outcome import Status, Verdict

EVIDENCE_MISSING = "the evidence could not be had"
MAY_STILL_BE_CANCELLED = "it was asked for before: the document may still be cancelled"


def time_is_up(record: Record) -> Verdict:
    """The end of a run whose deadline, or wait for evidence, has passed."""
    if record.pending is not None:
        return evidence_given_up(record)
    return Verdict(
        status=Status.UNRESOLVED if record.is_in_doubt else Status.REJECTED,
        reason=Reason.DEADLINE_PASSED,
        answer=_last_word(record),
        warnings=(MAY_STILL_BE_CANCELLED,) if record.is_in_doubt else (),
    )


def worn_out(record: Record) -> Verdict:
    """The end of a run whose calls were lost too often: it may be what kills workers."""
    if record.pending is not None:
        return evidence_given_up(record)
    return Verdict(
        status=Status.UNRESOLVED,
        reason=Reason.GAVE_UP,
        answer=_last_word(record),
        warnings=(f"{record.lost} calls in a row ended without an answer handed in",),
    )


def revoked(record: Record) -> Verdict:
    """The end of a run on an operator's word."""
    return Verdict(
        status=Status.REVOKED,
        reason=Reason.REVOKED,
        answer=_last_word(record),
        warnings=(MAY_STILL_BE_CANCELLED,) if record.is_in_doubt else (),
    )


def evidence_given_up(record: Record) -> Verdict:
    """Cancelled, without the evidence."""
    cancelled = Answer.from_json(record.pending or {})
    return Verdict(
        status=Status.CANCELLED,
        reason=cancelled.reason or Reason.CANCELLED,
        answer=cancelled,
        warnings=(*cancelled.warnings, EVIDENCE_MISSING),
    )


def _last_word(record: Record) -> Answer | None:
    """The last code, with the words that came with it."""
    if record.code is None:
        return None
    said = record.last_answer
    message = said.get("message") if said.get("code") == record.code else None
    return Answer(reaction=Reaction.UNKNOWN, code=record.code, message=message)
