"""The faults: a schedule drawn from the seed, and how each is done and undone."""

import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from redis import Redis

from tests.chaos.proxy import Link
from tests.chaos.stage import LABELS, NAMESPACE, Freeze, Stage
from worker.ledger.connect import UNAVAILABLE

GRACE_S = 25.0
"""Within which a worker leaves after SIGTERM (docs/architecture.md: 20 s)."""
_PROVIDER_FAULTS = (
    "delay", "delay-after", "cut-before", "cut-after", "error-before", "error-after", "busy-429", "busy-503",
    "garbage", "empty", "half",
)  # fmt: skip
_FORBIDDEN = ("brpop", "evalsha", "hset", "lpush", "publish", "xadd", "xdel", "zadd")
_WEIGHTS: Mapping[str, float] = {
    "worker-kill": 10,
    "worker-term": 4,
    "worker-freeze": 9,
    "valkey-kill": 3,
    "valkey-stop": 2,
    "valkey-hang": 2,
    "valkey-and-worker-kill": 2,
    "refusal-demoted": 3,
    "refusal-full": 3,
    "refusal-no-disk": 2,
    "refusal-forbidden": 4,
    "redis-link-slow": 4,
    "redis-link-cut": 5,
    "redis-link-swallows": 5,
    "redis-link-loses-replies": 10,
    "producers-link-cut": 3,
    "producers-link-swallows": 2,
    "producers-link-loses-replies": 9,
    "provider-link-cut": 4,
    "provider-link-down": 3,
    "provider-fault": 12,
    "provider-down": 3,
    "secret-wrong": 5,
    "wake-ups-doubled": 4,
    "wake-ups-lost": 3,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of the schedule.

    Attributes:
        at_s: When, counted from the beginning.
        lasts_s: Until it is undone.
        dice: For what is drawn while it is done, so that one that is left out changes no other.
    """

    at_s: float
    name: str
    lasts_s: float
    dice: int


def schedule(dice: random.Random, seconds: float, *, every_s: float) -> list[Fault]:
    """Faults for `seconds`, one in `every_s` on average; several may be on at a time."""
    faults: list[Fault] = []
    at_s = dice.expovariate(1 / every_s)
    while at_s < seconds:
        [name] = dice.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        lasts_s = min(dice.choice((0.2, 1.0, 2.0, 4.0, 6.0, 9.0)) * dice.uniform(0.7, 1.3), seconds / 4)
        faults.append(Fault(at_s, name, lasts_s, dice.getrandbits(32)))
        at_s += dice.expovariate(1 / every_s)
    return faults


def _demote(client: Any) -> Callable[[], object]:
    client.replicaof("127.0.0.1", "1")
    return lambda: client.replicaof("NO", "ONE")


def _fill(client: Any) -> Callable[[], object]:
    client.config_set("maxmemory", 1)
    return lambda: client.config_set("maxmemory", 0)


def _forbid(client: Any, command: str) -> Callable[[], object]:
    client.execute_command("ACL", "SETUSER", "default", f"-{command}")
    return lambda: client.execute_command("ACL", "SETUSER", "default", f"+{command}")


class Faults:
    """Does the faults of a schedule, each in a thread of its own, and counts them."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._threads: list[threading.Thread] = []
        self._halt = threading.Event()
        self.done: Counter[str] = Counter()
        self.problems: list[str] = []

    def play(self, faults: list[Fault]) -> None:
        """Do all of them at their times; returns when the last one is undone, or soon after `halt`."""
        started = time.monotonic()
        for fault in faults:
            self._halt.wait(max(0.0, started + fault.at_s - time.monotonic()))
            if self._halt.is_set():
                break
            thread = threading.Thread(target=self._guarded, args=(fault,), name=fault.name, daemon=True)
            thread.start()
            self._threads.append(thread)
        self._join()

    def halt(self) -> None:
        """No more faults; those that are on are undone now, and returns when they are."""
        self._halt.set()
        self._join()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join(60.0)
        self.problems += [f"{thread.name} did not end" for thread in self._threads if thread.is_alive()]

    def _guarded(self, fault: Fault) -> None:
        try:
            if self._do(fault, random.Random(fault.dice)):
                self.done[fault.name] += 1
        except Exception as problem:  # noqa: BLE001 - a fault that cannot be done is told, and fails the run
            self.problems.append(f"{fault.name}: {type(problem).__name__}: {problem}")

    def _do(self, fault: Fault, dice: random.Random) -> bool:
        """Whether it was done: one on what is broken already is left out."""
        if fault.name.startswith("worker-"):
            return self._worker(fault, dice)
        if fault.name.startswith("valkey-"):
            return self._valkey(fault, dice)
        if fault.name.startswith("provider-") and "link" not in fault.name:
            return self._provider(fault, dice)
        if fault.name.startswith("refusal-"):
            return self._refusal(fault, dice)
        if fault.name == "secret-wrong":
            return self._secret(fault, dice)
        if fault.name.startswith("wake-ups-"):
            return self._wake_ups(fault, dice)
        return self._link(fault, dice)

    def _wait(self, seconds: float) -> None:
        self._halt.wait(seconds)

    def _worker(self, fault: Fault, dice: random.Random) -> bool:
        number = dice.randrange(len(self._stage.posts))
        post = self._stage.posts[number]
        if not post.lock.acquire(blocking=False):
            return False
        try:
            worker = post.worker
            if not worker.is_running:
                self.problems.append(f"worker {number} has ended by itself")
                worker.start(until_ready=False)
            if fault.name == "worker-freeze":
                start = time.monotonic()
                worker.signal(signal.SIGSTOP)
                try:
                    self._wait(fault.lasts_s)
                finally:
                    worker.signal(signal.SIGCONT)
                    self._stage.freezes.append(Freeze(number, start, time.monotonic()))
                return True
            if fault.name == "worker-term":
                worker.signal(signal.SIGTERM)
                try:
                    worker.wait(GRACE_S)
                except subprocess.TimeoutExpired:
                    self.problems.append(f"worker {number} was still there {GRACE_S:g} s after SIGTERM")
            if worker.is_running:
                worker.kill()
            self._wait(fault.lasts_s)
            worker.start(until_ready=False)
            return True
        finally:
            post.lock.release()

    def _valkey(self, fault: Fault, dice: random.Random) -> bool:
        if not self._stage.valkey_lock.acquire(blocking=False):
            return False
        try:
            valkey = self._stage.valkey
            if fault.name == "valkey-hang":
                valkey.signal(signal.SIGSTOP)
                self._wait(fault.lasts_s)
                valkey.signal(signal.SIGCONT)
                return True
            if fault.name == "valkey-stop":
                valkey.stop()
            else:
                valkey.kill()
            if fault.name == "valkey-and-worker-kill":
                self._worker(Fault(0.0, "worker-kill", 0.2, 0), dice)
            self._wait(fault.lasts_s)
            valkey.start()
            return True
        finally:
            self._stage.valkey_lock.release()

    def _refusal(self, fault: Fault, dice: random.Random) -> bool:
        """Valkey answers, and refuses: all writes, all that takes memory, or one command."""
        if not self._stage.valkey_lock.acquire(blocking=False):
            return False
        try:
            with Redis.from_url(self._stage.valkey.url, socket_timeout=10.0) as client:
                undo = {
                    "demoted": _demote,
                    "full": _fill,
                    "no-disk": self._break_disk,
                    "forbidden": lambda one: _forbid(one, dice.choice(_FORBIDDEN)),
                }[fault.name.partition("-")[2]](client)
                self._wait(fault.lasts_s)
                undo()
            return True
        finally:
            self._stage.valkey_lock.release()

    def _break_disk(self, client: Any) -> Callable[[], object]:
        """A snapshot cannot be written where a folder has its name."""
        in_its_place = self._stage.directory / "valkey" / client.config_get("dbfilename")["dbfilename"]
        in_its_place.unlink(missing_ok=True)
        in_its_place.mkdir()
        client.config_set("save", "3600 1")
        client.bgsave()

        def undo() -> None:
            in_its_place.rmdir()
            client.config_set("save", "")

        return undo

    def _provider(self, fault: Fault, dice: random.Random) -> bool:
        sandbox = self._stage.sandbox
        if fault.name == "provider-down":
            kind, probability = dice.choice(("cut-before", "error-before", "busy-503")), 1.0
        else:
            kind, probability = dice.choice(_PROVIDER_FAULTS), dice.choice((0.05, 0.2, 0.5))
        number = sandbox.fault(kind, probability=probability, seed=dice.getrandbits(30), seconds=dice.uniform(0.2, 2.0))
        self._wait(fault.lasts_s)
        sandbox.end_fault(number)
        return True

    def _secret(self, fault: Fault, dice: random.Random) -> bool:
        """The secret is refused for a while; that it is right again is nobody's business but the operator's."""
        label = dice.choice(sorted(LABELS.values()))
        self._stage.sandbox.set_account(label, dice.choice(("401", "403") if label.startswith("token") else ("603",)))
        self._wait(min(fault.lasts_s, 4.0))
        self._stage.sandbox.set_account(label, None)
        return True

    def _wake_ups(self, fault: Fault, dice: random.Random) -> bool:
        """Celery messages get lost, or come twice: at once, and once more when their leases are long over."""
        redis: Any = self._stage.ledger.redis
        queue, until = f"{NAMESPACE}.run", time.monotonic() + fault.lasts_s
        taken: list[bytes] = []
        while time.monotonic() < until and not self._halt.is_set():
            try:
                _, message = redis.brpop([queue], timeout=0.2) or (None, None)
                if message is not None and fault.name == "wake-ups-doubled":
                    redis.lpush(queue, *[message] * (1 if message in taken else 2))
                taken += [message] if message else []
            except UNAVAILABLE:
                self._wait(0.2)
        if taken and fault.name == "wake-ups-doubled":
            self._wait(dice.uniform(0.0, 8.0))
            with suppress(*UNAVAILABLE):
                redis.lpush(queue, *taken)
        return bool(taken)

    def _link(self, fault: Fault, dice: random.Random) -> bool:
        link = self._link_of(fault.name, dice)
        what: Callable[[], None] = {
            "slow": lambda: setattr(link, "delay_s", dice.uniform(0.002, 0.05)),
            "cut": link.cut,
            "down": link.go_down,
            "swallows": link.swallow,
            "replies": lambda: link.lose_replies(dice.randrange(1, 12), every=dice.randrange(1, 9)),
        }[fault.name.rpartition("-")[2]]
        what()
        self._wait(fault.lasts_s)
        link.clear()
        return True

    def _link_of(self, name: str, dice: random.Random) -> Link:
        if name.startswith("producers"):
            return self._stage.to_redis
        post = dice.choice(self._stage.posts)
        return post.to_provider if name.startswith("provider") else post.to_redis
