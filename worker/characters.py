"""Characters that are invisible or look like others, named so that a person can find them."""

import unicodedata
from collections.abc import Callable

MOST = 3
"""Different characters that one message names."""
_CYRILLIC = str.maketrans("АВЕЅІЈКМНОРСТУХаеорсухѕіј", "ABESIJKMHOPCTYXaeopcyxsij")
_GREEK = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo")
_LOOK_ALIKES = _CYRILLIC | _GREEK | str.maketrans("‘’‚‛′“”„‟″−⁄∕׀·•", "'''''\"\"\"\"\"-//|..")
_INVISIBLE_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Fillers and joiners that Unicode counts among letters, marks and symbols."""
_BLANKS = {
    "\t": "a tab",
    "\n": "a line break",
    "\r": "a line break",
    "\xa0": "a non-breaking space",
    "\u202f": "a non-breaking space",
}


def named(letter: str) -> str:
    """Code and name, as in U+2011 NON-BREAKING HYPHEN; a control character has no name."""
    code = f"U+{ord(letter):04X}"
    name = unicodedata.name(letter, "")
    return f"{code} {name}" if name else code


def strange(text: str, is_fine: Callable[[str], bool]) -> str | None:
    """A sentence on the first few different characters that are not fine; None where all are."""
    found = {letter: place for place, letter in reversed([*enumerate(text, start=1)]) if not is_fine(letter)}
    if not found:
        return None
    first = sorted(found.items(), key=lambda one: one[1])
    told = "; ".join(f"character {place} is {named(letter)}{_advice(letter)}" for letter, place in first[:MOST])
    return told if len(first) <= MOST else f"{told}; and {len(first) - MOST} more"


def deceives(letter: str) -> bool:
    """Whether a person may overlook it: it is invisible, or looks like a character of ASCII."""
    return _is_control(letter) or (not letter.isascii() and bool(_is_invisible(letter) or _looks_like(letter)))


def is_latin_1(letter: str) -> bool:
    """Whether it is a letter, a mark or a blank of ISO-8859-1, and no control character."""
    return " " <= letter <= "~" or "\xa0" <= letter <= "ÿ"


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) == "Cc"


def _is_invisible(letter: str) -> bool:
    is_selector = "VARIATION SELECTOR" in unicodedata.name(letter, "")
    return unicodedata.category(letter) in ("Cf", "Zl", "Zp", "Zs") or is_selector or letter in _INVISIBLE_LETTERS


def _looks_like(letter: str) -> str:
    """The characters of ASCII that it looks like; empty where it looks like none."""
    if unicodedata.category(letter) == "Pd":
        return "-"
    same = letter.translate(_LOOK_ALIKES)
    plain = same if same != letter else unicodedata.normalize("NFKC", letter)
    digit = unicodedata.digit(letter, None)
    return plain if plain.isascii() else "" if digit is None else str(digit)


def _advice(letter: str) -> str:
    if letter in _BLANKS:
        return f", {_BLANKS[letter]}: remove it, or write a plain blank"
    if meant := in_windows_1252(letter):
        return (
            f", a control character: the text is windows-1252, where it is {named(meant)}, but was read as ISO-8859-1"
        )
    if _is_control(letter):
        return ", a control character: remove it"
    if unicodedata.category(letter) == "Zs":
        return ", not a plain blank: remove it, or write a plain one"
    if _is_invisible(letter):
        return ", which is invisible: remove it"
    meant = _looks_like(letter)
    return f", which is not {meant!r}: write {meant!r}" if meant else ""


def in_windows_1252(letter: str) -> str:
    """What the byte of this control character is in Windows-1252; empty where it is nothing, or no such character."""
    if not "\x80" <= letter <= "\x9f":
        return ""
    return letter.encode("latin-1").decode("windows-1252", "ignore")
