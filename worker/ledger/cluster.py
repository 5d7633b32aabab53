"""Redis Cluster is refused: the scripts need all keys of a namespace on one server (docs/redis.md)."""

from typing import Any

from redis.exceptions import RedisError

from config.problem import ConfigurationProblem
from worker.ledger.trouble import code, is_outage_of_all

_SAYS_CLUSTER = frozenset({"CROSSSLOT", "MOVED", "ASK"})
"""Words that only a node of a cluster says. CLUSTERDOWN is another: it may pass, and is waited for as an outage."""
CLUSTER = (
    "Redis Cluster does not work with Anula, whose keys belong together: set ANULA_REDIS_URL to a single server, "
    "or to a primary behind Sentinel"
)


def refuse_cluster(redis: Any, namespace: str) -> None:
    """Make sure that this is not a node of a cluster; a user without INFO is told by what keys in two slots lead to.

    Raises:
        ConfigurationProblem: it is one.
    """
    mode = _mode(redis)
    if mode == "cluster" or (mode is None and _behaves_as_cluster(redis, namespace)):
        raise ConfigurationProblem(CLUSTER)


def _mode(redis: Any) -> str | None:
    """What the server says it is; None where this user may not ask, or it does not say."""
    try:
        found = redis.info("server").get("redis_mode")
    except RedisError as error:
        if is_outage_of_all(error):
            raise
        return None
    return None if found is None else str(found)


def _behaves_as_cluster(redis: Any, namespace: str) -> bool:
    try:
        redis.exists(*(f"{namespace}:{name}" for name in ("meta", "requests", "outcomes", "open")))
    except RedisError as error:
        if code(error) not in _SAYS_CLUSTER and is_outage_of_all(error):
            raise
        return code(error) in _SAYS_CLUSTER
    return False
