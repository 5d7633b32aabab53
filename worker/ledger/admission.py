"""What is handed in for admission, and where it stood before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Self

from worker.ledger.encoding import json_string, ms
from worker.ledger.records import Admitted
from worker.request import Admissible

TOGETHER = 50
"""Admissions in one script, for which others on Redis wait: half a millisecond, or several where the jobs are known."""


class Source(StrEnum):
    """Where a request stands before its admission."""

    STREAM = "stream"
    QUEUE = "queue"
    OVERSIZE = "oversize"


@dataclass(frozen=True, slots=True)
class Entry:
    """A request's place on stream or queue: it is removed in the same step as it is admitted or refused.

    Attributes:
        entry: The stream entry's id, the queue item itself, or what `peek` calls an oversize one.
    """

    source: Source
    place: str
    entry: bytes


class Admission(NamedTuple):
    """One request to admit: arguments of `lua/admit.lua`, in the order and the words of its header, and its place."""

    job: str
    account: str
    lane: str
    deadline_ms: int | str
    submission: str
    text: str
    entry: Entry | None = None

    @classmethod
    def of(cls, one: Admissible, submission: str | None = None, entry: Entry | None = None) -> Self:
        """A checked request, the id under which a repeat is recognised, and its place where it stands in one."""
        request = one.request
        deadline = request.deadline_at
        offset = "" if one.utc_offset_minutes is None else one.utc_offset_minutes
        references = f"[{json_string(request.reference)}]" if request.reference else "[]"
        return cls(
            one.job,
            one.account,
            request.priority.value,
            ms(deadline.timestamp()) if deadline else "",
            submission or "",
            f"{offset}\n{references}\n{one.body}",
            entry,
        )

    def result(self, reply: Sequence[Any]) -> Admitted | None:
        """What the script's reply says; None where the entry was taken in before."""
        if reply[0] == b"new":
            return Admitted(self.job, 1, joined=False, replayed=False)
        if reply[0] == b"gone":
            return None
        _, run, joined, replayed, repeated = reply
        return Admitted(self.job, int(run), bool(joined), bool(replayed), bool(repeated))


def grouped(admissions: Sequence[Admission]) -> Iterator[Sequence[Admission]]:
    """Those that one script may take together, in their order.

    What stands on stream or queue goes alone, so that one with which the script cannot deal keeps no other there.
    """
    if any(one.entry for one in admissions):
        yield from ([one] for one in admissions)
        return
    for first in range(0, len(admissions), TOGETHER):
        yield admissions[first : first + TOGETHER]


def arguments(group: Sequence[Admission]) -> Iterator[Any]:
    """The arguments of one script that takes a group."""
    entry = group[0].entry
    yield from (entry.source, entry.entry, entry.place) if entry else ("", "", "")
    for one in group:
        yield from one[:-1]
