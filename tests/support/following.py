"""Someone who reads outcomes without end, in a thread that ends with the test."""

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from worker.client import Published

END_LIMIT_S = 30.0


class Following(threading.Thread):
    """Keeps what a client's endless iterator gives."""

    def __init__(self, outcomes: Callable[[], Iterator[Published]]) -> None:
        super().__init__(daemon=True)
        self._outcomes = outcomes
        self.got: list[str] = []

    def run(self) -> None:
        with suppress(SystemExit):
            for one in self._outcomes():
                self.got.append(one["job"])

    def end(self) -> None:
        """End it from outside: whoever follows asks nobody whether to stop."""
        assert self.ident is not None
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.ident), ctypes.py_object(SystemExit))
        self.join(END_LIMIT_S)
        assert not self.is_alive()


@contextmanager
def following(outcomes: Callable[[], Iterator[Published]]) -> Iterator[Following]:
    """A follower, until the end of the block."""
    one = Following(outcomes)
    one.start()
    try:
        yield one
    finally:
        one.end()
