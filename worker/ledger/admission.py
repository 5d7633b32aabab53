"""What is handed in for admission, and where it stood before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from worker.ledger.encoding import ms
from worker.ledger.records import Admitted
from worker.request import Admissible

TOGETHER = 25
"""Admissions in one script: the most that others on Redis wait for, about a millisecond."""


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


@dataclass(frozen=True, slots=True)
class Admission:
    """One request to admit.

    Attributes:
        submission: Id under which a repeat of this submission is recognised.
        entry: Its place on stream or queue, where it came that way.
    """

    admissible: Admissible
    submission: str | None = None
    entry: Entry | None = None

    def arguments(self) -> tuple[str | bytes | int, ...]:
        """As the header of `lua/admit.lua` names them."""
        one, request, entry = self.admissible, self.admissible.request, self.entry
        deadline = request.deadline_at
        return (
            one.job,
            one.account,
            request.priority,
            request.reference or "",
            one.body,
            ms(deadline.timestamp()) if deadline else "",
            "" if one.utc_offset_minutes is None else one.utc_offset_minutes,
            self.submission or "",
            entry.source if entry else "",
            entry.entry if entry else "",
            entry.place if entry else "",
        )

    def result(self, reply: Sequence[Any]) -> Admitted | None:
        """What the script's reply says; None where the entry was taken in before."""
        if reply[0] == b"gone":
            return None
        _, run, joined, replayed = reply
        return Admitted(self.admissible.job, int(run), bool(joined), bool(replayed))


def grouped(admissions: Sequence[Admission]) -> Iterator[Sequence[Admission]]:
    """Those that one script may take together, in their order.

    What stands on stream or queue goes alone, so that one with which the script cannot deal keeps no other there.
    """
    if any(one.entry for one in admissions):
        yield from ([one] for one in admissions)
        return
    for first in range(0, len(admissions), TOGETHER):
        yield admissions[first : first + TOGETHER]
