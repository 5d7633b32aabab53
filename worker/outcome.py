"""The final word on a run, as producers read it (docs/outcomes.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from config.accounts import Environment
from worker.answer import Answer, Reason
from worker.invalid import FieldError


class Status(StrEnum):
    """How a run ended."""

    CANCELLED = "cancelled"
    REJECTED = "rejected"
    UNRESOLVED = "unresolved"
    REVOKED = "revoked"


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class EvidenceShape(_Shape):
    """The acuse or the event XML."""

    media_type: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="hex, over the original bytes")]
    encoding: Literal["utf-8", "base64"]
    content: str


class ErrorShape(_Shape):
    """One thing wrong with an invalid request."""

    field: str
    problem: str


class Outcome(_Shape):
    """An outcome as it is published: one JSON object, exactly one for each run of a job."""

    environment: Annotated[Environment, Field(strict=False)]
    references: list[str]
    run: int | None
    attempts: int
    submitted_at: str
    finished_at: str
    replayed: bool
    warnings: list[str]
    job: str | None
    provider: str | None
    account: str | None
    document: str | None
    status: Annotated[Status, Field(strict=False)]
    reason: Annotated[Reason, Field(strict=False)]
    code: str | None
    message: str | None
    provider_status: dict[str, str | None]
    protocol: str | None
    registered_at: str | None
    evidence: EvidenceShape | None
    errors: list[ErrorShape]
    submission: str | None


LEDGER_FIELDS = (
    *("environment", "references", "run", "attempts"),
    *("submitted_at", "finished_at", "replayed", "warnings"),
)
"""The fields that only the ledger knows at the moment of the end; it splices them in (ledger/lua/shared/runs.lua)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All of an outcome but what the ledger adds."""

    status: Status
    reason: Reason
    answer: Answer | None = None
    warnings: tuple[str, ...] = ()


def body(verdict: Verdict, *, job: str, account: str) -> dict[str, Any]:
    """The outcome's fields without `LEDGER_FIELDS`, for a run of a known job."""
    provider, _, document = job.partition(":")
    said = verdict.answer
    return {
        "job": job,
        "provider": provider,
        "account": account,
        "document": document,
        "status": verdict.status,
        "reason": verdict.reason,
        "code": said.code if said else None,
        "message": said.message if said else None,
        "provider_status": dict(said.provider_status) if said else {},
        "protocol": said.protocol if said else None,
        "registered_at": said.registered_at if said else None,
        "evidence": said.evidence.as_json() if said and said.evidence else None,
        "errors": [],
        "submission": None,
    }


def refusal(
    errors: Sequence[FieldError], *, submission: str, request: Mapping[str, Any], job: str | None
) -> dict[str, Any]:
    """The outcome's fields without `LEDGER_FIELDS`, for an invalid request; what it does tell is given back."""
    return {
        "job": job,
        "provider": job.partition(":")[0] if job else None,
        "account": _short_text(request.get("account")),
        "document": job.partition(":")[2] if job else None,
        "status": Status.REJECTED,
        "reason": Reason.INVALID_REQUEST,
        "code": None,
        "message": None,
        "provider_status": {},
        "protocol": None,
        "registered_at": None,
        "evidence": None,
        "errors": [error.as_json() for error in errors],
        "submission": submission,
    }


def _short_text(value: object) -> str | None:
    is_short = isinstance(value, str) and 0 < len(value) <= 64 and value.isprintable()  # noqa: PLR2004 - an account's length
    return str(value) if is_short else None


def schema() -> dict[str, Any]:
    """The JSON Schema of an outcome (draft 2020-12)."""
    shape = TypeAdapter(Outcome).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **shape}
