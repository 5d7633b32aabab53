"""How a secret may be written where it must not stand."""

import base64
import json
from functools import lru_cache
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

_APOSTROPHES = ("&apos;", "&#x27;", "&#39;")


@lru_cache
def forms(secret: str) -> tuple[str, ...]:
    """As it is, and as JSON, Python, XML, HTML, URLs and base64 write it; longest first."""
    octets = secret.encode("utf-8", "surrogatepass")
    written = {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        escape(secret),
        *(escape(secret, {'"': "&quot;", "'": apostrophe}) for apostrophe in _APOSTROPHES),
        escape(secret, {'"': "&#34;", "'": "&#39;"}),
        quote(octets),
        quote(octets, safe=""),
        quote_plus(octets),
        base64.b64encode(octets).decode(),
        base64.urlsafe_b64encode(octets).decode(),
    }
    return tuple(sorted(written - {""}, key=len, reverse=True))
