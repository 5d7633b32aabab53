"""Connections to Redis that threads share when the server gives no more of them (`maxclients`)."""

import logging
import time
from threading import Condition
from typing import Any

from redis import ConnectionPool
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.sentinel import SentinelConnectionPool

log = logging.getLogger(__name__)

WAIT_S = 10.0
"""Longest wait for a connection that another thread holds."""
GROW_AGAIN_S = 5.0
"""After a connection could not be made: until another one is tried."""


class _Sharing:
    """What is different about a pool: where no new connection can be made, it goes on with those that it has.

    A connection that is not connected is the last to be given out, so that it does not hide those that are.
    """

    _lock: Any
    _available_connections: list[Any]
    _in_use_connections: set[Any]

    def __init__(self, *args: Any, **options: Any) -> None:
        self._turn = Condition()
        self._limit: int | None = None
        self._grow_at = 0.0
        self._is_told = False
        super().__init__(*args, **options)

    def get_connection(self, *args: Any, **options: Any) -> Any:
        """A connection that is connected; waits for one of another thread's where there is no other way.

        Raises:
            redis.exceptions.ConnectionError: none can be made, and none has become free.
        """
        give_up_at = time.monotonic() + WAIT_S
        while True:
            self._wait_for_turn(give_up_at)
            try:
                return super().get_connection(*args, **options)  # type: ignore[misc]  # a mixin's
            except AuthenticationError:
                raise
            except RedisConnectionError as error:
                connected = self._connected()
                if not connected or time.monotonic() >= give_up_at:
                    raise
                self._go_on_with(connected, error)

    def release(self, connection: Any) -> None:
        """Give a connection back."""
        super().release(connection)  # type: ignore[misc]  # as above
        with self._lock:
            free = self._available_connections
            if free and free[-1] is connection and not connection.is_connected:
                free.insert(0, free.pop())
        if self._limit is not None:
            with self._turn:
                self._turn.notify()

    def _go_on_with(self, connected: int, error: Exception) -> None:
        self._limit, self._grow_at = connected, time.monotonic() + GROW_AGAIN_S
        if not self._is_told:
            self._is_told = True
            log.warning("no new connection to Redis (%s): going on with %d; see maxclients", error, connected)

    def _wait_for_turn(self, give_up_at: float) -> None:
        if self._limit is not None:
            with self._turn:
                self._turn.wait_for(self._is_turn, timeout=max(0.0, give_up_at - time.monotonic()))

    def _is_turn(self) -> bool:
        if self._limit is not None and time.monotonic() >= self._grow_at:
            self._limit = None
            self._turn.notify_all()
        return self._limit is None or len(self._in_use_connections) < self._limit

    def _connected(self) -> int:
        with self._lock:
            known = [*self._available_connections, *self._in_use_connections]
        return sum(1 for one in known if one.is_connected)


class SharedPool(_Sharing, ConnectionPool):
    """For one server."""


class SharedSentinelPool(_Sharing, SentinelConnectionPool):
    """For the primary that the Sentinels name."""
