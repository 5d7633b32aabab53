"""Plain Celery on threads, as its documentation would have it for jobs that must not be lost: acknowledged late."""

import job
from celery import Celery

app = Celery("celery_peer", broker=job.REDIS_URL)
app.conf.update(task_acks_late=True, task_ignore_result=True, broker_connection_retry_on_startup=True)
client = job.connect()


@app.task
def cancel(key: str) -> None:
    """Do one job."""
    job.publish(client, key, job.outcome(key, job.call(key)))


def enqueue(jobs: int) -> None:
    """Hand in so many jobs."""
    with app.producer_pool.acquire(block=True) as producer:
        for number in range(jobs):
            cancel.apply_async((job.document(number),), producer=producer)
