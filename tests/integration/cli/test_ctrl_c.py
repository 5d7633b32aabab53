"""Ctrl-C ends every command without a traceback, however early or late it comes."""

import os
import subprocess
import sys

import pytest

from tests.support.processes import heeding_ctrl_c

pytestmark = pytest.mark.integration

WHILE_IMPORTING = """
import os, signal, sys
class CtrlC:
    def find_spec(self, name, path=None, target=None):
        if name == WANTED:
            print("pressed", flush=True)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, CtrlC())
"""
AT_THE_END = """
import atexit, os, signal
atexit.register(lambda: (print("pressed", flush=True), os.kill(os.getpid(), signal.SIGINT)))
"""
ANULA = "from worker.cli.main import main; main()"


def ended(program, *arguments, environment):
    with heeding_ctrl_c():
        return subprocess.run(
            [sys.executable, "-c", program, *arguments],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.mark.parametrize(
    "arguments, module",
    [
        (["jobs"], "worker.name_collision"),
        (["jobs"], "typer"),
        (["jobs"], "worker.cli.jobs"),
        (["jobs"], "redis"),
        (["jobs"], "pydantic_core"),
        (["doctor"], "zeep"),
        (["import", "--help"], "rich.panel"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_ctrl_c_while_a_command_is_loaded_shows_no_traceback(deployment, arguments, module):
    program = f"WANTED = {module!r}{WHILE_IMPORTING}{ANULA}"

    done = ended(program, *arguments, environment=deployment.environment())

    assert "pressed" in done.stdout
    assert done.stderr == ""
    assert done.returncode in (-2, 130)


def test_ctrl_c_after_the_last_word_shows_no_traceback(deployment):
    done = ended(AT_THE_END + ANULA, "--version", environment=deployment.environment())

    assert (done.returncode, done.stderr) == (-2, "")


def test_where_ctrl_c_is_ignored_it_stays_so(deployment):
    program = f"import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nWANTED = 'typer'{WHILE_IMPORTING}{ANULA}"

    done = ended(program, "--version", environment=deployment.environment())

    assert (done.returncode, done.stderr) == (0, "")
