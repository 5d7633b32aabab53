"""The door through which Celery wakes up a job: one call to its provider."""

from typing import Any

import structlog
from celery.exceptions import Retry
from kombu.exceptions import OperationalError

from worker import bootstrap
from worker.app import app
from worker.ledger.records import Begun
from worker.run import Parked

log = structlog.get_logger(__name__)


class Waiting(Exception):
    """What Flower shows beside a retry: why the job waits."""


@app.task(bind=True, name="anula.cancel")
def cancel(self: Any, *, job: str, token: int) -> str:
    """Make the call that was released under `token`; its result is for operators to read, never a record.

    Raises:
        Retry: the job was parked, so that Flower shows it as waiting; nothing is published, the ledger wakes it again.
    """

    def show_new_run(begun: Begun) -> None:
        """After an earlier run's success, Flower shows the next one only once a retry has reset its row."""
        if begun.record.run > 1 and begun.record.calls == 1:
            try:
                self.send_event("task-retried", exception=f"run {begun.record.run}", traceback="", retry=False)
            except OperationalError:
                log.warning("event_not_sent", job=job)

    step = bootstrap.parts().runner.run(job, token, on_begin=show_new_run)
    if isinstance(step, Parked):
        raise Retry(str(step), exc=Waiting(str(step)), when=step.wait_s)
    return str(step)
