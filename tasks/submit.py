"""The door for Python producers that use Celery: `submit.delay(request={...})` puts a request on the intake queue.

The queue is read by the dispatcher (`worker.intake`), not by Celery's consumer; the body below runs only where a
message was sent to another queue by mistake, and admits it all the same.
"""

from typing import Any

from worker.app import app
from worker.client import Client


@app.task(bind=True, name="anula.submit")
def submit(self: Any, *, request: dict[str, Any]) -> str:
    """Submit a cancellation request (docs/requests.md); its job id."""
    return Client().submit(request, submission=f"celery:{self.request.id}").job
