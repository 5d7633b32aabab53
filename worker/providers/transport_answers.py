"""How an exchange without an answer, and a bare HTTP status, read for every provider (docs/architecture.md)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from worker.answer import Answer, Reaction, Reason
from worker.sender import Failing, NotReceived, Received

LONGEST_HOLD_S = 3_600.0
"""`Retry-After` is followed up to here: nobody's typing error may stop an account for a year."""
_NOT_THE_SERVICE = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
_GATEWAY_TROUBLE = (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)


def of_failure(failure: NotReceived) -> Answer:
    """What stands for the answer of an exchange that gave none."""
    said = {"transport": failure.detail}
    match failure.kind:
        case Failing.NOT_SENT:
            return Answer(reaction=Reaction.TRANSIENT, provider_status=said, unsent=True)
        case Failing.MISCONFIGURED:
            return Answer(reaction=Reaction.ACCOUNT, message=failure.detail, provider_status=said, unsent=True)
        case Failing.NO_ANSWER:
            return Answer(reaction=Reaction.UNKNOWN, provider_status=said, may_have_acted=True)
        case Failing.UNREADABLE:
            return unreadable(said)


def of_status(received: Received) -> Answer | None:
    """What the HTTP status alone says; None where the status leaves it to the body."""
    said = http_status(received)
    status = received.status
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Answer(reaction=Reaction.TRANSIENT, provider_status=said, hold_account_s=_retry_after_s(received))
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return Answer(
            reaction=Reaction.TRANSIENT,
            provider_status=said,
            may_have_acted=True,
            hold_account_s=_retry_after_s(received),
        )
    if status in _NOT_THE_SERVICE or HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Answer(reaction=Reaction.TRANSIENT, provider_status=said)
    if status in _GATEWAY_TROUBLE:
        return Answer(reaction=Reaction.UNKNOWN, provider_status=said, may_have_acted=True)
    return None


def unreadable(provider_status: Mapping[str, str], *, code: str | None = None, message: str | None = None) -> Answer:
    """The answer that nobody can make sense of: it may have worked."""
    return Answer(
        reaction=Reaction.UNKNOWN,
        reason=Reason.UNREADABLE_ANSWER,
        code=code,
        message=message,
        provider_status=provider_status,
        may_have_acted=True,
    )


def of_inquiry(answer: Answer) -> Answer:
    """The same answer to a look-up or a download, which cancels nothing whatever becomes of it."""
    return replace(answer, may_have_acted=False)


def http_status(received: Received) -> dict[str, str]:
    """`provider_status` where no body tells more."""
    return {"http": str(received.status)}


def _retry_after_s(received: Received) -> float:
    """`Retry-After` (RFC 9110, section 10.2.3) in seconds, 0 where it is missing or makes no sense."""
    value = received.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_HOLD_S)
    try:
        at = parsedate_to_datetime(value)
        wait_s = (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(wait_s, 0.0), LONGEST_HOLD_S)
