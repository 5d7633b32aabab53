"""A CSV file, row by row."""

import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from worker.csv_file.columns import Columns, recognised, usable
from worker.csv_file.encoding import Text, recognise
from worker.csv_file.problem import Unreadable

DELIMITERS = ",;\t"
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs"}
LONGEST_CELL = 64 * 1024
"""Characters; a quote that is never closed would swallow the whole file."""
_HINT = re.compile(r"sep=([,;\t])", re.IGNORECASE)
_LONGEST_HINT = 16
_TOO_LONG = "field limit"
"""In the words of the csv module."""


class Row(NamedTuple):
    """One row.

    Attributes:
        line: Where it begins in the file, from 1 on.
        cells: As many as there are columns; more where the row is too long.
        problem: Why it cannot be read; then it has no cells.
    """

    line: int
    cells: Sequence[str]
    problem: str | None = None


class CsvFile:
    """A CSV file whose first line names its columns: comma, semicolon or tab, in any usual encoding.

    Attributes:
        text: Encoding and digest of the whole file.
        delimiter: What stands between two cells.
        columns: What the first line says.
        unreadable: How many rows the last reading could not make out: of what stands in them nobody can be sure.

    Raises:
        Unreadable: empty, in no encoding that can be told, or with columns of which no request can be made.
    """

    def __init__(self, file: BinaryIO, *, encoding: str | None = None, ignore_extra: bool = False) -> None:
        csv.field_size_limit(LONGEST_CELL)
        self._file = file
        self._stood = _size_and_time(file)  # before the digest is taken, by which the file is known again
        self.text: Text = recognise(file, encoding)
        hinted = self._hint()
        self._lines_before_header = 1 if hinted else 0
        self.unreadable = 0
        self.delimiter = hinted or self._best_delimiter()
        self.columns: Columns = usable(self._header(self.delimiter), ignore_extra=ignore_extra)

    def place(self) -> int:
        """How many bytes have been read."""
        return self._file.tell()

    def size(self) -> int:
        """How many bytes there were when it was opened here; 0 of what is held in memory."""
        return self._stood[0] if self._stood else 0

    def reopen(self) -> None:
        """Read from now on at a place of its own: a forked process shares that of the process it comes from.

        Raises:
            OSError: there is no /proc.
        """
        self._file = Path(f"/proc/self/fd/{self._file.fileno()}").open("rb")  # noqa: SIM115 - ends with the process

    def has_changed(self) -> bool:
        """Whether somebody has written to the file since it was opened here."""
        return _size_and_time(self._file) != self._stood

    def rows(self) -> Iterator[Row]:
        """The rows after the first line, in file order; empty ones are left out.

        Raises:
            Unreadable: the bytes are not of the encoding.
        """
        width = len(self.columns.header)
        self.unreadable = 0
        with self._lines() as lines:
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
            next(reader)
            while True:
                line = reader.line_num + self._lines_before_header + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as wrong:
                    last = reader.line_num + self._lines_before_header
                    yield self._unreadable(line, last, _quotes_problem(wrong))
                    if _TOO_LONG in str(wrong):  # whatever follows stands within its quotes, or beside them
                        return
                    continue
                last = reader.line_num + self._lines_before_header
                if last > line and self._swallows_rows(cells):
                    yield self._unreadable(line, last, "a quote in it seems never closed")
                elif any(map(str.strip, cells)):
                    yield Row(line, cells if len(cells) >= width else cells + [""] * (width - len(cells)))

    def _unreadable(self, line: int, last: int, problem: str) -> Row:
        self.unreadable += 1
        swallowed = f"; lines {line} to {last} were read as one row" if last > line else ""
        return Row(line, (), problem + swallowed)

    def _swallows_rows(self, cells: Sequence[str]) -> bool:
        """Whether a line within a cell has as many delimiters as a row."""
        wanted = len(self.columns.header) - 1
        within = (line for cell in cells for line in cell.splitlines()[1:])
        return wanted > 0 and any(line.count(self.delimiter) >= wanted for line in within)

    @contextmanager
    def _lines(self) -> Iterator[io.TextIOWrapper]:
        """The file as text, from the line with the columns on."""
        self._file.seek(0)
        lines = io.TextIOWrapper(self._file, self.text.encoding, newline="")
        try:
            if self._lines_before_header:
                lines.readline()
            yield lines
        except UnicodeError:
            raise Unreadable(f"it is not all {self.text.name}: give the right --encoding") from None
        finally:
            if not self._file.closed:  # rows that were not read to their end may outlive the file
                lines.detach()

    def _hint(self) -> str | None:
        """The delimiter that a line `sep=;`, which Excel understands, tells."""
        self._lines_before_header = 0
        with self._lines() as lines:
            found = _HINT.fullmatch(lines.readline(_LONGEST_HINT).strip())
        return found[1] if found else None

    def _header(self, delimiter: str) -> Columns:
        with self._lines() as lines:
            try:
                return recognised(next(csv.reader(lines, delimiter=delimiter, strict=True)))
            except StopIteration:
                raise Unreadable("it is empty: its first line must name the columns") from None
            except csv.Error as wrong:
                raise Unreadable(f"its first line: {_quotes_problem(wrong)}") from None

    def _best_delimiter(self) -> str:
        """The one by which most columns are fields of a request."""

        def recognises(delimiter: str) -> tuple[int, int]:
            try:
                columns = self._header(delimiter)
            except Unreadable:  # quotes fit with the delimiter that the file was written with, and with no other
                return 0, 0
            return len(columns.known), len(columns.header)

        return max(DELIMITERS, key=recognises)


def _size_and_time(file: BinaryIO) -> tuple[int, int] | None:
    """Bytes, and nanoseconds of the last change; None of what is held in memory."""
    try:
        state = os.fstat(file.fileno())
    except io.UnsupportedOperation:
        return None
    return state.st_size, state.st_mtime_ns


def _quotes_problem(wrong: csv.Error) -> str:
    if _TOO_LONG in str(wrong):
        return (
            f"a cell is longer than {LONGEST_CELL} characters: perhaps a quote is never closed; "
            "nothing behind it was read"
        )
    return "its quotes do not fit: a cell with quotes is put in quotes, and those in it are doubled"
