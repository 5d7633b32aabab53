"""What a decision depends on beside the answer."""

from dataclasses import dataclass
from enum import StrEnum

from worker.answer import Answer, Disproves
from worker.ledger.records import Begun, Record
from worker.retry import Policies, Waits


class Call(StrEnum):
    """What is asked of the provider in one call."""

    CANCEL = "cancel"
    LOOK_UP = "look_up"
    EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True)
class AbuseRule:
    """What follows on the authority's abuse code: a pause, then a slow pace (docs/providers/ns-bpe.md)."""

    pause_s: float
    slow_s: float
    per_minute: int


@dataclass(frozen=True, slots=True)
class Situation:
    """What a decision depends on beside the answer.

    Attributes:
        call: What was asked.
        inquires: The provider can be asked what became of a document.
    """

    begun: Begun
    call: Call
    inquires: bool
    policies: Policies
    abuse: AbuseRule

    @property
    def record(self) -> Record:
        """The job as it was when the call began."""
        return self.begun.record

    @property
    def is_past_deadline(self) -> bool:
        """Whether no cancellation request may be sent any more: the call was a look-up or a download."""
        left_s = self.begun.until_deadline_s
        return left_s is not None and left_s <= 0

    @property
    def waits(self) -> Waits:
        """What was waited for so far, the pause before this call included."""
        return Waits.from_json(self.record.retry).after(self.begun.waited_s)

    def is_disproved_by(self, look_up: Answer) -> bool:
        """Whether nothing is in doubt any more once a look-up has said "not cancelled".

        It has to be sent late enough after the last request that may have acted, and no answer may have said otherwise.
        """
        record, since_s = self.record, self.begun.since_doubt_s
        if not record.is_in_doubt:
            return True
        is_contradicted = record.in_process or record.claimed
        is_late_enough = since_s is not None and since_s >= self.policies.look_up_counts_after_s
        return look_up.disproves is Disproves.EVERY_RUN and is_late_enough and not is_contradicted
