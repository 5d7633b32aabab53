"""One run: load and faults, then fine weather until all is quiet, then a look at everything."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos import checks, faults, load
from tests.chaos.breach import Breach, Kind
from tests.chaos.faults import Faults
from tests.chaos.load import Load, Way
from tests.chaos.observed import Clock, Observed, gather, leftovers
from tests.chaos.operating import Operator
from tests.chaos.producers import Producer, by_client, by_queue, by_stream
from tests.chaos.stage import NAMESPACE, Stage, set_up
from worker.ledger.connect import UNAVAILABLE

DRAIN_S = 120.0
"""Longer than the longest policy of `stage.SETTINGS` with its waits, and a worker's start."""
QUIET_S = 1.0


@dataclass(frozen=True, slots=True)
class Script:
    """What to play.

    Attributes:
        seconds: How long faults and load go on.
        every_s: One fault in so many seconds on average.
        patience_s: How long an answer is waited for that never comes.
    """

    seed: int
    jobs: int
    seconds: float
    workers: int = 3
    every_s: float = 1.5
    patience_s: float = 12.0


@dataclass(frozen=True, slots=True)
class Result:
    """How it went."""

    script: Script
    seen: Observed
    faults: Counter[str]
    moves: Counter[str]
    breaches: list[Breach]
    problems: list[str]
    drained_s: float

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong; the frozen processes' calls are told and excused."""
        return not self.problems and all(breach.kind is Kind.FROZEN for breach in self.breaches)

    @property
    def last_line(self) -> str:
        """The one line that sums it up."""
        counted = " ".join(f"{name}={count}" for name, count in checks.counts(self.breaches).items())
        return f"chaos: seed={self.script.seed} jobs={len(self.seen.load.jobs)} faults={self.faults.total()} {counted}"


def play(script: Script, directory: Path, tell: Callable[[str], None] = print) -> Result:
    """Play it on a stage of its own in `directory`, which keeps the logs."""
    with set_up(directory, script.workers, script.patience_s) as stage:
        first = Clock.offset()
        drawn = load.draw(_dice(script, "load"), script.jobs, script.seconds * 0.9, starts_at=datetime.now(UTC))
        producers = _producers(stage, drawn)
        operator = Operator(stage.ledger, _dice(script, "operator"), every_s=2 * script.every_s)
        doing = Faults(stage)
        tell(f"{len(drawn.jobs)} jobs, {len(drawn.submissions)} submissions over {script.seconds:g} s")
        try:
            for producer in producers:
                producer.start()
            operator.start()
            doing.play(faults.schedule(_dice(script, "faults"), script.seconds, every_s=script.every_s))
            doing.problems += [
                f"worker {number} has ended by itself"
                for number, post in enumerate(stage.posts)
                if not post.worker.is_running
            ]
            tell("fine weather, waiting for the rest")
            drained_s = _drain(stage, producers, operator)
        finally:
            doing.halt()
            operator.halt()
            for producer in producers:
                producer.halt()
        operator.join(30.0)
        seen = gather(
            stage,
            drawn,
            [one for producer in producers for one in producer.done],
            moments=operator.moments,
            retried=operator.retried,
            clock=Clock.between(first, Clock.offset()),
            patience_s=script.patience_s,
        )
        problems = doing.problems + [f"producer: {one.problem!r}" for one in producers if one.problem]
        problems += [f"operator: {operator.problem!r}"] if operator.problem else []
    return Result(script, seen, doing.done, operator.moves, checks.breaches(seen), problems, drained_s)


def _dice(script: Script, what: str) -> random.Random:
    return random.Random(f"{script.seed} {what}")


def _producers(stage: Stage, drawn: Load) -> list[Producer]:
    url = stage.to_redis.redis_url
    return [
        Producer(drawn, Way.STREAM, by_stream(url, NAMESPACE)),
        Producer(drawn, Way.QUEUE, by_queue(url, NAMESPACE)),
        Producer(drawn, Way.CLIENT, by_client(stage.producers, stage.accounts)),
    ]


def _drain(stage: Stage, producers: list[Producer], operator: Operator) -> float:
    """Fine weather until everything is handed in and ended, or for `DRAIN_S`; how long that took."""
    started = time.monotonic()
    operator.calm_down()
    stage.fine_weather()
    for producer in producers:
        producer.join(DRAIN_S)
    quiet_since: float | None = None
    while time.monotonic() - started < DRAIN_S:
        try:
            is_quiet = not leftovers(stage.ledger)
        except UNAVAILABLE:
            is_quiet = False
        quiet_since = (quiet_since or time.monotonic()) if is_quiet else None
        if quiet_since and time.monotonic() - quiet_since >= QUIET_S:
            break
        time.sleep(0.1)
    return time.monotonic() - started
