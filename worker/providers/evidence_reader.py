"""Reads evidence however it comes: in any encoding, labelled as another, in base64 or escaped, once or several times.

What it gives is what the bytes say. Whether they say enough is for each provider's adapter to judge, by one rule:
leniency may take agreement away and never give it, so only a whole document agrees (docs/outcomes.md, Evidence).
"""

import base64
import binascii
import html
import re
from dataclasses import dataclass
from enum import StrEnum

from worker.answer import Evidence
from worker.providers import untrusted_xml
from worker.providers.decoding import bare, decoded
from worker.providers.untrusted_xml import Element

_LAYERS = 8
"""Nothing real is wrapped as often as this; an endless wrapping must end somewhere."""
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,4}")
_URL_SAFE = str.maketrans("-_", "+/")
_MISREAD_MARK = "ï»¿"
"""UTF-8's byte order mark, read as Latin-1 and written as UTF-8."""


class Legible(StrEnum):
    """How much of evidence can be read; an adapter says what its provider's has to name to be whole."""

    WHOLE = "whole"
    """A document that says what it is about: it agrees or it does not."""
    PARTLY = "partly"
    """Something can be seen in it, and not all of it: never agreement."""
    NOT = "not"
    """Nothing at all can be seen: as if there were none."""


@dataclass(frozen=True, slots=True, repr=False)
class ReceivedEvidence:
    """Evidence byte for byte, and what can be made of it.

    Attributes:
        evidence: What is kept: the bytes as they came, out of their base64 where a document is in it.
        root: The document, where it is one well-formed XML document without a document type.
    """

    evidence: Evidence
    root: Element | None


def read(content: bytes) -> ReceivedEvidence:
    """The evidence in `content`, which may be the document itself or letters that stand for it."""
    kept, text = _unwrapped(content)
    media_type = "application/xml" if _is_markup(letters(kept)) else "text/plain"
    return ReceivedEvidence(Evidence(kept, media_type), untrusted_xml.parsed_text(text))


def letters(content: bytes) -> str:
    """`content` as text without what stands around it, in the encoding that its bytes are in."""
    return bare(decoded(content).removeprefix(_MISREAD_MARK))


def _unwrapped(content: bytes) -> tuple[bytes, str]:
    """The innermost bytes, and their text free of escapes; `content` itself where no document comes out.

    Bytes come out of base64 unaltered. What an escape stood for cannot be told for certain, so its letters are kept.
    """
    kept, text = content, letters(content)
    for _ in range(_LAYERS):
        if _is_markup(text):
            return kept, text
        if text.startswith("&"):
            text = bare(html.unescape(text))
            continue
        inside = _from_base64(text)
        if inside is None:
            break
        kept, text = inside, letters(inside)
    return content, letters(content)


def _is_markup(text: str) -> bool:
    return text.startswith("<")


def _from_base64(text: str) -> bytes | None:
    """The bytes, where `text` is base64 to the last letter: folded, unpadded or in the alphabet for addresses too."""
    joined = "".join(text.split())
    if not _BASE64.fullmatch(joined):
        return None
    digits = joined.rstrip("=").translate(_URL_SAFE)
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4))
    except binascii.Error:  # a single letter is left over: one is missing
        return None
