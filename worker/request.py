"""A cancellation request: what producers may say, checked field by field (docs/requests.md)."""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

from config.accounts import Account, Accounts, NsBpeAccount, ProviderName
from worker.characters import is_latin_1, strange
from worker.documents import CHBPE, UUID, check_digit, job_id
from worker.field_names import understood
from worker.invalid import FieldError, InvalidRequest, field_errors

MAX_BODY_BYTES = 16 * 1024
CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far `dhEvento` may lie ahead of now (docs/providers/ns-bpe.md)."""

_XJUST = re.compile(r"[!-~\xa0-ÿ][ -~\xa0-ÿ]*[!-~\xa0-ÿ]")
_KEPT_XJUST = re.compile(r"[!-ÿ][ -ÿ]*[!-ÿ]")
"""The schema's own pattern: the ledger may hold control characters that were admitted before they were refused."""
_DH_EVENTO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(-(0\d|1[01])|\+(0\d|1[0-2])):00", re.ASCII)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_NO_OFFSET = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?", re.ASCII)
_WITHOUT_OFFSET = "has no offset from UTC: write date, time and offset, as in 2026-01-31T18:00:00-03:00"


class Priority(StrEnum):
    """Which lane a job waits in."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


def _wrong(problem: str) -> PydanticCustomError:
    return PydanticCustomError("rule", "{problem}", {"problem": problem})


def _whole_number_of_digits(chbpe: str) -> str:
    if chbpe[20:22] != "63":
        message = "model (characters 21 and 22) must be 63"
        raise _wrong(message)
    if check_digit(chbpe[:43]) != chbpe[43]:
        message = "check digit (the last character) does not fit the other 43"
        raise _wrong(message)
    return chbpe


def _composed(text: Any) -> Any:
    return unicodedata.normalize("NFC", text) if isinstance(text, str) else text


def _justification(text: str, info: ValidationInfo) -> str:
    pattern = _XJUST if info.context else _KEPT_XJUST
    if not pattern.fullmatch(text):
        reason = strange(text, is_latin_1) or "there is a blank at its beginning or end"
        message = f"only Latin-1 characters, no blank at either end, no tab and no line break: {reason}"
        raise _wrong(message)
    return text


def _local_time(text: str, info: ValidationInfo) -> str:
    """Checked against now where that is given: what the ledger has kept is not checked again."""
    event_at = _parsed(text) if _DH_EVENTO.fullmatch(text) else None
    if event_at is None:
        message = "must be YYYY-MM-DDTHH:MM:SS±HH:00, offset from -11:00 to +12:00"
        raise _wrong(_WITHOUT_OFFSET if _NO_OFFSET.fullmatch(text) else message)
    if info.context and event_at > info.context["now"] + CLOCK_TOLERANCE:
        message = "more than 5 minutes ahead"
        raise _wrong(message)
    return text


def _instant(text: str) -> str:
    if not _RFC3339.fullmatch(text) or _parsed(text) is None:
        message = "must be a date and time with offset (RFC 3339), as in 2026-01-31T18:00:00-03:00"
        raise _wrong(_WITHOUT_OFFSET if _NO_OFFSET.fullmatch(text) else message)
    return text


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _printable(text: str) -> str:
    if not text.isprintable():
        message = f"only printable characters: {strange(text, str.isprintable)}"
        raise _wrong(message)
    return text


class _Request(BaseModel):
    """What both providers' requests have."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    account: (
        Annotated[str, Field(min_length=1, max_length=64, description="a configured account of the provider")] | None
    ) = None
    reference: (
        Annotated[
            str, Field(min_length=1, max_length=128, description="the producer's own id"), AfterValidator(_printable)
        ]
        | None
    ) = None
    priority: Annotated[Priority, Field(strict=False)] = Priority.INTERACTIVE
    deadline: (
        Annotated[
            str,
            Field(
                description="RFC 3339 with offset; no cancellation request at or after it",
                json_schema_extra={"format": "date-time"},
            ),
            AfterValidator(_instant),
        ]
        | None
    ) = None

    @property
    def deadline_at(self) -> datetime | None:
        """The deadline as aware UTC."""
        return _parsed(self.deadline) if self.deadline else None


class SolucionFactibleRequest(_Request):
    """Cancel a CFDI of the primary sector."""

    provider: Literal["solucion-factible"]
    uuid: Annotated[str, Field(pattern=UUID, description="8-4-4-4-12 hex digits, any case"), AfterValidator(str.upper)]

    @property
    def document(self) -> str:
        """The UUID in upper case."""
        return self.uuid


