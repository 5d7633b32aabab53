"""From a Redis URL to a client."""

from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry
from redis.sentinel import Sentinel

UNAVAILABLE = (RedisError, OSError)
"""What a client raises while Redis cannot serve: away, loading, full, or answering with an error."""


def connect(url: str, *, timeout_s: float) -> Redis:
    """A client for `redis://`, `rediss://` or `sentinel://`; it connects at the first command.

    A command is sent again once after a lost connection: every transition may be repeated, and longer outages
    are the callers' to wait for.
    """
    again = Retry(
        ExponentialWithJitterBackoff(base=0.05, cap=0.5), 1, supported_errors=(RedisConnectionError, RedisTimeoutError)
    )
    if not url.startswith("sentinel://"):
        client: Redis = Redis.from_url(
            url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=again, socket_keepalive=True
        )
        return client
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2].split(",")
    master, _, database = parts.path.strip("/").partition("/")
    sentinel = Sentinel(  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        [_address(host) for host in hosts],
        sentinel_kwargs={"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s},
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        socket_keepalive=True,
        retry=again,
        db=int(database or 0),
        username=parts.username,
        password=parts.password,
    )
    primary: Redis = sentinel.master_for(master)  # type: ignore[no-untyped-call]  # as above
    return primary


def _address(host: str) -> tuple[str, int]:
    name, _, port = host.partition(":")
    return name, int(port or 26379)
