"""What this worker process makes known in the ledger: its accounts, and that it is alive and serves them."""

import time
from collections.abc import Mapping, Sequence

from config.accounts import Account
from worker.ledger.ledger import Ledger
from worker.serving import Serving

REGISTER_EVERY_S = 3.0
"""A fraction of the time after which a worker that was not seen counts as gone (`lua/shared/basics.lua`)."""


class Presence:
    """The presence of one worker process.

    Attributes:
        name: As which it registers; no other process has it.
    """

    def __init__(
        self, ledger: Ledger, serving: Serving, *, name: str, enrolment: Sequence[tuple[Account, bool]]
    ) -> None:
        """`enrolment`: each account of the file, and whether its provider can be asked what became of a document."""
        self.name = name
        self._ledger = ledger
        self._serving = serving
        self._enrolment = tuple(enrolment)
        self._to_enroll = list(enrolment)
        self._registered: Mapping[Account, bool] = {}
        self._registered_at = -REGISTER_EVERY_S

    def enroll(self) -> None:
        """Make known every account that is not known yet.

        Raises:
            ConfigurationProblem: the namespace belongs to the other environment, or Redis is a cluster.
        """
        if self._to_enroll:
            self._ledger.check_server()
        while self._to_enroll:
            account, inquires = self._to_enroll[-1]
            self._ledger.enroll(account, inquires=inquires)
            self._to_enroll.pop()

    def look(self) -> None:
        """Enroll anew where Redis has lost what was enrolled, as with its data or by a failover."""
        if not self._ledger.are_known([account.name for account, _ in self._enrolment]):
            self._to_enroll = list(self._enrolment)

    def register(self) -> None:
        """Say that this worker is alive, where it is time; at once where a call has found a secret that is gone."""
        served = {account.name for account, is_served in self._registered.items() if is_served}
        is_time = time.monotonic() - self._registered_at >= REGISTER_EVERY_S
        if not is_time and served.isdisjoint(self._serving.unserved()):
            return
        found = self._serving.look(self._ledger.with_work())
        self._enroll_again({one for one, is_served in found.items() if is_served and one.name not in served})
        self._ledger.register(self.name, found, has_changed=found != self._registered)
        self._registered, self._registered_at = found, time.monotonic()

    def _enroll_again(self, accounts: set[Account]) -> None:
        """Whose secret can be read again starts as after a start: one call at a time until an answer proves it."""
        if self._registered:
            self._to_enroll += [pair for pair in self._enrolment if pair[0] in accounts]
            self.enroll()
