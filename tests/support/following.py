"""Someone who reads outcomes without end, in a thread."""

import threading
from collections.abc import Callable, Iterator

from worker.client import Published


class Following(threading.Thread):
    """Keeps what a client's endless iterator gives."""

    def __init__(self, outcomes: Callable[[], Iterator[Published]]) -> None:
        super().__init__(daemon=True)
        self._outcomes = outcomes
        self.got: list[str] = []
        self.start()

    def run(self) -> None:
        for one in self._outcomes():
            self.got.append(one["job"])
