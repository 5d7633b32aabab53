"""What the worker's log says of ways in that it cannot see: one line for each, until that changes."""

import time
from collections.abc import Mapping

import structlog

from worker.ledger import unread
from worker.ledger.ledger import Ledger

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 30.0
"""How often the lists are looked at that no worker reads."""


class IntakeLog:
    """Remembers what it has said."""

    def __init__(self, ledger: Ledger, *, look_every_s: float = LOOK_EVERY_S) -> None:
        self._ledger = ledger
        self._look_every_s = look_every_s
        self._unreadable: Mapping[str, str] = {}
        self._unread: frozenset[str] = frozenset()
        self._sees_memory = True
        self._looked_at = -look_every_s

    def note(self, unreadable: Mapping[str, str]) -> None:
        """Places of the ways in that could not be read this time, each with the reason."""
        if unreadable == self._unreadable:
            return
        for place, problem in unreadable.items():
            if self._unreadable.get(place) != problem:
                log.error("way_in_unreadable", place=unread.shown(place), problem=problem, remedy=unread.CLEAR)
        self._unreadable = dict(unreadable)

    def note_memory(self, *, is_seen: bool) -> None:
        """Whether Redis tells how much memory it has left."""
        if self._sees_memory and not is_seen:
            log.warning(
                "memory_not_seen",
                remedy="allow INFO (docs/redis.md, user worker), or watch Redis' memory: requests are taken in "
                "until it is full",
            )
        self._sees_memory = is_seen

    def look_around(self) -> None:
        """Now and then: look at the lists that a client fills by a wrong setting."""
        if time.monotonic() - self._looked_at < self._look_every_s:
            return
        found = {one.place: one for one in unread.look(self._ledger).unread}
        self._looked_at = time.monotonic()
        for place in found.keys() - self._unread:
            log.error("requests_unread", place=place, count=found[place].length, remedy=found[place].remedy)
        self._unread = frozenset(found)
