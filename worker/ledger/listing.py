"""Lists of jobs, read page by page, so that a million of them never sit in memory."""

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any

from worker.ledger.ledger import Ledger
from worker.ledger.not_possible import NotPossible
from worker.ledger.records import ENDED_STATES, OPEN_STATES, UNREADABLE, instant

PAGE = 500
ALL_STATES = (*OPEN_STATES, *ENDED_STATES)
_FIELDS = ("state", "account", "run", "code", "reason", "attempts", "submitted_at", "due", "finished_at")


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list of jobs."""

    job: str
    state: str
    account: str
    run: int
    code: str | None
    reason: str | None
    attempts: int
    submitted_at: datetime
    due_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which jobs to list; None: whichever account or code."""

    states: Collection[str] = ALL_STATES
    account: str | None = None
    code: str | None = None

    def fits(self, one: Listed) -> bool:
        """Whether this job is wanted."""
        same_account = self.account in (None, one.account)
        return same_account and self.code in (None, one.code)


def jobs(ledger: Ledger, wanted: Wanted, *, page: int = PAGE) -> Iterator[Listed]:
    """The jobs that stand in the ledger now, oldest first: an open one by its submission, an ended one by its end.

    What is submitted or ends while the list is read is not waited for, so the list always comes to an end. Jobs that
    bear a later time than now, because a clock was put right, are those that are there at the beginning.
    """
    seconds, micros = _now(ledger)
    until_ms = seconds * 1000 + micros // 1000
    sets = []
    for name, states in (("ended", ENDED_STATES), ("open", OPEN_STATES)):
        shown = frozenset(states) & frozenset(wanted.states)
        if shown:
            later = _later(ledger, name, until_ms)
            sets.append(_of_members(ledger, chain(_pages(ledger, name, until_ms, page=page), later), shown))
    return (one for _, one in heapq.merge(*sets, key=lambda pair: pair[0]) if wanted.fits(one))


@dataclass(frozen=True, slots=True)
class LastRun:
    """Where a job's last run stands; state and outcome are None, and the run 0, where the job is unknown."""

    job: str
    run: int
    state: str | None
    outcome_id: str | None


def last_runs(ledger: Ledger, job_ids: Iterable[str], *, page: int = PAGE) -> Iterator[LastRun]:
    """Where the last run of each of these jobs stands, in their order."""
    left = iter(job_ids)
    while some := list(islice(left, page)):
        for job, found in zip(some, _read(ledger, some, ("state", "run", "outcome_id")), strict=True):
            run = found.get("run", "")
            yield LastRun(job, int(run) if run.isdecimal() else 0, found.get("state"), found.get("outcome_id"))


def _read(ledger: Ledger, job_ids: Sequence[str], names: tuple[str, ...]) -> list[dict[str, str]]:
    """These fields of these jobs' records, in one exchange; what is missing is left out, and all of a damaged one."""
    return [{} if isinstance(found, NotPossible) else _as_text(found) for found in ledger.read(job_ids, names)]


def _as_text(fields: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode(errors="replace"): value.decode(errors="replace") for name, value in fields.items()}


def _now(ledger: Ledger) -> tuple[int, int]:
    reply: Any = ledger.redis.time()
    return int(reply[0]), int(reply[1])


def _of_members(
    ledger: Ledger, pages: Iterable[Sequence[tuple[str, float]]], states: frozenset[str]
) -> Iterator[tuple[float, Listed]]:
    for members in pages:
        for (job, score), found in zip(members, _read(ledger, [job for job, _ in members], _FIELDS), strict=True):
            if found.get("state") in states and (one := _listed(job, found)):
                yield score, one


def _later(ledger: Ledger, name: str, after_ms: int) -> list[list[tuple[str, float]]]:
    """Pages of the members of a set that bear a later time; none but after a clock was put back."""
    found: Any = ledger.redis.zrangebyscore(ledger.key(name), f"({after_ms}", "+inf", withscores=True)
    members = [(member.decode(), float(score)) for member, score in found]
    return [members[first : first + PAGE] for first in range(0, len(members), PAGE)]


def _pages(ledger: Ledger, name: str, until_ms: int, *, page: int) -> Iterator[list[tuple[str, float]]]:
    """Members of a set in the order of their scores; one that leaves the set meanwhile makes no other be skipped."""
    from_score: float | str = "-inf"
    seen: set[bytes] = set()
    while True:
        found: Any = ledger.redis.zrangebyscore(
            ledger.key(name), from_score, until_ms, start=0, num=page + len(seen), withscores=True
        )
        fresh = [(member, float(score)) for member, score in found if member not in seen]
        if not fresh:
            return
        last = fresh[-1][1]
        seen = {member for member, score in found if float(score) == last}
        from_score = last
        yield [(member.decode(), score) for member, score in fresh]


def _listed(job: str, found: dict[str, str]) -> Listed | None:
    """None where the record is damaged: `anula status` tells of it."""
    finished = found.get("finished_at")
    try:
        return Listed(
            job=job,
            state=found["state"],
            account=found["account"],
            run=int(found["run"]),
            code=found.get("code") or None,
            reason=found.get("reason") if finished else None,
            attempts=int(found.get("attempts", 0)),
            submitted_at=instant(found["submitted_at"]) or datetime.now(UTC),
            due_at=None if finished else instant(found.get("due")),
            finished_at=datetime.fromisoformat(finished) if finished else None,
        )
    except UNREADABLE:
        return None
