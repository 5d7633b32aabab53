"""A provider's own words, made fit to be passed on: no control characters, no secret, no endless text."""

import base64
import html
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

from config.redaction import forms

MESSAGE_LENGTH = 1_000
CODE_LENGTH = 64
WITHHELD = "(not shown: it quotes the secret)"
_ONLY_AS_A_WORD_BELOW = 8
"""Characters of a secret that may also be a part of other words."""
_LONGEST_SPELLING = 20
"""Of one character, e.g. `&amp;amp;#x00F1;`, with a line break before it."""
_NOT_COUNTING = re.compile(r"[\s\\+=]+")
"""What line breaks, escapes and encoded blanks add to a secret or take from it."""
_UNICODE = re.compile(r"\\u([0-9a-fA-F]{4})")
_QUOTED_PRINTABLE = re.compile(r"=([0-9a-fA-F]{2})")


def message(text: str | None, *, secret: str, length: int = MESSAGE_LENGTH) -> str | None:
    """`text` on one line, at most `length` characters; None where there are no words in it."""
    return None if text is None else _one_line(without(secret, text, enough=4 * length), length)


def code(text: str | None) -> str | None:
    """A code, protocol or time as received, at most `CODE_LENGTH` characters; None where it is blank."""
    return None if text is None else _one_line(text, CODE_LENGTH)


def without(secret: str, text: str, *, enough: int = 4 * MESSAGE_LENGTH) -> str:
    """The first `enough` characters of `text`, or some fewer, without the secret, also where it goes on beyond them.

    A secret in a form that cannot be cut out, escaped twice or as a part of longer base64, withholds the whole text.
    """
    if not secret:
        return text[:enough]
    beyond = _LONGEST_SPELLING * len(secret)
    seen = _pattern(secret).sub("…", text[: enough + beyond])
    if len(secret) >= _ONLY_AS_A_WORD_BELOW and _shows(secret, seen):
        return WITHHELD
    return seen if len(text) <= enough + beyond else seen[:-beyond]


@lru_cache
def _pattern(secret: str) -> re.Pattern[str]:
    pattern = "|".join(map(re.escape, forms(secret)))
    is_short = len(secret) < _ONLY_AS_A_WORD_BELOW
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)" if is_short else pattern)


def _shows(secret: str, text: str) -> bool:
    """Whether somebody who undoes escapes, line breaks and base64 could find the secret in `text`."""
    if len(text) < _ONLY_AS_A_WORD_BELOW:
        return False
    return any(form in view for view in map(_squeezed, set(_unescaped(text))) for form in _squeezed_forms(secret))


def _squeezed(text: str) -> str:
    return _NOT_COUNTING.sub("", text).casefold()


def _unescaped(text: str) -> Iterator[str]:
    """`text`, and how it looks once the escapes of JSON, XML, URLs and quoted-printable are undone, up to twice."""
    yield text
    for _ in range(2):
        text = html.unescape(text)
        yield text
        text = _UNICODE.sub(lambda found: chr(int(found[1], 16)), text)
        yield text.replace("\\", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        yield _utf_8(_QUOTED_PRINTABLE.sub(lambda found: chr(int(found[1], 16)), text))
        text = unquote(text)
        yield text
        yield _utf_8(text)


def _utf_8(text: str) -> str:
    """Text whose UTF-8 was read as Latin-1, as it was meant."""
    return text.encode("latin-1", "replace").decode("utf-8", "replace")


@lru_cache
def _squeezed_forms(secret: str) -> frozenset[str]:
    """The secret, and what base64 makes of it alone, wherever in a group of three bytes it begins."""
    octets = secret.encode("utf-8", "surrogatepass")
    found = {_squeezed(secret)}
    for before, mixed in enumerate((0, 2, 3)):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(_squeezed(encode(bytes(before) + octets).decode()[mixed : (before + len(octets)) * 8 // 6]))
    return frozenset(form for form in found if len(form) >= _ONLY_AS_A_WORD_BELOW)


def _one_line(text: str, length: int) -> str | None:
    printable = "".join(char if char.isprintable() else " " for char in text[: 4 * length])
    line = " ".join(printable.split())
    return (line if len(line) <= length else line[: length - 1] + "…") or None
