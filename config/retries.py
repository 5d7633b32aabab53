"""The named retry policies, as numbers; `worker.retry` turns them into decisions."""

from dataclasses import dataclass

from config.accounts import Environment
from config.settings import Settings


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy: waits of `first_s`, doubling up to `cap_s`, until their sum reaches `total_s`; all in seconds."""

    first_s: float
    cap_s: float
    total_s: float


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies in force, one for each kind of wait.

    Attributes:
        look_up_counts_after_s: How long after the last request that may have acted a look-up has to be sent for its
            "not cancelled" to disprove that request.
    """

    transient: Policy
    unknown: Policy
    in_process: Policy
    evidence: Policy
    look_up_counts_after_s: float


def policies(settings: Settings, environment: Environment) -> Policies:
    """The policies that `settings` ask for; "in process" ends sooner in the test environment (docs/settings.md)."""
    test = environment is Environment.TEST
    return Policies(
        transient=Policy(settings.transient_first_s, settings.transient_cap_s, settings.transient_total_s),
        unknown=Policy(settings.unknown_first_s, settings.unknown_cap_s, settings.unknown_total_s),
        in_process=Policy(
            settings.in_process_first_s or (20 if test else 60),
            settings.in_process_cap_s or (300 if test else 3_600),
            settings.in_process_total_s,
        ),
        evidence=Policy(settings.evidence_first_s, settings.evidence_cap_s, settings.evidence_total_s),
        look_up_counts_after_s=settings.look_up_counts_after_s,
    )
