"""How an exchange without an answer, and a bare HTTP status, read for every provider (docs/architecture.md)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus

from worker.answer import Answer, Reaction, Reason
from worker.providers import excerpt, quoting
from worker.providers.body import Body, unwrapped
from worker.sender import Failing, NotReceived, Received

LONGEST_HOLD_S = 3_600.0
"""`Retry-After` is followed up to here: nobody's typing error may stop an account for a year."""
BEFORE_THE_SERVICE = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
        HTTPStatus.LENGTH_REQUIRED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.REQUEST_URI_TOO_LONG,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.EXPECTATION_FAILED,
        HTTPStatus.MISDIRECTED_REQUEST,
        HTTPStatus.UPGRADE_REQUIRED,
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    }
)
"""Statuses that are only said before the service has read the request (RFC 9110, section 15). Not among them are 302,
303, 403, 406, 408, 409 and 451: a filter behind the service may say them after it has acted.
"""
_GATEWAY_TROUBLE = (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)


def of_failure(failure: NotReceived, *, secret: str) -> Answer:
    """What stands for the answer of an exchange that gave none."""
    answer = _of_failure(failure)
    if failure.begun is None:
        return answer
    return replace(answer, excerpt=excerpt.of(failure.begun, unwrapped(failure.begun), secret=secret))


def _of_failure(failure: NotReceived) -> Answer:
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
    """What the HTTP status says by itself; None where it leaves the matter to the body.

    `BEFORE_THE_SERVICE` counts only where the body cannot be the service's own: that is for the adapter to see.
    """
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
    if status in BEFORE_THE_SERVICE:
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


def told(answer: Answer, received: Received, body: Body, *, secret: str) -> Answer:
    """The same answer, fit to be told: no field quotes the secret, and where no code was read, or nobody could make
    sense of it, an excerpt says what came.
    """
    answer = _without(secret, answer)
    if answer.code is not None and answer.reason is not Reason.UNREADABLE_ANSWER:
        return answer
    return replace(answer, excerpt=excerpt.of(received, body, secret=secret))


def _without(secret: str, answer: Answer) -> Answer:
    """Whatever a provider calls a code may quote the secret; evidence alone is left as it came."""
    told = partial(quoting.without, secret)
    return replace(
        answer,
        code=answer.code and told(answer.code),
        message=answer.message and told(answer.message),
        provider_status={layer: told(code) for layer, code in answer.provider_status.items()},
        protocol=answer.protocol and told(answer.protocol),
        registered_at=answer.registered_at and told(answer.registered_at),
        warnings=tuple(map(told, answer.warnings)),
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
