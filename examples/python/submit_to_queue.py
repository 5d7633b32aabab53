"""Way 2: one cancellation on the Celery queue. Celery is all that it needs; nothing of Anula is imported."""

import sys

from celery import Celery
from erp_redis import CA_FILE, NAMESPACE, URL
from erp_request import from_arguments, submission
from kombu.exceptions import OperationalError

PATIENCE = {"max_retries": 5, "interval_start": 0.1, "interval_step": 0.2, "interval_max": 2.0}


def producer() -> Celery:
    """A Celery application that only sends."""
    app = Celery("erp", broker=URL)
    app.conf.task_ignore_result = True
    app.conf.broker_transport_options = {"socket_timeout": 10.0, "socket_connect_timeout": 5.0}
    if URL.startswith("rediss:"):
        app.conf.broker_use_ssl = {"ssl_cert_reqs": "required", "ssl_ca_certs": CA_FILE}
    return app


def main() -> int:
    """Hand in what the arguments say. A message that is sent again under its task id is admitted once."""
    task_id = submission()
    try:
        producer().send_task(
            "anula.submit",
            kwargs={"request": from_arguments()},
            task_id=task_id,
            queue=NAMESPACE,
            serializer="json",
            retry=True,
            retry_policy=PATIENCE,
        )
    except OperationalError as problem:
        sys.stderr.write(f"not confirmed, hand it in again with SUBMISSION={task_id}: {problem}\n")
        return 1
    print(task_id)
    return 0


if __name__ == "__main__":
    sys.exit(main())
