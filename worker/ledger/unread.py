"""Requests that nobody reads: lists beside the intake queue, which a client fills by a setting of its own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError

from worker.ledger.ledger import Ledger
from worker.ledger.records import text
from worker.ledger.trouble import is_outage_of_all
from worker.ledger.ways_in import PRIORITY_LISTS, SEPARATOR

DEFAULT_QUEUE = "celery"
"""Where a Celery client publishes that names no queue."""
PRIORITIES = range(256)
"""Those of AMQP, from which Celery's clients take theirs."""
CLEAR = "find out who has written it, then rename or remove it; or give this user of Redis what docs/redis.md lists"
"""What to do about a way in that cannot be read."""
_SAMPLE = 10
"""Items that are looked at, at each end of a list that may be another application's."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A list of requests that no worker takes in.

    Attributes:
        place: Its name as it is shown, without control characters.
        length: How many items it holds.
        remedy: What to do.
    """

    place: str
    length: int
    remedy: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a look has found.

    Attributes:
        hidden: The lists that this user of Redis may not look at, in words.
    """

    unread: Sequence[Unread]
    hidden: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Group:
    """Lists that are there for the same reason."""

    words: str
    names: Sequence[str]
    remedy: str


def look(ledger: Ledger) -> Found:
    """The lists of requests that nobody reads: one exchange for each of three groups, where there are none.

    A list `celery` that holds nothing but another application's tasks is none of them.
    """
    unread, hidden = list[Unread](), list[str]()
    for group in _groups(ledger.namespace):
        try:
            unread += _unread(ledger.redis, group)
        except RedisError as error:
            if is_outage_of_all(error):
                raise
            hidden.append(group.words)
    return Found(unread, hidden)


def wrong_types(ledger: Ledger) -> Found:
    """The ways in that are keys of another type; the workers' log calls them `way_in_unreadable`."""
    unread, hidden = list[Unread](), list[str]()
    places = {ledger.key("requests"): "stream"} | {ledger.namespace + end: "list" for end in PRIORITY_LISTS}
    for place, wanted in places.items():
        try:
            found = text(ledger.redis.type(place))
        except RedisError as error:
            if is_outage_of_all(error):
                raise
            hidden.append(shown(place))
        else:
            if found not in (wanted, "none"):
                unread.append(Unread(f"{shown(place)} (a {found}, not a {wanted})", 1, CLEAR))
    return Found(unread, hidden)


def shown(place: str) -> str:
    """A list's name as it may be shown, and given to redis-cli within double quotes."""
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in place)


def _groups(namespace: str) -> Sequence[_Group]:
    read = {namespace + end for end in PRIORITY_LISTS}
    steps = [f"{namespace}{SEPARATOR}{priority}" for priority in PRIORITIES]
    return (
        _Group(
            f"{namespace}:N",
            [f"{namespace}:{priority}" for priority in PRIORITIES],
            "leave out the transport option `sep` of the Celery client",
        ),
        _Group(
            f"{namespace}{shown(SEPARATOR)}N outside 0 to 9",
            [name for name in steps if name not in read],
            "set the transport option `priority_steps` of the Celery client to steps from 0 to 9",
        ),
        _Group(
            DEFAULT_QUEUE,
            [DEFAULT_QUEUE + end for end in PRIORITY_LISTS],
            f"let the Celery client send anula.submit to the queue {namespace}",
        ),
    )


def _unread(redis: Any, group: _Group) -> list[Unread]:
    if not redis.exists(*group.names):
        return []
    lengths = {name: redis.llen(name) for name in group.names if redis.type(name) == b"list"}
    return [
        Unread(shown(name), length, group.remedy)
        for name, length in lengths.items()
        if not name.startswith(DEFAULT_QUEUE) or not _is_of_others(redis, name)
    ]


def _is_of_others(redis: Any, name: str) -> bool:
    """Whether all that is seen of a list are messages of another application."""
    seen = redis.lrange(name, 0, _SAMPLE - 1) + redis.lrange(name, -_SAMPLE, -1)
    return all(map(_is_another_task, seen))


def _is_another_task(item: bytes) -> bool:
    try:
        task = json.loads(item)["headers"]["task"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return False
    return isinstance(task, str) and not task.startswith("anula.")
