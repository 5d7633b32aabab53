"""Ways in 1 and 2: what is on request stream and intake queue is admitted, or refused with its errors."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import structlog
from redis.exceptions import RedisError

from config.accounts import Accounts
from worker import celery_message
from worker.documents import job_named
from worker.intake_log import IntakeLog
from worker.invalid import FieldError, InvalidRequest
from worker.ledger.admission import Admission, Entry, Refused, Source, refusal_id
from worker.ledger.ledger import Ledger
from worker.ledger.not_possible import NotPermitted, NotPossible, NotRemoved
from worker.ledger.trouble import is_not_permitted, is_outage, words
from worker.ledger.ways_in import Waiting, WaysIn
from worker.left import Left
from worker.outcome import refusal
from worker.request import Admissible, check, decoded

log = structlog.get_logger(__name__)


KEPT_FOR_S = 10.0
"""Until an entry that could not be removed is tried again."""
LONGEST_KEY = 128
"""Characters of a submission key (docs/requests.md)."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """One entry of stream or queue, read.

    Attributes:
        submission: What the producer knows it by: its submission key, stream entry id or Celery task id.
        repeat_id: Under which the ledger recognises a repeat; each way in has a prefix of its own.
        problems: What is wrong around the request.
    """

    entry: Entry
    submission: str
    repeat_id: str
    request: Any | InvalidRequest
    problems: Sequence[FieldError] = ()


class Intake:
    """Takes in what producers have left on stream and queue, in batches."""

    def __init__(
        self,
        ledger: Ledger,
        accounts: Accounts,
        *,
        batch: int = 200,
        worker: str = "",
        kept_for_s: float = KEPT_FOR_S,
    ) -> None:
        """`worker`: as which this process registers its accounts."""
        self._ledger = ledger
        self._accounts = accounts
        self._ways_in = WaysIn(ledger)
        self._batch = batch
        self._kept_for_s = kept_for_s
        self._stuck: set[Entry] = set()
        self._kept: set[Entry] = set()
        self._kept_until = 0.0
        self._told: str | None = None
        self._left = Left(ledger, self._ways_in, accounts, worker)
        self._log = IntakeLog(ledger)

    def take_in(self) -> int:
        """Admit or refuse what is there now; how many entries that were.

        One that can neither be admitted nor refused stays where it is, is logged once, and keeps no other from it; so
        does one that is another worker's. One that was taken in and cannot be removed is left alone for a while.

        Raises:
            LedgerFull: nothing was taken in.
            ConfigurationProblem: the namespace belongs to the other environment; nothing was taken in.
        """
        self._log.look_around()
        self._left.look_again()
        limit = self._batch + len(self._stuck) + len(self._kept) + len(self._left)
        waiting = list(self._ways_in.waiting(limit))
        self._log.note(self._ways_in.unreadable)
        if waiting and not self._ways_in.environment:  # Redis has lost everything: an outcome must name it
            self._ledger.agree_environment(self._accounts.environment)
        self._forget_who_is_gone({one.entry for one in waiting})
        admissible: list[tuple[Submitted, Admissible]] = []
        taken_in = 0
        to_read = [one for one in waiting if one.entry not in self._kept and one.entry not in self._left]
        for one in map(_read, to_read):
            checked = self._checked(one)
            if isinstance(checked, Admissible):
                admissible.append((one, checked))
            else:
                taken_in += self._left_or_refused(one, checked)
        taken_in += self._admitted(admissible)
        self._log.note_memory(is_seen=self._ledger.sees_memory)
        if not self._kept:
            self._told = None
        self._left.pass_over([one.entry for one in waiting], self._stuck | self._kept)
        return taken_in

    def _forget_who_is_gone(self, there: Collection[Entry]) -> None:
        self._stuck.intersection_update(there)
        self._kept.intersection_update(there)
        if time.monotonic() >= self._kept_until:
            self._kept_until = time.monotonic() + self._kept_for_s
            self._kept.clear()

    def _admitted(self, admissible: Sequence[tuple[Submitted, Admissible]]) -> int:
        """How many of these could be admitted."""
        if not admissible:
            return 0
        admissions = [Admission.of(checked, submission=one.repeat_id, entry=one.entry) for one, checked in admissible]
        taken_in = 0
        for (one, _), admitted in zip(admissible, self._ledger.admit(admissions), strict=True):
            if isinstance(admitted, NotRemoved | NotPermitted):
                self._keep(one, admitted)
            elif isinstance(admitted, NotPossible):
                self._note_stuck(one, "request_not_admissible", problem=str(admitted))
            else:
                taken_in += 1
                if admitted and admitted.differs:
                    log.warning("submission_differs", submission=one.submission, job=admitted.job)
        return taken_in

    def _keep(self, one: Submitted, problem: NotRemoved | NotPermitted) -> None:
        """What Redis does not permit is logged once, until nothing is kept any more or the reason changes."""
        self._kept.add(one.entry)
        if str(problem) != self._told:
            self._told = str(problem)
            event = "entry_not_removed" if isinstance(problem, NotRemoved) else "entry_not_taken_in"
            log.error(event, submission=one.submission, problem=str(problem))

    def _note_stuck(self, one: Submitted, event: str, **fields: Any) -> None:
        if one.entry not in self._stuck:
            self._stuck.add(one.entry)
            log.error(event, submission=one.submission, **fields)

    def _checked(self, one: Submitted) -> Admissible | InvalidRequest:
        checked = self._check(one)
        if not one.problems:
            return checked
        errors = checked.errors if isinstance(checked, InvalidRequest) else ()
        return InvalidRequest([*one.problems, *errors], one.request if isinstance(one.request, dict) else None)

    def _check(self, one: Submitted) -> Admissible | InvalidRequest:
        if isinstance(one.request, InvalidRequest):
            return one.request
        try:
            return check(one.request, self._accounts, now=datetime.now(UTC))
        except InvalidRequest as invalid:
            return invalid
        except Exception:
            log.exception("request_not_checkable", submission=one.submission)
            return InvalidRequest([FieldError("", "cannot be checked (internal error, see the worker's log)")])

    def _left_or_refused(self, one: Submitted, invalid: InvalidRequest) -> bool:
        """Whether it could be left to another worker or refused, this time."""
        try:
            if not self._left.leave(one.entry, invalid.body, one.submission):
                self._refuse(one, invalid)
        except NotRemoved as problem:
            self._keep(one, problem)
            return False
        except RedisError as error:
            if is_not_permitted(error):
                self._keep(one, NotPermitted(words(error)))
                return False
            if is_outage(error):
                raise
            self._note_stuck(one, "request_not_refusable", problem=words(error))
            return False
        except Exception as error:  # noqa: BLE001 - a bug in one must not hold up the others
            self._note_stuck(one, "request_not_refusable", exc_info=error)
            return False
        return True

    def _refuse(self, one: Submitted, invalid: InvalidRequest) -> None:
        """What the request does tell is given back: document, account, reference."""
        body = invalid.body
        job = _job(body)
        outcome = refusal(invalid.errors, submission=one.submission, request=body, job=job)
        became = self._ledger.refuse(one.entry, outcome, _references(body), submission=one.repeat_id)
        if became is Refused.REFUSED:
            log.info("refused", submission=one.submission, fields=[error.field for error in invalid.errors])
        elif became is Refused.DIFFERENT:
            log.warning("submission_differs", submission=one.submission, job=job)


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
    entry_id, key, problems = one.entry.entry.decode(), _key(one.key), list[FieldError]()
    if one.is_odd or one.text is None:
        shape = "the entry must have the field `request`, may have `submission`, each once, and no other field"
        problems.append(FieldError("", shape))
    if one.key is not None and key is None:
        problems.append(FieldError("submission", f"must be 1 to {LONGEST_KEY} printable characters"))
    repeat_id = f"entry:{entry_id}" if key is None else f"stream:{key}"
    entry = _remembered(one.entry, repeat_id, one.digest)
    return Submitted(entry, key or entry_id, repeat_id, _decoded(one.text), problems)


def _key(raw: bytes | None) -> str | None:
    """The producer's submission key; None where there is none that can be used."""
    try:
        key = (raw or b"").decode()
    except UnicodeDecodeError:
        return None
    return key if 0 < len(key) <= LONGEST_KEY and key.isprintable() else None


def _decoded(text: bytes | None) -> Any | InvalidRequest:
    if text is None:
        return InvalidRequest([])
    try:
        return decoded(text)
    except InvalidRequest as invalid:
        return invalid


def _from_queue(one: Waiting) -> Submitted:
    if one.entry.source is Source.OVERSIZE or one.text is None:
        too_long = InvalidRequest([FieldError("", "the queue item is too long")])
        digest = one.entry.entry.partition(b":")[0].decode()
        repeat_id = f"oversize:{digest}"
        return Submitted(_remembered(one.entry, repeat_id, digest), f"sha1:{digest}", repeat_id, too_long)
    message = celery_message.read(one.text)
    repeat_id = f"celery:{message.id}"
    return Submitted(_remembered(one.entry, repeat_id, message.digest), message.id, repeat_id, message.request)


def _remembered(entry: Entry, repeat_id: str, digest: str) -> Entry:
    """With what the ledger remembers of it if it is refused."""
    return replace(entry, refusal=refusal_id(repeat_id, digest))
