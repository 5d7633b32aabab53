"""Answers in several parts (RFC 2046, section 5.1; RFC 2387): the document, and what it refers to by content id."""

import base64
import quopri
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import unquote

CUT = "it comes in parts, and is cut or damaged"
_PARTS = 100
_HEADERS_LENGTH = 16 * 1024
_AROUND = b" \t\r\n\0\x1a\xef\xbb\xbf"
_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))')
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_SCHEME = re.compile(r"\A\s*cid:", re.IGNORECASE)
_FOLD = re.compile(r"\r?\n[ \t]+")


@dataclass(frozen=True, slots=True, repr=False)
class Part:
    """One part's bytes, out of their transfer encoding; None where that is broken. Header names are lower case."""

    content: bytes | None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content_id(self) -> str:
        """Its id without angle brackets; empty where it has none."""
        return _bare_id(self.headers.get("content-id", ""))


@dataclass(frozen=True, slots=True, repr=False)
class Package:
    """The parts of an answer; the root is the document."""

    root: Part
    by_id: Mapping[str, bytes | None]

    def referred(self, reference: str) -> bytes | None:
        """The content that `reference` (`cid:…`, RFC 2392) means; None where there is none, or more than one."""
        wanted = _bare_id(_SCHEME.sub("", reference))
        return self.by_id.get(wanted, self.by_id.get(_bare_id(unquote(wanted))))


def parameter(content_type: str, name: str) -> str | None:
    """A parameter of a `Content-Type`, whether it is in quotation marks or not."""
    for found in _PARAMETER.finditer(content_type):
        if found[1].lower() == name:
            quoted = re.sub(r"\\(.)", r"\1", found[2]) if found[2] is not None else found[3]
            return quoted.strip().strip("\"'") or None
    return None


def is_multipart(content: bytes, content_type: str) -> bool:
    """Whether an answer comes in parts: it says so, or looks so. What begins as a document does not."""
    start = content.lstrip(_AROUND)[:2]
    is_declared = content_type.strip().lower().startswith("multipart/")
    return start == b"--" or (is_declared and start[:1] not in {b"", b"<", b"{"})


def opened(content: bytes, content_type: str) -> Package | None:
    """The parts of an answer; None where it is not whole: without its closing boundary, or without a root."""
    content = content.strip(_AROUND)
    parts = _parts(content, parameter(content_type, "boundary")) or _parts(content, _first_line(content))
    if not parts:
        return None
    start = _bare_id(parameter(content_type, "start") or "")
    root = next((part for part in parts if start and part.content_id == start), parts[0])
    return Package(root, _by_id(parts))


def _by_id(parts: Iterable[Part]) -> dict[str, bytes | None]:
    """The contents under their ids, as these are written and without their escapes; None for one with two contents."""
    found: dict[str, bytes | None] = {}
    for part in parts:
        for content_id in {part.content_id, unquote(part.content_id)} - {""}:
            content = found.setdefault(content_id, part.content)
            found[content_id] = content if content == part.content else None
    return found


def _parts(content: bytes, boundary: str | None) -> list[Part]:
    """The parts up to the closing boundary; none where that is missing."""
    if not boundary:
        return []
    delimiter = rb"(?:\A|\r?\n)--" + re.escape(boundary.encode("latin-1", "replace")) + rb"(--)?[ \t]*(?=\r?\n|\Z)"
    borders = list(islice(re.finditer(delimiter, content), _PARTS + 1))
    closing = next((number for number, border in enumerate(borders) if border[1]), 0)
    return [_part(content[borders[n].end() : borders[n + 1].start()]) for n in range(closing)]


def _first_line(content: bytes) -> str | None:
    line = content.split(b"\n", 1)[0].rstrip()
    return line[2:].decode("latin-1") if line.startswith(b"--") else None


def _part(content: bytes) -> Part:
    """A part from the end of its boundary to the line break before the next."""
    head = _BLANK_LINE.search(content)
    if head is None:
        return Part(None)
    headers = dict(_headers(content[: min(head.start(), _HEADERS_LENGTH)].decode("latin-1")))
    return Part(_transferred(content[head.end() :], headers.get("content-transfer-encoding", "")), headers)


def _headers(block: str) -> Iterator[tuple[str, str]]:
    for line in _FOLD.sub(" ", block).splitlines():
        name, _, value = line.partition(":")
        yield name.strip().lower(), value.strip()


def _transferred(content: bytes, encoding: str) -> bytes | None:
    match encoding.strip().strip('"').lower():
        case "base64":
            letters = b"".join(content.split())
            try:
                return base64.b64decode(letters + b"=" * (-len(letters) % 4), validate=True)
            except ValueError:
                return None
        case "quoted-printable":
            return quopri.decodestring(content)
        case _:
            return content


def _bare_id(content_id: str) -> str:
    return content_id.strip().strip("<>").strip()
