"""From the bytes of a text to its characters, whatever their label says: letters decide nothing, codes are ASCII.

The order is that of trust: bytes that are valid UTF-8, or plainly UTF-16 or UTF-32, are just that; then the declared
encoding counts; what is left is Windows-1252, of which Latin-1 is a part.
"""

import codecs
import re
import string
from functools import lru_cache

BLANK = string.whitespace + "\0\x1a\x85\xa0\u200b\u2028\u2029\ufeff\ufffe"
"""What may surround a document without being part of it: blanks, NULs, an end-of-file mark, byte order marks."""
_MISREAD_MARKS = "ï»¿þÿ"
"""Byte order marks that were read as Windows-1252."""
_XML_DECLARATION = re.compile(
    rb"\A[\s\0\xef\xbb\xbf]*<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']"
)
_PRINTABLE = bytes(range(0x20, 0x7F))
_TRIED_ANYWAY = {"utf-8", "utf-8-sig", "iso8859-1", "ascii", "cp1252", "charmap"}
_NO_CHARSETS = {"unicode-escape", "raw-unicode-escape", "idna"}
"""Codecs of Python's that turn ASCII into other text."""
_WINDOWS_1252 = {
    0xDC00 + byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0x100)
}  # `surrogateescape` keeps an undecodable byte as U+DC00 + byte


def decoded(content: bytes, charset: str | None = None) -> str:
    """The document in `content`, without what surrounds it (`bare`); never fails.

    A byte that is valid nowhere is read as Windows-1252 by itself, so that one broken letter spoils no other.

    Args:
        content: The bytes as they came.
        charset: The encoding that their header declares; without one an XML declaration in them counts.
    """
    wide = _wide(content)
    if wide:
        name, width = wide
        return bare(content[: len(content) - len(content) % width].decode(name, "replace"))
    for encoding in ("utf-8", _usable(charset or _in_xml(content) or "")):
        try:
            return bare(content.decode(encoding or "utf-8"))
        except UnicodeDecodeError:
            continue
    return content.decode("utf-8", "surrogateescape").translate(_WINDOWS_1252).strip(BLANK + _MISREAD_MARKS)


def bare(text: str) -> str:
    """`text` without the blanks, NULs and byte order marks around it."""
    return text.strip(BLANK)


def _wide(content: bytes) -> tuple[str, int] | None:
    """UTF-16 or UTF-32 and the bytes of a unit, told by the NULs between the letters: marks and labels may be wrong."""
    letters = content.strip(b"\0")
    nuls = letters.count(0)
    if 3 * nuls < len(letters) or not nuls:
        return None
    is_little = content[1::2].count(0) > content[0::2].count(0)
    name, width = ("utf-32", 4) if 5 * nuls > 3 * len(letters) else ("utf-16", 2)
    return f"{name}-{'le' if is_little else 'be'}", width


def _in_xml(content: bytes) -> str | None:
    found = _XML_DECLARATION.match(content)
    return found[1].decode("ascii") if found else None


@lru_cache
def _usable(charset: str) -> str | None:
    """Python's name of an encoding, if it keeps ASCII as it is and says more than the last resort does."""
    try:
        found = codecs.lookup(charset.strip())
        if found.name in _NO_CHARSETS or _PRINTABLE.decode(found.name) != _PRINTABLE.decode("ascii"):
            return None
    except (LookupError, ValueError, TypeError):
        return None
    return found.name if found.name not in _TRIED_ANYWAY else None
