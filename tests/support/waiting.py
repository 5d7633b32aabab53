"""Waiting for a condition instead of for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T], *, limit_s: float = 10.0, every_s: float = 0.02, what: str | Callable[[], str] = ""
) -> T:
    """The first true value of `condition`, asked again and again.

    Fails after `limit_s`, and says what was waited for (`what`, or the condition's name) and what came last.
    """
    started = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() - started >= limit_s:
            text = what() if callable(what) else what
            awaited = text or getattr(condition, "__qualname__", repr(condition))
            raise AssertionError(f"waited {limit_s:g} s in vain for: {awaited}; the last answer was {value!r}")
        time.sleep(every_s)
