"""What a provider answered, as a value with a reaction."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self


class Reaction(StrEnum):
    """What an answer makes us do (docs/architecture.md)."""

    CANCELLED = "cancelled"
    """The document is cancelled: final, once the evidence is there."""
    REJECTED = "rejected"
    """It will not be cancelled: final."""
    UNRESOLVED = "unresolved"
    """The answer contradicts itself: final, a person has to look."""
    IN_PROCESS = "in_process"
    """Accepted, not decided: the same request again later."""
    TRANSIENT = "transient"
    """It did not work this time: the same request again."""
    UNKNOWN = "unknown"
    """It may have worked: look up where there is a way, else the same request again."""
    CONFIRM = "confirm"
    """Said to be cancelled already: only a look-up settles it."""
    NOT_CANCELLED = "not_cancelled"
    """Of a look-up alone: safe to send the same request again."""
    ACCOUNT = "account"
    """Something is wrong with the account: it is suspended."""
    ABUSE = "abuse"
    """The authority blocks the account for a while: it pauses."""


class Disproves(StrEnum):
    """What a rejection says about earlier calls that may have worked (docs/adr/0007-what-a-rejection-proves.md).

    Of a look-up that says "not cancelled": what it says of calls that were sent long enough before it.
    """

    NOTHING = "nothing"
    """It may be the consequence of a call that worked, or have nothing to do with it."""
    THIS_RUN = "this run"
    """It is about the request, which was as wrong before; another run may have sent another one."""
    EVERY_RUN = "every run"
    """It cannot be said of a document that any earlier call has cancelled."""


class Reason(StrEnum):
    """Why a run ended as it did: the closed list of docs/outcomes.md."""

    CANCELLED = "cancelled"
    ALREADY_CANCELLED = "already-cancelled"
    NOT_CANCELLABLE = "not-cancellable"
    REJECTED_BY_RECIPIENT = "rejected-by-recipient"
    NOT_FOUND = "not-found"
    REFUSED_BY_PROVIDER = "refused-by-provider"
    REFUSED_BY_AUTHORITY = "refused-by-authority"
    UNCLASSIFIED = "unclassified"
    DEADLINE_PASSED = "deadline-passed"
    INVALID_REQUEST = "invalid-request"
    STILL_IN_PROCESS = "still-in-process"
    GAVE_UP = "gave-up"
    UNREADABLE_ANSWER = "unreadable-answer"
    EVIDENCE_DISAGREES = "evidence-disagrees"
    MAY_HAVE_ACTED = "may-have-acted"
    INTERNAL_ERROR = "internal-error"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The acuse or the event XML, byte for byte as received."""

    content: bytes
    media_type: str = "application/xml"

    def as_json(self) -> dict[str, str]:
        """The `evidence` object of an outcome."""
        try:
            encoding, content = "utf-8", self.content.decode("utf-8")
        except UnicodeDecodeError:
            encoding, content = "base64", base64.b64encode(self.content).decode("ascii")
        digest = hashlib.sha256(self.content).hexdigest()
        return {"media_type": self.media_type, "sha256": digest, "encoding": encoding, "content": content}

    @classmethod
    def from_json(cls, value: Mapping[str, str]) -> Self:
        """The evidence that `as_json` wrote."""
        is_text = value["encoding"] == "utf-8"
        content = value["content"].encode("utf-8") if is_text else base64.b64decode(value["content"])
        return cls(content=content, media_type=value["media_type"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of a provider, or what stands for it where none came.

    Attributes:
        reason: Why the run ends, if this answer (or giving up on it) ends it.
        code: The deciding code of provider or authority, as text.
        message: The provider's own words; never a secret.
        excerpt: Of what came, where nobody could read it: HTTP status, headers, length, first characters; no secret.
        provider_status: Every layer's code as received, e.g. `{"status": "200", "cStat": "135"}`.
        may_have_acted: The call may have cancelled the document although the answer does not say so.
        disproves: Of a rejection or a look-up: which earlier calls it proves to have not worked.
        unsent: No byte of the request has left, so it is no attempt.
        least_wait_s: Seconds before which asking again is pointless.
        hold_account_s: Seconds for which the whole account must not be called.
    """

    reaction: Reaction
    reason: Reason | None = None
    code: str | None = None
    message: str | None = None
    excerpt: str | None = None
    provider_status: Mapping[str, str] = field(default_factory=dict)
    protocol: str | None = None
    registered_at: str | None = None
    evidence: Evidence | None = None
    warnings: tuple[str, ...] = ()
    may_have_acted: bool = False
    disproves: Disproves = Disproves.NOTHING
    unsent: bool = False
    least_wait_s: float = 0.0
    hold_account_s: float = 0.0

    @property
    def is_misconfiguration(self) -> bool:
        """Whether no call could be made because of how the account is configured in this process."""
        return self.reaction is Reaction.ACCOUNT and self.unsent

    def as_json(self) -> dict[str, Any]:
        """The fields that an outcome carries on; `from_json` reads them back."""
        return {
            "reaction": self.reaction,
            "reason": self.reason,
            "code": self.code,
            "message": self.message,
            "provider_status": dict(self.provider_status),
            "protocol": self.protocol,
            "registered_at": self.registered_at,
            "evidence": self.evidence.as_json() if self.evidence else None,
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The answer that `as_json` wrote."""
        return cls(
            reaction=Reaction(value["reaction"]),
            reason=Reason(value["reason"]) if value["reason"] else None,
            code=value["code"],
            message=value["message"],
            provider_status=value["provider_status"],
            protocol=value["protocol"],
            registered_at=value["registered_at"],
            evidence=Evidence.from_json(value["evidence"]) if value["evidence"] else None,
            warnings=tuple(value["warnings"]),
        )
