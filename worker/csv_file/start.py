"""How a CSV file begins: what is passed over, what divides its cells, and the line that names its columns."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TextIO

from worker.csv_file.columns import DOCUMENTS, Columns, field_named, names_shown, recognised
from worker.csv_file.problem import Unreadable, shortened
from worker.csv_file.quotes import BrokenCell, cells_of
from worker.csv_file.shape import DIVIDERS, is_a_document

DELIMITERS = ",;\t"
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs"}
_MARK = "\ufeff"
_MARK_MISREAD = "\xef\xbb\xbf"
"""The mark of UTF-8, read as Windows-1252."""
_HINT = re.compile(r"""[ "']*sep *= *["']*(?:(\\t|tab\b)|([^\w\s"']|\t))?[\s"',;|]*""", re.IGNORECASE)
_LONGEST_HINT = 1_000
LOOKED_AT = 20
"""Lines in which the names of the columns are looked for, to say where they are."""


@dataclass(frozen=True, slots=True)
class Start:
    """How a file begins.

    Attributes:
        lines: How many are before the line that names the columns.
        hinted: The delimiter that a line `sep=;`, as Excel knows it, gives; None where there is none.
    """

    lines: int
    hinted: str | None


def start_of(text: TextIO) -> Start:
    """Read blank lines and a line `sep=;` at the beginning of a text."""
    hinted, is_hint_read = None, False
    for passed, line in enumerate(text):
        found = (
            None if is_hint_read or len(line) > _LONGEST_HINT else _HINT.fullmatch(without_marks(line).rstrip("\r\n"))
        )
        if found:
            is_hint_read, hinted = True, _hinted(found)
        elif without_marks(line).strip(f'{DELIMITERS}" \r\n\0'):
            return Start(passed, hinted)
    raise Unreadable("it is empty: its first line must name the columns")


def from_names(text: TextIO, start: Start) -> Iterator[str]:
    """The lines of a text from the one on that names the columns."""
    for _ in islice(text, start.lines):
        pass
    return chain(map(without_marks, islice(text, 1)), text)


def without_marks(line: str) -> str:
    """A first line without the byte order marks before it, of which some programs write two."""
    while line.startswith((_MARK, _MARK_MISREAD)):
        line = line.removeprefix(_MARK).removeprefix(_MARK_MISREAD)
    return line


def _hinted(found: re.Match[str]) -> str | None:
    delimiter = "\t" if found[1] else found[2]
    return delimiter if delimiter and delimiter in DELIMITERS else None


def best_delimiter(head: Sequence[str], hinted: str | None) -> str:
    """The one by which most names of the first line are fields of a request; the hinted one if no other is better."""

    def recognises(delimiter: str) -> tuple[int, bool, int]:
        names = _names_in(head, delimiter)
        if isinstance(names, BrokenCell):
            names = head[0].split(delimiter)
        columns = recognised(names)
        return len(columns.known), delimiter == hinted, len(columns.header)

    return max(DELIMITERS, key=recognises)


def columns_in(head: Sequence[str], delimiter: str, first_line: int) -> Columns:
    """The columns that the first of some lines names, one of which holds the document.

    Raises:
        Unreadable: its quotes do not fit, or no column is a document.
    """
    names = _names_in(head, delimiter)
    if isinstance(names, BrokenCell):
        raise Unreadable(
            f"its first line: the name {shortened(names.text)} is partly in quotes, or its quote is never closed: "
            "put all of it in quotes, or none of it"
        )
    columns = recognised(names)
    if not any(field in columns.fields for field in DOCUMENTS):
        raise Unreadable(_why_no_document(columns, head, first_line))
    return columns


def _names_in(head: Sequence[str], delimiter: str) -> list[str] | BrokenCell:
    reader = csv.reader(head, delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        return next(reader)
    except csv.Error:
        return cells_of("".join(head[: reader.line_num]), delimiter)


def _why_no_document(columns: Columns, head: Sequence[str], first_line: int) -> str:
    for name in columns.header:
        if divider := _divider_of_names(name):
            return _all_in_one(name, divider)
    for line, text in enumerate(head[1:], start=first_line + 1):
        if _divider_of_names(text) or field_named(text) in DOCUMENTS:
            return f"line {line} names the columns, and the header must be the first line: remove the lines above it"
    if any(map(is_a_document, columns.header)):
        return "it has no header line: write the names of the columns above the first row, such as uuid;referencia"
    return (
        "its first line must name the columns, divided by commas, semicolons or tabs, one of them uuid or chBPe "
        f"(or folio fiscal, chave de acesso); lines above it must go. It is: {names_shown(columns.header)}"
    )


def _all_in_one(name: str, divider: str) -> str:
    if divider in DELIMITERS:
        return (
            f"its first line is a single cell, {shortened(name)}: each line was put in quotes as a whole. "
            "Save it again with a cell for each column, or remove the quotes around the lines"
        )
    return f"its cells are divided by {divider}: save it again with commas, semicolons or tabs between them"


def _divider_of_names(text: str) -> str | None:
    """What divides the names in a text, one of which is that of a document; None where there are not several."""
    return next(
        (one for one in DIVIDERS if one in text and any(field_named(name) in DOCUMENTS for name in text.split(one))),
        None,
    )
