"""An HTTP answer as a value, with the code that the record of calls notes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer.

    Attributes:
        code: The provider's code, e.g. `211` or `-3/631`; what `/sandbox/calls` shows.
        body_size: What Content-Length says where that is not the length of `body`.
    """

    code: str
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body_size: int | None = None

    def all_headers(self) -> Iterator[tuple[str, str]]:
        """Content-Length, Content-Type where there is a body, and the others."""
        yield "content-length", str(len(self.body) if self.body_size is None else self.body_size)
        if self.body or self.body_size:
            yield "content-type", self.content_type
        yield from self.headers.items()


def json_reply(value: object, *, code: str, status: int = 200) -> Reply:
    """An answer in JSON, in UTF-8 as it is."""
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Reply(code, body, "application/json; charset=utf-8", status)


def html_reply(status: int, headers: Mapping[str, str] | None = None) -> Reply:
    """What a proxy or a firewall says in the provider's place."""
    body = f"<html><head><title>{status}</title></head><body><h1>{status}</h1><hr/>proxy</body></html>".encode()
    return Reply(f"http-{status}", body, status=status, headers=headers or {})
