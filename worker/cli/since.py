"""What `--since` may say: the id of an outcome, or a time, which stands for the last id before it."""

import re
from datetime import UTC, datetime, timedelta

import typer

from worker.ledger.outcome_stream import FIRST, is_id

_LAST_OF_A_MILLISECOND = 2**64 - 1
_DIGITS_OF_AN_ID = 12
"""Fewer are no milliseconds of this century, but a day or a month."""
_AGO = re.compile(r"([0-9]{1,6})\s?(s|m|min|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days"}
_WANTED = (
    "--since must be the id of an outcome (1767225600000-0), a day (2026-01-31), a time (2026-01-31T18:00:00Z) "
    "or so long ago (90m, 2h, 3d)"
)


def place_of(since: str | None) -> str | None:
    """The place in the stream of outcomes; days and times are UTC unless they say otherwise.

    Raises:
        BadParameter: it is neither an id nor a time.
    """
    if since is None or since in ("0", FIRST):
        return since
    if is_id(since) and len(since.partition("-")[0]) >= _DIGITS_OF_AN_ID:
        return since
    try:
        at_ms = round(_time(since).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise typer.BadParameter(_WANTED) from None
    return f"{at_ms - 1}-{_LAST_OF_A_MILLISECOND}" if at_ms > 0 else FIRST


def _time(since: str) -> datetime:
    ago = _AGO.fullmatch(since.strip().lower())
    if ago:
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    at = datetime.fromisoformat(since.strip().upper())
    return at if at.tzinfo else at.replace(tzinfo=UTC)
