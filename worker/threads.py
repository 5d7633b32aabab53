"""The threads of a worker's pool, started with it: a limit is found then, and not in the middle of a job."""

import threading
from concurrent.futures import ThreadPoolExecutor

from config.problem import ConfigurationProblem


def start_all(executor: ThreadPoolExecutor, count: int) -> None:
    """Start all `count` threads of a pool, which would start each one only when it is needed.

    Raises:
        ConfigurationProblem: there cannot be so many.
    """
    all_there = threading.Event()
    started = 0
    try:
        for _ in range(count):
            executor.submit(all_there.wait)  # every thread is busy with this one, so the next call needs another
            started += 1
    except RuntimeError:
        raise _too_few(f"only {started} of {count} threads") from None
    finally:
        all_there.set()


def start(thread: threading.Thread) -> None:
    """Start one thread.

    Raises:
        ConfigurationProblem: there cannot be one more.
    """
    try:
        thread.start()
    except RuntimeError:
        raise _too_few("not all threads") from None


def _too_few(started: str) -> ConfigurationProblem:
    return ConfigurationProblem(
        f"{started} could be started: a limit of the user, the container or the service is too low (ulimit -u, "
        "pids.max, TasksMax, memory); raise it, or start the worker with a lower --concurrency"
    )
