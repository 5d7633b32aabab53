"""What the ledger gives to read: values decoded from its hashes."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from worker.ledger import history

Fields = Mapping[str, str]
UNREADABLE = (KeyError, ValueError, TypeError, OverflowError, RecursionError)
"""What reading a record raises where somebody else has written to it."""


def text(value: bytes | str) -> str:
    """What the client library gives as bytes."""
    return value if isinstance(value, str) else value.decode()


def decode(raw: Mapping[Any, Any] | Iterable[Any]) -> dict[str, str]:
    """A hash as text; also from a flat list of names and values."""
    if isinstance(raw, Mapping):
        pairs: Iterable[tuple[Any, Any]] = raw.items()
    else:
        flat = list(raw)
        pairs = zip(flat[::2], flat[1::2], strict=True)
    return {text(name): text(value) for name, value in pairs}


def instant(ms: str | float | None) -> datetime | None:
    """Milliseconds since the epoch as aware UTC."""
    return datetime.fromtimestamp(float(ms) / 1000, UTC) if ms not in (None, "") else None


@dataclass(frozen=True, slots=True)
class Record:
    """One job as the ledger has it now.

    Attributes:
        state: A public state of docs/requests.md.
        retry: The retry policies' state, as `worker.retry` wrote it.
        pending: The answer that said cancelled, while its evidence is still being fetched.
        doubted_run: The first run in which a call may have acted, while that is not settled.
        doubted_at: When the last such call was over; None where an older worker has not noted it.
        claimed: An answer has said that the document is cancelled, and no outcome has settled it.
        seq: Moves with every transition after the admission.
    """

    job: str
    state: str
    run: int
    account: str
    lane: str
    request: str
    references: tuple[str, ...]
    submitted_at: datetime
    due_at: datetime | None
    deadline_at: datetime | None
    parked_at: datetime | None
    finished_at: str | None
    next_call: str
    retry: Mapping[str, Any]
    pending: Mapping[str, Any] | None
    doubted_run: int | None
    doubted_at: datetime | None
    claimed: bool
    in_process: bool
    is_released: bool
    attempts: int
    calls: int
    lost: int
    code: str | None
    reason: str | None
    outcome_id: str | None
    warnings: tuple[str, ...]
    history: tuple[Mapping[str, Any], ...]
    seq: str

    @classmethod
    def from_fields(cls, job: str, found: Fields) -> Self:
        """The record in a job's hash."""
        return cls(
            job=job,
            state=found["state"],
            run=int(found["run"]),
            account=found["account"],
            lane=found["lane"],
            request=found["request"],
            references=tuple(json.loads(found["references"])),
            submitted_at=_at(found["submitted_at"]),
            due_at=instant(found.get("due")),
            deadline_at=instant(found.get("deadline")),
            parked_at=instant(found.get("parked_at")),
            finished_at=found.get("finished_at"),
            next_call=found.get("next", "cancel"),
            retry=json.loads(found.get("retry") or "{}"),
            pending=json.loads(found["pending"]) if found.get("pending") else None,
            doubted_run=int(found["acted"]) if "acted" in found else None,
            doubted_at=instant(found.get("acted_at")),
            claimed="claimed" in found,
            in_process="in_process" in found,
            is_released="handed" in found,
            attempts=int(found.get("attempts", 0)),
            calls=int(found.get("calls", 0)),
            lost=int(found.get("lost", 0)),
            code=found.get("code") or None,
            reason=found.get("reason"),
            outcome_id=found.get("outcome_id"),
            warnings=tuple(json.loads(found.get("warnings") or "[]")),
            history=history.entries(found.get("history")),
            seq=found.get("seq", "0"),
        )

    @property
    def may_have_acted(self) -> bool:
        """Whether the document may be cancelled although no answer has said so."""
        return self.doubted_run is not None

    @property
    def is_in_doubt(self) -> bool:
        """Whether a cancellation request may have worked, or is being worked on."""
        return self.may_have_acted or self.in_process

    @property
    def last_answer(self) -> Mapping[str, Any]:
        """The history's line of the last call that was answered; empty where there is none."""
        calls = (entry for entry in reversed(self.history) if isinstance(entry, Mapping) and "call" in entry)
        return next((call for call in calls if call.get("reaction") not in {None, "lost"}), {})

    @property
    def is_open(self) -> bool:
        """Whether an outcome is still to come."""
        return self.state in OPEN_STATES


