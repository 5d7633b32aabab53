"""The stream of outcomes: read on from an id, or as one consumer of a group."""

import json
import logging
import re
from collections.abc import Sequence
from typing import Any

from redis.exceptions import ResponseError

from worker.ledger.ledger import Ledger
from worker.ledger.trouble import code

PAGE = 100
FIRST = "0-0"
"""Before the oldest outcome that is kept."""

log = logging.getLogger(__name__)
_ID = re.compile(r"\d{1,20}(-\d{1,20})?")


class Published(dict[str, Any]):
    """An outcome (docs/outcomes.md), and where it stands in the stream.

    Attributes:
        id: The stream entry's id: what to read on from.
        text: The outcome as it was published, one line of JSON.
    """

    __slots__ = ("id", "text")

    def __init__(self, entry_id: str, text: str) -> None:
        super().__init__(json.loads(text))
        self.id = entry_id
        self.text = text


class OutcomeStream:
    """The outcomes of one namespace. A malformed entry, which is none of ours, is left out with a warning."""

    def __init__(self, ledger: Ledger) -> None:
        self._redis: Any = ledger.redis
        self._key = ledger.key("outcomes")

    def last_id(self) -> str:
        """The id of the newest outcome."""
        newest = self._redis.xrevrange(self._key, count=1)
        return str(newest[0][0].decode()) if newest else FIRST

    def position(self, since: str | None) -> str:
        """Where to read on from: after an outcome's id, from the end as it is now (`$`), or from the beginning (None).

        Raises:
            ValueError: it is none of them.
        """
        if since == "$":
            return self.last_id()
        if since is not None and not is_id(since):
            raise ValueError("since must be the id of an outcome, as in 1767225600000-0, or $")
        return since or FIRST

    def at(self, entry_id: str) -> Published | None:
        """One outcome; None where it is no longer kept."""
        found = _published(self._redis.xrange(self._key, entry_id, entry_id))
        return found[0] if found else None

    def at_each(self, entry_ids: Sequence[str]) -> list[Published]:
        """Those of these outcomes that are still kept, in one exchange."""
        pipeline = self._redis.pipeline(transaction=False)
        for entry_id in entry_ids:
            pipeline.xrange(self._key, entry_id, entry_id)
        return [one for entries in pipeline.execute() for one in _published(entries)]

    def after(self, entry_id: str, *, count: int = PAGE, block_ms: int | None = None) -> "Page":
        """The next outcomes; with `block_ms` it waits that long for the first."""
        return Page(_entries(self._redis.xread({self._key: entry_id}, count=count, block=block_ms)), entry_id)

    def found_group(self, group: str, since: str) -> None:
        """Make a group that begins after `since`; one that is there goes on from where it is.

        Where this user of Redis may not do that, an operator makes the groups.
        """
        try:
            self._redis.xgroup_create(self._key, group, id=since, mkstream=True)
        except ResponseError as problem:
            if code(problem) not in ("BUSYGROUP", "NOPERM"):
                raise

    def given_before(self, group: str, consumer: str, *, count: int = PAGE) -> "Page":
        """What this consumer was given and has not acknowledged, oldest first; it stays this consumer's for longer."""
        return Page(_entries(self._redis.xreadgroup(group, consumer, {self._key: FIRST}, count=count)), FIRST)

    def give(self, group: str, consumer: str, *, count: int = PAGE, block_ms: int | None = None) -> "Page":
        """The next outcomes that nobody in the group was given; with `block_ms` it waits that long for the first."""
        reply = self._redis.xreadgroup(group, consumer, {self._key: ">"}, count=count, block=block_ms)
        return Page(_entries(reply), FIRST)

    def take_over(self, group: str, consumer: str, *, idle_ms: int, count: int = PAGE) -> None:
        """Give this consumer what another one was given longer ago than `idle_ms` and has not acknowledged."""
        cursor = FIRST
        while True:
            reply = self._redis.xautoclaim(self._key, group, consumer, idle_ms, cursor, count=count)
            cursor = reply[0].decode()
            if cursor == FIRST or reply[1]:
                return

    def acknowledge(self, group: str, *entry_ids: str) -> None:
        """These were handled."""
        if entry_ids:
            self._redis.xack(self._key, group, *entry_ids)


class Page:
    """Some entries of the stream.

    Attributes:
        outcomes: Those that hold one, oldest first.
        others: Ids of entries that are trimmed already or malformed.
        last_id: Where to read on.
    """

    def __init__(self, entries: list[Any], from_id: str) -> None:
        self.outcomes = _published(entries)
        known = {one.id for one in self.outcomes}
        ids = [str(entry[0].decode()) for entry in entries if entry[0] is not None]
        self.others = tuple(one for one in ids if one not in known)
        self.last_id = ids[-1] if ids else from_id

    def __bool__(self) -> bool:
        return bool(self.outcomes or self.others)


def is_id(text: str) -> bool:
    """Whether `text` is the id of a stream entry."""
    return _ID.fullmatch(text) is not None


def _entries(reply: Any) -> list[Any]:
    """The entries of one stream, in whichever of its shapes the client library gives them."""
    if not reply:
        return []
    found = next(iter(reply.values())) if isinstance(reply, dict) else reply[0][1]
    return found[0] if found and isinstance(found[0], list) else found


def _published(entries: list[Any]) -> list[Published]:
    found = []
    for entry_id, fields in entries:
        if not fields:
            continue
        try:
            found.append(Published(entry_id.decode(), fields[b"outcome"].decode()))
        except (KeyError, ValueError, TypeError):
            log.warning("entry %s of the outcome stream is not an outcome: left out", entry_id.decode())
    return found
