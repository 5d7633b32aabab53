"""Quotes around cells: read where the blanks beside them break the rules, and found where they do not fit."""

import re
from functools import cache
from typing import NamedTuple

BLANKS = " \t\r\n"
"""What counts for nothing around a cell."""
MARKS = frozenset('"“”„‟')
"""Quotation marks, straight and curly, that may be put around a whole cell."""
_OPENING_FOLLOWS = " \t\n([{-"


class BrokenCell(NamedTuple):
    """A cell whose quotes do not fit.

    Attributes:
        place: Which one of its row, from 0 on.
        text: The cell up to the next delimiter, as it is in the file.
    """

    place: int
    text: str


def cells_of(text: str, delimiter: str) -> list[str] | BrokenCell:
    """The cells of one row, which may have blanks on both sides of its quotes; the first broken one if there is one."""
    quoted, plain = _patterns(delimiter)
    cells: list[str] = []
    place = 0
    while True:
        found = quoted.match(text, place)
        if found:
            cells.append(found[1].replace('""', '"'))
        elif (found := plain.match(text, place)) and not found[0].startswith('"'):
            cells.append(found[0])
        else:
            return BrokenCell(len(cells), found[0] if found else "")
        place = found.end()
        if text[place : place + 1] != delimiter:
            return BrokenCell(len(cells) - 1, found[0]) if text[place:].strip("\r\n") else cells
        place += 1


@cache
def _patterns(delimiter: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Of a cell in quotes with what is around them, and of any other."""
    blank = "[ \xa0]" if delimiter == "\t" else "[ \t\xa0]"
    ends = rf"(?=[{delimiter}]|[\r\n]*\Z)"
    return re.compile(rf'{blank}*"([^"]*(?:""[^"]*)*)"{blank}*{ends}'), re.compile(rf"[^{delimiter}\r\n]*")


def is_one_row(line: str, delimiter: str, width: int) -> bool:
    """Whether a line with a broken cell begins and ends a row, as far as can be told without the next line."""
    return line.count('"') % 2 == 0 or line.count(delimiter) == width - 1


def may_go_on(line: str, delimiter: str) -> bool:
    """Whether the last cell of such a line may begin one of several lines: then the next line is no whole row."""
    return '"' in line.rsplit(delimiter, 1)[-1]


def unquoted(cell: str) -> str:
    """A cell without the quotation marks around all of it, and without the blanks within them."""
    while len(cell) > 1 and cell[0] in MARKS and cell[-1] in MARKS and _is_a_pair(cell):
        cell = cell[1:-1].replace('""', '"').strip(BLANKS)
    return cell


def _is_a_pair(cell: str) -> bool:
    """Whether the first mark belongs to the last one; those of "one" and "two" do not."""
    inside = cell[1:-1].replace('""', "")
    marks = [place for place, letter in enumerate(inside) if letter in MARKS]
    if len(marks) % 2:
        return True
    return not marks or marks[0] == 0 or inside[marks[0] - 1] in _OPENING_FOLLOWS
