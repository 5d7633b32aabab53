"""What spreadsheets and programs do to numbers, dates and letters, recognised in a cell and explained."""

import re
from contextlib import suppress

from worker.characters import deceives, in_windows_1252, strange
from worker.csv_file.letters import strangeness

_ROUNDED = re.compile(r"[+-]?\d+([.,]\d+)?E[+-]?\d+", re.IGNORECASE)
_ROUNDED_FOR_SURE = re.compile(
    r"[+\-\u2212]?(?:\d+[.,\u066b]\d+\s?E\s?[+\-\u2212]?\d{1,3}|\d+\s?E\s?[+\-\u2212]\d{1,3}"
    r"|\d+(?:[.,]\d+)?\s?[x\u00d7*\u00b7]\s?10\^[+\-\u2212]?\d{1,3})",
    re.IGNORECASE,
)
"""Of a text that may be anything: 5E2024 is a code, 5,2E+24 is not."""
_DECIMALS = re.compile(r"\d+[.,]0+")
_DECIMALS_FOR_SURE = re.compile(r"[+-]?\d+[.,](?:0{1,2}|0{4,})")
"""Of a text that may be anything: 1.000 may be a thousand."""
_ZEROS = re.compile(r"[1-9]\d{14}0{5,}")
_TOO_MANY_TO_BE_CHANCE = 20
"""Digits of a number that by chance alone would not end with so many zeros."""
_GROUPED = re.compile(r"\d+(?:[.,']\d{3})+|\d+(?: \d+)+")
_ERROR = (
    # of Excel and LibreOffice, in English, Spanish and Portuguese
    r"#[¡¿]?(?:NULL|NULO|DIV/0|VALUE|VALOR|REF|NAME|NOME|NOMBRE|N[UÚ]M|NÚMERO|SPILL|DESBORDAMIENTO|DESPEJAR|DESPEJO"
    r"|DERRAME|C[AÁ]LC|FIELD|CAMPO|BLOCKED|BLOQUEADO|CONNECT|CONECTAR|UNKNOWN|DESCONOCIDO|DESCONHECIDO|BUSY|OCUPADO"
    r"|EXTERNAL|PYTHON|TIMEOUT|MACRO)[!?]|#N/?[AD]|#GETTING_DATA|#OBTENIENDO_DATOS|Err(?:o|or)?:\d{3}|#{3,}"
)
_NOTHING = re.compile(
    rf"[+-]?nan|none|null|nil|nat|<na>|<null>|\(null\)|\\N|undefined|\[object object\]|{_ERROR}", re.IGNORECASE
)
_ANY_ERROR = re.compile(r"#\S*[!?/]\S*|n/[ad]", re.IGNORECASE)
_APOSTROPHES = "'\u2018\u2019`\u00b4"
_QUOTED_WORD = re.compile(rf"[{_APOSTROPHES}][^{_APOSTROPHES}]*\w[{_APOSTROPHES}]\W.*", re.DOTALL)
_FORMULA = re.compile(r"=\s*(?:[\"'\u201c\u201d]|[+\-@]?[A-Za-zÀ-ÿ.]+\d*\(|\$?[A-Za-z]{1,3}\$?\d+\b).*", re.DOTALL)
TELLING = frozenset(f'0123456789+-\u2212{_APOSTROPHES}"=#<(\\[nNuUeE')
"""How a text begins in which `damage` may find something; it finds nothing in any other."""

_WRITTEN_DATE = re.compile(
    r"\d{1,4}[/. -](?:\d{1,2}|[^\W\d_]{3,10}\.?)[/. -]\d{1,4}([ T,].*)?|\d{5}([.,]\d+)?", re.IGNORECASE
)
_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\dT.*")
_DIGITS = {"chBPe": 44, "nProt": 15}
_HEX_DIGITS = 32
_ONLY_HEX = re.compile(r"[0-9a-fA-F{} -]+")
_ID_OF_XML = re.compile(r"bpe[0-9a-z]+", re.IGNORECASE)
_LIKE_DIGITS = {"O": "0", "o": "0", "I": "1", "l": "1"}
_OF_THE_CNPJ = range(7, 19)
"""Characters 7 to 18 of an access key."""
_LATIN_1 = "iso8859-1"
_KEPT_DIGITS = 15
"""More digits of a number a spreadsheet does not keep."""
_TWICE_ENCODED = re.compile(r"[ÂÃ][^\x00-\x7f]|â[^\x00-\x7f]{2}")
_ANEW = "format the column as text, fill it from the source again, and export it anew"
_ROUNDED_AWAY = f"the spreadsheet has rounded the number, its last digits are lost: {_ANEW}"
_MADE_ZEROS = f"the spreadsheet has kept {_KEPT_DIGITS} digits and made the others zeros: {_ANEW}"


