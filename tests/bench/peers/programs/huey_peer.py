"""huey on threads."""

import job
from huey import RedisHuey

huey = RedisHuey("huey_peer", url=job.REDIS_URL, results=False)
client = job.connect()


@huey.task()
def cancel(key: str) -> None:
    """Do one job."""
    job.publish(client, key, job.outcome(key, job.call(key)))


def enqueue(jobs: int) -> None:
    """Hand in so many jobs."""
    for number in range(jobs):
        cancel(job.document(number))
