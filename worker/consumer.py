"""Celery's consumer and its events, which wait for a Redis that is away or refuses, and never end the worker for it."""

import logging
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from celery.app.events import Events as CeleryEvents
from celery.events.dispatcher import EventDispatcher as CeleryEventDispatcher
from celery.worker.consumer import Consumer as CeleryConsumer
from celery.worker.state import maybe_shutdown
from redis.exceptions import RedisError

from worker import bootstrap
from worker.ledger.trouble import cause
from worker.unavailable import pauses

_PART, _EVENTS = "broker", "events"
_SLICE_S = 0.1
_SETTLED_AFTER_S = 3.0
"""More than the second in which each BRPOP is answered: by then this connection has been used."""
_KEPT_EVENTS = 1_000
_SAID_ONCE_ALREADY = (
    "consumer: Connection to broker lost",
    "consumer: Cannot connect to",
    "Frequent restarts detected",
)
"""What Celery logs at every try; `redis_away` and `redis_refuses` say it once (docs/runbook.md)."""


class Consumer(CeleryConsumer):
    """Begins anew after growing pauses, whatever the broker's connections were answered."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pauses: Iterator[float] = pauses()
        self._settled: Any = None

    def ensure_connected(self, conn: Any) -> Any:
        """As Celery's, which tries without end; what stands in the way is logged once."""
        return conn.ensure_connection(self._note, None, callback=maybe_shutdown)

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        """Wait before the next try."""
        self._wait_after(exc)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Leave the connection, and wait before the next one."""
        super().on_connection_error_after_connected(exc)
        self._wait_after(exc)

    def on_ready(self) -> None:
        """As Celery's; the outage is over once the connection has been used."""
        super().on_ready()
        self._settled = self.timer.call_after(_SETTLED_AFTER_S, self._settle)

    def _settle(self) -> None:
        self._settled = None
        self._pauses = pauses()
        bootstrap.parts().outage.over(_PART)

    def _wait_after(self, error: Exception) -> None:
        if self._settled is not None:
            self.timer.cancel(self._settled)
            self._settled = None
        self._note(error)
        until = time.monotonic() + next(self._pauses)
        while time.monotonic() < until:
            maybe_shutdown()
            time.sleep(_SLICE_S)

    def _note(self, error: Exception, _interval: float = 0.0) -> None:
        bootstrap.parts().outage.note(_PART, error)


class EventDispatcher(CeleryEventDispatcher):
    """Keeps the last events that could not be sent, and never waits for the broker."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._outbound_buffer: deque[Any] = deque(maxlen=_KEPT_EVENTS)

    def _publish(self, event: Any, producer: Any, routing_key: str, **_: Any) -> None:
        if producer is None:
            return
        try:
            producer.publish(
                event,
                routing_key=routing_key,
                exchange=self.exchange.name,
                declare=[self.exchange],
                serializer=self.serializer,
                headers=self.headers,
                delivery_mode=self.delivery_mode,
            )
        except Exception as error:
            if not self.buffer_while_offline:
                raise
            self._outbound_buffer.append((event, routing_key))
            bootstrap.parts().outage.note(_EVENTS, error)
        else:
            bootstrap.parts().outage.over(_EVENTS)


class Events(CeleryEvents):
    """Celery's own, with our dispatcher."""

    dispatcher_cls = EventDispatcher


def log_outages_once() -> None:
    """Keep out of the log what Celery says at each try, and of steps that could not leave a Redis that is away."""
    logging.getLogger("celery.worker.consumer.consumer").addFilter(_is_new)
    logging.getLogger("celery.bootsteps").addFilter(_is_no_outage)


def _is_new(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_SAID_ONCE_ALREADY)


def _is_no_outage(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return error is None or not isinstance(cause(error), RedisError | OSError)
