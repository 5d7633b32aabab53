"""Answers as servers wrap them: in another encoding, compressed, in parts."""

import base64
import quopri
from dataclasses import dataclass, field

BOUNDARY = "MIMEBoundary_0a1b2c3d"
XOP = "http://www.w3.org/2004/08/xop/include"


@dataclass(frozen=True)
class Part:
    """One part of a multipart answer."""

    content: bytes
    headers: dict[str, str] = field(default_factory=dict)
    line: bytes = b"\r\n"

    def written(self) -> bytes:
        lines = [f"{name}: {value}".encode("latin-1") for name, value in self.headers.items()]
        return self.line.join((*lines, b"", self._transferred()))

    def _transferred(self) -> bytes:
        match self.headers.get("Content-Transfer-Encoding", "").lower():
            case "base64":
                return base64.encodebytes(self.content)
            case "quoted-printable":
                return quopri.encodestring(self.content)
            case _:
                return self.content


def root(document: bytes, *, transfer: str = "binary", charset: str = "UTF-8") -> Part:
    """The part that holds the document."""
    kind = f'application/xop+xml; charset={charset}; type="application/soap+xml"'
    headers = {"Content-Type": kind, "Content-Transfer-Encoding": transfer, "Content-ID": "<0.root@apache.org>"}
    return Part(document, headers)


def multipart(*parts: Part, boundary: str = BOUNDARY, line: bytes = b"\r\n", closed: bool = True) -> bytes:
    """The body of a multipart answer."""
    border = b"--" + boundary.encode()
    written = b"".join(border + line + part.written() + line for part in parts)
    return written + (border + b"--" + line if closed else b"")


def related(boundary: str = BOUNDARY, **parameters: str) -> str:
    """Its `Content-Type`."""
    said = "".join(f'; {name.replace("_", "-")}="{value}"' for name, value in parameters.items())
    return (
        f'multipart/related; boundary="{boundary}"; type="application/xop+xml"{said}; start-info="application/soap+xml"'
    )
