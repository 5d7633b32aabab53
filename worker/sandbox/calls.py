"""The sandbox's own record of every provider call, in order, for judging what a client did."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class Kind(StrEnum):
    """What a call asks for."""

    CANCEL = "cancel"
    LOOK_UP = "look-up"
    DOWNLOAD = "download"


@dataclass(slots=True)
class Call:
    """One call; times are of the monotonic clock, which all processes of one machine share.

    Attributes:
        code: What was answered, whether or not it reached the client; empty where nothing was done.
        fault: The fault that befell it; empty for none.
        evidence_sha256: Of the acuse or event XML made last for this document, this answer's included.
        ended: When the client had the answer, lost the connection, or left.
    """

    index: int
    kind: Kind
    account: str
    document: str
    started: float
    ended: float | None = None
    code: str = ""
    fault: str = ""
    evidence_sha256: str | None = None


@dataclass(slots=True)
class CallLog:
    """The last `size` calls."""

    size: int
    _ring: list[Call] = field(default_factory=list)
    total: int = 0
    _clock_offset: float = field(default_factory=lambda: time.time() - time.monotonic())

    def begin(self, kind: Kind, account: str, document: str) -> Call:
        """A new entry, under way."""
        call = Call(self.total, kind, account, document, time.monotonic())
        if len(self._ring) < self.size:
            self._ring.append(call)
        else:
            self._ring[self.total % self.size] = call
        self.total += 1
        return call

    def since(self, index: int, limit: int) -> dict[str, object]:
        """Up to `limit` calls from `index` on, oldest first; `forgotten` is how many of them are no longer kept."""
        oldest = max(0, self.total - self.size)
        first = max(index, oldest)
        last = min(self.total, first + limit)
        calls = [self._as_json(self._ring[number % self.size]) for number in range(first, last)]
        return {"total": self.total, "next": max(last, first), "forgotten": max(0, oldest - index), "calls": calls}

    def clear(self) -> None:
        """Forget every call and count from 0 again."""
        self._ring.clear()
        self.total = 0

    def _as_json(self, call: Call) -> dict[str, object]:
        return {
            "index": call.index,
            "kind": call.kind,
            "account": call.account,
            "document": call.document,
            "code": call.code,
            "fault": call.fault,
            "evidence_sha256": call.evidence_sha256,
            "started": call.started,
            "ended": call.ended,
            "started_at": self._wall(call.started),
            "ended_at": None if call.ended is None else self._wall(call.ended),
        }

    def _wall(self, monotonic: float) -> str:
        return datetime.fromtimestamp(monotonic + self._clock_offset, UTC).isoformat().replace("+00:00", "Z")
