"""What is on the request stream and on the intake queue, read without taking it and without its excess."""

from collections.abc import Iterator
from dataclasses import dataclass

from worker.ledger.admission import Entry, Source
from worker.ledger.ledger import Ledger
from worker.ledger.records import text

SEPARATOR = "\x06\x16"
"""Between a queue's name and a priority in the name of a list (kombu's `sep`, unless a client changes it)."""
PRIORITY_LISTS = ("", *(f"{SEPARATOR}{priority}" for priority in range(1, 10)))
"""Ends of the list names in which kombu keeps a queue's priorities, most urgent first.

A client has the four steps 0, 3, 6 and 9 unless it sets others (`priority_steps`).
"""
LONGEST_TEXT = 16 * 1024 + 1
"""One more than a request may have, so that a longer one shows as too long."""
LONGEST_KEY = 128 * 4 + 1
"""One more than the bytes that a submission key may have (docs/requests.md)."""
LONGEST_ITEM = 64 * 1024
"""More than a Celery message with a request of 16 KiB can have."""
ENOUGH = 1024 * 1024
"""Bytes read from each place in one round: junk of any length must not hold up Redis."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One entry: its place, and its texts as far as they can be of use.

    Attributes:
        text: The request, or the queue item; None where there is none.
        key: The submission key beside a request of the stream; None where there is none.
        is_odd: The stream entry has other fields, or one of them twice.
        digest: Of all that is in a stream entry, in whichever order; empty for queue items.
    """

    entry: Entry
    text: bytes | None
    key: bytes | None = None
    is_odd: bool = False
    digest: str = ""


class WaysIn:
    """Ways 1 and 2 of docs/requests.md.

    Attributes:
        passed: Of each place the entry behind which reading begins; left out: at the beginning.
        environment: That of the namespace when it was last read; empty: it was still of none.
        unreadable: Places that could not be read then, each with the reason.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.passed: dict[str, bytes] = {}
        self.environment = ""
        self.unreadable: dict[str, str] = {}
        self._ledger = ledger
        self._stream = ledger.key("requests")
        self._lists = [ledger.namespace + end for end in PRIORITY_LISTS]

    def waiting(self, limit: int) -> Iterator[Waiting]:
        """The oldest entries of the request stream, then of the intake queue, urgent ones first.

        At most `limit` from each place, and fewer where they are long; none only where there is none.
        """
        environment, unreadable, entries, *lists = self._ledger.peek(
            {place: self.passed.get(place, b"") for place in (self._stream, *self._lists)},
            limit=limit,
            longest_text=LONGEST_TEXT,
            longest_key=LONGEST_KEY,
            longest_item=LONGEST_ITEM,
            enough=ENOUGH,
        )
        self.environment = text(environment)
        self.unreadable = dict(zip(map(text, unreadable[::2]), map(text, unreadable[1::2]), strict=True))
        for entry_id, request, key, is_odd, digest in entries:
            entry = Entry(Source.STREAM, self._stream, entry_id)
            yield Waiting(entry, request, key, bool(is_odd), digest.decode())
        for place, items in zip(self._lists, lists, strict=True):
            for oversize, item in items:
                if oversize:
                    yield Waiting(Entry(Source.OVERSIZE, place, oversize), None)
                else:
                    yield Waiting(Entry(Source.QUEUE, place, item), item)
