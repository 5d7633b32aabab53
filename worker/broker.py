"""Kombu's Redis transport without its acknowledgements: wake-ups need none, because the ledger is the truth.

A lost wake-up is released again when its lease ends, a doubled one is refused by begin. What is left out costs two
writes a message, and a new client for each of them was a quarter of a worker's CPU.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from queue import Empty
from traceback import walk_tb
from typing import Any

import structlog
from celery.app.amqp import AMQP
from kombu.connection import Connection as KombuConnection
from kombu.transport import redis as kombu_redis
from kombu.transport import virtual
from kombu.utils.json import loads

from worker.ledger.primary import Watching

log = structlog.get_logger(__name__)


class WakeUps(virtual.QoS):
    """Counts what is prefetched, in memory; what a closing channel holds is left to its lease."""

    restore_at_shutdown = False


class _Undecodable(Exception):
    """A JSON value that is no message."""


class _Message(virtual.Message):
    """As kombu's, but its own parts are told apart from whatever its consumer does with it."""

    def __init__(self, payload: Any, channel: Any = None, **kwargs: Any) -> None:
        try:
            super().__init__(payload, channel=channel, **kwargs)  # type: ignore[no-untyped-call]  # kombu
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise _Undecodable(type(error).__name__) from None


class _Lean:
    """What is different about a channel: in-memory counting, and one synchronous client for its whole life."""

    Message = _Message
    ack_emulation = False
    connection_errors: tuple[type[BaseException], ...]
    _create_client: Callable[[], Any]
    _kept_client: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.QoS = WakeUps  # kombu's own initializer sets it too

    def conn_or_acquire(self, client: Any = None) -> AbstractContextManager[Any]:
        if client is None:
            client = self._kept_client = self._kept_client or self._create_client()
        return nullcontext(client)

    def _brpop_read(self, **options: Any) -> Any:
        """As kombu's, but an item that is no JSON does not end the worker."""
        return _decodable(super()._brpop_read, options)  # type: ignore[misc]  # a mixin's

    def _receive(self, **options: Any) -> Any:
        """As kombu's, likewise."""
        return _decodable(super()._receive, options)  # type: ignore[misc]  # a mixin's


def _decodable(read: Callable[..., Any], options: dict[str, Any]) -> Any:
    """What `read` gives; nothing where it came upon an item that is no JSON, which is dropped like any wake-up."""
    try:
        return read(**options)
    except Exception as error:
        if not any(frame.f_code is loads.__code__ for frame, _ in walk_tb(error.__traceback__)):
            raise
        log.warning("undecodable_message", problem=type(error).__name__)
        raise Empty from None


class _Guarded:
    """What is different about a transport: one message that its consumer stumbles over does not end the worker."""

    connection_errors: tuple[type[BaseException], ...]

    def _deliver(self, message: Any, queue: str) -> None:
        """As kombu's. A bug of Celery's or ours is logged as such, and costs this message alone."""
        try:
            super()._deliver(message, queue)  # type: ignore[misc]  # a mixin's
        except _Undecodable as error:
            log.warning("undecodable_message", queue=queue, problem=str(error))
        except Exception as error:
            # To kombu a KeyError is a lost connection, because its poller raises one; here it is a bug like any other
            if isinstance(error, self.connection_errors) and not isinstance(error, KeyError):
                raise
            log.exception("message_not_taken", queue=queue)


class Channel(_Lean, kombu_redis.Channel):  # type: ignore[misc]  # kombu is not typed for being subclassed
    """For `redis://` and `rediss://`."""


class SentinelChannel(_Lean, kombu_redis.SentinelChannel):  # type: ignore[misc]  # as above
    """For `sentinel://` and `sentinels://`."""

    def _sentinel_managed_pool(self, *args: Any, **kwargs: Any) -> Any:
        """As kombu's, but the log can say why no Sentinel names a primary."""
        pool = super()._sentinel_managed_pool(*args, **kwargs)  # type: ignore[no-untyped-call]  # as above
        pool.proxy.sentinel_manager = Watching.instead_of(pool.sentinel_manager)
        return pool


class Transport(_Guarded, kombu_redis.Transport):  # type: ignore[misc]  # as above
    """For `redis://` and `rediss://`."""

    Channel = Channel


class SentinelTransport(_Guarded, kombu_redis.SentinelTransport):  # type: ignore[misc]  # as above
    """For `sentinel://` and `sentinels://`."""

    Channel = SentinelChannel
    default_port = 26379


class Connection(KombuConnection):
    """Tries again soon: Celery's own steps grow to half a minute, long after Redis is back."""

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Any:
        """As kombu's, with pauses of 1 to 5 s."""
        pauses = {"interval_start": 1, "interval_step": 1, "interval_max": 5}
        return super().ensure_connection(*args, **{**pauses, **kwargs})  # type: ignore[no-untyped-call]  # as above

    def switch(self, conn_str: str) -> None:
        """Go on with another Sentinel, on our own transport: kombu would take the one that the URL's scheme names."""
        ours = self.transport_cls
        super().switch(conn_str)  # type: ignore[no-untyped-call]  # as above
        self.transport_cls = ours

    def info(self) -> dict[str, Any]:
        """As kombu's, without what holds passwords (each Sentinel's URL, their own login): Flower shows all of it."""
        shown: dict[str, Any] = dict(super().info())  # type: ignore[no-untyped-call]  # as above
        options = shown["transport_options"] or {}
        shown["transport_options"] = {name: value for name, value in options.items() if name != "sentinel_kwargs"}
        return shown | {"alternates": []}


class Amqp(AMQP):
    """Celery's own, with our connections."""

    Connection = Connection
