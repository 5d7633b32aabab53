"""What spreadsheets do to long numbers, dates and letters, recognised in a cell and explained."""

import re
from contextlib import suppress

from worker.csv_file.letters import strangeness

_ROUNDED = re.compile(r"[+-]?\d+([.,]\d+)?E[+-]?\d+", re.IGNORECASE)
_DECIMALS = re.compile(r"\d+[.,]0+")
_GROUPED = re.compile(r"\d+(?:[.,']\d{3})+|\d+(?: \d+)+")
_NOTHING = re.compile(r"nan|none|null|#\S*[!?/]\S*", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}([ T].*)?")
_DIGITS = {"chBPe": 44, "nProt": 15}
_KEPT_DIGITS = 15
"""More digits of a number a spreadsheet does not keep."""
_TWICE_ENCODED = re.compile(r"[ÂÃ][^\x00-\x7f]|â[^\x00-\x7f]{2}")
_ANEW = "format the column as text, fill it from the source again, and export it anew"


def explanation(field: str, cell: str) -> str | None:
    """What happened to the cell of this field; None where nothing of the kind is to be seen."""
    if field in ("uuid", *_DIGITS):
        return _of_a_document(cell) or (_of_digits(cell, _DIGITS[field]) if field in _DIGITS else None)
    if field in ("dhEvento", "deadline") and _DATE.fullmatch(cell):
        return "the spreadsheet has rewritten the date: format the column as text, and write 2026-01-31T18:00:00-03:00"
    return None


def _of_a_document(cell: str) -> str | None:
    if "\xa0" in cell or "\u202f" in cell:
        return "there is a non-breaking space in it, as in text copied from a web page: remove it"
    if cell.startswith(("'", "\u2018", "\u2019", "`")):
        return "it begins with an apostrophe, by which a spreadsheet marks text: remove it"
    if _NOTHING.fullmatch(cell):
        return "it is what a program writes where it has no value: fill it in"
    if cell.startswith("="):
        return "it is a spreadsheet's formula: write the value alone"
    return None


def _of_digits(cell: str, wanted: int) -> str | None:
    if _ROUNDED.fullmatch(cell):
        return f"the spreadsheet has rounded the number, its last digits are lost: {_ANEW}"
    if _DECIMALS.fullmatch(cell):
        return "the spreadsheet has added decimals: it must be digits alone"
    if _GROUPED.fullmatch(cell):
        return "the spreadsheet has grouped the digits: it must be digits alone"
    if not (cell.isascii() and cell.isdigit()):
        return None
    if len(cell) == wanted > _KEPT_DIGITS and not cell[_KEPT_DIGITS:].strip("0"):
        return f"the spreadsheet has kept {_KEPT_DIGITS} digits and made the others zeros: {_ANEW}"
    if len(cell) < wanted:
        return f"it has {len(cell)} digits instead of {wanted}: a spreadsheet drops zeros at the beginning; {_ANEW}"
    return None


def garbled(text: str) -> str | None:
    """What a text was before its UTF-8, or a part of it, was read as Windows-1252; None where that has not happened."""
    before = _TWICE_ENCODED.sub(_once_encoded, text)
    return before if before != text and strangeness(before) < strangeness(text) else None


def _once_encoded(letters: re.Match[str]) -> str:
    for read_as in ("cp1252", "latin-1"):
        with suppress(UnicodeError):
            return letters[0].encode(read_as).decode("utf-8")
    return letters[0]
