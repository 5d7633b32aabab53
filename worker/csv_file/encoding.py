"""Which text the bytes of a file are: told by its mark, found out, or given."""

import codecs
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from charset_normalizer import from_bytes

from worker.csv_file.letters import strangeness, telling_words
from worker.csv_file.problem import Unreadable, shortened

CHUNK = 1024 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How .xlsx and .ods begin, and .xls."""
_USUAL = "cp1252"
_ONE_BYTE = [_USUAL, "cp850", "mac_roman"]
"""What spreadsheets of Latin America write beside Unicode: Windows, "CSV (MS-DOS)" and "CSV (Macintosh)"."""
_CLEARLY = 2
"""By how much less strange an unusual encoding has to read than any other."""
_TWO_BYTES = ["utf_16_le", "utf_16_be"]
_UTF8_LETTER = re.compile(rb"[\xc3\xc2][\x80-\xbf]")
_SAMPLE_BYTES = 64 * 1024
_LEFT_BEHIND = b"\0\x1a"
"""What old programs and copies fill the end of a file with: NUL, and Ctrl-Z, which ended a text under DOS."""
_LINE_BREAKS = b"\r\n"
_SHOWN = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"}


@dataclass(frozen=True, slots=True)
class Text:
    """What the bytes are.

    Attributes:
        encoding: Python's name of it.
        sha256: Of the bytes, in hex.
        end: How many bytes there are before the Ctrl-Z or NULs at the end; None where there are none.
        words: Some of it by which a person can judge the encoding that was guessed; none where it was told.
    """

    encoding: str
    sha256: str
    end: int | None = None
    words: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The encoding as people call it."""
        return _name(self.encoding)


def _name(encoding: str) -> str:
    return _SHOWN.get(encoding, encoding)


def recognise(file: BinaryIO, given: str | None = None) -> Text:
    """Read the file once, from its beginning: `given` is an encoding that somebody knows better.

    Raises:
        Unreadable: there is no encoding of that name, or none fits.
    """
    digest, head, size, is_utf8 = hashlib.sha256(), b"", 0, True
    decoder = codecs.getincrementaldecoder("utf-8")()
    for chunk in _chunks(file):
        head = head or chunk[:4]
        digest.update(chunk)
        size += len(chunk)
        is_utf8 = is_utf8 and _decodes(decoder, chunk)
    is_utf8 = is_utf8 and _decodes(decoder, b"", final=True)
    encoding, words = (_named(given), ()) if given else _found(file, head, is_utf8=is_utf8)
    name = codecs.lookup(encoding).name
    return Text(name, digest.hexdigest(), _end_of_text(file, size, _width(name)), words)


def _width(encoding: str) -> int:
    return 4 if encoding.startswith("utf-32") else 2 if encoding.startswith("utf-16") else 1


def _end_of_text(file: BinaryIO, size: int, width: int) -> int | None:
    """Where begins what was left behind at the end; None where nothing was. `width`: the bytes of one character."""
    line_breaks = {bytes([one]).ljust(width, b"\0") for one in _LINE_BREAKS} | {
        bytes([one]).rjust(width, b"\0") for one in _LINE_BREAKS
    }
    place, is_filled = size, False
    while place:
        start = (place - 1) // CHUNK * CHUNK
        file.seek(start)
        block = file.read(place - start)
        text = len(block.rstrip(_LEFT_BEHIND + _LINE_BREAKS))
        text = min(len(block), text + -text % width)  # the last character may end with a NUL
        is_filled |= not line_breaks.issuperset(block[at : at + width] for at in range(text, len(block), width))
        place = start + text
        if text:
            break
    return place if is_filled else None


def _named(given: str) -> str:
    try:
        codec = codecs.lookup(given)
    except LookupError:
        raise Unreadable(f"--encoding: there is no encoding {given}: utf-8, utf-16, windows-1252 are some") from None
    if not codec._is_text_encoding:  # noqa: SLF001 - base64, rot13 and the like, told apart nowhere else
        raise Unreadable(f"--encoding: {given} is not an encoding of text")
    return "utf-8-sig" if codec.name == "utf-8" else codec.name


def _found(file: BinaryIO, head: bytes, *, is_utf8: bool) -> tuple[str, tuple[str, ...]]:
    """The encoding, and where it was guessed some words."""
    if head.startswith(_WORKBOOKS):
        raise Unreadable('it is a workbook: open it in the spreadsheet program, and save it as "CSV UTF-8"')
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if marked:
        return marked, ()
    has_nul = b"\0" in head
    if is_utf8 and not has_nul:
        return "utf-8", ()
    sample = _telling_bytes(file, two_bytes=has_nul)
    if not has_nul and _UTF8_LETTER.search(sample):
        raise Unreadable("it is partly UTF-8 and partly not: save it again in one encoding, or give --encoding")
    texts = {
        match.encoding: str(match) for match in from_bytes(sample, cp_isolation=_TWO_BYTES if has_nul else _ONE_BYTE)
    }
    if not texts:
        raise Unreadable("its encoding cannot be told: give --encoding, as in --encoding windows-1252")
    return _guessed(texts)


def _guessed(texts: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The encoding in which a text reads best, with some of its words; `texts` by encoding.

    Raises:
        Unreadable: the usual one reads badly, and no other is clearly better.
    """
    first, *others = sorted((strangeness(text), name != _USUAL, name) for name, text in texts.items())
    least, is_unusual, best = first
    if is_unusual and others and others[0][0] < least + _CLEARLY:
        pair = (best, others[0][2])
        shown = " or ".join(_as_read(texts, name, other) for name, other in (pair, pair[::-1]))
        raise Unreadable(f"its encoding cannot be told, it may be {shown}: give --encoding")
    return best, telling_words(texts[best])


def _as_read(texts: Mapping[str, str], name: str, other: str) -> str:
    words = telling_words(texts[name], unlike=texts[other])
    return f"{_name(name)} ({', '.join(map(shortened, words))})"


def _telling_bytes(file: BinaryIO, *, two_bytes: bool) -> bytes:
    """The bytes that tell one encoding from another: lines with other letters than those of English."""
    file.seek(0)
    if two_bytes:
        sample = file.read(_SAMPLE_BYTES)
        text = len(sample.rstrip(_LEFT_BEHIND + _LINE_BREAKS))
        return sample[: text + text % 2]
    lines = bytearray()
    for chunk in _chunks(file):
        for line in chunk.splitlines():
            if not line.isascii() and len(lines) < _SAMPLE_BYTES:
                lines += line[:_SAMPLE_BYTES].strip(_LEFT_BEHIND) + b"\n"
        if len(lines) >= _SAMPLE_BYTES:
            break
    return bytes(lines)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk
