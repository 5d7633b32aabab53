"""How a worker process leaves: whoever asks it, calls under way get the same time to hand in their answers."""

import os
import threading
import time
from typing import Any

from celery.apps.worker import install_worker_term_handler

GRACE_S = 20.0
"""How long calls under way may take to end once the worker is told to leave; what is left then is left to its lease."""
_SIGNALS = ("SIGTERM", "SIGINT", "SIGQUIT")


class LastResort(threading.Thread):
    """Ends the process `GRACE_S` after `begin`. It is started with the worker, because later no thread may be left."""

    def __init__(self, worker: Any) -> None:
        super().__init__(name="last-resort", daemon=True)
        self._worker = worker
        self._begun = threading.Event()

    def begin(self) -> None:
        """Count from now on; a repeat changes nothing."""
        self._begun.set()

    def run(self) -> None:
        """Wait to be begun, then for the calls to end."""
        self._begun.wait()
        time.sleep(GRACE_S)
        if self._worker.pidlock:
            self._worker.pidlock.release()
        os._exit(0)


def take_over_signals(worker: Any) -> None:
    """Answer every signal that asks for an end, and its repeats, as Celery answers SIGTERM.

    Celery's cold shutdown (SIGQUIT, a second Ctrl-C, SIGTERM with REMAP_SIGTERM) would abandon calls under way.
    """
    for name in _SIGNALS:
        install_worker_term_handler(worker, sig=name, how="Warm", callback=None, exitcode=os.EX_OK)
