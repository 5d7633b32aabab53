"""An answer's document, out of what it came in: compression, several parts, an encoding of letters."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from worker.providers import multipart
from worker.providers.compression import unpacked
from worker.providers.decoding import decoded
from worker.sender import Received

_BINARY = re.compile(r"[\x01-\x08\x0e-\x1f]")
_SHOWS_BINARY_IN = 200


@dataclass(frozen=True, slots=True, repr=False)
class Body:
    """The document of an answer.

    Attributes:
        text: Its characters, without blanks, byte order marks and NULs around them.
        content: Its bytes as they came, uncompressed.
        problem: Why it is not whole; then `text` is what can be seen of it, and nothing in it counts.
        referred: The bytes that a reference in it (`cid:…`) means; None where they did not come with it.
    """

    text: str
    content: bytes
    problem: str | None = None
    referred: Callable[[str], bytes | None] = field(default=lambda _reference: None)

    @property
    def is_text(self) -> bool:
        """Whether its beginning can be looked at; else it is compressed in an unknown way, or damaged."""
        return _BINARY.search(self.text[:_SHOWS_BINARY_IN]) is None


def unwrapped(received: Received) -> Body:
    """What an answer holds; its headers are followed as far as its bytes agree with them."""
    content_type = received.headers.get("content-type", "")
    outer = unpacked(received.body, received.headers.get("content-encoding", ""))
    if outer.problem:
        return Body(decoded(outer.content, _charset(content_type)), outer.content, outer.problem)
    if not multipart.is_multipart(outer.content, content_type):
        return Body(decoded(outer.content, _charset(content_type)), outer.content)
    package = multipart.opened(outer.content, content_type)
    if package is None or package.root.content is None:
        return Body(decoded(outer.content), outer.content, multipart.CUT)
    charset = _charset(package.root.headers.get("content-type", ""))
    return Body(decoded(package.root.content, charset), package.root.content, referred=package.referred)


def _charset(content_type: str) -> str | None:
    """The declared encoding; the first where a header came twice."""
    declared = multipart.parameter(content_type, "charset")
    return declared.split(",")[0].strip("\"' ") if declared else None
