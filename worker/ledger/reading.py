"""What the ledger holds, for those who only look.

Every method lets the client library's errors through (`connect.UNAVAILABLE`).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any

from redis import Redis

from config.accounts import Environment
from config.problem import ConfigurationProblem
from worker.ledger.cluster import refuse_cluster
from worker.ledger.not_possible import NotPossible, record_damaged
from worker.ledger.records import UNREADABLE, AccountState, Record, decode, text
from worker.ledger.scripts import Scripts

LANES = ("evidence", "interactive", "bulk")
ENDS = ("", ":failing")
"""Of the keys in which the jobs of a lane wait, the failing ones apart (`lua/shared/schedule.lua`)."""
GONE_S = 15
"""After which a worker that was not seen counts as gone (`lua/shared/basics.lua`)."""
READ_TOGETHER = 50
"""Records in one script, for which others on Redis wait."""


class Reading:
    """The records and accounts of one namespace."""

    def __init__(self, redis: Redis, namespace: str) -> None:
        self.redis = redis
        self.namespace = namespace
        self._scripts = Scripts(redis, namespace)

    def key(self, *parts: str) -> str:
        """A key of this namespace."""
        return ":".join((self.namespace, *parts))

    def connect_anew(self) -> None:
        """Leave the connections that nobody uses now: the next command finds the primary anew."""
        self.redis.connection_pool.disconnect(inuse_connections=False)

    def clock_us(self) -> int:
        """Redis' clock, by which everything here goes, in microseconds."""
        seconds, micros = self.redis.time()
        return int(seconds) * 1_000_000 + int(micros)

    def read(self, jobs: Sequence[str], names: Sequence[str] = ()) -> list[dict[bytes, bytes] | NotPossible]:
        """The fields of these jobs' records, in one exchange: all, or at least those named.

        Each without any where the job is unknown; NotPossible where its record is damaged.
        """
        pipeline = self.redis.pipeline(transaction=False)
        for first in range(0, len(jobs), READ_TOGETHER):
            some = jobs[first : first + READ_TOGETHER]
            self._scripts.call("read", len(names), *names, *some, pipeline=pipeline)
        replies = chain.from_iterable(pipeline.execute())
        return [_found(job, *reply) for job, reply in zip(jobs, replies, strict=True)]

    def record(self, job: str) -> Record | None:
        """One job, or None where it is unknown.

        Raises:
            NotPossible: its record is damaged.
        """
        (found,) = self.read([job])
        if isinstance(found, NotPossible):
            raise found
        try:
            return Record.from_fields(job, decode(found)) if found else None
        except UNREADABLE as error:
            raise record_damaged(job, f"{type(error).__name__}: {error}") from error

    def check_server(self) -> None:
        """Make sure that this server can hold a ledger. Nothing is written.

        Raises:
            ConfigurationProblem: it is a node of a Redis Cluster.
        """
        refuse_cluster(self.redis, self.namespace)

    def check_environment(self, environment: Environment) -> None:
        """Make sure that the namespace is not of the other environment; it may still be of none. Nothing is written.

        Raises:
            ConfigurationProblem: the namespace belongs to the other environment.
        """
        self._agree(environment, self.redis.hget(self.key("meta"), "environment") or environment)

    def _agree(self, wanted: Environment, recorded: bytes | str) -> None:
        if text(recorded) != wanted:
            raise ConfigurationProblem(
                f"the accounts file is of the {wanted} environment, but namespace {self.namespace} on this Redis "
                f"belongs to {text(recorded)}: set ANULA_NAMESPACE, ANULA_REDIS_URL or ANULA_ACCOUNTS to match"
            )

    def given_up(self, limit: int, *, skip: int = 0) -> list[str]:
        """Jobs past their deadline that only look-ups could settle, on suspended accounts; without the first `skip`."""
        accounts = sorted(text(name) for name in self.redis.smembers(self.key("given_up")))
        jobs = chain.from_iterable(
            self.redis.zrange(self.key("look_ups", name), 0, skip + limit - 1) for name in accounts
        )
        return [text(job) for job in islice(jobs, skip, skip + limit) if isinstance(job, bytes | str)]

    def account_states(self) -> list[AccountState]:
        """All accounts that a worker has enrolled or a job names, by name."""
        names = sorted(text(name) for name in self.redis.smembers(self.key("accounts")))
        workers = self._workers_by_account()
        return [self._account_state(name, workers[name]) for name in names]

    def account_state(self, name: str) -> AccountState:
        """One account; without a provider where no worker has enrolled it."""
        return self._account_state(name, self._workers_by_account()[name])

    def _account_state(self, name: str, workers: int) -> AccountState:
        found = decode(self.redis.hgetall(self.key("account", name)))
        fresh, failing = (sum(self.redis.zcard(self.key("due", name, lane + end)) for lane in LANES) for end in ENDS)
        in_flight = self.redis.scard(self.key("flight", name))
        counts = {"waiting": fresh + failing, "failing": failing, "in_flight": in_flight, "workers": workers}
        return AccountState.from_fields(name, found, now_at=datetime.now(UTC), **counts)

    def _workers_by_account(self) -> Counter[str]:
        """How many live workers serve each account."""
        seconds, _ = self.redis.time()
        live: Any = self.redis.zrangebyscore(self.key("workers"), (int(seconds) - GONE_S) * 1000, "+inf")
        has = [decode(self.redis.hgetall(self.key("has", text(worker)))) for worker in live]
        return Counter(name for accounts in has for name, value in accounts.items() if value.startswith("1"))


def _found(job: str, word: bytes, *rest: bytes) -> dict[bytes, bytes] | NotPossible:
    if word == b"damaged":
        return record_damaged(job, text(*rest))
    return dict(zip(rest[::2], rest[1::2], strict=True))
