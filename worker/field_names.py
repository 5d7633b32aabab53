"""Names that are nearly those of a request's fields: which field is meant."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

_ALIKE = 0.7
"""difflib's ratio: `referencia` is 0.84 like `reference`, `chave` 0.4 like `chBPe`."""
_LONGEST = 64


def meant(name: object, fields: Collection[str]) -> str | None:
    """The one of `fields` that a wrong name means: case, accents and separators aside the same, or nearly so."""
    if not isinstance(name, str) or len(name) > _LONGEST:
        return None
    plain = {_plain(field): field for field in fields}
    found = get_close_matches(_plain(name), plain, n=1, cutoff=_ALIKE)
    return plain[found[0]] if found else None


def understood(body: Mapping[str, Any], fields: Collection[str]) -> Mapping[str, Any]:
    """An invalid request with the values of nearly right names under the right ones, where those are free.

    It only serves to tell the producer which request it was: nothing is done by it.
    """
    found = dict(body)
    for name, value in body.items():
        field = None if name in fields else meant(name, fields)
        if field is not None:
            found.setdefault(field, value)
    return found


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).casefold()
    return re.sub(r"[^a-z0-9]", "", letters)
