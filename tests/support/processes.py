"""Processes as Linux tells of them, where there can be two at a time, and Ctrl-C."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

only_with_two_cores = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2,
    reason="a second process is started on Linux only, and where there is a core for it",
)


@contextmanager
def heeding_ctrl_c() -> Iterator[None]:
    """Whoever runs the tests in the background has their processes ignore SIGINT, and what they start inherits it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def state_of(pid: int) -> str:
    """R where it works, S where it waits; empty where it has ended, whether somebody has asked for its end or not."""
    found = _stat(Path(f"/proc/{pid}"))
    return found[0] if found and found[0] not in "ZX" else ""


def members_of(group: int) -> list[int]:
    """The processes of a process group that have not ended."""
    places = Path("/proc").glob("[0-9]*")
    return [int(place.name) for place in places if _stat(place)[2:3] == [str(group)] and state_of(int(place.name))]


def _stat(place: Path) -> list[str]:
    """State, parent, group and so on; nothing where the process is gone."""
    try:
        return (place / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
