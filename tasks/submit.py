"""The door for Python producers that use Celery: `submit.delay(request={...})` puts a request on the intake queue.

The queue is read by the dispatcher (`worker.intake`), not by Celery's consumer. The body below runs only for a message
that was sent to the workers' own queue by mistake: it moves to the intake queue under its own id, so that there it is
admitted or refused, once, as if it had been sent there. Until then it is as safe as anything on that queue: a worker
that is killed at that moment loses it.
"""

from typing import Any

from worker.app import app

FOR_EVER: dict[str, Any] = {"max_retries": None, "interval_start": 0.1, "interval_step": 0.2, "interval_max": 2.0}
"""A message in hand waits for Redis."""


@app.task(bind=True, name="anula.submit")
def submit(self: Any, *args: Any, **kwargs: Any) -> str:
    """Submit a cancellation request (docs/requests.md): `request`, by name. Whatever else comes, the intake refuses."""
    self.apply_async(args, kwargs, task_id=self.request.id, retry=True, retry_policy=FOR_EVER)
    return "moved to the intake queue"
