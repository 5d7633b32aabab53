"""dramatiq on threads."""

import dramatiq
import job
from dramatiq.brokers.redis import RedisBroker

dramatiq.set_broker(RedisBroker(url=job.REDIS_URL))
client = job.connect()


@dramatiq.actor
def cancel(key: str) -> None:
    """Do one job."""
    job.publish(client, key, job.outcome(key, job.call(key)))


def enqueue(jobs: int) -> None:
    """Hand in so many jobs."""
    for number in range(jobs):
        cancel.send(job.document(number))
