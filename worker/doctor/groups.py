"""Consumer groups of the outcome stream: outcomes are removed by age, whoever has read them (docs/redis.md)."""

from collections.abc import Iterator
from typing import Any

from redis.exceptions import ResponseError

from worker.check import Check, failed, ok, warning

LAGS = 0.5
LOSES = 0.9
"""Shares of the retention that the oldest unhandled outcome has reached."""
_NONE = "no consumer group reads the outcomes"


def checks(redis: Any, stream: str, keep_s: float) -> Iterator[Check]:
    """One for each group."""
    try:
        groups = redis.xinfo_groups(stream)
    except ResponseError as problem:
        if "no such key" in str(problem):  # no outcome was published yet
            yield ok("groups", _NONE)
            return
        remedy = "allow XINFO and XPENDING (docs/redis.md, user operator)"
        yield warning("groups", "consumer groups cannot be seen: XINFO is not allowed", remedy)
        return
    if not groups:
        yield ok("groups", _NONE)
    for group in groups:
        yield _check(_text(group["name"]), _oldest_age_s(redis, stream, group), keep_s)


def _check(name: str, age_s: float | None, keep_s: float) -> Check:
    about = f"group {name}"
    if age_s is None:
        return ok(about, "has handled everything")
    found = f"has not handled an outcome of {age_s / 3600:.1f} h ago; they are kept for {keep_s / 3600:.0f} h"
    remedy = "start its consumers, or remove it (XGROUP DESTROY), or set ANULA_OUTCOME_RETENTION_DAYS higher"
    if age_s >= LOSES * keep_s:
        return failed(about, found, remedy)
    if age_s >= LAGS * keep_s:
        return warning(about, found, remedy)
    return ok(about, found)


def _oldest_age_s(redis: Any, stream: str, group: Any) -> float | None:
    """How old the oldest outcome is that was not delivered, or not acknowledged."""
    waiting = redis.xrange(stream, min=f"({_text(group['last-delivered-id'])}", count=1)
    ids = [entry_id for entry_id, _ in waiting]
    if group["pending"]:
        ids.append(redis.xpending(stream, group["name"])["min"])
    if not ids:
        return None
    seconds, _ = redis.time()
    oldest_ms = min(int(_text(one).partition("-")[0]) for one in ids)
    return float(seconds) - oldest_ms / 1e3


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
