"""Hands the load in by its three ways, each as a producer of its kind would, through outages and lost replies."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from config.accounts import Accounts
from config.settings import Settings
from tests.chaos.load import Load, Submission, Way
from worker.client import Client, LedgerFull, Unavailable
from worker.client import Submission as Admitted

WITHOUT_KEY, AT_ONCE, LATER = 3, 4, 5
"""One of so many stream entries has no submission key, is repeated at once, brings an earlier one along."""
_LATE = 40
"""How many other entries come between one and its late repeat."""
_AWAY = (RedisError, OperationalError, OSError, Unavailable, LedgerFull)


@dataclass(slots=True)
class HandedIn:
    """One submission that was handed in.

    Attributes:
        tries: All but the last may have arrived as well.
        key: The submission key, where it goes to the stream with one.
        known_as: Submission key, stream entry or task id, what an invalid request is told by.
    """

    submission: Submission
    tries: int = 1
    known_as: list[str] = field(default_factory=list)
    result: Admitted | None = None

    @property
    def key(self) -> str | None:
        number = self.submission.number
        return f"key-{number}" if self.submission.way is Way.STREAM and number % WITHOUT_KEY else None

    @property
    def copies(self) -> int:
        """As how many submissions it may count: without a key every try that arrived on the stream is one of its own."""
        return self.tries if self.submission.way is Way.STREAM and self.key is None else 1


class Producer(threading.Thread):
    """Submits everything of one way in, in its order; what cannot be handed in is tried again until it is."""

    def __init__(self, load: Load, way: Way, hand_in: Callable[[HandedIn], None]) -> None:
        super().__init__(name=f"producer-{way}", daemon=True)
        self._mine = [one for one in load.submissions if one.way is way]
        self._hand_in = hand_in
        self._halt = threading.Event()
        self.done: list[HandedIn] = []
        self.problem: BaseException | None = None

    def run(self) -> None:
        """Submit until done or halted."""
        started = time.monotonic()
        try:
            for submission in self._mine:
                self._halt.wait(max(0.0, started + submission.at_s - time.monotonic()))
                if self._halt.is_set():
                    return
                self._submit(HandedIn(submission))
        except BaseException as problem:  # noqa: BLE001 - told by whoever waits for the thread
            self.problem = problem

    def halt(self) -> None:
        """Stop after what is being handed in."""
        self._halt.set()

    def _submit(self, one: HandedIn) -> None:
        self.done.append(one)
        while True:
            try:
                self._hand_in(one)
                return
            except _AWAY:
                one.tries += 1
                time.sleep(0.2)


def by_stream(url: str, namespace: str) -> Callable[[HandedIn], None]:
    """XADD from a plain Redis client, most with a submission key; some once more at once, some once more much later."""
    redis: Any = Redis.from_url(url, socket_timeout=2.0, socket_connect_timeout=2.0, retry=Retry(NoBackoff(), 0))
    earlier: deque[HandedIn] = deque()

    def add(one: HandedIn) -> None:
        fields = {"submission": one.key} if one.key else {}
        entry = redis.xadd(f"{namespace}:requests", {**fields, "request": one.submission.text})
        one.known_as[:] = [one.key] if one.key else [*one.known_as, entry.decode()]

    def add_again(one: HandedIn) -> None:
        one.tries += 1
        add(one)

    def hand_in(one: HandedIn) -> None:
        add(one)
        number = one.submission.number
        if number % AT_ONCE == 0:
            add_again(one)
        if number % LATER == 0 and len(earlier) > _LATE:
            add_again(earlier.popleft())
        earlier.append(one)

    return hand_in


def by_queue(url: str, namespace: str) -> Callable[[HandedIn], None]:
    """A Celery message; a repeat has the same task id."""
    limits = {"socket_timeout": 2.0, "socket_connect_timeout": 2.0}
    producer = Celery("erp", broker=url, set_as_current=False)
    producer.conf.broker_transport_options = limits

    def hand_in(one: HandedIn) -> None:
        submission = one.submission
        request = submission.request if submission.job else submission.text
        task_id = f"task-{submission.number}"
        one.known_as[:] = [task_id]
        with producer.connection_for_write() as connection:
            producer.send_task(
                "anula.submit",
                kwargs={"request": request},
                queue=namespace,
                task_id=task_id,
                priority=submission.number % 10,
                connection=connection,
                retry=False,
            )

    return hand_in


def by_client(settings: Settings, accounts: Accounts) -> Callable[[HandedIn], None]:
    """The Python client; a repeat has the same submission id."""
    client = Client(settings, accounts)

    def hand_in(one: HandedIn) -> None:
        submission = one.submission
        one.result = client.submit(submission.request, submission=f"chaos-{submission.number}")

    return hand_in
