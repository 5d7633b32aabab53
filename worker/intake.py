"""Ways in 1 and 2: what stands on request stream and intake queue is admitted, or refused with its errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from config.accounts import Accounts
from worker import celery_message
from worker.documents import job_named
from worker.invalid import FieldError, InvalidRequest
from worker.ledger.admission import Admission, Entry, Source
from worker.ledger.ledger import Ledger
from worker.ledger.not_possible import NotPossible
from worker.ledger.trouble import is_outage
from worker.ledger.ways_in import Waiting, WaysIn
from worker.left import Left
from worker.outcome import refusal
from worker.request import Admissible, check, decoded

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Submitted:
    """One entry of stream or queue, read.

    Attributes:
        submission: What the producer knows it by: stream entry id or Celery task id.
        repeat_id: Under which the ledger recognises a second copy; None where copies cannot be told from new ones.
    """

    entry: Entry
    submission: str
    repeat_id: str | None
    request: Any | InvalidRequest


class Intake:
    """Takes in what producers have left on stream and queue, in batches."""

    def __init__(self, ledger: Ledger, accounts: Accounts, *, batch: int = 200, worker: str = "") -> None:
        """`worker`: as which this process registers its accounts."""
        self._ledger = ledger
        self._accounts = accounts
        self._ways_in = WaysIn(ledger)
        self._batch = batch
        self._stuck: set[Entry] = set()
        self._left = Left(ledger, self._ways_in, accounts, worker)

    def take_in(self) -> int:
        """Admit or refuse what stands there now; how many entries that were.

        One that can neither be admitted nor refused stays where it is, is told of once, and keeps no other from it; so
        does one that is another worker's.

        Raises:
            LedgerFull: nothing was taken in.
        """
        self._left.look_again()
        limit = self._batch + len(self._stuck) + len(self._left)
        waiting = list(self._ways_in.waiting(limit))
        self._stuck &= {one.entry for one in waiting}
        admissible: list[tuple[Submitted, Admissible]] = []
        taken_in = 0
        for one in [_read(one) for one in waiting if one.entry not in self._left]:
            checked = self._checked(one)
            if isinstance(checked, Admissible):
                admissible.append((one, checked))
            elif self._left.leave(one.entry, checked.body, one.submission):
                taken_in += 1
            else:
                taken_in += self._refused(one, checked)
        taken_in += self._admitted(admissible)
        self._left.pass_over([one.entry for one in waiting], self._stuck)
        return taken_in

    def _admitted(self, admissible: Sequence[tuple[Submitted, Admissible]]) -> int:
        """How many of these could be admitted."""
        if not admissible:
            return 0
        admissions = [Admission.of(checked, submission=one.repeat_id, entry=one.entry) for one, checked in admissible]
        taken_in = 0
        for (one, _), admitted in zip(admissible, self._ledger.admit(admissions), strict=True):
            if not isinstance(admitted, NotPossible):
                taken_in += 1
            elif one.entry not in self._stuck:
                self._stuck.add(one.entry)
                log.error("request_not_admissible", submission=one.submission, problem=str(admitted))
        return taken_in

    def _checked(self, one: Submitted) -> Admissible | InvalidRequest:
        if isinstance(one.request, InvalidRequest):
            return one.request
        try:
            return check(one.request, self._accounts, now=datetime.now(UTC))
        except InvalidRequest as invalid:
            return invalid
        except Exception:
            log.exception("request_not_checkable", submission=one.submission)
            return InvalidRequest([FieldError("", "cannot be checked (internal error, see the worker's log)")])

    def _refused(self, one: Submitted, invalid: InvalidRequest) -> bool:
        """Whether it could be refused, this time."""
        try:
            self._refuse(one, invalid)
        except Exception as error:
            if is_outage(error):
                raise
            if one.entry not in self._stuck:
                self._stuck.add(one.entry)
                log.exception("request_not_refusable", submission=one.submission)
            return False
        return True

    def _refuse(self, one: Submitted, invalid: InvalidRequest) -> None:
        """What the request does tell is given back: document, account, reference."""
        body = invalid.body
        outcome = refusal(invalid.errors, submission=one.submission, request=body, job=_job(body))
        self._ledger.refuse(one.entry, outcome, _references(body))
        log.info("refused", submission=one.submission, fields=[error.field for error in invalid.errors])


def _job(body: Any) -> str | None:
    names = (body.get("uuid"), body.get("chBPe"))
    return next((job for name in names if isinstance(name, str) and (job := job_named(name))), None)


def _references(body: Any) -> Sequence[str]:
    reference = body.get("reference")
    is_usable = isinstance(reference, str) and 0 < len(reference) <= 128 and reference.isprintable()  # noqa: PLR2004 - docs/requests.md
    return [reference] if is_usable else []


def _read(one: Waiting) -> Submitted:
    return _from_stream(one) if one.entry.source is Source.STREAM else _from_queue(one)


def _from_stream(one: Waiting) -> Submitted:
    request: Any
    try:
        if one.text is None:
            raise InvalidRequest([FieldError("", "the entry must have the one field `request`")])
        request = decoded(one.text)
    except InvalidRequest as invalid:
        request = invalid
    entry_id = one.entry.entry.decode()
    return Submitted(one.entry, entry_id, None, request)


def _from_queue(one: Waiting) -> Submitted:
    if one.entry.source is Source.OVERSIZE or one.text is None:
        too_long = InvalidRequest([FieldError("", "the queue item is too long")])
        digest = one.entry.entry.partition(b":")[0].decode()
        return Submitted(one.entry, f"sha1:{digest}", None, too_long)
    message = celery_message.read(one.text)
    return Submitted(one.entry, message.id, f"celery:{message.id}", message.request)
