"""A Celery message as it stands on the intake queue: from the queue item's bytes to the request in it.

The queue is read here and not by Celery's consumer, which loses or dies of items that are not as it expects
(docs/adr/0001-the-ledger-is-the-truth.md).
Format: protocol 2 in kombu's envelope for Redis.
"""

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from worker.invalid import FieldError, InvalidRequest
from worker.request import MAX_BODY_BYTES, decoded

TASK = "anula.submit"
LONGEST_ID = 128
"""Longer than any id of Celery's."""
GZIP = "application/x-gzip"
"""What kombu writes where a client sets `compression="gzip"`; the bytes are zlib's."""
_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Message:
    """A submission by Celery message.

    Attributes:
        id: The Celery task id: a message that was sent twice has it twice.
        digest: Of what is read of it: the same where the same message was sent twice.
        request: The decoded value of `kwargs["request"]`, or why there is none.
    """

    id: str
    digest: str
    request: Any | InvalidRequest


def read(item: bytes) -> Message:
    """The message in a queue item; never raises, since anything may be on the queue."""
    try:
        envelope = json.loads(item)
    except (ValueError, RecursionError):
        return _unreadable(item, "the queue item is not JSON")
    headers = envelope.get("headers") if isinstance(envelope, dict) else None
    if not isinstance(headers, dict):
        return _unreadable(item, "the queue item is not a Celery message")
    task_id = headers.get("id")
    if not (isinstance(task_id, str) and 0 < len(task_id) <= LONGEST_ID and task_id.isprintable()):
        task_id = _digest(item)
    read_of_it = _Read.of(envelope, headers)
    digest = read_of_it.digest or _digest(item)
    try:
        return Message(task_id, digest, _request(read_of_it))
    except InvalidRequest as invalid:
        return Message(task_id, digest, invalid)


def _unreadable(item: bytes, problem: str) -> Message:
    return Message(_digest(item), _digest(item), _invalid("", problem))


class _Read(NamedTuple):
    """What a message says; each may be anything."""

    task: Any
    content_type: Any
    body: Any
    body_encoding: Any
    compression: Any

    @classmethod
    def of(cls, envelope: Mapping[str, Any], headers: Mapping[str, Any]) -> Self:
        properties = envelope.get("properties")
        encoding = properties.get("body_encoding") if isinstance(properties, dict) else None
        named = envelope.get("content-type"), envelope.get("body"), encoding
        return cls(headers.get("task"), *named, headers.get("compression"))

    @property
    def digest(self) -> str | None:
        """The same where the same message was sent twice; None where it says what no message of Celery's does."""
        if not all(value is None or isinstance(value, str) for value in self):
            return None
        told = self[:-1] if self.compression is None else self  # as older versions know one that is not compressed
        return _digest(json.dumps(told).encode())


def _request(message: _Read) -> Any:
    if message.task != TASK:
        raise _invalid("", f"this queue is for the task {TASK} alone")
    if message.content_type != "application/json":
        raise _invalid("", "the message must be application/json")
    body = decoded(_body(message))
    match body:
        case [[], {"request": request, **others}, *_] if not others:
            return request
    raise _invalid("", 'the arguments must be kwargs = {"request": {...}} and nothing else')


def _body(message: _Read) -> bytes:
    raw = _raw_body(message)
    if not message.compression:
        return raw
    if message.compression != GZIP:
        raise _invalid("", "the body is compressed in a way that is not read: send it with gzip or as it is")
    unpacking = zlib.decompressobj(_ZLIB_OR_GZIP)
    try:
        body = unpacking.decompress(raw, MAX_BODY_BYTES + 1)
    except zlib.error:
        body = b""
    if not unpacking.eof and len(body) <= MAX_BODY_BYTES:
        raise _invalid("", "the body is not whole, or not compressed with gzip as its header says")
    return body


def _raw_body(message: _Read) -> bytes:
    if not isinstance(message.body, str):
        raise _invalid("", "the message has no body")
    if message.body_encoding != "base64":
        return message.body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(message.body, validate=True)
    except (binascii.Error, ValueError):
        raise _invalid("", "the body is not base64") from None


def _invalid(field: str, problem: str) -> InvalidRequest:
    return InvalidRequest([FieldError(field, problem)])


def _digest(item: bytes) -> str:
    """Stands for an id where a message has none."""
    return f"sha256:{hashlib.sha256(item).hexdigest()}"
