"""huey on threads."""

import job
from huey import RedisHuey

huey = RedisHuey("huey_peer", url=job.REDIS_URL, results=False)
client = job.connect()


@huey.task()
def cancel(key: str) -> None:
    """Do one job."""
    job.publish(client, key, job.outcome(key, job.call(key)))


if __name__ == "__main__":
    for number in range(job.wanted()):
        cancel(job.document(number))
