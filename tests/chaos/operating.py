"""An operator who suspends, resumes, revokes and retries at random, and keeps an eye on the accounts."""

import random
import threading
from collections import Counter
from collections.abc import Collection, Iterator

from tests.chaos.load import ACCOUNTS
from worker.ledger.connect import UNAVAILABLE
from worker.ledger.ledger import Ledger
from worker.ledger.listing import Wanted, jobs
from worker.ledger.not_possible import NotPossible
from worker.ledger.records import OPEN_STATES, Record
from worker.verdicts import revoked

LOOKS_EVERY_S = 0.25
TRIES = 5
_BY = "chaos"


class Operator(threading.Thread):
    """Moves about once in `every_s`; a suspended account is resumed after a while, whoever suspended it.

    Attributes:
        retried: How often each job was, or may have been, retried.
        moments: By account: what became of it and when, as its history in the ledger tells.
    """

    def __init__(self, ledger: Ledger, dice: random.Random, *, every_s: float) -> None:
        super().__init__(name="operator", daemon=True)
        self._ledger = ledger
        self._dice = dice
        self._every_s = every_s
        self._halt = threading.Event()
        self._calm = threading.Event()
        self.moves: Counter[str] = Counter()
        self.retried: Counter[str] = Counter()
        self.moments: dict[str, set[tuple[int, str, str]]] = {name: set() for name in ACCOUNTS}
        self.problem: BaseException | None = None

    def run(self) -> None:
        """Look and move until halted."""
        try:
            while not self._halt.wait(LOOKS_EVERY_S):
                try:
                    self._look()
                    if not self._calm.is_set() and self._dice.random() < LOOKS_EVERY_S / self._every_s:
                        self._move()
                except UNAVAILABLE:
                    continue
        except BaseException as problem:  # noqa: BLE001 - told by whoever waits for the thread
            self.problem = problem

    def calm_down(self) -> None:
        """From now on only resume."""
        self._calm.set()

    def halt(self) -> None:
        """Stop."""
        self._halt.set()

    def _look(self) -> None:
        for state in self._ledger.account_states():
            self.moments[state.name] |= {
                (int(one["at"]), str(one["what"]), str(one.get("by") or "")) for one in state.history
            }
            if state.suspended_at and (self._calm.is_set() or self._dice.random() < LOOKS_EVERY_S / 2.0):
                self._ledger.resume(state.name, by=_BY)
                self.moves["resume"] += 1

    def _move(self) -> None:
        match self._dice.choice(("revoke", "retry", "retry", "suspend")):
            case "revoke":
                self._revoke()
            case "retry":
                self._retry()
            case _:
                if self._ledger.suspend(self._dice.choice(ACCOUNTS), "chaos", by=_BY):
                    self.moves["suspend"] += 1

    def _revoke(self) -> None:
        for record in self._found(OPEN_STATES):
            said = self._ledger.revoke(record, revoked(record), by=_BY)
            self.moves[f"revoke: {said}"] += 1
            return

    def _retry(self) -> None:
        for record in self._found(("rejected", "unresolved", "revoked")):
            self.retried[record.job] += 1  # before, because the reply may be lost
            try:
                self._ledger.retry(record.job, by=_BY)
            except NotPossible:
                self.retried[record.job] -= 1
            else:
                self.moves["retry"] += 1
                return

    def _found(self, states: Collection[str]) -> Iterator[Record]:
        found = [one.job for one in jobs(self._ledger, Wanted(states=states))]
        for job in self._dice.sample(found, min(len(found), TRIES)):
            record = self._ledger.record(job)
            if record is not None and record.state in states:
                yield record
