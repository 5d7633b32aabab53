"""dramatiq with the guarantees that Anula gives: one record a document, a claim before the call, an atomic end.

The claim is a lease under a fencing token: a message that comes twice makes no second call, and a late answer ends
nothing. The outcome, the channel and the final state are one script.
"""

import time

import dramatiq
import job
from dramatiq.brokers.redis import RedisBroker

dramatiq.set_broker(RedisBroker(url=job.REDIS_URL))
client = job.connect()
LEASE_MS = 180_000

CLAIM = client.register_script(
    """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local record = redis.call('HMGET', KEYS[1], 'state', 'leased_until')
if not record[1] or record[1] == 'cancelled' or tonumber(record[2] or 0) > now then return false end
redis.call('HSET', KEYS[1], 'state', 'running', 'leased_until', now + ARGV[1])
redis.call('HINCRBY', KEYS[1], 'attempts', 1)
return redis.call('HINCRBY', KEYS[1], 'token', 1)
"""
)
FINISH = client.register_script(
    """
local record = redis.call('HMGET', KEYS[1], 'state', 'token')
if record[1] ~= 'running' or record[2] ~= ARGV[1] then return 0 end
local id = redis.call('XADD', KEYS[2], '*', 'job', ARGV[2], 'status', 'cancelled', 'outcome', ARGV[3])
redis.call('PUBLISH', KEYS[2], ARGV[3])
redis.call('HSET', KEYS[1], 'state', 'cancelled', 'outcome_id', id)
redis.call('HDEL', KEYS[1], 'leased_until')
redis.call('PEXPIRE', KEYS[1], 2592000000)
return 1
"""
)


@dramatiq.actor
def cancel(key: str) -> None:
    """Do one job, if nobody else does."""
    record = f"job:{key}"
    token = CLAIM(keys=[record], args=[LEASE_MS])
    if token is None:
        return
    text = job.outcome(key, job.call(key))
    FINISH(keys=[record, job.OUTCOMES], args=[token, key, text])


def enqueue(jobs: int) -> None:
    """Hand in so many jobs."""
    for number in range(jobs):
        key = job.document(number)
        client.hset(f"job:{key}", mapping={"state": "queued", "submitted_at": time.time_ns()})
        cancel.send(key)
