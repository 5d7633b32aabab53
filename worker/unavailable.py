"""Redis away, refusing or full: in our own words for those who call from outside, and how long it is waited for."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from redis.exceptions import RedisError

from config import redis_url
from worker.ledger import trouble
from worker.ledger.admitting import LedgerFull
from worker.ledger.trouble import Kind

NEVER = float("inf")
"""To give up at, on the monotonic clock."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 5.0

T = TypeVar("T")
log = logging.getLogger(__name__)


class Unavailable(Exception):
    """Redis cannot serve now; the message says where it should be and what it said.

    Attributes:
        submission: The id to repeat a submission with, so that what was admitted is not admitted again.
        passes: Waiting helps: it is away, loading or changing roles, rather than refusing what was asked.
        is_outage: Redis or its settings are at fault, rather than what was asked.
        remedy: What to do.
    """

    def __init__(
        self, message: str, *, submission: str | None = None, kind: Kind = Kind.AWAY, remedy: str | None = None
    ) -> None:
        super().__init__(message)
        self.submission = submission
        self.passes = kind in (Kind.AWAY, Kind.REFUSES)
        self.is_outage = kind is not Kind.BUG
        self.remedy = remedy or "see whether it runs and can be reached"


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn the client library's errors into ours; `url` is where Redis should be.

    Raises:
        Unavailable: away, loading, refusing the credentials, or answering with an error.
        LedgerFull: it takes no more writes.
    """
    try:
        yield
    except (RedisError, OSError) as problem:
        if trouble.is_full(problem):
            raise LedgerFull("Redis has no memory left: nothing is admitted until there is room") from problem
        words = f"Redis at {place(url)} cannot serve: {trouble.said(problem)}"
        raise Unavailable(words, kind=trouble.kind(problem), remedy=trouble.remedy(problem)) from problem


def answered(
    question: Callable[[], T],
    *,
    url: str,
    give_up_at: float,
    connect_anew: Callable[[], None] = lambda: None,
) -> T:
    """The answer of Redis; an outage is waited out until `give_up_at`, with growing pauses.

    With `NEVER` it is logged once until it changes, and once when it is over; refused logins and rights are waited out
    as well. `connect_anew` is called before another try where the server is no primary any more.

    Raises:
        Unavailable, LedgerFull: as for `translated`, at the end of the wait, or at once where waiting does not help.
    """
    waiting, told = pauses(), ""
    while True:
        asked_at = time.monotonic()
        try:
            with translated(url):
                answer = question()
        except (Unavailable, LedgerFull) as problem:
            pause_s, took_s = next(waiting), time.monotonic() - asked_at
            if not _is_waited_for(problem, give_up_at) or time.monotonic() + pause_s + took_s > give_up_at:
                raise
            if give_up_at == NEVER and str(problem) != told:
                told = str(problem)
                log.warning("%s: %s; waiting for it", problem, _remedy(problem))
            if problem.__cause__ and trouble.has_moved(problem.__cause__):
                connect_anew()
            time.sleep(pause_s)
        else:
            if told:
                log.warning("Redis is back")
            return answer


def pauses() -> Iterator[float]:
    """Seconds to wait before each next try: growing from 0.5 to 5, without end."""
    pause_s = _FIRST_PAUSE_S
    while True:
        yield pause_s
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _is_waited_for(problem: Unavailable | LedgerFull, give_up_at: float) -> bool:
    if isinstance(problem, LedgerFull):
        return give_up_at == NEVER or problem.__cause__ is not None
    return problem.passes or (problem.is_outage and give_up_at == NEVER)


def _remedy(problem: Unavailable | LedgerFull) -> str:
    return problem.remedy if isinstance(problem, Unavailable) else "give it more memory, or keep outcomes shorter"


def place(url: str) -> str:
    """The part of a Redis URL that may be shown: no user and no password."""
    return redis_url.read(url).place
