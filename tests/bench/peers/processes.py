"""What processes have used so far, children included, as the kernel counts it."""

import os
from collections import defaultdict
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_s(pid: int) -> float:
    """CPU seconds of a process, of those that it started, and of theirs."""
    total = 0.0
    for one in family(pid):
        fields = _stat(one)
        total += (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND if fields else 0.0
    return total


def rss_mib(pid: int) -> float:
    """Resident memory of the same processes; pages that they share are counted for each."""
    return sum(int(fields[21]) for one in family(pid) if (fields := _stat(one))) * PAGE / 2**20


def family(pid: int) -> list[int]:
    """A process and its descendants that are alive."""
    children = defaultdict[int, list[int]](list)
    for place in Path("/proc").glob("[0-9]*"):
        fields = _stat(int(place.name))
        if fields:
            children[int(fields[1])].append(int(place.name))
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += children[one]
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the command's name; empty where the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
