"""`anula demo` as a newcomer runs it, and broken off in the middle."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.support.waiting import wait_until
from worker.demo import examples

pytestmark = pytest.mark.e2e

SEED_CODES = (200, 500, 501, 601, 602, 603, 604, 605, 611, 620, 621, 623, 633, 204, 211, 213, -2, -3)


class Demo:
    """A running demo in a directory of its own; its descendants are known by a variable that they inherit."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self._mark = f"DEMO_TEST={uuid.uuid4().hex}"
        name, _, value = self._mark.partition("=")
        self.temporary = directory / "tmp"
        self.temporary.mkdir()
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from worker.cli.main import main; main()", "demo", *arguments],
            cwd=directory,
            env=os.environ | {name: value, "TMPDIR": str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def processes(self) -> dict[int, str]:
        """Everything that it has started and that still runs, itself left out: the command lines by process id."""
        found = {}
        for place in Path("/proc").glob("[0-9]*"):
            try:
                is_ours = self._is_ours(place)
                command = (place / "cmdline").read_bytes()
            except OSError:
                continue
            if is_ours and int(place.name) != self.process.pid:
                found[int(place.name)] = command.replace(b"\0", b" ").decode()
        return found

    def number_of(self, name: str) -> int:
        """The id of the process with this name in its command line."""
        return next(number for number, command in self.processes().items() if name in command)

    def _is_ours(self, place: Path) -> bool:
        """By the variable, or by the directory where it runs: Valkey writes its title over its variables."""
        in_ours = (place / "cwd").readlink().is_relative_to(self.temporary)
        return in_ours or self._mark.encode() in (place / "environ").read_bytes()


@pytest.fixture
def only_where_processes_can_be_listed():
    if not Path("/proc/self/environ").exists():
        pytest.skip("needs /proc")


def test_the_demo_shows_every_code_and_leaves_only_the_evidence(tmp_path, only_where_processes_can_be_listed):
    demo = Demo(tmp_path, "--json")

    output, story = demo.process.communicate(timeout=60)

    assert demo.process.returncode == 0, story
    shown = json.loads(output)
    assert {word for one in shown for layers in one["answers"] for word in layers} >= {str(code) for code in SEED_CODES}
    assert {one["document"] for one in shown} == set(examples.read(examples.folder()).expected)
    assert all(one["differences"] == [] for one in shown)
    saved = dict(re.findall(r"evidence of (\S+): (\S+) ", story))
    assert set(saved) == {"solucion-factible", "ns-bpe"}
    digests = {one["document"]: one["evidence_sha256"] for one in shown}
    for file in (tmp_path / name for name in saved.values()):
        assert hashlib.sha256(file.read_bytes()).hexdigest() == digests[file.stem]
    assert demo.processes() == {}
    assert list(demo.temporary.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_broken_off_leaves_nothing_behind(tmp_path, number, only_where_processes_can_be_listed):
    demo = in_the_middle(tmp_path)
    started = demo.processes()

    demo.process.send_signal(number)
    _, problem = demo.process.communicate(timeout=30)

    assert len(started) >= 3
    assert demo.process.returncode == 128 + number
    assert problem.splitlines() == ["anula: interrupted; everything that the demo had started is gone"]
    wait_until(lambda: demo.processes() == {}, what="the end of every process")
    assert list(demo.temporary.iterdir()) == []


def test_a_demo_whose_worker_dies_says_so_and_leaves_nothing_behind(tmp_path, only_where_processes_can_be_listed):
    demo = in_the_middle(tmp_path)

    os.kill(demo.number_of("celery"), signal.SIGKILL)
    _, problem = demo.process.communicate(timeout=30)

    assert demo.process.returncode == 1
    assert problem.startswith("anula: the worker ended by itself (status -9); its log ends: ")
    assert problem.count("\n") == 1
    wait_until(lambda: demo.processes() == {}, what="the end of every process")
    assert list(demo.temporary.iterdir()) == []


def in_the_middle(directory: Path) -> Demo:
    """A demo that has submitted everything and now follows."""
    demo = Demo(directory)
    assert demo.process.stdout is not None
    for line in demo.process.stdout:
        if line.startswith("Submitted"):
            break
    return demo
