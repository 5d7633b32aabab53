"""How long to wait, and when to give up: tenacity's policies, asked with a state that outlives the process.

Counters and ages live in the ledger, so that they go on across wake-ups, restarts and machines; tenacity's own loop
always starts counting at 1 and is used only where an answer has to be handed in.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, retry_if_result, stop_after_delay, wait_exponential
from tenacity.retry import retry_base
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from config import retries

JITTER = 1.2
"""A wait is drawn between its policy's value and this multiple of it."""

Result = TypeVar("Result")


class Kind(StrEnum):
    """What is waited for; each kind has its own policy and its own age."""

    TRANSIENT = "transient"
    UNKNOWN = "unknown"
    IN_PROCESS = "in_process"
    EVIDENCE = "evidence"


IN_TURN = frozenset({Kind.TRANSIENT, Kind.UNKNOWN})
"""Kinds that share a total, so that their answers in turn come to an end although each starts the other anew."""


class _WaitJittered(wait_base):
    """Exponential, never below `first_s`, jittered at its cap as well: a backlog must not come back in step."""

    def __init__(self, policy: retries.Policy) -> None:
        self._cap_s = max(policy.cap_s, policy.first_s)
        self._plain = wait_exponential(multiplier=policy.first_s, min=policy.first_s, max=self._cap_s / JITTER)

    def __call__(self, retry_state: RetryCallState) -> float:
        return min(self._plain(retry_state) * random.uniform(1.0, JITTER), self._cap_s)


@dataclass(frozen=True, slots=True)
class _Policy:
    retry: retry_base
    wait: wait_base
    stop: stop_base


@dataclass(frozen=True, slots=True)
class Waits:
    """What a run has waited for so far.

    Attributes:
        asked: How often each kind was answered without a break.
        age_s: How long each kind was waited for, as far as its policy ordered it: outages of ours do not count.
        last: The kind and length of the last wait that was ordered.
        in_turn_s: How long the kinds of `IN_TURN` were waited for together.
    """

    asked: Mapping[str, int]
    age_s: Mapping[str, float]
    last: tuple[str, float] | None = None
    in_turn_s: float = 0.0

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Waits":
        """The state that `as_json` wrote; `{}` for a fresh run."""
        last = value.get("last")
        ordered = (last[0], last[1]) if last else None
        return cls(value.get("asked", {}), value.get("age_s", {}), ordered, value.get("in_turn_s", 0.0))

    def as_json(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        last = list(self.last) if self.last else None
        return {"asked": dict(self.asked), "age_s": dict(self.age_s), "last": last, "in_turn_s": self.in_turn_s}

    def after(self, waited_s: float) -> "Waits":
        """The state once `waited_s` have passed since the last wait was ordered."""
        if self.last is None:
            return self
        kind, ordered_s = self.last
        passed_s = min(ordered_s, waited_s)
        age_s = {**self.age_s, kind: self.age_s.get(kind, 0.0) + passed_s}
        return Waits(self.asked, age_s, None, self.in_turn_s + (passed_s if kind in IN_TURN else 0.0))

    def turned_to(self, kind: Kind) -> "Waits":
        """The state after a cancellation request was answered with this kind: TRANSIENT and UNKNOWN start anew where
        it is another one, and what they share where it is neither.
        """
        gone = IN_TURN - {kind}
        asked = {one: count for one, count in self.asked.items() if one not in gone}
        age_s = {one: age for one, age in self.age_s.items() if one not in gone}
        return Waits(asked, age_s, self.last, self.in_turn_s if kind in IN_TURN else 0.0)


class Policies:
    """The policies in force."""

    def __init__(self, numbers: retries.Policies) -> None:
        by_kind = {
            Kind.TRANSIENT: numbers.transient,
            Kind.UNKNOWN: numbers.unknown,
            Kind.IN_PROCESS: numbers.in_process,
            Kind.EVIDENCE: numbers.evidence,
        }
        self.evidence_total_s = numbers.evidence.total_s
        self.look_up_counts_after_s = numbers.look_up_counts_after_s
        self._numbers = by_kind
        self._in_turn_s = 2 * max(by_kind[kind].total_s for kind in IN_TURN)
        self._stop_in_turn = stop_after_delay(self._in_turn_s)
        self._policies = {
            kind: _Policy(retry_if_result(_is(kind)), _WaitJittered(policy), stop_after_delay(policy.total_s))
            for kind, policy in by_kind.items()
        }

    def first_s(self, kind: Kind) -> float:
        """The shortest wait of a kind, in seconds."""
        return self._numbers[kind].first_s

    def left_s(self, waits: Waits) -> float | None:
        """Seconds after which a job is given up at the latest, counted from when its last wait was ordered, where it
        is answered the same each time; None where none was ordered.
        """
        if waits.last is None:
            return None
        kind = Kind(waits.last[0])
        numbers = self._numbers[kind]
        left_s = numbers.total_s - waits.age_s.get(kind, 0.0)
        if kind in IN_TURN:
            left_s = min(left_s, self._in_turn_s - waits.in_turn_s)
        return max(left_s, 0.0) + max(numbers.cap_s, numbers.first_s)

    def next_wait(self, kind: Kind, waits: Waits, *, least_s: float = 0.0) -> tuple[float | None, Waits]:
        """Seconds to wait, at least `least_s`, or None to give up; and the state to keep."""
        policy = self._policies[kind]
        asked = waits.asked.get(kind, 0) + 1
        state = _restored(kind, asked, waits.age_s.get(kind, 0.0))
        counted = {**waits.asked, kind: asked}
        in_turn = kind in IN_TURN and self._stop_in_turn(_restored(kind, asked, waits.in_turn_s))
        if not policy.retry(state) or policy.stop(state) or in_turn:
            return None, Waits(counted, waits.age_s, None, waits.in_turn_s)
        wait_s = max(policy.wait(state), least_s)
        return wait_s, Waits(counted, waits.age_s, (kind, wait_s), waits.in_turn_s)


def _is(kind: Kind) -> Callable[[object], bool]:
    return lambda result: result is kind


def _restored(kind: Kind, asked: int, age_s: float) -> RetryCallState:
    state = RetryCallState(retry_object=Retrying(), fn=None, args=(), kwargs={})
    state.attempt_number = asked
    state.set_result(kind)
    state.start_time = (state.outcome_timestamp or 0.0) - age_s
    return state


def until_taken(
    hand_in: Callable[[], Result], *, is_outage: Callable[[BaseException], bool], cap_s: float = 2.0
) -> Result:
    """Call `hand_in` until it raises nothing that is an outage: an answer must not be lost because Redis is away."""
    loop = Retrying(retry=retry_if_exception(is_outage), wait=wait_exponential(multiplier=0.05, max=cap_s))
    return loop(hand_in)