OPEN_STATES = ("queued", "running", "waiting")
ENDED_STATES = ("cancelled", "rejected", "unresolved", "revoked")


def _at(ms: str) -> datetime:
    return datetime.fromtimestamp(float(ms) / 1000, UTC)


@dataclass(frozen=True, slots=True)
class Begun:
    """A call that may be made now.

    Attributes:
        generation: The account's, at this moment: an answer to this call does not undo a later resume.
        waited_s: Seconds since the job was parked; 0 where it was not.
        until_deadline_s: Seconds left for a cancellation request; None where there is no deadline.
        since_doubt_s: Seconds since the last request that may have acted; None where that is unknown.
    """

    record: Record
    generation: int
    waited_s: float
    until_deadline_s: float | None
    since_doubt_s: float | None = None


@dataclass(frozen=True, slots=True)
class Released:
    """A job handed out for one call."""

    job: str
    token: int
    run: int
    calls: int


class Round(NamedTuple):
    """What one release has done.

    Attributes:
        worn: Jobs whose calls were lost too often.
        damaged: Jobs with whose records it could not deal, and why; they are tried again after a minute.
    """

    released: list[Released]
    worn: list[str]
    damaged: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Admitted:
    """What became of a submission.

    Attributes:
        repeated: It was known before; all else is as it was then.
        differs: It was known before, and asked for something else then.
    """

    job: str
    run: int
    joined: bool
    replayed: bool
    repeated: bool = field(default=False, compare=False)
    differs: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class AccountState:
    """One account as the ledger has it now; times are aware UTC, None where it does not apply.

    Attributes:
        workers: How many live workers serve it.
        failing: How many of the waiting jobs were last answered TRANSIENT or UNKNOWN.
        inquires: Its provider can be asked what became of a document.
    """

    name: str
    provider: str
    inquires: bool
    suspended_at: datetime | None
    suspended_reason: str | None
    suspended_job: str | None
    suspended_by: str | None
    paused_until: datetime | None
    pause_reason: str | None
    circuit_open_since: datetime | None
    slow_until: datetime | None
    workers: int
    waiting: int
    failing: int
    in_flight: int
    max_in_flight: int
    history: tuple[Mapping[str, Any], ...]

    @property
    def has_started(self) -> bool:
        """Whether a worker has enrolled it; otherwise it only has jobs."""
        return bool(self.provider)

    @classmethod
    def from_fields(
        cls, name: str, found: Fields, *, now_at: datetime, workers: int, waiting: int, failing: int, in_flight: int
    ) -> Self:
        """The state in an account's hash and of its queues; a pause or a slower pace that is over is left out."""
        hold, slow = instant(found.get("hold_until")), instant(found.get("slow_until"))
        is_paused = hold is not None and hold > now_at
        return cls(
            name=name,
            provider=found.get("provider", ""),
            inquires=found.get("inquires") == "1",
            suspended_at=instant(found.get("suspended_at")),
            suspended_reason=found.get("suspended_reason"),
            suspended_job=found.get("suspended_job") or None,
            suspended_by=found.get("suspended_by") or None,
            paused_until=hold if is_paused else None,
            pause_reason=(found.get("hold_reason") or None) if is_paused else None,
            circuit_open_since=instant(found.get("circuit")),
            slow_until=slow if slow and slow > now_at else None,
            workers=workers,
            waiting=waiting,
            failing=failing,
            in_flight=in_flight,
            max_in_flight=int(found.get("max_in_flight", 8)),
            history=history.entries(found.get("history")),
        )
