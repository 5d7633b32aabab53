"""Runs whose outcome somebody waits for: a few in memory, or a million elsewhere."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

Run = tuple[str, int]
"""Job and number of the run."""
PAGE = 500


class Awaited(Protocol):
    """Runs whose outcome is not there yet."""

    def __len__(self) -> int:
        """How many are left."""

    def settle(self, job: str, run: int) -> bool:
        """Wait for this one no longer; whether it was waited for."""

    def pages(self) -> Iterator[Sequence[Run]]:
        """Those that are left, some at a time; settling some meanwhile makes no other be skipped."""


class AwaitedRuns:
    """Runs held in memory."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._left = set(runs)

    def __len__(self) -> int:
        """How many are left."""
        return len(self._left)

    def settle(self, job: str, run: int) -> bool:
        """Wait for this one no longer; whether it was waited for."""
        is_awaited = (job, run) in self._left
        self._left.discard((job, run))
        return is_awaited

    def pages(self) -> Iterator[Sequence[Run]]:
        """Those that are left, some at a time."""
        runs = iter(sorted(self._left))
        while page := list(islice(runs, PAGE)):
            yield page
