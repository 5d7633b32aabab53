"""Outcomes, read in three ways with redis-py: on from an id, as a consumer of a group, from the channel."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
from erp_outcome import handle
from erp_redis import OUTCOMES, connected
from redis.exceptions import NoPermissionError

USAGE = """usage: {0} since FILE                       on from the id in FILE, which is kept up to date
       {0} group GROUP CONSUMER [SECONDS]   share with the group; take over what another left for so long (60)
       {0} channel                          what is published from now on"""
PAGE = 10  # ten outcomes must be handled well within the time after which another consumer takes them over
PASSING = {
    *("BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MISCONF", "NOPERM", "NOREPLICAS", "OOM", "READONLY"),
    *("TRYAGAIN", "UNBLOCKED", "NOGROUP"),  # a group that is gone is made anew
}
BLOCK_MS = 2_000  # shorter than the client's own time limit for a reply
LONGEST_PAUSE_S = 5.0


def read_since(client: Any, file: Path) -> None:
    """Every outcome after the id in the file; an outcome counts as handled when its id stands there.

    One that cannot be handled ends the program, which then begins with it the next time.
    """
    position = file.read_text().strip() if file.exists() else "0-0"
    while True:
        for entry_id, fields in _entries(client.xread({OUTCOMES: position}, count=PAGE, block=BLOCK_MS)):
            handle(json.loads(fields["outcome"]))
            _replace(file, entry_id)
            position = entry_id


def _replace(file: Path, text: str) -> None:
    """In one step: a crash leaves the old text or the new one."""
    beside = file.with_suffix(".new")
    beside.write_text(text)
    beside.replace(file)


def read_in_group(client: Any, group: str, consumer: str, take_over_after_s: float) -> None:
    """What falls to this consumer: what it was given before, then what others have left, and what is new."""
    found_group(client, group)
    position = "0-0"
    while page := _entries(client.xreadgroup(group, consumer, {OUTCOMES: position}, count=PAGE)):
        _handle_page(client, group, page)
        position = page[-1][0]
    take_over_at = 0.0
    while True:
        if time.monotonic() >= take_over_at:
            take_over(client, group, consumer, take_over_after_s)
            take_over_at = time.monotonic() + take_over_after_s / 2
        new = client.xreadgroup(group, consumer, {OUTCOMES: ">"}, count=PAGE, block=BLOCK_MS)
        _handle_page(client, group, _entries(new))


def found_group(client: Any, group: str) -> None:
    """A new group begins with the oldest outcome that is kept (0), so that none is left out; $ would begin now."""
    try:
        client.xgroup_create(OUTCOMES, group, id="0", mkstream=True)
    except NoPermissionError:  # then an operator makes the groups
        pass
    except redis.ResponseError as problem:
        if not str(problem).startswith("BUSYGROUP"):  # it is there
            raise


def take_over(client: Any, group: str, consumer: str, idle_s: float) -> None:
    """Handle what was given to any consumer longer ago than that, and was not acknowledged."""
    cursor = "0-0"
    while True:
        cursor, entries, *_ = client.xautoclaim(OUTCOMES, group, consumer, int(idle_s * 1000), cursor, count=PAGE)
        _handle_page(client, group, entries)
        if cursor == "0-0":
            return


def _handle_page(client: Any, group: str, entries: Any) -> None:
    """Each is acknowledged once it was handled; one that could not be stays, and comes again by `take_over`."""
    for entry_id, fields in entries:
        try:
            if fields:
                handle(json.loads(fields["outcome"]))
            elif entry_id:
                sys.stderr.write(f"{entry_id} was removed by age before it was handled: see `anula jobs`\n")
        except Exception as problem:  # noqa: BLE001 - whatever is wrong with one must not hold up the next
            sys.stderr.write(f"{entry_id} is not handled yet: {problem!r}\n")
        else:
            if entry_id:
                client.xack(OUTCOMES, group, entry_id)


def read_channel(client: Any) -> None:
    """What is published while this program listens, for a screen: what comes in between two connections is missed."""
    with client.pubsub(ignore_subscribe_messages=True) as subscription:
        subscription.subscribe(OUTCOMES)
        while True:
            message = subscription.get_message(timeout=BLOCK_MS / 1000)
            if message:
                handle(json.loads(message["data"]))


def _entries(reply: Any) -> Any:
    """Those of the one stream that was read."""
    return reply[0][1] if reply else []


def _chosen() -> Callable[[Any], None]:
    match sys.argv[1:]:
        case ["since", file]:
            return lambda client: read_since(client, Path(file))
        case ["group", group, consumer, *seconds] if len(seconds) <= 1:
            return lambda client: read_in_group(client, group, consumer, float(seconds[0]) if seconds else 60.0)
        case ["channel"]:
            return read_channel
    sys.stderr.write(USAGE.format(sys.argv[0]) + "\n")
    sys.exit(2)


def passes(problem: Exception) -> bool:
    """Whether Redis is away or refuses for now: a failover, a restart, a full disk, a right that is being changed."""
    if isinstance(problem, redis.ConnectionError | redis.TimeoutError):
        return True  # refused logins too: a password is being changed
    word = getattr(problem, "status_code", None) or str(problem).partition(" ")[0]
    return isinstance(problem, redis.ResponseError) and word in PASSING


def main() -> int:
    """Read without end; while Redis is away or refuses, try again after pauses of 0.5 to 5 seconds."""
    read, told, pause_s, tried_at = _chosen(), "", 0.5, 0.0
    while True:
        client = connected()  # a new connection finds the server that is the primary now
        try:
            tried_at = time.monotonic()
            read(client)
        except (redis.RedisError, OSError, ValueError, KeyError) as problem:
            if not passes(problem):
                sys.stderr.write(f"stopped: {problem!r}\n")
                return 1
            if time.monotonic() - tried_at > LONGEST_PAUSE_S:  # it has worked in between
                told, pause_s = "", 0.5
            if told != (told := str(problem)):
                sys.stderr.write(f"Redis does not serve, trying again: {problem}\n")
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        except KeyboardInterrupt:
            return 130
        finally:
            client.close()


if __name__ == "__main__":
    sys.exit(main())
