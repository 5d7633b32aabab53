"""What counts as a breach of the invariants."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a breach counts as."""

    LOST = "lost"
    """A request without its outcome, or with one that is not true."""
    DOUBLED = "doubled"
    """An outcome too many, a call too many, or two calls at a time for one document."""
    LATE = "late_calls"
    """A call outside of every run of its job, or a cancellation request after its deadline."""
    SUSPENDED = "suspended_calls"
    """A call that its account's state forbade: suspended, paused, circuit, on trial, or more than it may have."""
    UNRELEASED = "unreleased"
    """Something left leased, in flight, handed out, or not taken in."""
    FROZEN = "frozen"
    """The documented exception: a call of a process that stood still between its last look and its first byte."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing that must not be."""

    kind: Kind
    what: str
    job: str | None = None
    other: str | None = None
    """The job of the call that it met."""
