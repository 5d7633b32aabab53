"""What workers make known: their accounts and limits, the environment, and that they are alive."""

from collections.abc import Mapping, Sequence
from typing import Any

from config.accounts import Account, Environment
from worker.ledger.reading import Reading
from worker.ledger.records import text


class Workers(Reading):
    """The part of the ledger that workers write as they start and while they live."""

    def enroll(self, account: Account, *, inquires: bool) -> None:
        """Make an account and its limits known; called by every worker as it starts.

        Raises:
            ConfigurationProblem: the namespace belongs to the other environment.
        """
        minute = "" if account.max_per_minute is None else account.max_per_minute
        environment = self._scripts.call(
            "enroll", account.environment, account.name, account.provider, account.max_in_flight, minute, int(inquires)
        )
        self._agree(account.environment, environment)

    def are_known(self, accounts: Sequence[str]) -> bool:
        """Whether these accounts are enrolled; no longer so where Redis has lost everything, or its last moments.

        An account whose key somebody has damaged counts as enrolled: it cannot be enrolled anew.
        """
        pipeline = self.redis.pipeline(transaction=False)
        pipeline.hexists(self.key("meta"), "environment")
        for account in accounts:
            pipeline.hexists(self.key("account", account), "provider")
        return all(pipeline.execute(raise_on_error=False))

    def agree_environment(self, environment: Environment) -> None:
        """Make sure that the namespace is of this environment; the first one that asks decides.

        Raises:
            ConfigurationProblem: the namespace belongs to the other environment.
        """
        self.redis.hsetnx(self.key("meta"), "environment", environment)
        self.check_environment(environment)

    def register(self, worker: str, accounts: Mapping[Account, bool], *, has_changed: bool = True) -> None:
        """Say that a worker is alive, which accounts it has, and of each whether it serves it; every few seconds."""
        if has_changed or not self._scripts.call("register", worker):
            pairs = ((one.name, f"{int(is_served)}{one.provider}") for one, is_served in accounts.items())
            self._scripts.call("register", worker, *(part for pair in pairs for part in pair))

    def is_elsewhere(self, worker: str, provider: str, account: str | None) -> bool:
        """Whether a live worker other than this one has an account of a provider, or any where none is named."""
        return bool(self._scripts.call("elsewhere", worker, provider, account or ""))

    def with_work(self) -> list[str]:
        """The accounts that have something to do, now or later, and do not stand still."""
        names: Any = self.redis.zrange(self.key("turns"), 0, -1)
        return [text(name) for name in names]
