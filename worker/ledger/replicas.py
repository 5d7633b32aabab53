"""Under Sentinel: what must not be lost stands on a replica before it counts (docs/redis.md, docs/adr/0006)."""

import logging
from collections.abc import Sequence
from typing import Any

from redis.client import Pipeline
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


class NotReplicated(RedisError):
    """The primary has it, but no replica said so in time: a failover now would forget it. Repeating is safe."""


class Replicas:
    """Waits for one replica, behind what a pipeline writes.

    WAIT counts what its own connection has written. A repeat of a transition writes nothing, and may come on another
    connection; so each wait is for a mark of its own, which stands behind everything that was written before it.
    """

    def __init__(self, mark_key: str, limit_s: float) -> None:
        self._mark_key = mark_key
        self._limit_s = limit_s
        self._are_missing = False

    def wait(self, pipeline: Pipeline) -> None:
        """Add the wait to `pipeline`, as its last command."""
        pipeline.hincrby(self._mark_key, "mark", 1)
        pipeline.execute_command("WAIT", 1, round(self._limit_s * 1000))  # type: ignore[no-untyped-call]  # redis-py

    def check(self, replies: Sequence[Any]) -> None:
        """Look at the pipeline's replies.

        Raises:
            NotReplicated: no replica has confirmed it in time.
        """
        if int(replies[-1]) < 1:
            raise NotReplicated(f"no replica has confirmed the write within {self._limit_s:g} s")
        if self._are_missing:
            self._are_missing = False
            log.warning("replicas confirm again")

    def note(self, problem: NotReplicated) -> None:
        """Say once, until they are back, that the replicas are missing."""
        if not self._are_missing:
            self._are_missing = True
            log.warning("%s: until one is back, a failover would lose what is done now", problem)
