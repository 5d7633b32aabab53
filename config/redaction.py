"""How a secret may be written where it must not be, and what finds it there."""

import base64
import json
import re
from collections.abc import Collection
from functools import lru_cache
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

LONG_ENOUGH = 8
"""Characters. A shorter secret may be part of many a word: hidden everywhere, it would make the text unreadable."""
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


def pattern(secrets: Collection[str]) -> re.Pattern[str] | None:
    """What finds these secrets, however they are written; a short one only where it is a whole word.

    None where there are no secrets.
    """
    written = {form: len(secret) >= LONG_ENOUGH for secret in sorted(secrets, key=len) for form in forms(secret)}
    longest_first = sorted(written, key=len, reverse=True)
    found = [re.escape(form) if written[form] else rf"(?<!\w){re.escape(form)}(?!\w)" for form in longest_first]
    return re.compile("|".join(found)) if found else None
