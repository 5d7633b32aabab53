"""What is wrong with a file, and with one of its rows."""

from dataclasses import dataclass

SHOWN = 60
"""Characters of a value that are shown."""


class Unreadable(Exception):
    """The file as a whole cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing wrong with a row.

    Attributes:
        line: Where the row begins in the file, from 1 on.
        column: Its header as it stands in the file, or the request's field where the file has no such column.
        value: The cell, shortened.
        problem: What would be right.
    """

    line: int
    column: str
    value: str
    problem: str

    def __str__(self) -> str:
        shown = repr(self.value) if self.value else ""
        place = ", ".join(part for part in (f"line {self.line}", self.column, shown) if part)
        return f"{place}: {self.problem}"


def shortened(value: str) -> str:
    """A value as it may be shown."""
    return value if len(value) <= SHOWN else f"{value[: SHOWN - 1]}…"
