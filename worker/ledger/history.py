"""The history of a job or an account, read so that a damaged entry hides no other."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from worker.ledger.encoding import json_text

Entry = Mapping[str, Any]
DAMAGED = "damaged entry"
_LONGEST_WAIT_S = 1e9
_SHOWN = 200
"""Characters of a value that is none of ours."""


def entries(text: str | None) -> tuple[Entry, ...]:
    """What happened, oldest first.

    Each has `at`, in milliseconds, None where it is no time; what is no entry at all is there as one that says so.

    Raises:
        ValueError: it is no JSON.
        TypeError: it is neither a list nor an object.
    """
    found = json.loads(text or "[]")
    if text and "\\u" in text:  # there may be lone surrogates, which cannot be printed
        found = json.loads(json_text(found))
    if not isinstance(found, list | dict):
        raise TypeError("no history")
    return tuple(map(_entry, found if isinstance(found, list) else [found]))


def _entry(found: Any) -> Entry:
    if not isinstance(found, dict):
        return _damaged()
    entry = {name: _value(value) for name, value in found.items()}
    entry["at"] = found.get("at") if _is_time(found.get("at")) else None
    if not _is_wait(found.get("wait_s")):
        entry.pop("wait_s", None)
    return entry


def _damaged() -> Entry:
    return {"at": None, "what": DAMAGED}


def _is_time(value: Any) -> bool:
    if not _is_number(value):
        return False
    try:
        datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return False
    return True


def _is_wait(value: Any) -> bool:
    return _is_number(value) and abs(value) < _LONGEST_WAIT_S


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _value(value: Any) -> Any:
    is_plain = value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
    return value if is_plain else str(value)[:_SHOWN]
