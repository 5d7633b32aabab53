"""The Lua scripts, one for each transition, and how they are called."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from redis import Redis
from redis.client import Pipeline
from redis.commands.core import Script

NAMES = (
    "admit",
    "begin",
    "elsewhere",
    "enroll",
    "expire",
    "finish",
    "hand_back",
    "heed",
    "park",
    "peek",
    "read",
    "refuse",
    "register",
    "release",
    "resume",
    "retry",
    "revoke",
    "suspend",
    "visit",
)

SHARED = ("basics", "submissions", "packed", "records", "schedule", "circuit", "accounts", "runs", "ways_in")
"""What stands in front of every script, in this order."""
ALSO: Mapping[str, tuple[str, ...]] = {"release": ("picking",)}
"""What stands between these and one script alone."""


@cache
def source(name: str) -> str:
    """The text of one script, with what all share in front."""
    folder = files("worker.ledger") / "lua"
    parts = [*(folder / "shared" / f"{part}.lua" for part in (*SHARED, *ALSO.get(name, ()))), folder / f"{name}.lua"]
    return "\n".join(part.read_text() for part in parts)


class Scripts:
    """The scripts, bound to one namespace of one server."""

    def __init__(self, redis: Redis, namespace: str) -> None:
        self._keys = [f"{namespace}:meta"]
        self._scripts: dict[str, Script] = {name: redis.register_script(source(name)) for name in NAMES}

    def call(self, name: str, *args: str | bytes | float, pipeline: Pipeline | None = None) -> Any:
        """Run one script, or add it to `pipeline`. Its header names arguments and reply."""
        return self._scripts[name](keys=self._keys, args=args, client=pipeline)
