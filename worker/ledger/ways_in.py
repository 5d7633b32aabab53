"""What is on the request stream and on the intake queue, read without taking it and without its excess."""

from collections.abc import Iterator
from dataclasses import dataclass

from worker.ledger.admission import Entry, Source
from worker.ledger.ledger import Ledger

PRIORITY_LISTS = ("", "\x06\x163", "\x06\x166", "\x06\x169")
"""Ends of the list names in which kombu keeps a queue's priorities, most urgent first."""
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
    """

    def __init__(self, ledger: Ledger) -> None:
        self.passed: dict[str, bytes] = {}
        self._ledger = ledger
        self._stream = ledger.key("requests")
        self._lists = [ledger.namespace + end for end in PRIORITY_LISTS]

    def waiting(self, limit: int) -> Iterator[Waiting]:
        """The oldest entries of the request stream, then of the intake queue, urgent ones first.

        At most `limit` from each place, and fewer where they are long; none only where there is none.
        """
        entries, *lists = self._ledger.peek(
            {place: self.passed.get(place, b"") for place in (self._stream, *self._lists)},
            limit=limit,
            longest_text=LONGEST_TEXT,
            longest_key=LONGEST_KEY,
            longest_item=LONGEST_ITEM,
            enough=ENOUGH,
        )
        for entry_id, text, key, is_odd, digest in entries:
            entry = Entry(Source.STREAM, self._stream, entry_id)
            yield Waiting(entry, text, key, bool(is_odd), digest.decode())
        for place, items in zip(self._lists, lists, strict=True):
            for oversize, item in items:
                if oversize:
                    yield Waiting(Entry(Source.OVERSIZE, place, oversize), None)
                else:
                    yield Waiting(Entry(Source.QUEUE, place, item), item)
