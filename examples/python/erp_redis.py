"""The connection, and the names in it: from ANULA_REDIS_URL, ANULA_NAMESPACE and ANULA_REDIS_CA_FILE."""

import os
from typing import Any

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

URL = os.environ.get("ANULA_REDIS_URL", "redis://127.0.0.1:6379/0")
NAMESPACE = os.environ.get("ANULA_NAMESPACE", "anula")
CA_FILE = os.environ.get("ANULA_REDIS_CA_FILE")
REQUESTS = f"{NAMESPACE}:requests"
OUTCOMES = f"{NAMESPACE}:outcomes"


def connected() -> Any:
    """A client for `redis://` and `rediss://`; it connects with the first command.

    A command whose reply was lost is sent again, three times at most. protocol=2: replies have the same shape in every
    version of redis-py.
    """
    tls = {"ssl_ca_certs": CA_FILE} if CA_FILE and URL.startswith("rediss:") else {}
    retry = Retry(ExponentialBackoff(cap=1.0, base=0.1), 3)
    return redis.Redis.from_url(URL, decode_responses=True, protocol=2, socket_timeout=10.0, retry=retry, **tls)
