"""A pool has all its threads from the start."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from config.problem import ConfigurationProblem
from worker import threads


def test_all_threads_of_a_pool_are_started_and_free():
    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="of-this-test") as executor:
        threads.start_all(executor, 8)

        names = {thread.name for thread in threading.enumerate() if thread.name.startswith("of-this-test")}
        meeting = threading.Barrier(8)
        met = [executor.submit(meeting.wait, 10) for _ in range(8)]

        assert len(names) == 8
        assert sorted(one.result() for one in met) == list(range(8))


def test_one_thread_that_cannot_be_started_is_told():
    class NoMore(threading.Thread):
        """A thread on a machine that has no more of them."""

        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    with pytest.raises(ConfigurationProblem, match=r"^not all threads could be started: a limit"):
        threads.start(NoMore())
