"""The receiving end of our transport: what cannot be decoded is dropped, what its consumer stumbles over is a bug."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from kombu.entity import Queue
from structlog.testing import capture_logs

from config.celery import celery_settings
from config.settings import Settings
from tests.support.waiting import wait_until
from worker.broker import Connection

pytestmark = pytest.mark.integration

ENVELOPE = {"body": "e30=", "content-type": "application/json", "content-encoding": "utf-8", "headers": {}}
PROPERTIES = {"delivery_tag": "1", "delivery_info": {"exchange": "", "routing_key": ""}, "body_encoding": "base64"}


class Receiver:
    """A consumer of one queue on a connection of ours; `bugs` are what it raises at first."""

    def __init__(self, redis_url: str, queue: str) -> None:
        self.redis = redis.Redis.from_url(redis_url)
        self.queue = queue
        self.bugs: list[Exception] = []
        self.received: list[Any] = []
        options = celery_settings(Settings(redis_url=redis_url))["broker_transport_options"]
        self._connection = Connection(redis_url, transport="worker.broker:Transport", transport_options=options)
        self._consumer = self._connection.Consumer([Queue(queue)], on_message=self._take, no_ack=True)
        self._consumer.consume()

    def _take(self, message: Any) -> None:
        if self.bugs:
            raise self.bugs.pop()
        self.received.append(message.headers["number"])

    def put(self, number: int) -> None:
        self.put_raw(json.dumps({**ENVELOPE, "headers": {"number": number}, "properties": PROPERTIES}).encode())

    def put_raw(self, item: bytes) -> None:
        self.redis.lpush(self.queue, item)

    def until_received(self, number: int) -> list[dict[str, Any]]:
        """Receive until this message has come; what was logged meanwhile."""

        def has_come() -> bool:
            with contextlib.suppress(TimeoutError):
                self._connection.drain_events(timeout=1)
            return number in self.received

        with capture_logs() as lines:
            wait_until(has_come, limit_s=20)
        return [dict(line) for line in lines]

    def close(self) -> None:
        self._connection.release()
        self.redis.close()


@pytest.fixture
def receiver(redis_url: str, namespace: str) -> Iterator[Receiver]:
    one = Receiver(redis_url, f"{namespace}.run")
    yield one
    one.close()


@pytest.mark.parametrize(
    "item",
    [
        *(b"junk", b"\xff\xfe", b"", b"5", b"null", b"[1]", b"{}", b"[" * 100_000),
        b'{"__type__": "uuid", "__value__": 5}',
        b'{"__type__": "bytes", "__value__": 5}',
        b'{"body": 1, "properties": {}}',
        b'{"body": "e30", "properties": {"delivery_tag": 1, "body_encoding": "base64"}}',
        b'{"body": "e30=", "properties": {"delivery_tag": 1, "body_encoding": "rot13"}}',
    ],
)
def test_what_cannot_be_decoded_is_dropped_in_one_line(receiver, item):
    receiver.put_raw(item)
    receiver.put(1)

    (line,) = receiver.until_received(1)

    assert (line["event"], line["log_level"]) == ("undecodable_message", "warning")


@pytest.mark.parametrize(
    "bug", [ValueError("a"), TypeError("b"), KeyError("c"), AttributeError("d"), RuntimeError("e")]
)
def test_a_bug_of_the_consumer_is_no_undecodable_message_and_costs_its_message_alone(receiver, bug):
    receiver.bugs.append(bug)
    receiver.put(1)
    receiver.put(2)

    (line,) = receiver.until_received(2)

    assert (line["event"], line["log_level"], line["exc_info"]) == ("message_not_taken", "error", True)
    assert receiver.received == [2]


def test_a_lost_connection_is_none_of_the_message_s_business(receiver):
    receiver.bugs.append(redis.ConnectionError("lost"))
    receiver.put(1)

    with pytest.raises(redis.ConnectionError):
        receiver.until_received(1)
