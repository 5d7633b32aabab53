"""Compressed answers, which nobody asks for and some servers send: unpacked within the limit of every answer."""

import zlib
from dataclasses import dataclass

from worker.sender import MAX_BODY_BYTES

_LAYERS = 3
"""An answer that is still compressed after so many times is no answer."""
_MEMBERS = 100
"""Of one gzip file (RFC 1952, section 2.2)."""
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
CUT = "it is compressed, and cut or damaged"
TOO_LONG = f"it is longer than {MAX_BODY_BYTES} bytes when unpacked"


@dataclass(frozen=True, slots=True, repr=False)
class Unpacked:
    """The bytes without compression, or as far as they could be had.

    Attributes:
        problem: Why they are not whole.
    """

    content: bytes
    problem: str | None = None


def unpacked(content: bytes, content_encoding: str) -> Unpacked:
    """`content` without its compression, told by the bytes; `content_encoding`, the header, may be missing or wrong."""
    for _ in range(_LAYERS):
        inner = _layer_less(content, is_deflate="deflate" in content_encoding.lower())
        if inner is None:
            break
        if inner.problem:
            return inner
        content = inner.content
    return Unpacked(content)


def _layer_less(content: bytes, *, is_deflate: bool) -> Unpacked | None:
    """What one layer holds, None where there is none. Only gzip shows what it is, the others have to be whole."""
    if content.startswith(_GZIP_MAGIC):
        return _inflated(content, _GZIP)
    formats = [_ZLIB] * _has_zlib_header(content) + [_RAW] * is_deflate
    found = (_inflated(content, wbits) for wbits in formats if content)
    return next((inner for inner in found if inner.problem != CUT), None)


def _has_zlib_header(content: bytes) -> bool:
    """RFC 1950, section 2.2."""
    return len(content) > 1 and content[0] & 0x0F == zlib.DEFLATED and int.from_bytes(content[:2]) % 31 == 0


def _inflated(content: bytes, wbits: int) -> Unpacked:
    unpacked, rest = bytearray(), content
    for _ in range(_MEMBERS):
        member = zlib.decompressobj(wbits)
        try:
            unpacked += member.decompress(rest, MAX_BODY_BYTES + 1 - len(unpacked))
        except zlib.error:
            break
        if len(unpacked) > MAX_BODY_BYTES:
            return Unpacked(bytes(unpacked), TOO_LONG)
        rest = member.unused_data.lstrip(b" \t\r\n\0")
        if member.eof and not rest:
            return Unpacked(bytes(unpacked))
        if not (member.eof and wbits == _GZIP):
            break
    return Unpacked(bytes(unpacked), CUT)
