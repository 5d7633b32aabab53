"""A provider's own words, made fit to be passed on: no control characters, no secret, no endless text."""

from config.redaction import forms

MESSAGE_LENGTH = 1_000
CODE_LENGTH = 64
_TOO_SHORT_TO_HIDE = 4
"""Whoever has a password of three letters would find it in every other word."""


def message(text: str | None, *, secret: str) -> str | None:
    """`text` on one line, at most `MESSAGE_LENGTH` characters; None where there are no words in it."""
    if text is None:
        return None
    if len(secret) >= _TOO_SHORT_TO_HIDE:
        for form in forms(secret):
            text = text.replace(form, "…")
    return _one_line(text, MESSAGE_LENGTH)


def code(text: str | None) -> str | None:
    """A code, protocol or time as received, at most `CODE_LENGTH` characters; None where it is blank."""
    return None if text is None else _one_line(text, CODE_LENGTH)


def _one_line(text: str, length: int) -> str | None:
    printable = "".join(char if char.isprintable() else " " for char in text[: 4 * length])
    line = " ".join(printable.split())
    return (line if len(line) <= length else line[: length - 1] + "…") or None
