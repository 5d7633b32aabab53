"""Printing: tables, JSON, times. What others have written cannot steer the terminal."""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

_CHUNK = 500
_SPACES = re.compile(r"[\t\n\r\v\f\u2028\u2029]+")
_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of text around."""


def clean(text: object) -> str:
    """A text on one line, without what a terminal would obey instead of showing it."""
    return _STEERING.sub("", _SPACES.sub(" ", str(text)))


def say(text: object) -> None:
    """One line on standard output, there at once."""
    print(clean(text), flush=True)


def as_json(value: object) -> str:
    """A value as one line of JSON, with nothing in it that a terminal would obey."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(value, ensure_ascii=not is_unicode, separators=(",", ":"), default=str)
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def json_line(value: object) -> None:
    """One line of JSON on standard output, there at once."""
    print(as_json(value), flush=True)


def json_list(values: Iterable[Mapping[str, Any]]) -> None:
    """A JSON array on standard output, one line for each value, printed as they come."""
    separator = "["
    for value in values:
        print(f"{separator}\n  {as_json(value)}", end="")
        separator = ","
    print("\n]" if separator == "," else "[]")


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> bool:
    """A table on standard output, printed as the rows come; not a line is broken unless on a terminal.

    Whether there was any row: without one nothing is printed.
    """
    show = _show_on_terminal if sys.stdout.isatty() else _show_plain
    left, top = iter(rows), headers
    while chunk := [["" if cell is None else clean(cell) for cell in row] for row in islice(left, _CHUNK)]:
        show(top, chunk)
        top = ()
    return not top


def _show_plain(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """One line for each row, in columns: a hundred thousand of them in a moment."""
    lines = [headers, *rows] if headers else rows
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(map(str.ljust, line, widths)).rstrip())


def _show_on_terminal(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Folded into the width of the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=bool(headers))
    for place in range(len(rows[0])):
        shown.add_column(headers[place] if headers else "", overflow="fold")
    for row in rows:
        shown.add_row(*map(Text, row))
    Console(highlight=False).print(shown)


def moment(at: datetime | None) -> str | None:
    """A time in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def instant_json(at: datetime | None) -> str | None:
    """A time as it stands in JSON: RFC 3339, UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None
