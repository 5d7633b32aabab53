"""The Redis server: version, persistence, eviction, memory, clock, replicas (docs/redis.md)."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from redis.exceptions import ResponseError

from worker.check import Check, failed, ok, warning
from worker.ledger.admitting import FREE_MEMORY_AT_LEAST

OLDEST = (6, 2)
CLOCK_WARNING_S = 3.0
CLOCK_FAILURE_S = 120.0
"""An event may be dated at most 5 minutes ahead; this leaves room for the provider's own error."""
MEMORY_WARNING = 0.25
LEAST_CONNECTIONS = 9
WORKER_CONNECTIONS = 40
"""Of one worker with the Procfile's options: with fewer it makes no calls, and it takes no more (docs/redis.md)."""
_READ = ("appendfsync", "save", "maxmemory-policy", "maxclients")


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says about itself.

    Attributes:
        settings: Some of CONFIG GET; None where it is not allowed, as on many managed servers.
        clock_ahead_s: How much later its clock is than this machine's.
    """

    info: Mapping[str, Any]
    settings: Mapping[str, str] | None
    clock_ahead_s: float


def read(redis: Any, clock: Callable[[], float] = time.time) -> Server:
    """Ask the server."""
    before = clock()
    seconds, micros = redis.time()
    middle = (before + clock()) / 2
    try:
        info = redis.info()
    except ResponseError:
        info = {}
    return Server(info, _settings(redis), seconds + micros / 1e6 - middle)


def _settings(redis: Any) -> Mapping[str, str] | None:
    found: dict[str, str] = {}
    try:
        for name in _READ:  # 6.2 takes one name at a time
            found |= {_text(key): _text(value) for key, value in redis.config_get(name).items()}
    except ResponseError:
        return None
    return found


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def checks(server: Server, *, is_under_sentinel: bool) -> Iterator[Check]:
    """One for each thing that has to be right with the server."""
    if server.info:
        yield version(server)
        yield persistence(server)
        yield eviction(server)
        yield memory(server)
        yield connections(server)
        if is_under_sentinel:
            yield replicas(server)
    else:
        remedy = "allow INFO (docs/redis.md, user operator), or look there yourself"
        yield warning("server", "version, persistence and memory cannot be seen: INFO is not allowed", remedy)
    yield clock(server)


def version(server: Server) -> Check:
    """At least the oldest version that has every command we use."""
    said = str(server.info.get("redis_version", "?"))
    name = f"{server.info.get('server_name', 'redis')} {server.info.get('valkey_version', said)}"
    numbers = tuple(int(part) for part in said.split(".")[:2] if part.isdigit())
    if len(numbers) < len(OLDEST):
        return warning("version", f"{name}: not a version number", "make sure that it speaks Redis 6.2 or newer")
    if numbers < OLDEST:
        return failed("version", f"{name} is too old", "run Redis 6.2 or newer, or Valkey")
    return ok("version", name)


def persistence(server: Server) -> Check:
    """What was acknowledged survives a crash of the server."""
    info, settings = server.info, server.settings
    takes_snapshots = bool(settings and settings.get("save", "").strip())
    broken = info.get("aof_last_write_status") == "err" or (
        info.get("rdb_last_bgsave_status") == "err" and (takes_snapshots or settings is None)
    )
    if broken:
        return failed("persistence", "the last write to the disk failed", "see the server's log: is the disk full?")
    has_file = bool(info.get("aof_enabled"))
    if settings is None:
        if "aof_enabled" not in info:
            return warning("persistence", "cannot be seen: INFO does not tell, CONFIG GET is not allowed", _APPEND)
        kind = "append-only file" if has_file else "no append-only file"
        found = f"{kind}; the rest cannot be seen: CONFIG GET is not allowed"
        return warning("persistence", found, _APPEND)
    if not has_file and not takes_snapshots:
        return failed("persistence", "nothing is kept: a restart loses every job", f"set {_APPENDING}")
    if not has_file:
        return warning("persistence", "snapshots only: a crash loses what came after the last one", f"set {_APPENDING}")
    if settings.get("appendfsync") != "always":
        found = f"append-only file, appendfsync {settings.get('appendfsync')}: a crash loses up to a second"
        return warning("persistence", found, "set appendfsync always")
    return ok("persistence", "append-only file, appendfsync always")


_APPENDING = "appendonly yes and appendfsync always"
_APPEND = f"make sure of {_APPENDING}"


def eviction(server: Server) -> Check:
    """No job is deleted to make room."""
    policy = (server.settings or {}).get("maxmemory-policy") or server.info.get("maxmemory_policy")
    if policy is None:
        return warning("eviction", "maxmemory-policy cannot be seen", "make sure that it is noeviction")
    if policy != "noeviction":
        found = f"maxmemory-policy {policy} deletes jobs when memory runs short"
        return failed("eviction", found, "set maxmemory-policy noeviction")
    return ok("eviction", "maxmemory-policy noeviction")


def memory(server: Server) -> Check:
    """There is room for more jobs."""
    used, limit = int(server.info.get("used_memory", 0)), int(server.info.get("maxmemory", 0))
    if not limit:
        found = f"{_size(used)} used, no limit: the machine may end the server"
        return warning("memory", found, "set maxmemory (docs/redis.md tells how much)")
    free = max(0.0, 1 - used / limit)
    found = f"{_size(used)} of {_size(limit)} used, {free:.0%} free"
    remedy = "raise maxmemory, or keep outcomes shorter (ANULA_OUTCOME_RETENTION_DAYS)"
    if free < FREE_MEMORY_AT_LEAST:
        return failed("memory", f"{found}: nothing is admitted", remedy)
    if free < MEMORY_WARNING:
        return warning("memory", f"{found}; below {FREE_MEMORY_AT_LEAST:.0%} nothing is admitted", remedy)
    return ok("memory", found)


def connections(server: Server) -> Check:
    """There are connections for the workers."""
    limit = int((server.settings or {}).get("maxclients") or server.info.get("maxclients", 0))
    if not limit:
        remedy = f"make sure of {WORKER_CONNECTIONS} connections for each worker"
        return warning("connections", "maxclients cannot be seen", remedy)
    used = int(server.info.get("connected_clients", 0))
    found = f"{used} of {limit} in use (maxclients)"
    remedy = f"raise maxclients: {WORKER_CONNECTIONS} for each worker, and those of producers and consumers"
    if limit <= LEAST_CONNECTIONS:
        return failed("connections", f"{found}: a worker needs {LEAST_CONNECTIONS}, and others some", remedy)
    if limit - used < WORKER_CONNECTIONS:
        return warning("connections", f"{found}; one more worker takes up to {WORKER_CONNECTIONS}", remedy)
    return ok("connections", found)


def clock(server: Server) -> Check:
    """Events are dated by the server's clock, waits and deadlines go by it."""
    ahead_s = server.clock_ahead_s
    found = f"Redis is {abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} this machine"
    remedy = "keep both clocks in step (NTP)"
    if abs(ahead_s) >= CLOCK_FAILURE_S:
        return failed("clock", f"{found}: events would be dated wrongly and refused", remedy)
    if abs(ahead_s) >= CLOCK_WARNING_S:
        return warning("clock", found, remedy)
    return ok("clock", found)


def replicas(server: Server) -> Check:
    """Under Sentinel: somebody could take over."""
    count = int(server.info.get("connected_slaves", 0))
    if not count:
        found = "no replica is connected: submissions by client and command line are refused"
        return failed("replicas", found, "start a replica")
    if count == 1:
        found = "one replica: from a failover until the other server is back, submissions are refused"
        return warning("replicas", found, "run two")
    return ok("replicas", f"{count} connected")


def _size(count: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count / 1e3:.0f} KB"
