"""Takes in what producers left, ends what is overdue, and releases what is due. Every worker runs one; none leads."""

import threading
import time
from collections.abc import Callable, Sequence

import structlog

from config.problem import ConfigurationProblem
from config.settings import Settings
from worker import verdicts
from worker.intake import Intake
from worker.ledger.admitting import LedgerFull
from worker.ledger.ledger import Ledger
from worker.ledger.records import Record, Released
from worker.ledger.steps import Expiry
from worker.ledger.trouble import has_moved, is_outage, remedy_of_full
from worker.outage import Outage
from worker.outcome import Verdict
from worker.presence import Presence
from worker.step import Step
from worker.unavailable import pauses

log = structlog.get_logger(__name__)

BATCH = 100
BREATH_S = 0.01
"""Pause after a round with work: long enough that the next finds a batch, not single jobs."""
TRIM_EVERY_S = 10.0


class Dispatcher(threading.Thread):
    """The dispatcher of one worker process, a daemon thread.

    `wake_up` publishes released jobs; `slots` is how many calls this process can run at a time, `free_slots` tells how
    many more it could run now; `refused` is called once, from the thread, if this worker must not run against this
    Redis. `outage` logs what Redis refuses, for the whole process.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        ledger: Ledger,
        intake: Intake,
        presence: Presence,
        wake_up: Callable[[Sequence[Released]], None],
        slots: int,
        free_slots: Callable[[], int],
        refused: Callable[[ConfigurationProblem], None],
        outage: Outage | None = None,
    ) -> None:
        super().__init__(name="dispatcher", daemon=True)
        self._settings = settings
        self._ledger = ledger
        self._intake = intake
        self._presence = presence
        self._wake_up = wake_up
        self._slots = slots
        self._free_slots = free_slots
        self._refused = refused
        self._stopping = threading.Event()
        self._outage = outage or Outage()
        self._trimmed_at = -TRIM_EVERY_S
        self._is_away = self._is_full = False
        self._unending: set[str] = set()
        # Trimming first, before whatever writes: a full Redis takes nothing else, and room is what trimming makes
        self._trim_step, self._enroll_step, *self._others = (
            Step(does.__name__.strip("_"), does, self._outage)
            for does in (self._trim, self._enroll, self._register, self._take_in, self._expire, self._release)
        )

    def stop(self) -> None:
        """Release nothing more; returns at once."""
        self._stopping.set()

    def run(self) -> None:
        """Tick until stopped. A Redis outage makes it wait and try on; a bug is logged and does not end it."""
        waiting = pauses()
        while not self._stopping.is_set():
            try:
                did = self.tick()
                self._redis_is_back()
                waiting = pauses()
                self._stopping.wait(min(BREATH_S, self._settings.tick_s) if did else self._settings.tick_s)
            except ConfigurationProblem as problem:
                self._refused(problem)
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, the next round comes
                self._note(error)
                self._stopping.wait(next(waiting))

    def tick(self) -> bool:
        """One round; whether there was anything to do. A step that fails alone keeps no other from its work.

        Raises:
            RedisError, OSError: an outage that is the same for every step.
            ConfigurationProblem: this worker must not run against this Redis.
        """
        self._trim_step.take()
        if self._enroll_step.take() is None:  # nothing is called for before the environments have been compared
            return False
        worked = [step.take() for step in self._others]
        return any(worked)

    def _enroll(self) -> int:
        self._presence.enroll()
        return 0

    def _register(self) -> int:
        self._presence.register()
        return 0

    def _take_in(self) -> int:
        try:
            taken_in = self._intake.take_in()
        except LedgerFull as full:
            if not self._is_full:
                self._is_full = True
                log.warning("nothing_admitted", problem=str(full), remedy=remedy_of_full())
            return 0
        self._is_full = False
        return taken_in

    def _expire(self) -> int:
        """End the first batch of what is overdue, and of what a suspension has left without an answer."""
        return self._end_first(self._ledger.overdue) + self._end_first(self._ledger.given_up)

    def _end_first(self, jobs: Callable[..., list[str]]) -> int:
        """End the first batch of these jobs, past those that cannot be ended now."""
        passed = 0
        while found := jobs(BATCH, skip=passed):
            if ended := self._end_all(found, verdicts.time_is_up):
                return ended
            passed += len(found)
        return 0

    def _end_all(self, jobs: Sequence[str], verdict_of: Callable[[Record], Verdict]) -> int:
        """How many of these jobs were ended or left to look-ups; one that fails is logged once and stops no other."""
        ended = 0
        for job in jobs:
            try:
                ended += self._end(job, verdict_of)
            except Exception as error:
                if is_outage(error):
                    raise
                if job not in self._unending:
                    self._unending.add(job)
                    log.exception("job_not_ended", job=job)
        return ended

    def _end(self, job: str, verdict_of: Callable[[Record], Verdict]) -> bool:
        """End a run that nobody is calling for, or leave it to look-ups; False where neither was possible now."""
        record = self._ledger.record(job)
        if record is None or not record.is_open or record.state == "running":
            return False
        verdict = verdict_of(record)
        said = self._ledger.expire(record, verdict)
        if said is Expiry.ENDED:
            log.info("outcome", job=job, run=record.run, status=verdict.status, reason=verdict.reason)
        return said is not Expiry.CHANGED

    def _release(self) -> int:
        settings = self._settings
        released, worn, damaged = self._ledger.release(
            self._free_slots(),
            slots=self._slots,
            begin_within_s=settings.begin_within_s,
            lost_wait_s=settings.unknown_first_s,
            worker=self._presence.name,
        )
        if released:
            self._wake_up(released)
        self._end_all(worn, verdicts.worn_out)
        for job, problem in damaged:
            log.error("job_not_releasable", job=job, problem=problem)
        return len(released) + len(damaged)

    def _trim(self) -> int:
        if time.monotonic() - self._trimmed_at >= TRIM_EVERY_S:
            self._presence.look()
            self._ledger.trim()
            self._trimmed_at = time.monotonic()
        return 0

    def _note(self, error: Exception) -> None:
        """An outage is worth one line, not one a tick; anything else is a bug."""
        if not is_outage(error):
            log.error("dispatcher_failed", exc_info=error)
            return
        self._is_away = True
        self._outage.note(self.name, error)
        if has_moved(error):
            self._ledger.connect_anew()

    def _redis_is_back(self) -> None:
        if self._is_away:
            self._is_away = False
            self._trimmed_at = -TRIM_EVERY_S
            self._outage.over(self.name)