class NsBpeRequest(_Request):
    """Cancel a BP-e."""

    provider: Literal["ns-bpe"]
    chBPe: Annotated[
        str, Field(pattern=CHBPE, description="access key, model 63"), AfterValidator(_whole_number_of_digits)
    ]
    nProt: Annotated[str, Field(pattern=r"^[0-9]{15}$", description="authorisation protocol")]
    xJust: Annotated[
        str,
        Field(min_length=15, max_length=255, description="the reason, Latin-1"),
        BeforeValidator(_composed),
        AfterValidator(_justification),
    ]
    dhEvento: (
        Annotated[
            str, Field(description="YYYY-MM-DDTHH:MM:SS±HH:00, at most 5 minutes ahead"), AfterValidator(_local_time)
        ]
        | None
    ) = None

    @property
    def document(self) -> str:
        """The access key."""
        return self.chBPe


Request = SolucionFactibleRequest | NsBpeRequest
_PROVIDERS = tuple(ProviderName)
_FIELDS_OF: Mapping[str, tuple[str, ...]] = {
    ProviderName.SOLUCION_FACTIBLE: tuple(SolucionFactibleRequest.model_fields),
    ProviderName.NS_BPE: tuple(NsBpeRequest.model_fields),
}
_FIELDS = tuple(dict.fromkeys(field for fields in _FIELDS_OF.values() for field in fields))
_OF_THE_RUN = {"reference", "priority"}
_REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="provider")])


@dataclass(frozen=True, slots=True)
class Admissible:
    """A checked request with its account resolved: all that the ledger needs to admit it.

    Attributes:
        utc_offset_minutes: Set where the ledger has to fill in the moment of admission as the event's time.
    """

    request: Request
    account: str
    utc_offset_minutes: int | None

    @property
    def job(self) -> str:
        """The job id."""
        return job_id(self.request.provider, self.request.document)

    @property
    def body(self) -> str:
        """The request as the ledger keeps it: JSON without reference and priority, which belong to the run."""
        return self.request.model_dump_json(exclude_none=True, exclude=_OF_THE_RUN)


def stored(body: str) -> Request:
    """The request in a job's record, as `Admissible.body` wrote it."""
    return _REQUEST.validate_json(body)


def read(text: str | bytes, accounts: Accounts, *, now: datetime) -> Admissible:
    """A request from its JSON text.

    Raises:
        InvalidRequest: with every error.
    """
    return check(decoded(text), accounts, now=now)


def decoded(text: str | bytes) -> Any:
    """The value of a JSON text, read strictly.

    Raises:
        InvalidRequest: too long, not JSON, or a field stands in it twice.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(raw) > MAX_BODY_BYTES:
        raise InvalidRequest([FieldError("", f"longer than {MAX_BODY_BYTES} bytes")])
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise InvalidRequest([FieldError("", "not valid JSON in UTF-8")]) from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two values for one field would leave it to chance which document is cancelled."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise InvalidRequest([FieldError("", "a field stands in it twice")])
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def check(value: object, accounts: Accounts, *, now: datetime) -> Admissible:
    """A request from a decoded JSON value; `now` is aware.

    Raises:
        InvalidRequest: with every error.
    """
    if not isinstance(value, Mapping):
        raise InvalidRequest([FieldError("", "must be a JSON object")])
    account = _resolve(value, accounts)
    resolved = dict(value) if isinstance(account, FieldError) else {**value, "account": account.name}
    errors: list[FieldError] = []
    try:
        request = _REQUEST.validator.validate_python(resolved, context={"now": now})
    except ValidationError as invalid:
        errors = field_errors(invalid, value, _FIELDS_OF)
    if isinstance(account, FieldError) and not any(error.field in ("provider", "account") for error in errors):
        errors.append(account)
    if errors or isinstance(account, FieldError):
        raise InvalidRequest(errors, understood(value, _FIELDS))
    fills_in_time = isinstance(request, NsBpeRequest) and request.dhEvento is None
    offset = account.utc_offset_minutes if isinstance(account, NsBpeAccount) and fills_in_time else None
    return Admissible(request, account.name, offset)


def _resolve(value: Mapping[str, Any], accounts: Accounts) -> Account | FieldError:
    """The account of a request, or why there is none."""
    provider, name = value.get("provider"), value.get("account")
    if provider not in _PROVIDERS:
        return FieldError("account", "cannot be told without the provider")
    if name is not None:
        named = accounts.by_name.get(name) if isinstance(name, str) else None
        is_of_provider = named is not None and named.provider == provider
        return (
            named if named and is_of_provider else FieldError("account", f"no such account of {provider} is configured")
        )
    count = len(accounts.of_provider(provider))
    among = f"needed: {count} accounts of {provider} are configured, and none of them is the default"
    none = f"no account of {provider} is configured"
    return accounts.default_of(provider) or FieldError("account", among if count else none)


def schema() -> dict[str, Any]:
    """The JSON Schema of a request (draft 2020-12)."""
    body = _REQUEST.json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Cancellation request", **body}
