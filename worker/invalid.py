"""What is wrong with a request, field by field and in our words; never a value."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from config.accounts import ProviderName
from worker.field_names import meant


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with a request: the field and the problem, never the value."""

    field: str
    problem: str

    def as_json(self) -> dict[str, str]:
        """As it stands in an outcome's `errors`."""
        return {"field": self.field, "problem": self.problem}


class InvalidRequest(Exception):
    """A request that cannot be accepted; `errors` lists everything that is wrong with it."""

    def __init__(self, errors: Sequence[FieldError], body: Mapping[str, Any] | None = None) -> None:
        super().__init__(
            "; ".join(f"{error.field}: {error.problem}" if error.field else error.problem for error in errors)
        )
        self.errors = tuple(errors)
        self.body: Mapping[str, Any] = body or {}


class InvalidItem(InvalidRequest):
    """A request of many that cannot be accepted.

    Attributes:
        index: Its place, from 0 on.
        submitted: How many before it have been submitted: whole batches.
    """

    def __init__(self, index: int, submitted: int, invalid: InvalidRequest) -> None:
        super().__init__(invalid.errors, invalid.body)
        self.index = index
        self.submitted = submitted


_PLAIN_PROBLEMS = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this request",
    "string_type": "must be text",
    "string_unicode": "must be valid Unicode text",
    "enum": "must be interactive or bulk",
    "union_tag_invalid": "must be solucion-factible or ns-bpe",
    "union_tag_not_found": "is missing: must be solucion-factible or ns-bpe",
    "none_required": "must be text",
}
_LENGTH_PROBLEMS = {
    "string_too_short": "must have {min_length} characters or more",
    "string_too_long": "must have {max_length} characters or fewer",
}
_PATTERN_PROBLEMS = {
    "uuid": "must be 8-4-4-4-12 hex digits",
    "chBPe": "must be 44 characters: 6 digits, 12 digits or capital letters, 26 digits",
    "nProt": "must be 15 digits",
}


def field_errors(
    invalid: ValidationError, request: Mapping[str, Any], fields_of: Mapping[str, Collection[str]]
) -> list[FieldError]:
    """What pydantic finds wrong with a request, in our words; `fields_of` are those of each provider's requests."""
    provider = request.get("provider")
    fields = fields_of.get(provider, ()) if isinstance(provider, str) else ()
    errors = [_field_error(error, fields) for error in invalid.errors(include_url=False)]
    if "provider" not in request:  # then no other field was looked at
        errors += [_unknown_field(name, ("provider",)) for name in request if meant(name, ("provider",))]
    return errors


def _field_error(error: Mapping[str, Any], fields: Collection[str]) -> FieldError:
    place = [str(part) for part in error["loc"] if part not in tuple(ProviderName)]
    kind = error["type"]
    if kind.startswith("union_tag"):
        return FieldError("provider", _PLAIN_PROBLEMS[kind])
    field = place[0] if place else ""
    if kind == "extra_forbidden":
        return _unknown_field(field, fields)
    if kind == "string_pattern_mismatch":
        return FieldError(field, _PATTERN_PROBLEMS.get(field, "has the wrong form"))
    if kind in _LENGTH_PROBLEMS:
        problem = _LENGTH_PROBLEMS[kind].format(**error["ctx"])
        return FieldError(field, "must not be empty" if error["ctx"].get("min_length") == 1 else problem)
    return FieldError(field, _PLAIN_PROBLEMS.get(kind, error["msg"]))


def _unknown_field(name: str, fields: Collection[str]) -> FieldError:
    shown = name if name.isidentifier() and len(name) <= 64 else "(another field)"  # noqa: PLR2004 - shown, not parsed
    field = meant(name, fields)
    return FieldError(shown, _PLAIN_PROBLEMS["extra_forbidden"] + (f": did you mean `{field}`?" if field else ""))
