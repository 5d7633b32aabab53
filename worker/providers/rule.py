"""What one code of a provider means to us; each adapter keeps its tables of these."""

from collections.abc import Mapping
from dataclasses import dataclass

from worker.answer import Answer, Disproves, Evidence, Reaction, Reason


@dataclass(frozen=True, slots=True)
class Rule:
    """A code's meaning in short, and the fields of the answer that follow from the code alone.

    Attributes:
        warning: What the outcome has to say beside the code.
    """

    meaning: str
    reaction: Reaction
    reason: Reason | None = None
    may_have_acted: bool = False
    disproves: Disproves = Disproves.NOTHING
    least_wait_s: float = 0.0
    hold_account_s: float = 0.0
    warning: str | None = None

    def answer(
        self,
        *,
        code: str | None,
        message: str | None,
        provider_status: Mapping[str, str],
        protocol: str | None = None,
        registered_at: str | None = None,
        evidence: Evidence | None = None,
        warnings: tuple[str, ...] = (),
    ) -> Answer:
        """The answer to a call that got this code."""
        return Answer(
            reaction=self.reaction,
            reason=self.reason,
            code=code,
            message=message,
            provider_status=provider_status,
            protocol=protocol,
            registered_at=registered_at,
            evidence=evidence,
            warnings=((self.warning,) if self.warning else ()) + warnings,
            may_have_acted=self.may_have_acted,
            disproves=self.disproves,
            least_wait_s=self.least_wait_s,
            hold_account_s=self.hold_account_s,
        )
