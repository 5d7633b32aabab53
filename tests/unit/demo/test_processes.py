import os
import signal
import sys

import pytest

from worker.demo import processes
from worker.demo.interruption import Interrupted, Interruption

STUBBORN = (
    "import signal, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('up', flush=True)\n"
    "while True: time.sleep(1)"
)


def test_a_process_that_will_not_leave_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "LEAVE_WITHIN_S", 0.2)
    child = processes.start("stubborn", (sys.executable, "-c", STUBBORN), directory=tmp_path, environment={})
    processes.wait_for(child, child.log.read_text, limit_s=10)

    child.ask_to_leave()
    child.wait_or_kill()

    assert child.process.returncode == -signal.SIGKILL


def test_a_process_that_ends_by_itself_is_told_with_the_end_of_its_log(tmp_path):
    command = (sys.executable, "-c", "import sys; sys.exit('no accounts')")
    child = processes.start("worker", command, directory=tmp_path, environment={})

    with pytest.raises(processes.NotUp, match=r"^the worker ended by itself \(status 1\); its log ends: no accounts$"):
        processes.wait_for(child, lambda: False, limit_s=10)


def test_a_process_that_does_not_come_up_is_told(tmp_path):
    child = processes.start("sandbox", (sys.executable, "-c", STUBBORN), directory=tmp_path, environment={})

    with pytest.raises(processes.NotUp, match=r"^the sandbox did not come up within 0.1 s"):
        processes.wait_for(child, lambda: False, limit_s=0.1)
    os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()


def test_a_signal_within_a_held_block_counts_after_it():
    done = []

    def interrupted_while_it_holds():
        with Interruption() as interruption, interruption.held():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("the block's end")

    with pytest.raises(Interrupted):
        interrupted_while_it_holds()
    assert done


def test_a_second_signal_does_not_disturb_the_cleaning_up():
    done = []

    def interrupted_twice():
        with Interruption() as interruption:
            try:
                os.kill(os.getpid(), signal.SIGINT)
            finally:
                with interruption.held():
                    os.kill(os.getpid(), signal.SIGINT)
                    done.append("cleaned up")

    with pytest.raises(Interrupted):
        interrupted_twice()
    assert done
