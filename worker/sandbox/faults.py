"""Faults that are switched on: for one document, for the next calls, with a probability."""

import random
from dataclasses import dataclass, field
from itertools import count

from pydantic import BaseModel, ConfigDict, Field

from worker.sandbox.behaviours import FaultKind
from worker.sandbox.calls import Kind


class FaultRequest(BaseModel):
    """The body of `POST /sandbox/faults`.

    `seconds` is the wait of delay, hang and between two dripped bytes; `status` and `retry_after` are of the HTTP
    errors; `bytes` is the size of huge and of the unpacked bomb. What is left out is as in the table of faults.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fault: FaultKind
    document: str | None = None
    calls: int | None = Field(default=None, ge=1)
    probability: float = Field(default=1.0, gt=0, le=1)
    seed: int | None = None
    kinds: frozenset[Kind] = frozenset(Kind)
    seconds: float | None = Field(default=None, ge=0, le=3600)
    status: int | None = Field(default=None, ge=400, le=599)
    retry_after: str | None = Field(default=None, pattern=r"^[ -~]{0,64}$")
    bytes: int | None = Field(default=None, ge=0, le=2**31)


@dataclass(slots=True)
class Fault:
    """One fault that is switched on."""

    id: int
    asked: FaultRequest
    dice: random.Random
    applied: int = 0

    def befalls(self, kind: Kind, document: str) -> bool:
        """Whether this call is one of those meant; the dice are thrown only for these."""
        asked = self.asked
        if kind not in asked.kinds or (asked.document and asked.document.upper() != document):
            return False
        return asked.probability >= 1 or self.dice.random() < asked.probability

    def is_used_up(self) -> bool:
        """Whether it has befallen as many calls as it was meant for."""
        return self.asked.calls is not None and self.applied >= self.asked.calls

    def as_json(self) -> dict[str, object]:
        """What `GET /sandbox/faults` says."""
        return {"id": self.id, "applied": self.applied, **self.asked.model_dump(mode="json", exclude_none=True)}


@dataclass(slots=True)
class Faults:
    """The faults that are switched on, oldest first; the first that befalls a call is the one it gets."""

    _on: list[Fault] = field(default_factory=list)
    _ids: "count[int]" = field(default_factory=lambda: count(1))

    def switch_on(self, asked: FaultRequest) -> Fault:
        """One more fault."""
        fault = Fault(next(self._ids), asked, random.Random(asked.seed))
        self._on.append(fault)
        return fault

    def switch_off(self, fault_id: int | None = None) -> int:
        """One fault off, or all; gives how many."""
        kept = [] if fault_id is None else [fault for fault in self._on if fault.id != fault_id]
        count_off = len(self._on) - len(kept)
        self._on = kept
        return count_off

    def choose(self, kind: Kind, document: str) -> FaultRequest | None:
        """The fault that befalls this call; counts it."""
        fault = next((fault for fault in self._on if fault.befalls(kind, document)), None)
        if fault is None:
            return None
        fault.applied += 1
        if fault.is_used_up():
            self._on.remove(fault)
        return fault.asked

    def as_json(self) -> list[dict[str, object]]:
        """Every fault that is on."""
        return [fault.as_json() for fault in self._on]
