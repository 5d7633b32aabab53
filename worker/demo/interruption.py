"""Ctrl-C and SIGTERM as one exception, which never falls between starting a process and noting it down."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody wants the demo to end now.

    Attributes:
        status: The exit status that shells give to a process ended by the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


class Interruption:
    """While the context lasts, the signals that ask a process to end raise `Interrupted` in the main thread."""

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Any] = {}
        self._holds = 0
        self._asked: int | None = None

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._asked = number
        if not self._holds:
            raise Interrupted(number)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let the block come to its end first.

        Raises:
            Interrupted: after the block, if it was asked for meanwhile.
        """
        asked_before = self._asked
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
        if self._asked and not asked_before and not self._holds:
            raise Interrupted(self._asked)