def damage(text: str) -> str | None:
    """What happened to a text that may be anything; None where nothing of the kind is to be seen."""
    if text.isdecimal() and len(text) < _TOO_MANY_TO_BE_CHANCE:
        return None
    if text[0] in _APOSTROPHES and not _QUOTED_WORD.fullmatch(text):
        return "it begins with an apostrophe, by which a spreadsheet marks text: remove it"
    if text[0] == '"' and text.count('"') % 2:
        return "it begins with a quotation mark that is never closed: close it, or remove it"
    if _NOTHING.fullmatch(text):
        return "it is what a program writes where it has no value: write the value, or empty the cell if there is none"
    if _FORMULA.fullmatch(text):
        return "it is a spreadsheet's formula: write the value alone"
    if _ROUNDED_FOR_SURE.fullmatch(text):
        return _ROUNDED_AWAY
    if _DECIMALS_FOR_SURE.fullmatch(text):
        return f"the spreadsheet has added decimals: write {re.split('[.,]', text)[0]} alone, in a column of text"
    return _MADE_ZEROS if _ZEROS.fullmatch(text) else None


def explanation(field: str, cell: str) -> str | None:
    """What happened to a cell in which something is wrong already; None where nothing of the kind is to be seen."""
    if not cell:
        return None
    if field in ("dhEvento", "deadline"):
        return _of_a_time(cell) or damage(cell)
    if field in ("uuid", *_DIGITS):
        return _of_a_document(field, cell)
    if field == "xJust" and re.fullmatch(r"0?[1-4]", cell):
        return "it is a number of the SAT's list of motives: write the reason in words, 15 to 255 characters"
    if field in ("xJust", "reference"):  # what they may hold is told by the check itself
        return damage(cell)
    return damage(cell) or _deceptive(cell)


def _of_a_time(cell: str) -> str | None:
    if _WRITTEN_DATE.fullmatch(cell) and not _ISO_TIME.fullmatch(cell):
        return (
            "the spreadsheet has rewritten the date, without its offset from UTC: format the column as text, and write "
            "date, time and offset, as in 2026-01-31T18:00:00-03:00"
        )
    return _deceptive(cell)


def _of_a_document(field: str, cell: str) -> str | None:
    if cell[0] in _APOSTROPHES:
        return "it begins with an apostrophe, by which a spreadsheet marks text: remove it"
    if _NOTHING.fullmatch(cell) or _ANY_ERROR.fullmatch(cell):
        return "it is what a program writes where it has no value: fill it in"
    if cell.startswith("="):
        return "it is a spreadsheet's formula: write the value alone"
    if _ROUNDED.fullmatch(cell) or _ROUNDED_FOR_SURE.fullmatch(cell):
        return _ROUNDED_AWAY
    words = _of_digits(cell, _DIGITS[field]) if field in _DIGITS else _of_hex_digits(cell)
    return words or _deceptive(cell) or _letter_for_a_digit(field, cell)


def _of_digits(cell: str, wanted: int) -> str | None:
    if _DECIMALS.fullmatch(cell):
        return "the spreadsheet has added decimals: it must be digits alone"
    if _GROUPED.fullmatch(cell):
        return "the spreadsheet has grouped the digits: it must be digits alone"
    if _ID_OF_XML.fullmatch(cell):
        return "it begins with BPe, as the Id of the XML does: write the 44 characters of the key alone"
    if not (cell.isascii() and cell.isdigit()):
        return None
    if len(cell) == wanted > _KEPT_DIGITS and not cell[_KEPT_DIGITS:].strip("0"):
        return _MADE_ZEROS
    if len(cell) < wanted:
        return f"it has {len(cell)} digits instead of {wanted}: a spreadsheet drops zeros at the beginning; {_ANEW}"
    return f"it has {len(cell)} digits instead of {wanted}" if len(cell) > wanted else None


def _of_hex_digits(cell: str) -> str | None:
    if not _ONLY_HEX.fullmatch(cell):
        return None
    count = sum(letter.isalnum() for letter in cell)
    if count != _HEX_DIGITS:
        return f"it has {count} hex digits instead of {_HEX_DIGITS}"
    return "it must be 8-4-4-4-12 hex digits, with hyphens between them and nothing around"


def _deceptive(cell: str) -> str | None:
    return strange(cell, lambda letter: not deceives(letter))


def _letter_for_a_digit(field: str, cell: str) -> str | None:
    """Letters that look like digits, where there can be none: the key of a BP-e may have any in its CNPJ."""
    for place, letter in enumerate(cell, start=1):
        if letter in _LIKE_DIGITS and not (field == "chBPe" and place in _OF_THE_CNPJ):
            return f"character {place} is the letter {letter}: write the digit {_LIKE_DIGITS[letter]}"
    return None


def read_wrongly(text: str, encoding: str) -> str | None:
    """What to do about control characters that are letters of Windows-1252; None where there are none."""
    if not any(map(in_windows_1252, text)):
        return None
    if encoding == _LATIN_1:
        return "give --encoding windows-1252"
    return "save the file anew from its source, as UTF-8"


def garbled(text: str) -> str | None:
    """What a text was before its UTF-8, or a part of it, was read as Windows-1252; None where that has not happened."""
    before = _TWICE_ENCODED.sub(_once_encoded, text)
    return before if before != text and strangeness(before) < strangeness(text) else None


def _once_encoded(letters: re.Match[str]) -> str:
    for read_as in ("cp1252", "latin-1"):
        with suppress(UnicodeError):
            return letters[0].encode(read_as).decode("utf-8")
    return letters[0]
