"""A CSV file, row by row."""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from worker.csv_file import quotes
from worker.csv_file.columns import Columns, usable
from worker.csv_file.encoding import Text, recognise
from worker.csv_file.problem import Unreadable
from worker.csv_file.quotes import BrokenCell, cells_of
from worker.csv_file.shape import looks_like_a_row
from worker.csv_file.start import LOOKED_AT, Start, best_delimiter, columns_in, from_names, start_of

LONGEST_CELL = 64 * 1024
"""Characters; a quote that is never closed would swallow the whole file."""
_TOO_LONG = "field limit"
_AT_THE_END = "end of data"
"""In the words of the csv module."""


class Row(NamedTuple):
    """One row.

    Attributes:
        line: Where it begins in the file, from 1 on.
        cells: As many as there are columns; more where the row is too long; none where they cannot be told apart.
        problem: Why it is not one row.
        column: Where that is, and
        value: what is in the way there; empty where it cannot be told.
        text: All of what has no cells, as it is in the file.
    """

    line: int
    cells: Sequence[str]
    problem: str | None = None
    column: str = ""
    value: str = ""
    text: str = ""


class CsvFile:
    """A CSV file whose first line names its columns: comma, semicolon or tab, in any usual encoding.

    Attributes:
        text: Encoding and digest of the whole file.
        delimiter: What stands between two cells.
        columns: What the first line says.
        unreadable: How many rows the last reading could not make out whose borders nobody can be sure of.

    Raises:
        Unreadable: empty, in no encoding that can be told, or with columns of which no request can be made.
    """

    def __init__(self, file: BinaryIO, *, encoding: str | None = None, ignore_extra: bool = False) -> None:
        csv.field_size_limit(LONGEST_CELL)
        self._file = file
        self._stood = _size_and_time(file)  # before the digest is taken, by which the file is known again
        self.text: Text = recognise(file, encoding)
        self.unreadable = 0
        with self._decoded() as text:
            self._start: Start = start_of(text)
        with self._lines() as lines:
            head = list(islice(lines, LOOKED_AT))
        self.delimiter = best_delimiter(head, self._start.hinted)
        self.columns: Columns = usable(
            columns_in(head, self.delimiter, self._start.lines + 1), ignore_extra=ignore_extra
        )

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
        self.unreadable, may_go_on = 0, False
        read: list[str] = []
        for line, cells in self._records(read):
            if isinstance(cells, csv.Error):
                row = self._in_spite_of(cells, line, read)
                if row.problem and _TOO_LONG in str(cells) and len(read) > 1:
                    yield row
                    return  # whatever follows is within its quotes, or beside them
                may_go_on |= row.problem is not None and quotes.may_go_on(read[-1], self.delimiter)
            else:
                row = self._row(line, cells, read)
            if row.problem or any(map(str.strip, row.cells)):
                if may_go_on and not row.problem:
                    self.unreadable += read[0].count(self.delimiter) < len(self.columns.header) - 1
                    may_go_on = False
                yield row

    def _records(self, read: list[str]) -> Iterator[tuple[int, list[str] | csv.Error]]:
        """Where each row begins, and its cells or why they cannot be told; its lines are in `read`."""
        with self._lines() as lines:
            reader = csv.reader(_noted(lines, read), delimiter=self.delimiter, strict=True, skipinitialspace=True)
            with suppress(csv.Error):  # its quotes were understood all the same
                next(reader)
            while True:
                line = reader.line_num + self._start.lines + 1
                read.clear()
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as wrong:
                    yield line, wrong
                else:
                    yield line, cells

    def _row(self, line: int, cells: list[str], read: Sequence[str]) -> Row:
        width = len(self.columns.header)
        if len(cells) > width:
            cells = self._fewer(cells, read)
        if len(cells) < width:
            cells = cells + [""] * (width - len(cells))
        if len(read) > 1 and self._swallows_rows(cells):
            return self._uncertain(line, read, "a quote in it seems never closed")._replace(cells=cells)
        return Row(line, cells)

    def _fewer(self, cells: list[str], read: Sequence[str]) -> list[str]:
        """The cells of a row with too many, where that comes from other blanks than spaces before a quote."""
        others = cells_of("".join(read), self.delimiter)
        return cells if isinstance(others, BrokenCell) or len(others) > len(self.columns.header) else others

    def _in_spite_of(self, wrong: csv.Error, line: int, read: Sequence[str]) -> Row:
        """A row that the csv module could not read."""
        text = "".join(read)
        cells = cells_of(text, self.delimiter)
        if isinstance(cells, BrokenCell):
            return self._broken(cells, wrong, line, read)
        for place, _ in self.columns.known:
            if len(cells) > place and len(cells[place]) > LONGEST_CELL:
                problem = f"it is longer than {LONGEST_CELL} characters: perhaps a quote is in the wrong place"
                return Row(line, (), problem, self.columns.header[place], cells[place], text)
        return self._row(line, cells, read)

    def _broken(self, cell: BrokenCell, wrong: csv.Error, line: int, read: Sequence[str]) -> Row:
        header = self.columns.header
        column = header[cell.place] if cell.place < len(header) else ""
        if len(read) == 1 and (_AT_THE_END in str(wrong) or quotes.is_one_row(read[0], self.delimiter, len(header))):
            problem = (
                "its quotes do not fit: a cell with quotes in it is put in quotes as a whole, and those in it are "
                "doubled; or remove them"
            )
            return Row(line, (), problem, column, cell.text, read[0])
        problem = "a quote is opened in it, and not closed where the cell ends"
        if _TOO_LONG in str(wrong):
            problem = f"a cell is longer than {LONGEST_CELL} characters: perhaps a quote in it is never closed"
        row = self._uncertain(line, read, problem)
        behind = "; nothing behind it was read" if _TOO_LONG in str(wrong) and len(read) > 1 else ""
        return row._replace(problem=f"{row.problem}{behind}", column=column, value=cell.text)

    def _uncertain(self, line: int, read: Sequence[str], problem: str) -> Row:
        self.unreadable += 1
        swallowed = f"; lines {line} to {line + len(read) - 1} were read as one row" if len(read) > 1 else ""
        return Row(line, (), problem + swallowed, text="".join(read))

    def _swallows_rows(self, cells: Iterable[str]) -> bool:
        """Whether a line within a cell looks like a row."""
        within = (line for cell in cells for line in io.StringIO(cell, newline=None).readlines()[1:])
        return any(looks_like_a_row(line, self.columns, self.delimiter) for line in within)

    @contextmanager
    def _lines(self) -> Iterator[Iterator[str]]:
        """The lines of the file, from the one that names the columns on."""
        with self._decoded() as text:
            yield from_names(text, self._start)

    @contextmanager
    def _decoded(self) -> Iterator[io.TextIOWrapper]:
        """The file as text."""
        self._file.seek(0)
        end = self.text.end
        part = self._file if end is None else cast("BinaryIO", _Beginning(self._file, end))
        lines = io.TextIOWrapper(part, self.text.encoding, newline="")
        try:
            yield lines
        except UnicodeError:
            raise Unreadable(f"it is not all {self.text.name}: give the right --encoding") from None
        finally:
            if not self._file.closed:  # rows that were not read to their end may outlive the file
                lines.detach()


class _Beginning(io.RawIOBase):
    """A file up to some byte."""

    def __init__(self, file: BinaryIO, end: int) -> None:
        self._file = file
        self._end = end

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; 0 at the end."""
        view = memoryview(buffer)
        some = self._file.read(min(len(view), max(0, self._end - self._file.tell())))
        view[: len(some)] = some
        return len(some)


def _noted(lines: Iterator[str], read: list[str]) -> Iterator[str]:
    """The lines, each kept in `read` as well."""
    for line in lines:
        read.append(line)
        yield line


def _size_and_time(file: BinaryIO) -> tuple[int, int] | None:
    """Bytes, and nanoseconds of the last change; None of what is held in memory."""
    try:
        state = os.fstat(file.fileno())
    except io.UnsupportedOperation:
        return None
    return state.st_size, state.st_mtime_ns
