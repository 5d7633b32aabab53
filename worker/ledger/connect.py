"""From settings to a Redis client, and to the ledger on it."""

from typing import Any

from redis import Redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from config import redis_access
from config.redis_access import Sentinels
from config.settings import Settings
from worker.ledger.ledger import Ledger
from worker.ledger.primary import Watching

UNAVAILABLE = (RedisError, OSError)
"""What a client raises while Redis cannot serve: away, loading, full, or answering with an error."""

DAY_S = 86_400


def ledger_for(settings: Settings) -> Ledger:
    """The ledger that these settings name; no connection is made yet."""
    # A wait that lasts as long as the exchange itself would look like an outage
    replica_timeout_s = min(settings.replica_timeout_s, settings.redis_timeout_s / 2)
    return Ledger(
        connect(settings),
        namespace=settings.namespace,
        keep_s=settings.outcome_retention_days * DAY_S,
        confirm_within_s=replica_timeout_s if Sentinels.named(settings) else None,
    )


def connect(settings: Settings) -> Redis:
    """A client for `redis://`, `rediss://`, `sentinel://` or `sentinels://`; it connects at the first command.

    A command is sent again once after a lost connection: every transition may be repeated, and longer outages
    are the callers' to wait for.
    """
    again = Retry(
        ExponentialWithJitterBackoff(base=0.05, cap=0.5), 1, supported_errors=(RedisConnectionError, RedisTimeoutError)
    )
    limit_s = settings.redis_timeout_s
    limits: dict[str, Any] = {"socket_timeout": limit_s, "socket_connect_timeout": limit_s}
    sentinels = Sentinels.named(settings)
    if sentinels is None:
        return Redis(retry=again, socket_keepalive=True, **redis_access.to_server(settings), **limits)
    certificates = redis_access.tls(settings)
    sentinel = Watching(  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        list(sentinels.hosts),
        sentinel_kwargs=redis_access.to_sentinels(settings, sentinels),
        socket_keepalive=True,
        retry=again,
        db=sentinels.database,
        ssl=bool(certificates),
        **limits,
        **sentinels.login,
        **certificates,
    )
    primary: Redis = sentinel.master_for(sentinels.master)  # type: ignore[no-untyped-call]  # as above
    return primary
