"""One step of the dispatcher's round, kept from stopping the others and from filling the log."""

import time
from collections.abc import Callable, Iterator

import structlog
from redis.exceptions import RedisError

from config.problem import ConfigurationProblem
from worker.ledger.trouble import is_outage_of_all
from worker.outage import Outage
from worker.unavailable import pauses

log = structlog.get_logger(__name__)


class Step:
    """Does one thing. What goes wrong with it alone is logged once until it changes, and tried after growing pauses."""

    def __init__(self, name: str, does: Callable[[], int], outage: Outage) -> None:
        self.name = name
        self._does = does
        self._outage = outage
        self._told = ""
        self._pauses: Iterator[float] = pauses()
        self._again_at = 0.0

    def take(self) -> int | None:
        """How much was done; None where it failed, now or a moment ago.

        Raises:
            RedisError, OSError: an outage that is the same for every step.
            ConfigurationProblem: this worker must not go on.
        """
        if time.monotonic() < self._again_at:
            return None
        try:
            did = self._does()
        except ConfigurationProblem:
            raise
        except Exception as error:
            if is_outage_of_all(error):
                raise
            self._note(error)
            self._again_at = time.monotonic() + next(self._pauses)
            return None
        if self._again_at:
            self._again_at, self._told, self._pauses = 0.0, "", pauses()
            self._outage.over(self.name)
        return did

    def _note(self, error: Exception) -> None:
        """A refusal needs no traceback; anything else is a bug, and has one."""
        if isinstance(error, RedisError | OSError):
            self._outage.note(self.name, error)
        elif self._told != (words := f"{type(error).__name__}: {error}"):
            self._told = words
            log.error("dispatcher_step_failed", step=self.name, exc_info=error)
