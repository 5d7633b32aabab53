"""Two environments on one server: pub/sub is heard across its databases (docs/outcomes.md)."""

from collections.abc import Iterator
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from config.settings import Settings
from worker.check import Check, ok, warning
from worker.ledger.connect import connect
from worker.ledger.ledger import Ledger
from worker.ledger.records import text
from worker.ledger.trouble import is_outage_of_all

KEYS_LOOKED_AT = 20_000
"""In each database, for the names of other namespaces: a look at all of a large one would hold up the others."""
_AT_ONCE = 1_000


def check(settings: Settings, ledger: Ledger, environment: str) -> Check:
    """Whether namespaces of the other environment were found on this server, in any database."""
    others, unseen = list[str](), list[str]()
    own = int(ledger.redis.get_connection_kwargs().get("db") or 0)
    numbers = _numbers(ledger.redis)
    if numbers is None:
        unseen.append("other databases")
    for database in {own, *(numbers or ())}:
        redis = ledger.redis if database == own else connect(settings, database=database)
        try:
            others += (f"{name} in database {database}" for name in _of_another(redis, ledger.namespace, environment))
        except RedisError as error:
            if is_outage_of_all(error):
                raise
            unseen.append(f"other namespaces in database {database}")
        finally:
            if redis is not ledger.redis:
                redis.close()
    if others:
        found = f"this one is of {environment}, and of another are: {', '.join(others)}"
        remedy = "give each environment a server of its own: what is published is heard in all databases of one"
        return warning("environments", found, remedy)
    hidden = f"; not allowed to see: {', '.join(unseen)}" if unseen else ""
    return ok("environments", f"no namespace of another was found{hidden}")


def _numbers(redis: Redis) -> list[int] | None:
    """The databases that hold keys; None where this user may not ask."""
    try:
        keyspace: Any = redis.info("keyspace")
    except RedisError as error:
        if is_outage_of_all(error):
            raise
        return None
    return sorted(int(name.removeprefix("db")) for name in keyspace if name.startswith("db"))


def _of_another(redis: Any, namespace: str, environment: str) -> list[str]:
    """Namespaces of another environment: the one of this name, and those among the first keys."""
    names = {f"{namespace}:meta", *_meta_keys(redis)}
    return sorted(name.removesuffix(":meta") for name in names if _environment(redis, name) not in {None, environment})


def _meta_keys(redis: Any) -> Iterator[str]:
    cursor = 0
    for _ in range(KEYS_LOOKED_AT // _AT_ONCE):
        cursor, found = redis.scan(cursor, match="*:meta", count=_AT_ONCE)
        yield from (one.decode(errors="replace") for one in found)
        if not cursor:
            return


def _environment(redis: Any, meta: str) -> str | None:
    try:
        found = redis.hget(meta, "environment")
    except RedisError as error:
        if is_outage_of_all(error):
            raise
        return None
    return text(found) if found in {b"test", b"production"} else None
