"""Processes that end with the demo: started in a group of their own, asked to leave, waited for, killed by id."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LEAVE_WITHIN_S = 6.0
_LAST_LINES = 5
_LOOK_EVERY_S = 0.05


class NotUp(Exception):
    """A process did not come up, or ended before its time; the message is one line with the end of its log."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running process and its log."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def ask_to_leave(self) -> None:
        """SIGTERM to it and its group, if it has not ended."""
        self._signal(signal.SIGTERM)

    def wait_or_kill(self) -> None:
        """Wait until it has ended; SIGKILL when it takes too long."""
        try:
            self.process.wait(LEAVE_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self.is_running:
            os.killpg(self.process.pid, number)

    def last_lines(self) -> str:
        """The end of its log, on one line."""
        lines = self.log.read_text(errors="replace").splitlines()
        said = [line.strip() for line in lines if line.strip()][-_LAST_LINES:]
        return " | ".join(said) or "(its log is empty)"


def start(name: str, command: Sequence[str], *, directory: Path, environment: Mapping[str, str]) -> Child:
    """Start a process whose output goes to `<name>.log` in `directory`, which is also where it runs."""
    log = directory / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the demo's own commands
            command,
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Child(name, process, log)


def wait_for(child: Child, is_up: Callable[[], object], *, limit_s: float) -> None:
    """Wait until `is_up` says so.

    Raises:
        NotUp: the process has ended, or the time is over.
    """
    end_at = time.monotonic() + limit_s
    while not is_up():
        make_sure_of([child])
        if time.monotonic() >= end_at:
            raise NotUp(f"the {child.name} did not come up within {limit_s:g} s; its log ends: {child.last_lines()}")
        time.sleep(_LOOK_EVERY_S)


def make_sure_of(children: Sequence[Child]) -> None:
    """Make sure that all of them still run.

    Raises:
        NotUp: one has ended.
    """
    for child in children:
        if not child.is_running:
            status = child.process.returncode
            raise NotUp(f"the {child.name} ended by itself (status {status}); its log ends: {child.last_lines()}")
