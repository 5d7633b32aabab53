"""What a call hands in: the job is parked, or its run ends; and what that means for the account."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from worker.ledger.encoding import json_text, ms, present
from worker.outcome import Verdict


class Taken(StrEnum):
    """What became of an answer that was handed in."""

    PARKED = "parked"
    ENDED = "ended"
    OVERRULED = "overruled"
    """A late answer to an earlier call has said cancelled meanwhile, and decides instead."""
    KEPT = "kept"
    """Late, and it says cancelled: it decides once the newer call is over."""
    OVER = "over"
    """Late, and it says cancelled, but the run has ended otherwise: kept in the history with a warning."""
    LATE = "late"
    """Dropped."""


class Expiry(StrEnum):
    """What became of a job whose time is up."""

    ENDED = "ended"
    LOOKS_UP = "looks up"
    """In doubt past its deadline: it goes on with look-ups alone."""
    CHANGED = "changed"
    """Its record has moved on, or it is in a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What an answer means for its account.

    Attributes:
        feeds: `failure` counts towards an open circuit, `answer` closes it, `none` does neither.
        proves: The account's credentials are good.
        suspend: The reason to suspend the account, unless it was resumed since the call began (`generation`).
    """

    feeds: str = "none"
    proves: bool = False
    hold_s: float = 0.0
    hold_reason: str | None = None
    slow_s: float = 0.0
    slow_per_minute: int = 0
    suspend: str | None = None
    suspend_code: str | None = None

    def as_json(self, job: str, generation: int) -> dict[str, Any]:
        """As the scripts read it."""
        suspend = present({"reason": self.suspend, "code": self.suspend_code, "job": job}) if self.suspend else None
        return present(
            {
                "feeds": self.feeds,
                "proves": self.proves or None,
                "hold_ms": ms(self.hold_s),
                "hold_reason": self.hold_reason,
                "slow_ms": ms(self.slow_s),
                "slow_per_minute": self.slow_per_minute,
                "suspend": suspend,
                "generation": generation,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Park:
    """A job to be asked again.

    Attributes:
        wait_s: Until it is due.
        least_wait_s: Before this it is not asked even where an outage ends earlier.
        claimed: An answer says that the document is cancelled; no look-up that denies it ends the doubt.
        disproved: A look-up has disproved every call that may have acted.
        until_s: The wait, whatever comes, ends the run after this (the phase of fetching evidence).
        unsent: No call was made after all, so it does not count as an attempt.
        entry: The line of the job's history.
    """

    wait_s: float
    least_wait_s: float
    next_call: str
    retry: Mapping[str, Any]
    entry: Mapping[str, Any]
    effects: Effects
    code: str | None = None
    may_have_acted: bool = False
    claimed: bool = False
    disproved: bool = False
    in_process: bool = False
    pending: Mapping[str, Any] | None = None
    until_s: float | None = None
    unsent: bool = False

    def as_json(self, job: str, generation: int) -> dict[str, Any]:
        """As the header of `lua/park.lua` names its fields."""
        return present(
            {
                "wait_ms": ms(self.wait_s),
                "least_wait_ms": ms(self.least_wait_s),
                "next": self.next_call,
                "retry": json_text(self.retry),
                "code": self.code,
                "acted": self.may_have_acted or None,
                "claimed": self.claimed or None,
                "disproved": self.disproved or None,
                "in_process": self.in_process or None,
                "pending": json_text(self.pending) if self.pending else None,
                "until_ms": ms(self.until_s) if self.until_s is not None else None,
                "unsent": self.unsent or None,
                "entry": present(self.entry),
                "effects": self.effects.as_json(job, generation),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """A run to be ended.

    Attributes:
        may_have_acted: Remembered for a later run, which then looks up first.
        unsent: As for `Park`.
    """

    verdict: Verdict
    entry: Mapping[str, Any]
    effects: Effects
    may_have_acted: bool = False
    unsent: bool = False

    def as_json(self, job: str, generation: int, *, keep_ms: int) -> dict[str, Any]:
        """As the header of `lua/finish.lua` names the fields of an ending."""
        effects = self.effects.as_json(job, generation)
        marks = present({"acted": self.may_have_acted or None, "unsent": self.unsent or None})
        return ending(self.verdict, self.entry, keep_ms=keep_ms) | {"effects": effects} | marks


def ending(verdict: Verdict, entry: Mapping[str, Any], *, keep_ms: int) -> dict[str, Any]:
    """The end of a run, as `finish`, `expire` and `revoke` read it."""
    said = verdict.answer
    return present(
        {
            "status": verdict.status,
            "reason": verdict.reason,
            "code": said.code if said else None,
            "warnings": list(verdict.warnings),
            "entry": present(entry),
            "keep_ms": keep_ms,
        }
    )
