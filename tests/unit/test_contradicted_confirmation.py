"""The authority says "cancelled already", its look-up says "not cancelled", again and again (cStat 218)."""

from config import retries
from config.accounts import Environment
from config.settings import Settings
from worker.answer import Answer, Reaction, Reason
from worker.decision import decide
from worker.ledger.records import Begun, Record
from worker.ledger.steps import Finish
from worker.outcome import Status
from worker.retry import Policies
from worker.situation import AbuseRule, Call, Situation

CANCELLED_ALREADY = Answer(reaction=Reaction.CONFIRM, reason=Reason.ALREADY_CANCELLED, code="218", may_have_acted=True)


def test_a_confirmation_that_never_comes_does_not_end_in_a_reason_of_cancelled():
    now = _after_waiting_for_s(Settings().unknown_total_s)

    step = decide(now, CANCELLED_ALREADY)

    assert isinstance(step, Finish)
    assert (step.verdict.status, step.verdict.reason) == (Status.UNRESOLVED, Reason.GAVE_UP)


def _after_waiting_for_s(age_s: float) -> Situation:
    found = {
        "state": "running", "run": "1", "account": "rodoviaria", "lane": "interactive", "request": "{}", "references": "[]",
        "submitted_at": "0", "next": "cancel", "seq": "9", "acted": "1",
        "retry": f'{{"asked": {{"unknown": 9}}, "age_s": {{"unknown": {age_s}}}}}',
    }  # fmt: skip
    record = Record.from_fields("ns-bpe:43260199999999000191630000000000011000102184", found)
    policies = Policies(retries.policies(Settings(), Environment.TEST))
    begun = Begun(record, generation=1, waited_s=0.0, until_deadline_s=None)
    return Situation(begun, Call.CANCEL, True, policies, AbuseRule(1, 1, 1))
