"""What holds at a deadline, checked on what was seen from outside (docs/reliability.md). Pure: no clock, no network."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.chaos.breach import Breach, Kind
from tests.chaos.observed import Call, Observed
from tests.chaos.stage import COUNTS_AFTER_S

ARRIVING_S = 0.25
"""How long a request may take from its worker's last look to the sandbox's record, on a busy machine."""
_DENIED = ("200/100", "200/150")
"""What a look-up says of a document that is not cancelled; some of the sandbox's say so whatever became of it."""
_NO_WORD = ("", "-500", "-999")
"""Of a request: what tells nobody whether it worked."""
_TURNED_AWAY = ("busy-429", "redirect")
"""Faults whose answer says, without any code, that the request has not reached the service."""


def deadlines(seen: Observed) -> Iterator[Breach]:
    """No cancellation request is sent at or after its deadline."""
    for job, deadline in seen.load.deadlines.items():
        end = deadline.timestamp() - seen.clock.offset_s
        for call in seen.calls_of.get(job.partition(":")[2], []):
            if call.kind == "cancel" and call.started > end + ARRIVING_S + seen.clock.slack_s:
                kind = Kind.FROZEN if seen.is_thawed(call) else Kind.LATE
                yield Breach(kind, f"{call.started - end:.3f} s after its deadline: {call}", job)


def given_up(seen: Observed) -> Iterator[Breach]:
    """What is in doubt at its deadline is looked up until its policy ends, and is not denied too early."""
    for one in seen.outcomes:
        if one["reason"] != "deadline-passed" or one["provider"] != "ns-bpe" or one["replayed"]:
            continue
        started, ended = seen.clock.at(one["submitted_at"]), seen.clock.at(one["finished_at"])
        deadline = seen.load.deadlines[one["job"]].timestamp() - seen.clock.offset_s
        if one["status"] == "unresolved":
            was_waited_for = ended - started >= seen.patience_s or started >= deadline - seen.clock.slack_s
            if not was_waited_for and not _was_suspended(seen, one["account"], deadline, ended):
                text = f"run {one['run']} was given up {ended - deadline:.3f} s after its deadline"
                yield Breach(Kind.LOST, text, one["job"])
        elif (doubtful := _last_doubtful(seen, one)) and not _is_denied(seen, one, doubtful):
            text = f"run {one['run']} is rejected at its deadline, and no look-up after {doubtful} says so"
            yield Breach(Kind.LOST, text, one["job"])


def _was_suspended(seen: Observed, account: str, start: float, end: float) -> bool:
    """Whether the account was so at any moment between the two."""
    was = False
    for at_ms, what, _ in sorted(seen.moments.get(account, ())):
        at = seen.clock.at_ms(at_ms)
        if at > end + seen.clock.slack_s:
            break
        if what in {"suspended", "resumed"}:
            was = what == "suspended" or (was and at >= start)
    return was


def _of_run(seen: Observed, one: Mapping[str, Any], kind: str) -> Sequence[Call]:
    start, end = seen.clock.at(one["submitted_at"]), seen.clock.at(one["finished_at"])
    calls = seen.calls_of.get(one["document"], [])
    return [call for call in calls if call.kind == kind and start <= call.started <= end]


def _last_doubtful(seen: Observed, one: Mapping[str, Any]) -> Call | None:
    """The last request of a run whose answer told nobody whether it worked."""
    requests = reversed(_of_run(seen, one, "cancel"))
    return next((call for call in requests if call.code in _NO_WORD and call.fault not in _TURNED_AWAY), None)


def _is_denied(seen: Observed, one: Mapping[str, Any], request: Call) -> bool:
    """Whether a look-up of the run denies the request late enough to count."""
    from_s = request.started + COUNTS_AFTER_S
    return any(call.code in _DENIED and call.started >= from_s for call in _of_run(seen, one, "look-up"))


def lied_for_long(seen: Observed, one: Mapping[str, Any]) -> bool:
    """Whether the sandbox has denied a cancellation for longer than is taken for possible."""
    requests = _of_run(seen, one, "cancel")
    is_stale = seen.load.behaviour(one["job"]).startswith("look-up-stale")
    return is_stale and (not requests or _is_denied(seen, one, requests[-1]))
