"""How values are handed to the scripts: milliseconds, JSON text, nothing empty."""

import json
from collections.abc import Mapping
from typing import Any


def present(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Without the empty ones: in Lua a JSON null counts as true."""
    return {name: value for name, value in fields.items() if value is not None}


def ms(seconds: float) -> int:
    """Seconds as whole milliseconds."""
    return round(seconds * 1000)


json_string = json.JSONEncoder(ensure_ascii=False).encode
"""A text as JSON; an import makes one a row, and a list of one takes four times as long."""


def json_text(value: object) -> str:
    """As JSON text; a lone surrogate, which is no text and cannot be sent, becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode()


def rest_of(fields: Mapping[str, Any]) -> str:
    """An outcome's JSON text without the brace that the ledger puts its own fields behind."""
    return json_text(fields)[1:]
