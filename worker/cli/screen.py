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


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on standard output, printed as the rows come; not a line is broken unless on a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 1_000, highlight=False)
    left, is_first = iter(rows), True
    while chunk := list(islice(left, _CHUNK)):
        shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=is_first)
        for header in headers:
            shown.add_column(header, overflow="fold")
        for row in chunk:
            shown.add_row(*(Text("" if cell is None else clean(cell)) for cell in row))
        console.print(shown)
        is_first = False


def moment(at: datetime | None) -> str | None:
    """A time in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def instant_json(at: datetime | None) -> str | None:
    """A time as it stands in JSON: RFC 3339, UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None
