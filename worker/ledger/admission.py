"""What is handed in for admission, where it was before, and the ids under which a repeat is recognised."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Self

from worker.ledger.encoding import json_string, ms
from worker.ledger.records import Admitted
from worker.request import Admissible

TOGETHER = 50
"""Admissions in one script, for which others on Redis wait: half a millisecond, or several where the jobs are known."""


_OF_ANOTHER_WAY = re.compile(r"(celery|stream|entry|oversize|client|[0-9a-f]{16}):")
"""How ids of the other ways begin; the last is what `anula import` makes of a file (csv_file/handing_in.py)."""


def id_of_client(submission: str, place: int) -> str:
    """The id of one of a client's requests; it never meets an id of another way in.

    One that could gets a prefix; all others stay as they are, and as older versions have remembered them.
    """
    name = f"{submission}:{place}"
    return f"client:{name}" if _OF_ANOTHER_WAY.match(name) else name


class Source(StrEnum):
    """Where a request is before its admission."""

    STREAM = "stream"
    QUEUE = "queue"
    OVERSIZE = "oversize"


@dataclass(frozen=True, slots=True)
class Entry:
    """A request's place on stream or queue: it is removed in the same step as it is admitted or refused.

    Attributes:
        entry: The stream entry's id, the queue item itself, or what `peek` calls an oversize one.
        refusal: Under which the ledger remembers it if it is refused; empty: it does not.
    """

    source: Source
    place: str
    entry: bytes
    refusal: str = field(default="", compare=False)


def refusal_id(submission: str, digest: str) -> str:
    """Under which a refused entry is known: by the id that it came with, and by all that it said."""
    return hashlib.sha256(f"{submission}\n{digest}".encode()).hexdigest()[:24]


class Refused(StrEnum):
    """What became of an entry that was to be refused: the words of `lua/refuse.lua`."""

    REFUSED = "refused"
    GONE = "gone"
    REPEATED = "repeated"
    DIFFERENT = "different"


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
        """What the script's reply says; None where the entry was taken in, or refused, before."""
        if reply[0] == b"new":
            return Admitted(self.job, 1, joined=False, replayed=False)
        if reply[0] in {b"gone", b"refused"}:
            return None
        _, run, joined, replayed, repeated = reply
        return Admitted(
            self.job, int(run), bool(joined), bool(replayed), repeated=repeated > 0, differs=repeated == _DIFFERENT
        )


_DIFFERENT = 2
"""In the reply of `lua/admit.lua`."""


def grouped(admissions: Sequence[Admission]) -> Iterator[Sequence[Admission]]:
    """Those that one script may take together, in their order.

    What stands on stream or queue goes alone, so that one with which the script cannot deal keeps no other there.
    """
    if any(one.entry for one in admissions):
        yield from ([one] for one in admissions)
        return
    for first in range(0, len(admissions), TOGETHER):
        yield admissions[first : first + TOGETHER]


def arguments(group: Sequence[Admission], first_us: int | str = "") -> Iterator[Any]:
    """The arguments of one script that takes a group; `first_us` as its header says."""
    entry = group[0].entry
    yield from (entry.source, entry.entry, entry.place, entry.refusal) if entry else ("", "", "", "")
    yield first_us
    for one in group:
        yield from one[:-1]
