"""What can be seen of a run from outside: outcomes, the sandbox's record of calls and documents, what the ledger holds."""

import bisect
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from tests.chaos.load import ACCOUNTS, Load
from tests.chaos.producers import HandedIn
from tests.chaos.stage import LABELS, NAMESPACE, Freeze, Sent, Stage
from worker.ledger.ledger import Ledger
from worker.ledger.records import Record
from worker.ledger.ways_in import PRIORITY_LISTS

ACCOUNT_TOLD_S = 20.0
"""How long before and after its last call a job's history tells of its account."""
THAW_S = 0.5
"""How long after its end a freeze may still explain the first byte of a call that was begun before it."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Translates wall clock times (ledger) into the monotonic ones of the sandbox; `slack_s` is how far they drifted."""

    offset_s: float
    slack_s: float

    @classmethod
    def between(cls, first: float, last: float) -> "Clock":
        """From the offset at the beginning and the one at the end."""
        return cls((first + last) / 2, abs(last - first) / 2 + 0.005)

    @staticmethod
    def offset() -> float:
        """Wall clock less monotonic clock, now."""
        return time.time() - time.monotonic()

    def at(self, text: str) -> float:
        """The moment of an outcome's time, on the monotonic clock."""
        return datetime.fromisoformat(text).timestamp() - self.offset_s

    def at_ms(self, ms: float) -> float:
        """The same for milliseconds since 1970."""
        return ms / 1000 - self.offset_s


@dataclass(frozen=True, slots=True)
class Call:
    """One call in the sandbox's record; times are of the monotonic clock."""

    kind: str
    account: str
    document: str
    code: str
    fault: str
    evidence_sha256: str | None
    started: float
    ended: float

    def __str__(self) -> str:
        return f"{self.started:.3f} to {self.ended:.3f} {self.kind} -> {self.code or '-'} {self.fault}".rstrip()


@dataclass(frozen=True)
class Observed:
    """One run, as it was.

    Attributes:
        outcomes: In the order of the stream.
        documents: What the sandbox says of each document, by its number.
        moments: By account: milliseconds since 1970, what became of it, by whom.
        leftovers: What the ledger should not hold any more, by what it is.
        patience_s: How long an answer was waited for that never comes.
    """

    load: Load
    handed_in: Sequence[HandedIn]
    outcomes: Sequence[Mapping[str, Any]]
    calls: Sequence[Call]
    documents: Mapping[str, Mapping[str, Any]]
    records: Mapping[str, Record | None]
    moments: Mapping[str, Sequence[tuple[int, str, str]]]
    retried: Mapping[str, int]
    freezes: Sequence[Freeze]
    sent: Sequence[Sent]
    leftovers: Mapping[str, int]
    clock: Clock
    most_in_flight: int = 8
    patience_s: float = 12.0

    @cached_property
    def runs(self) -> dict[str, list[Mapping[str, Any]]]:
        """The outcomes of each job that are no repeats, in the order of the stream."""
        found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for one in self.outcomes:
            if one["run"] is not None and not one["replayed"]:
                found[one["job"]].append(one)
        return found

    @cached_property
    def calls_of(self) -> dict[str, list[Call]]:
        """The calls for each document, in order."""
        found: dict[str, list[Call]] = defaultdict(list)
        for call in self.calls:
            found[call.document].append(call)
        return found

    @cached_property
    def calls_on(self) -> dict[str, list[Call]]:
        """The calls on each account, in order."""
        names = {label: name for name, label in LABELS.items()}
        found: dict[str, list[Call]] = {name: [] for name in ACCOUNTS}
        for call in self.calls:
            found[names[call.account]].append(call)
        return found

    @cached_property
    def _sent_for(self) -> dict[str, list[Sent]]:
        found: dict[str, list[Sent]] = defaultdict(list)
        for one in self.sent:
            found[one.document].append(one)
        return found

    def worker_of(self, call: Call) -> tuple[int, float] | None:
        """Which worker made a call, and when its request passed the link."""
        sent = self._sent_for[call.document]
        place = bisect.bisect_right(sent, call.started + 0.002, key=lambda one: one.at)
        return (sent[place - 1].worker, sent[place - 1].at) if place else None

    def is_thawed(self, call: Call) -> bool:
        """Whether its worker stood still right before the call's first byte: the documented exception."""
        found = self.worker_of(call)
        if found is None:
            return False
        worker, at = found
        return any(one.worker == worker and one.start <= at <= one.end + THAW_S for one in self.freezes)

    def froze_within(self, call: Call, until: float) -> bool:
        """Whether its worker stood still while the call was under way, before `until`."""
        found = self.worker_of(call)
        if found is None:
            return False
        return any(one.worker == found[0] and one.start <= until and one.end >= call.started for one in self.freezes)

    def history(self, job: str) -> str:
        """All that is known of a job, for whoever looks for the cause of a breach."""
        return "\n".join(f"  {line}" for line in self._told(job))

    def _told(self, job: str) -> Iterator[str]:
        yield self.load.behaviour(job) if job in self.load.jobs else "never submitted"
        record = self.records.get(job)
        last_s = max((call.started for call in self.calls_of.get(job.partition(":")[2], [])), default=0.0)
        for at_ms, what, by in sorted(self.moments.get(record.account if record else "", ())):
            if abs(self.clock.at_ms(at_ms) - last_s) < ACCOUNT_TOLD_S:
                yield f"account {self.clock.at_ms(at_ms):.3f} {what} {by}".rstrip()
        for one in self.handed_in:
            if one.submission.job == job:
                yield f"{one.submission.reference} by {one.submission.way}, {one.tries} tries: {one.result}"
        for found in self.runs.get(job, []):
            span = f"{self.clock.at(found['submitted_at']):.3f} to {self.clock.at(found['finished_at']):.3f}"
            yield f"run {found['run']} {span}: {found['status']}/{found['reason']} after {found['attempts']} attempts"
            yield f"  {found['references']} {found['warnings']}"
        for call in self.calls_of.get(job.partition(":")[2], []):
            yield f"{call}, by worker {self.worker_of(call)}"
        if record is not None:
            yield f"ledger: {record.state}, run {record.run}, retried {self.retried.get(job, 0)}"
            for entry in record.history:
                yield f"  {self.clock.at_ms(entry['at']):.3f} {dict(entry)}"


