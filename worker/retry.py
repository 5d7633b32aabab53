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
    """

    asked: Mapping[str, int]
    age_s: Mapping[str, float]
    last: tuple[str, float] | None = None

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Waits":
        """The state that `as_json` wrote; `{}` for a fresh run."""
        last = value.get("last")
        return cls(value.get("asked", {}), value.get("age_s", {}), (last[0], last[1]) if last else None)

    def as_json(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        return {"asked": dict(self.asked), "age_s": dict(self.age_s), "last": list(self.last) if self.last else None}

    def after(self, waited_s: float) -> "Waits":
        """The state once `waited_s` have passed since the last wait was ordered."""
        if self.last is None:
            return self
        kind, ordered_s = self.last
        age_s = {**self.age_s, kind: self.age_s.get(kind, 0.0) + min(ordered_s, waited_s)}
        return Waits(self.asked, age_s)

    def without(self, *kinds: Kind) -> "Waits":
        """The state with these kinds starting anew."""
        gone = set(kinds)
        kept = {kind: count for kind, count in self.asked.items() if kind not in gone}
        return Waits(kept, {kind: age for kind, age in self.age_s.items() if kind not in gone}, self.last)


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
        self._first_s = {kind: policy.first_s for kind, policy in by_kind.items()}
        self._policies = {
            kind: _Policy(retry_if_result(_is(kind)), _WaitJittered(policy), stop_after_delay(policy.total_s))
            for kind, policy in by_kind.items()
        }

    def first_s(self, kind: Kind) -> float:
        """The shortest wait of a kind, in seconds."""
        return self._first_s[kind]

    def next_wait(self, kind: Kind, waits: Waits, *, least_s: float = 0.0) -> tuple[float | None, Waits]:
        """Seconds to wait, at least `least_s`, or None to give up; and the state to keep."""
        policy = self._policies[kind]
        asked = waits.asked.get(kind, 0) + 1
        state = _restored(kind, asked, waits.age_s.get(kind, 0.0))
        counted = {**waits.asked, kind: asked}
        if not policy.retry(state) or policy.stop(state):
            return None, Waits(counted, waits.age_s)
        wait_s = max(policy.wait(state), least_s)
        return wait_s, Waits(counted, waits.age_s, (kind, wait_s))


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
