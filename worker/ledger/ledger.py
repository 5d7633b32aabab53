"""The transitions of a job and of an account, each one atomic and safe to repeat.

Every method lets the client library's errors through (`connect.UNAVAILABLE`): Redis away is for the caller to wait for.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from redis import Redis

from worker.ledger.admitting import Admitting
from worker.ledger.encoding import json_text, ms, rest_of
from worker.ledger.not_possible import NotPossible, record_damaged, retry_refused, visit_refused
from worker.ledger.records import (
    Begun,
    Record,
    Released,
    Round,
    decode,
    instant,
    text,
)
from worker.ledger.replicas import NotReplicated
from worker.ledger.steps import Effects, Expiry, Finish, Park, Taken, ending
from worker.ledger.workers import Workers
from worker.outcome import Verdict, body


class Ledger(Admitting, Workers):
    """The ledger of one namespace."""

    def __init__(self, redis: Redis, *, namespace: str, keep_s: float, confirm_within_s: float | None = None) -> None:
        """`confirm_within_s`: how long a replica may take to confirm what must not be lost; None: there is none."""
        super().__init__(redis, namespace, confirm_within_s=confirm_within_s)
        self._keep_ms = ms(keep_s)

    # Calls

    def release(
        self, free: int, *, slots: int, begin_within_s: float, lost_wait_s: float, worker: str | None = None
    ) -> Round:
        """Hand out due jobs, up to the `free` ones of this process' `slots`.

        Of the accounts that `worker` serves as it has registered; None: of all.
        """
        released, worn, damaged = self._scripts.call(
            "release", free, slots, ms(begin_within_s), ms(lost_wait_s), worker or ""
        )
        return Round(
            [Released(job.decode(), token, run, calls) for job, token, run, calls in released],
            [job.decode() for job in worn],
            [(job.decode(), why.decode()) for job, why in damaged],
        )

    def begin(self, job: str, token: int, nonce: str, *, lease_s: float) -> Begun | str:
        """Start a call; or why it must not be made now (the job was put back or belongs to somebody else)."""
        word, *rest = self._replicated("begin", job, token, nonce, ms(lease_s))
        if word != b"go":
            return str(rest[0].decode())
        now, generation, flat = rest
        record = Record.from_fields(job, decode(flat))
        now_at = instant(now) or datetime.now(UTC)
        waited_s = max(0.0, (now_at - record.parked_at).total_seconds()) if record.parked_at else 0.0
        left = (record.deadline_at - now_at).total_seconds() if record.deadline_at else None
        in_doubt = (now_at - record.doubted_at).total_seconds() if record.doubted_at else None
        return Begun(record, generation, waited_s, left, in_doubt)

    def hand_back(self, begun: Begun, token: int, nonce: str) -> None:
        """Put a job back whose call was begun and cannot be made by this worker; it counts for nothing."""
        self._scripts.call("hand_back", begun.record.job, token, nonce)

    def park(self, begun: Begun, token: int, nonce: str, step: Park) -> Taken:
        """Hand in an answer after which the job is asked again."""
        job = begun.record.job
        text = json_text(step.as_json(job, begun.generation))
        return Taken(self._scripts.call("park", job, token, nonce, text).decode())

    def finish(self, begun: Begun, token: int, nonce: str, step: Finish) -> Taken:
        """Hand in an answer that ends the run."""
        record = begun.record
        text = json_text(step.as_json(record.job, begun.generation, keep_ms=self._keep_ms))
        rest = rest_of(body(step.verdict, job=record.job, account=record.account))
        return Taken(self._replicated("finish", record.job, token, nonce, text, rest).decode())

    def _replicated(self, script: str, *args: str | bytes | float) -> Any:
        """The reply of one script, once a replica has what it wrote; without any, work goes on, and the log says so."""
        if self._replicas is None:
            return self._scripts.call(script, *args)
        pipeline = self.redis.pipeline(transaction=False)
        self._scripts.call(script, *args, pipeline=pipeline)
        self._replicas.wait(pipeline)
        replies = pipeline.execute()
        try:
            self._replicas.check(replies)
        except NotReplicated as problem:
            self._replicas.note(problem)
        return replies[0]

    def expire(self, record: Record, verdict: Verdict) -> Expiry:
        """End a run whose time is up or that is worn out, unless look-ups can still settle it past its deadline."""
        return Expiry(self._end_uncalled("expire", record, verdict, {"what": "ended", "reason": verdict.reason}))

    def overdue(self, limit: int, *, skip: int = 0) -> list[str]:
        """Jobs whose deadline, or wait for evidence, has passed, longest ago first; without the first `skip`."""
        seconds, micros = self.redis.time()
        found = self.redis.zrangebyscore(self.key("deadlines"), "-inf", seconds * 1000 + micros // 1000, skip, limit)
        return [text(job) for job in found if isinstance(job, bytes | str)]

    def _end_uncalled(self, script: str, record: Record, verdict: Verdict, entry: Mapping[str, Any]) -> str:
        text = json_text(ending(verdict, entry, keep_ms=self._keep_ms))
        rest = rest_of(body(verdict, job=record.job, account=record.account))
        reply = self._scripts.call(script, record.job, record.seq, text, rest, _fresh())
        return str(reply.decode())

    def trim(self) -> None:
        """Forget outcomes, ended jobs and refusals that are older than they are kept; records go by themselves."""
        seconds, _ = self.redis.time()
        oldest_ms = max(0, seconds * 1000 - self._keep_ms)
        self.redis.xtrim(self.key("outcomes"), minid=oldest_ms, approximate=True)
        for name in ("ended", "refused"):
            self.redis.zremrangebyscore(self.key(name), "-inf", oldest_ms)

    # Operators

    def revoke(self, record: Record, verdict: Verdict, *, by: str) -> str:
        """End an open run on an operator's word.

        `ended`, or why not: `changed`, `in call`, or `cancelled` where only the evidence is still under way.
        """
        return self._end_uncalled("revoke", record, verdict, {"what": "revoked", "by": by})

    def retry(self, job: str, *, by: str) -> int:
        """Start a new run of an ended, not cancelled job; its number.

        Raises:
            NotPossible: unknown, open, cancelled, its deadline has passed, or its record is damaged.
        """
        (result,) = self.retry_many([job], by=by)
        if isinstance(result, NotPossible):
            raise result
        return result

    def retry_many(self, jobs: Sequence[str], *, by: str) -> list[int | NotPossible]:
        """Retry jobs in one exchange: of each, in their order, what `retry` returns or raises."""
        pipeline = self.redis.pipeline(transaction=False)
        for job in jobs:
            self._scripts.call("retry", job, _fresh(), by, pipeline=pipeline)
        return [_retried(job, *reply) for job, reply in zip(jobs, pipeline.execute(), strict=True)]

    def suspend(self, account: str, reason: str, *, by: str, job: str = "") -> bool:
        """Suspend an account; False where it was before.

        Raises:
            NotPossible: the account is unknown.
        """
        return self._known(account, self._scripts.call("suspend", account, _fresh(), reason, by, job))

    def resume(self, account: str, *, by: str) -> bool:
        """Let a suspended account go on; False where it was not suspended.

        Raises:
            NotPossible: the account is unknown.
        """
        return self._known(account, self._scripts.call("resume", account, _fresh(), by))

    @staticmethod
    def _known(account: str, reply: int) -> bool:
        if reply < 0:
            raise NotPossible(f"account {account} is unknown: no worker has enrolled it and no job names it")
        return reply == 1

    # Calls outside any run

    def visit(self, account: str, nonce: str) -> int:
        """Begin a call for no job; the account's generation.

        Raises:
            NotPossible: the account stands still, or has no call left now; the message says why and what to do.
        """
        word, *rest = self._scripts.call("visit", account, nonce)
        if word == b"go":
            return int(rest[0])
        raise visit_refused(account, *map(text, rest))

    def heed(self, account: str, nonce: str, effects: Effects, *, job: str, generation: int) -> None:
        """Let the answer to such a call pause or suspend the account, as an answer to a job's call would."""
        self._scripts.call("heed", account, nonce, json_text(effects.as_json(job, generation)))


def _retried(job: str, word: bytes, *rest: Any) -> int | NotPossible:
    if word == b"damaged":
        return record_damaged(job, text(*rest))
    return int(*rest) if word == b"queued" else retry_refused(job, text(word))


def _fresh() -> str:
    """An operation's id: the client library repeats it after a lost reply, and the script then answers the same."""
    return uuid.uuid4().hex
