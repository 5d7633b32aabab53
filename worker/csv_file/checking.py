"""Rows as requests: each is checked as any other request, and what is wrong is told by line and column."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from config.accounts import Accounts
from worker.characters import strange
from worker.csv_file.columns import DOCUMENTS, Columns
from worker.csv_file.damage import TELLING, damage, explanation, garbled, read_wrongly
from worker.csv_file.problem import RowProblem, shortened
from worker.csv_file.quotes import BLANKS, MARKS, unquoted
from worker.csv_file.reading import CsvFile, Row
from worker.csv_file.shape import divider_in_one_cell, names_again
from worker.csv_file.start import NAMES
from worker.documents import job_named
from worker.invalid import FieldError, InvalidRequest
from worker.ledger.admission import Admission
from worker.request import check

NEUTRALISED = ("'=", "'+", "'-", "'@")
"""How a cell begins that was kept from being taken for a formula."""
_WRAPPED = MARKS | {"'"}
"""How a cell begins that may not be what was meant."""
_FREE = ("reference", "xJust")
"""Fields whose texts are looked through for damage although they may be anything."""
_SOFT_HYPHEN, _NON_BREAKING = "\xad", "\xa0"


class Checked(NamedTuple):
    """A row that has been looked at, as it waits for its submission; without its cells, which may be thousands.

    Attributes:
        line: Where it begins in the file.
        job: Of its document; None where the row does not tell one.
        account: As lane, deadline_ms and text of its Admission; None where something is wrong.
        original_line: The line of the file from which the row came into this one, by `--errors`; empty where none.
        problems: Every one; damage to texts that may be anything comes last.
    """

    line: int
    job: str | None
    account: str | None
    lane: str | None
    deadline_ms: int | str | None
    text: str | None
    reference: str
    original_line: str
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
        self._original_line = file.columns.original_line
        self._delimiter = file.delimiter
        self._encoding = file.text.encoding
        self._now = datetime.now(UTC)

    def check(self, row: Row) -> Checked:
        """A row as a request."""
        if row.problem:
            return self._wrong(row, {}, [RowProblem(row.line, row.column, shortened(row.value), row.problem)])
        values = self._values(row.cells)
        problems = self._too_long(row) or self._nameless(row)
        try:
            one = check(values, self._accounts, now=self._now)
        except InvalidRequest as invalid:
            if misread := self._misread(row):
                return self._wrong(row, {}, [misread])
            problems += [self._problem(row, error, values) for error in invalid.errors]
            told = {error.field for error in invalid.errors}
            problems += self._damaged(row, {field: text for field, text in values.items() if field not in told})
        else:
            problems += self._damaged(row, values)
            if not problems:
                job, account, lane, deadline_ms, _, text, _ = Admission.of(one)
                reference = values.get("reference", "")
                return Checked(row.line, job, account, lane, deadline_ms, text, reference, self._origin(row), ())
        return self._wrong(row, values, problems)

    def _wrong(self, row: Row, values: Mapping[str, str], problems: Sequence[RowProblem]) -> Checked:
        reference, origin = values.get("reference", ""), self._origin(row)
        return Checked(row.line, _job(values), None, None, None, None, reference, origin, problems)

    def _origin(self, row: Row) -> str:
        return row.cells[self._original_line].strip(BLANKS) if self._original_line is not None and row.cells else ""

    def _values(self, cells: Sequence[str]) -> dict[str, str]:
        values = self._defaults.copy()
        for place, field in self._known:
            cell = cells[place].strip(BLANKS)
            if cell and cell[0] in _WRAPPED:
                cell = unquoted(cell)
                cell = cell[1:] if cell.startswith(NEUTRALISED) else cell
            if cell:
                values[field] = cell
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
        problem = "there are more cells than columns: put a cell with a delimiter in it in quotes"
        return [RowProblem(row.line, "", shortened(more[0]), problem)]

    def _nameless(self, row: Row) -> list[RowProblem]:
        for place in self._unnamed:
            if cell := row.cells[place].strip(BLANKS):
                problem = "its column has no name: name it, or give --extra-columns ignore"
                return [RowProblem(row.line, "", shortened(cell), problem)]
        return []

    def _damaged(self, row: Row, values: Mapping[str, str]) -> list[RowProblem]:
        """What happened to texts that may be anything: nothing else would be wrong with them."""
        problems = []
        for field in _FREE:
            text = values.get(field)
            if not text:
                continue
            words = damage(text) if text[0] in TELLING else None
            if field == "xJust" and not text.isascii():
                words = words or _letters(text)
            if words:
                problems.append(RowProblem(row.line, self._columns.name_of(field), shortened(text), words))
        return problems

    def _misread(self, row: Row) -> RowProblem | None:
        """What is wrong with the row as a whole."""
        shown = shortened(" ".join(filter(None, (row.cells[place] for place in self._columns.own))))
        if names_again(row.cells, self._columns):
            return RowProblem(
                row.line, "", shown, "it is a second header line, which names the columns again: remove it"
            )
        divider = divider_in_one_cell(row.cells, self._columns)
        if divider == self._delimiter:
            problem = "the whole row is in one cell: remove the quotes around it, or give each value a cell of its own"
            return RowProblem(row.line, "", shown, problem)
        if divider and len(self._columns.header) > 1:
            problem = f"it is divided by {_named(divider)}, and the first line by {_named(self._delimiter)}"
            return RowProblem(row.line, "", shown, f"{problem}: divide both in the same way")
        return None

    def _problem(self, row: Row, error: FieldError, values: Mapping[str, str]) -> RowProblem:
        value = values.get(error.field, "")
        if error.problem == _NOT_OF_THE_REQUEST:
            words = _of_the_other_provider(error.field, value)
        else:
            words = explanation(error.field, value) or error.problem
        if remedy := read_wrongly(value, self._encoding):
            words = f"{words}; {remedy}"
        return RowProblem(row.line, self._columns.name_of(error.field), shortened(value), words)


def _letters(text: str) -> str | None:
    """What is wrong with letters that the authority would take."""
    if (before := garbled(text)) is not None:
        return f"its letters were garbled when it was saved: write {shortened(before)!r}, and save it as UTF-8"
    is_blemished = _SOFT_HYPHEN in text or text.strip(_NON_BREAKING) != text
    return strange(text, lambda letter: letter not in (_SOFT_HYPHEN, _NON_BREAKING)) if is_blemished else None


def _named(divider: str) -> str:
    return NAMES.get(divider, repr(divider))


_NOT_OF_THE_REQUEST = "is not a field of this request"
"""In the words of the check."""
_MOTIVE = re.compile(r"0?[1-4]\b")
"""01 with a related CFDI, 02 without, 03 not carried out, 04 part of a global invoice (SAT, Anexo 20)."""
_OTHERS_FIELDS = {"solucion-factible": ("chBPe", "nProt", "xJust", "dhEvento"), "ns-bpe": ("uuid",)}


def _of_the_other_provider(field: str, value: str) -> str:
    words = "this method takes no motive" if field == "xJust" else _NOT_OF_THE_REQUEST
    if field == "xJust" and _MOTIVE.match(value):
        words = f"it is a motive of the SAT's list, and {words}"
    return f"{words}: leave it empty, or give --extra-columns ignore"


def _told(provider: str | None) -> dict[str, str]:
    return {"provider": provider} if provider else {}


def _job(values: Mapping[str, str]) -> str | None:
    return next((job for field in DOCUMENTS if (job := job_named(values.get(field, "")))), None)