def gather(stage: Stage, load: Load, handed_in: Sequence[HandedIn], **others: Any) -> Observed:
    """Look at everything once it is quiet."""
    redis: Any = stage.ledger.redis
    entries = redis.xrange(stage.ledger.key("outcomes"))
    documents = {job.partition(":")[2] for job in load.jobs}
    return Observed(
        load=load,
        handed_in=handed_in,
        outcomes=[json.loads(fields[b"outcome"]) for _, fields in entries],
        calls=[_call(one) for one in stage.sandbox.calls()],
        documents={document: stage.sandbox.document(document) for document in documents},
        records={job: stage.ledger.record(job) for job in load.jobs},
        freezes=tuple(stage.freezes),
        sent=sorted(stage.sent, key=lambda one: one.at),
        leftovers=leftovers(stage.ledger),
        **others,
    )


def _call(found: Mapping[str, Any]) -> Call:
    ended = found["ended"]
    return Call(
        found["kind"],
        found["account"],
        found["document"],
        found["code"],
        found["fault"],
        found["evidence_sha256"],
        found["started"],
        float("inf") if ended is None else ended,
    )


def leftovers(ledger: Ledger) -> dict[str, int]:
    """What must be gone once everything has ended."""
    redis: Any = ledger.redis
    found: Counter[str] = Counter()
    for name in ("open", "leases", "deadlines"):
        found[name] = redis.zcard(ledger.key(name))
    found["handed"] = redis.scard(ledger.key("handed"))
    for account in ACCOUNTS:
        found["in flight"] += redis.scard(ledger.key("flight", account))
        found["failing, in flight"] += redis.scard(ledger.key("failing", account))
        found["handed by account"] += abs(int(redis.hget(ledger.key("account", account), "handed") or 0))
    for waiting in ("due", "outage", "recovery"):
        for key in redis.scan_iter(match=ledger.key(waiting, "*"), count=1_000):
            found[waiting] += redis.zcard(key)
    found["request stream"] = redis.xlen(ledger.key("requests"))
    for name in redis.scan_iter(count=1_000):
        is_ours = name.decode().startswith((f"{NAMESPACE}:", f"{NAMESPACE}.", "_kombu.binding"))
        if not is_ours and name.decode() not in {NAMESPACE + end for end in PRIORITY_LISTS}:
            found[f"key of nobody {name.decode()}"] += 1
    for end in PRIORITY_LISTS:
        found["intake queue"] += redis.llen(NAMESPACE + end)
        found["wake-ups"] += redis.llen(f"{NAMESPACE}.run{end}")
    return {name: count for name, count in found.items() if count}
