"""Rows as requests: each is checked as any other request, and what is wrong is told by line and column."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from config.accounts import Accounts
from worker.csv_file.columns import DOCUMENTS, Columns
from worker.csv_file.damage import explanation, garbled
from worker.csv_file.problem import RowProblem, shortened
from worker.csv_file.reading import CsvFile, Row
from worker.documents import job_named
from worker.invalid import FieldError, InvalidRequest
from worker.ledger.admission import Admission
from worker.request import check

BLANKS = " \t\r\n"
NEUTRALISED = ("'=", "'+", "'-", "'@")
"""How a cell begins that was kept from being taken for a formula."""


class Checked(NamedTuple):
    """A row that has been looked at, as it waits for its submission; without its cells, which may be thousands.

    Attributes:
        line: Where it begins in the file.
        job: Of its document; None where the row does not tell one.
        account: As lane, deadline_ms and text of its Admission; None where something is wrong.
        problems: Every one, in the order of the request's fields.
    """

    line: int
    job: str | None
    account: str | None
    lane: str | None
    deadline_ms: int | str | None
    text: str | None
    reference: str
    problems: Sequence[RowProblem]


class RowCheck:
    """Checks the rows of one file."""

    def __init__(
        self, file: CsvFile, accounts: Accounts, *, defaults: Mapping[str, str], ignore_extra: bool = False
    ) -> None:
        """`defaults`: what a row has in the fields that it leaves empty."""
        self._columns: Columns = file.columns
        self._known = file.columns.known
        self._unnamed = () if ignore_extra else file.columns.unnamed
        self._accounts = accounts
        self._defaults = {"priority": "bulk", **_told(file.columns.provider), **defaults}
        self._ignore_extra = ignore_extra
        self._now = datetime.now(UTC)

    def check(self, row: Row) -> Checked:
        """A row as a request."""
        if row.problem:
            return _wrong(row.line, None, "", [RowProblem(row.line, "", "", row.problem)])
        values = self._values(row.cells)
        problems = self._too_long(row) or self._nameless(row) or self._garbled(row, values)
        try:
            one = check(values, self._accounts, now=self._now)
        except InvalidRequest as invalid:
            problems += [self._problem(row, error, values) for error in invalid.errors]
        else:
            if not problems:
                job, account, lane, deadline_ms, _, text, _ = Admission.of(one)
                return Checked(row.line, job, account, lane, deadline_ms, text, values.get("reference", ""), ())
        return _wrong(row.line, _job(values), values.get("reference", ""), problems)

    def _values(self, cells: Sequence[str]) -> dict[str, str]:
        values = self._defaults.copy()
        for place, field in self._known:
            cell = cells[place].strip(BLANKS)
            if cell:
                values[field] = cell[1:] if cell.startswith(NEUTRALISED) else cell
        if "provider" not in values:
            told = [provider for field, provider in DOCUMENTS.items() if field in values]
            values |= {"provider": told[0]} if len(told) == 1 else {}
        if self._ignore_extra:
            for field in _OTHERS_FIELDS.get(values.get("provider", ""), ()):
                values.pop(field, None)
        return values

    def _too_long(self, row: Row) -> list[RowProblem]:
        more = [cell for cell in row.cells[len(self._columns.header) :] if cell.strip(BLANKS)]
        if not more:
            return []
        problem = "there are more cells than columns: a cell with a delimiter in it must stand in quotes"
        return [RowProblem(row.line, "", shortened(more[0]), problem)]

    def _nameless(self, row: Row) -> list[RowProblem]:
        for place in self._unnamed:
            if cell := row.cells[place].strip(BLANKS):
                problem = "its column has no name: name it, or give --extra-columns ignore"
                return [RowProblem(row.line, "", shortened(cell), problem)]
        return []

    def _garbled(self, row: Row, values: Mapping[str, str]) -> list[RowProblem]:
        text = values.get("xJust", "")
        before = None if text.isascii() else garbled(text)
        if before is None:
            return []
        problem = f"its letters were garbled when it was saved: write {shortened(before)!r}, and save it as UTF-8"
        return [RowProblem(row.line, self._columns.name_of("xJust"), shortened(text), problem)]

    def _problem(self, row: Row, error: FieldError, values: Mapping[str, str]) -> RowProblem:
        value = values.get(error.field, "")
        words = explanation(error.field, value) or _with_a_hint(error.problem)
        return RowProblem(row.line, self._columns.name_of(error.field), shortened(value), words)


def _wrong(line: int, job: str | None, reference: str, problems: Sequence[RowProblem]) -> Checked:
    return Checked(line, job, None, None, None, None, reference, problems)


_OTHERS_FIELDS = {"solucion-factible": ("chBPe", "nProt", "xJust", "dhEvento"), "ns-bpe": ("uuid",)}


def _with_a_hint(problem: str) -> str:
    is_of_the_other = problem == "is not a field of this request"
    return f"{problem}: leave it empty, or give --extra-columns ignore" if is_of_the_other else problem


def _told(provider: str | None) -> dict[str, str]:
    return {"provider": provider} if provider else {}


def _job(values: Mapping[str, str]) -> str | None:
    return next((job for field in DOCUMENTS if (job := job_named(values.get(field, "")))), None)
