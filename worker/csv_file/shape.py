"""Lines that are rows, and rows that are none: names of columns again, or a whole row in one cell."""

import re
from collections.abc import Sequence

from worker.csv_file.columns import DOCUMENTS, Columns, field_named
from worker.csv_file.quotes import BLANKS, MARKS, BrokenCell, cells_of

DIVIDERS = ",;\t|:^~"
"""What may divide cells, in files that are read and in others."""
_AROUND = "".join((BLANKS, *MARKS, "='{}"))
_DOCUMENT = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]*|[0-9a-f]{32}"
    r"|[0-9]{6}[0-9a-z]{12}[0-9]{20,}|[0-9][0-9 .,]{19,}"
    r"|\d+([.,]\d+)?E\+\d+",
    re.IGNORECASE,
)
"""A UUID or an access key, also a damaged one."""


def is_a_document(cell: str) -> bool:
    """Whether a cell holds a document, or what a spreadsheet has left of one."""
    return _DOCUMENT.fullmatch(cell.strip(_AROUND)) is not None


def looks_like_a_row(line: str, columns: Columns, delimiter: str) -> bool:
    """Whether a line has a document in its place, and all the cells that are not passed over."""
    cells = cells_of(line, delimiter)
    pieces = line.split(delimiter) if isinstance(cells, BrokenCell) else cells
    places = [place for place, field in columns.known if field in DOCUMENTS]
    has_all = len(pieces) > max(1, *(place for place, _ in columns.known))
    return has_all and any(is_a_document(pieces[place]) for place in places)


def names_again(cells: Sequence[str], columns: Columns) -> bool:
    """Whether a row names the columns once more: in the place of its document is the name of that column."""
    return any(field in DOCUMENTS and field_named(cells[place]) == field for place, field in columns.known)


def divider_in_one_cell(cells: Sequence[str], columns: Columns) -> str | None:
    """What divides the row that is in one cell; None where it is not in one."""
    filled = [cells[place] for place in columns.own if cells[place].strip(BLANKS)]
    if len(filled) != 1:
        return None
    return next((one for one in DIVIDERS if one in filled[0] and any(map(is_a_document, filled[0].split(one)))), None)
