"""CSV files for spreadsheets: the rows to mend, and what became of each row."""

import csv
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, TextIO

from worker.csv_file.checking import BLANKS, NEUTRALISED
from worker.csv_file.columns import OF_THE_ERRORS_FILE, plain
from worker.csv_file.problem import RowProblem
from worker.csv_file.reading import CsvFile
from worker.csv_file.results import KEPT, Result

_FORMULA_STARTS = (*(start[1] for start in NEUTRALISED), "\t", "\r")
_OURS = frozenset(plain(name) for name in OF_THE_ERRORS_FILE)


def write_errors(opened: TextIO, file: CsvFile, problems: Iterable[RowProblem]) -> None:
    """Write the rows with problems as they stood, with their line and what is wrong behind.

    `problems` are in the order of the lines. The file can be mended and imported.
    """
    own = [place for place, name in enumerate(file.columns.header) if plain(name) not in _OURS]
    writer = csv.writer(opened, delimiter=file.delimiter)
    writer.writerow(map(neutral, [*(file.columns.header[place] for place in own), *OF_THE_ERRORS_FILE]))
    rows = file.rows()
    for line, some in groupby(problems, key=lambda problem: problem.line):
        row = next(row for row in rows if row.line == line)
        cells = [row.cells[place].strip(BLANKS) for place in own] if row.cells else [""] * len(own)
        surplus = row.cells[len(file.columns.header) :]  # makes the row too long again, until somebody has mended it
        said = "; ".join(f"{one.column}: {one.problem}" if one.column else one.problem for one in some)
        writer.writerow(map(neutral, [*cells, line, said, *surplus]))


def write_results(opened: TextIO, delimiter: str, results: Iterable[Result]) -> None:
    """Write one row for each row of the imported file, in its order."""
    writer = csv.writer(opened, delimiter=delimiter)
    writer.writerow(["line", "job", "reference", "submitted", *KEPT, "warnings", "evidence_sha256", "problem"])
    for one in results:
        writer.writerow(map(neutral, _cells(one)))


def _cells(one: Result) -> Iterator[Any]:
    outcome = one.outcome
    yield from (one.line, one.job, one.reference, one.how)
    yield from (outcome.get(name) for name in KEPT)
    yield "; ".join(outcome.get("warnings") or ())
    yield from (outcome.get("evidence_sha256"), one.problems)


def neutral(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell
