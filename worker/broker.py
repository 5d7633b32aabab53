"""Kombu's Redis transport without its acknowledgements: wake-ups need none, because the ledger is the truth.

A lost wake-up is released again when its lease ends, a doubled one is refused by begin. What is left out costs two
writes a message, and a new client for each of them was a quarter of a worker's CPU (facts: section 1).
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from kombu.transport import redis as kombu_redis
from kombu.transport import virtual


class WakeUps(virtual.QoS):
    """Counts what is prefetched, in memory; what a closing channel holds is left to its lease."""

    restore_at_shutdown = False


class _Lean:
    """One synchronous client for the life of a channel."""

    ack_emulation = False
    QoS = WakeUps
    _kept_client: Any = None

    def conn_or_acquire(self, client: Any = None) -> AbstractContextManager[Any]:
        if client is None:
            client = self._kept_client = self._kept_client or self._create_client()  # type: ignore[attr-defined]
        return nullcontext(client)


class Channel(_Lean, kombu_redis.Channel):
    """For `redis://` and `rediss://`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.QoS = WakeUps


class SentinelChannel(_Lean, kombu_redis.SentinelChannel):
    """For `sentinel://`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.QoS = WakeUps


class Transport(kombu_redis.Transport):
    """For `redis://` and `rediss://`."""

    Channel = Channel


class SentinelTransport(kombu_redis.SentinelTransport):
    """For `sentinel://`."""

    Channel = SentinelChannel
    default_port = 26379
