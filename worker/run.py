"""The use case: one call of one job, from begin to park or finish."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import structlog

from config.accounts import Account
from config.settings import Settings
from worker import decision, retry
from worker.answer import Answer
from worker.ledger.ledger import Ledger
from worker.ledger.records import Begun
from worker.ledger.steps import Finish, Park, Taken
from worker.ledger.trouble import has_moved, is_outage
from worker.outage import Outage
from worker.providers.base import Adapter, Credentials, Inquirer
from worker.request import stored
from worker.retry import Policies
from worker.sender import TooLate
from worker.serving import NotServed, Serving
from worker.situation import AbuseRule, Call, Situation

Result = TypeVar("Result")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parked:
    """The job is asked again after `wait_s`."""

    wait_s: float
    why: str

    def __str__(self) -> str:
        return f"{self.why}; again in {self.wait_s:.1f} s"


@dataclass(frozen=True, slots=True)
class Ended:
    """The run has its outcome."""

    status: str
    reason: str
    code: str | None

    def __str__(self) -> str:
        return f"{self.status}: {self.reason}" + (f" ({self.code})" if self.code else "")


@dataclass(frozen=True, slots=True)
class Dropped:
    """This wake-up was not needed."""

    why: str

    def __str__(self) -> str:
        return f"nothing done: {self.why}"


@dataclass(frozen=True, slots=True)
class Runner:
    """What runs calls: the parts that every call of this process needs."""

    settings: Settings
    serving: Serving
    adapter: Callable[[Account], Adapter]
    ledger: Ledger
    policies: Policies
    outage: Outage = field(default_factory=Outage)

    def run(self, job: str, token: int, *, on_begin: Callable[[Begun], None] | None = None) -> Parked | Ended | Dropped:
        """Make the one call that was released under `token`, and hand in its answer."""
        nonce = uuid.uuid4().hex
        asked_at = time.monotonic()
        begun = self._until_taken(
            lambda: self.ledger.begin(job, token, nonce, lease_s=self.settings.call_lease_s), "begin"
        )
        if isinstance(begun, str):
            return Dropped(begun)
        try:
            account, secret = self.serving.account_and_secret(begun.record.account)
            if on_begin:
                on_begin(begun)
            step = self._step(begun, asked_at, account, secret)
        except NotServed as problem:
            self._until_taken(lambda: self.ledger.hand_back(begun, token, nonce), "hand_back")
            return Dropped(f"this worker cannot call for account {begun.record.account}: {problem}")
        try:
            return self._hand_in(begun, token, nonce, step)
        except Exception as error:
            log.exception("answer_not_taken", job=job, run=begun.record.run)
            return self._hand_in(begun, token, nonce, decision.bug(self._situation(begun), error))

    def _step(self, begun: Begun, asked_at: float, account: Account, secret: str) -> Park | Finish:
        now = self._situation(begun)
        try:
            adapter = self.adapter(account)
            now = replace(now, inquires=isinstance(adapter, Inquirer))
            answer = _ask(adapter, now, Credentials(secret, self._may_send(now, asked_at)))
            self._look_for_misconfiguration(account, answer)
            self._log(now, answer)
            return decision.decide(now, answer)
        except NotServed:
            raise
        except TooLate:
            return decision.too_late(now)
        except Exception as error:
            log.exception("internal_error", job=begun.record.job, call=now.call)
            return decision.bug(now, error)

    def _situation(self, begun: Begun) -> Situation:
        call = Call(begun.record.next_call)
        return Situation(begun, call, inquires=True, policies=self.policies, abuse=self._abuse())

    def _look_for_misconfiguration(self, account: Account, answer: Answer) -> None:
        """Only the provider's own word suspends an account: what stopped a call here may be right in other workers."""
        if answer.is_misconfiguration:
            problem = answer.message or "no call can be made with it"
            self.serving.set_aside(account.name, problem)
            raise NotServed(problem)
        self.serving.confirm(account.name)

    def _abuse(self) -> AbuseRule:
        settings = self.settings
        return AbuseRule(settings.abuse_pause_s, settings.abuse_slow_s, settings.abuse_per_minute)

    def _may_send(self, now: Situation, asked_at: float) -> Callable[[], bool]:
        """Whether a call started now ends within its lease, and before the deadline if it asks for the cancellation."""
        last_at = asked_at + self.settings.lease_margin_s
        if now.call is Call.CANCEL and now.begun.until_deadline_s is not None:
            last_at = min(last_at, asked_at + now.begun.until_deadline_s)
        return lambda: time.monotonic() < last_at

    def _hand_in(self, begun: Begun, token: int, nonce: str, step: Park | Finish) -> Parked | Ended | Dropped:
        record = begun.record
        if isinstance(step, Park):
            said = self._until_taken(lambda: self.ledger.park(begun, token, nonce, step), "park")
            if said is Taken.PARKED:
                return Parked(step.wait_s, _why(step))
        else:
            said = self._until_taken(lambda: self.ledger.finish(begun, token, nonce, step), "finish")
            if said is Taken.ENDED:
                verdict = step.verdict
                log.info("outcome", job=record.job, run=record.run, status=verdict.status, reason=verdict.reason)
                return Ended(verdict.status, verdict.reason, verdict.answer.code if verdict.answer else None)
        if said is Taken.OVER:
            log.warning("cancelled_after_the_end", job=record.job, run=record.run)
        if said is Taken.OVERRULED:
            log.warning("overruled", job=record.job, run=record.run)
            return Dropped("an earlier call's late answer says cancelled, and decides")
        log.warning("late_answer", job=record.job, run=record.run, said=said)
        return Dropped(f"its answer came too late ({said})")

    def _until_taken(self, hand_in: Callable[[], Result], what: str) -> Result:
        """As `retry.until_taken`: what Redis refuses is logged once until it changes, whichever thread meets it."""

        def is_noted_outage(error: BaseException) -> bool:
            if not is_outage(error):
                return False
            self.outage.note(what, error)
            if has_moved(error):
                self.ledger.connect_anew()
            return True

        result = retry.until_taken(hand_in, is_outage=is_noted_outage)
        self.outage.over(what)
        return result

    @staticmethod
    def _log(now: Situation, answer: Answer) -> None:
        record = now.record
        log.info(
            "call",
            job=record.job,
            run=record.run,
            account=record.account,
            call=now.call,
            number=record.calls,
            reaction=answer.reaction,
            code=answer.code,
            **({"excerpt": answer.excerpt} if answer.excerpt else {}),
        )


def _ask(adapter: Adapter, now: Situation, credentials: Credentials) -> Answer:
    request = stored(now.record.request)
    if now.call is Call.CANCEL:
        return adapter.cancel(request, credentials)
    if not isinstance(adapter, Inquirer):
        raise TypeError(f"{type(adapter).__name__} has no call {now.call}")
    if now.call is Call.LOOK_UP:
        return adapter.look_up(request, credentials)
    return adapter.evidence(request, credentials)


def _why(step: Park) -> str:
    entry = step.entry
    return " ".join(str(entry[name]) for name in ("call", "reaction", "code") if entry.get(name))
