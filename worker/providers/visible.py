"""What can be seen in evidence that is not whole: every text that may be in it, however damaged.

It is searched only for what speaks against a cancellation. Nothing that is found here is ever agreement.
"""

import base64
import html
import re
import zlib
from collections.abc import Callable, Iterator
from typing import TypeVar

from worker.providers.evidence_reader import Legible, letters

LONGEST = 128 * 1024
"""Bytes that are looked through; a real acuse or event has a few thousand."""
_DEPTH = 3
"""How often what is wrapped is unwrapped: base64 in base64, compressed."""
_CHUNK = 64
_GZIP_HEAD = b"\x1f\x8b\x08"
_GZIP_OR_ZLIB = 47
"""zlib's `wbits` for either head."""
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){16,}")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_FEW_DIGITS = 24
_ESCAPES = ("&lt", "&#", "&amp")
Found = TypeVar("Found")


def found_in(content: bytes, look: Callable[[list[str]], Found]) -> tuple[Legible, Found]:
    """What `look` finds in the outermost wrapping that shows it anything, and whether that is something.

    Of content that is too long to be looked through, nobody can say that nothing can be seen in it.

    Args:
        content: The evidence as it came.
        look: Gives what it finds in some texts: false where that is nothing, as in no texts at all.
    """
    if len(content) > LONGEST:
        return Legible.PARTLY, look([])
    level = [content]
    for _ in range(_DEPTH + 1):
        found = look([text for one in level for text in _texts(one)])
        if found:
            return Legible.PARTLY, found
        level = [inside for one in level for inside in _inside(one)]
    return Legible.NOT, look([])


def _texts(content: bytes) -> Iterator[str]:
    """In every encoding that shows something, with and without escapes."""
    text, without_nuls = letters(content), content.replace(b"\0", b"").decode("latin-1")
    ebcdic = (one.decode("cp037") for one in _bytes(content))
    for reading in dict.fromkeys((text, without_nuls, *ebcdic)):
        yield reading
        if any(escape in reading for escape in _ESCAPES):
            once = html.unescape(reading)
            yield from (once, html.unescape(once))


def _bytes(content: bytes) -> tuple[bytes, bytes]:
    """As they came, and as they were if somebody took each byte for a letter and wrote that as UTF-8."""
    return content, letters(content).encode("latin-1", "replace")


def _inside(content: bytes) -> Iterator[bytes]:
    for one in _bytes(content):
        start = one.find(_GZIP_HEAD)
        if start >= 0:
            yield _unpacked(one[start:])
    plain = content.replace(b"\0", b"")
    yield from (bytes.fromhex(run[0].decode()) for run in _HEX.finditer(plain))
    digits = _NOT_BASE64.sub(b"", plain.translate(_URL_SAFE))
    if len(digits) >= _FEW_DIGITS:
        yield from (_decoded(digits[first:]) for first in range(4))


def _decoded(digits: bytes) -> bytes:
    """Base64 from one of the four positions: a digit that was lost moves all that follow it to another one."""
    return base64.b64decode(digits[: len(digits) // 4 * 4])


def _unpacked(content: bytes) -> bytes:
    """As far as it can be unpacked: a damaged end does not hide the beginning."""
    unpacking, found = zlib.decompressobj(_GZIP_OR_ZLIB), bytearray()
    try:
        for start in range(0, len(content), _CHUNK):
            found += unpacking.decompress(content[start : start + _CHUNK], LONGEST - len(found))
            if len(found) >= LONGEST:
                break
    except zlib.error:
        pass
    return bytes(found)
