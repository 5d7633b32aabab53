"""A Celery message as it stands on the intake queue: from the queue item's bytes to the request in it.

The queue is read here and not by Celery's consumer, which loses or dies of items that are not as it expects
(docs/adr/0001-the-ledger-is-the-truth.md).
Format: protocol 2 in kombu's envelope for Redis.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.invalid import FieldError, InvalidRequest
from worker.request import decoded

TASK = "anula.submit"


@dataclass(frozen=True, slots=True)
class Message:
    """A submission by Celery message.

    Attributes:
        id: The Celery task id: a message that was sent twice has it twice.
        request: The decoded value of `kwargs["request"]`, or why there is none.
    """

    id: str
    request: Any | InvalidRequest


def read(item: bytes) -> Message:
    """The message in a queue item; never raises, since anything may stand on the queue."""
    try:
        envelope = json.loads(item)
    except (ValueError, RecursionError):
        return Message(_digest(item), _invalid("", "the queue item is not JSON"))
    headers = envelope.get("headers") if isinstance(envelope, dict) else None
    if not isinstance(headers, dict):
        return Message(_digest(item), _invalid("", "the queue item is not a Celery message"))
    task_id = headers.get("id")
    name = task_id if isinstance(task_id, str) and 0 < len(task_id) <= 128 and task_id.isprintable() else _digest(item)  # noqa: PLR2004 - longer than any id
    try:
        return Message(name, _request(envelope, headers))
    except InvalidRequest as invalid:
        return Message(name, invalid)


def _request(envelope: Mapping[str, Any], headers: Mapping[str, Any]) -> Any:
    if headers.get("task") != TASK:
        raise _invalid("", f"this queue is for the task {TASK} alone")
    if envelope.get("content-type") != "application/json":
        raise _invalid("", "the message must be application/json")
    body = decoded(_body(envelope))
    match body:
        case [[], {"request": request, **others}, *_] if not others:
            return request
    raise _invalid("", 'the arguments must be kwargs = {"request": {...}} and nothing else')


def _body(envelope: Mapping[str, Any]) -> bytes:
    body, properties = envelope.get("body"), envelope.get("properties")
    if not isinstance(body, str):
        raise _invalid("", "the message has no body")
    encoding = properties.get("body_encoding") if isinstance(properties, dict) else None
    if encoding != "base64":
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise _invalid("", "the body is not base64") from None


def _invalid(field: str, problem: str) -> InvalidRequest:
    return InvalidRequest([FieldError(field, problem)])


def _digest(item: bytes) -> str:
    """Stands for an id where a message has none."""
    return f"sha256:{hashlib.sha256(item).hexdigest()}"
