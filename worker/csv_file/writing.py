"""CSV files for spreadsheets: the rows to correct, and what became of each row."""

import csv
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, TextIO

from worker.csv_file.checking import NEUTRALISED
from worker.csv_file.columns import OF_THE_ERRORS_FILE, ORIGINAL_LINE
from worker.csv_file.problem import RowProblem
from worker.csv_file.quotes import BLANKS
from worker.csv_file.reading import CsvFile, Row
from worker.csv_file.results import KEPT, Result

_FORMULA_STARTS = (*(start[1] for start in NEUTRALISED), "\t", "\r")


def write_errors(opened: TextIO, file: CsvFile, problems: Iterable[RowProblem]) -> None:
    """Write the rows with problems as they are in the file, with their line and what is wrong behind.

    `problems` are in the order of the lines. The file can be corrected and imported. A row that came out of such a file
    keeps the line of the first one.
    """
    writer = csv.writer(opened, delimiter=file.delimiter)
    names = [file.columns.header[place] for place in file.columns.own]
    writer.writerow(map(neutral, [*names, *OF_THE_ERRORS_FILE]))
    rows = file.rows()
    for line, some in groupby(problems, key=lambda problem: problem.line):
        row = next(row for row in rows if row.line == line)
        surplus = row.cells[len(file.columns.header) :]  # makes the row too long again, until somebody has corrected it
        said = "; ".join(f"{one.column}: {one.problem}" if one.column else one.problem for one in some)
        writer.writerow(map(neutral, [*_own_cells(row, file), _original_line(row, file) or line, said, *surplus]))


def _own_cells(row: Row, file: CsvFile) -> list[str]:
    """What could not be read is in the first cell as a whole, where nobody takes it for a row."""
    if row.cells:  # line breaks at the ends of a cell that swallows rows keep it recognisable
        return [row.cells[place].strip(" \t" if row.text else BLANKS) for place in file.columns.own]
    return [row.text.strip("\r\n"), *[""] * (len(file.columns.own) - 1)]


def _original_line(row: Row, file: CsvFile) -> str:
    place = file.columns.original_line
    return row.cells[place].strip(BLANKS) if place is not None and row.cells else ""


def write_results(opened: TextIO, file: CsvFile, results: Iterable[Result]) -> None:
    """Write one row for each row of the imported file, in its order; with its original line where the file tells it."""
    writer = csv.writer(opened, delimiter=file.delimiter)
    has_original = file.columns.original_line is not None
    original = [ORIGINAL_LINE] if has_original else []
    writer.writerow(
        ["line", *original, "job", "reference", "submitted", *KEPT, "warnings", "evidence_sha256", "problem"]
    )
    for one in results:
        original = [one.original_line] if has_original else []
        writer.writerow(map(neutral, [one.line, *original, *_cells(one)]))


def _cells(one: Result) -> Iterator[Any]:
    outcome = one.outcome
    yield from (one.job, one.reference, one.how)
    yield from (outcome.get(name) for name in KEPT)
    yield "; ".join(outcome.get("warnings") or ())
    yield from (outcome.get("evidence_sha256"), one.problems)


def neutral(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell
