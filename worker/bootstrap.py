"""Builds the parts, once per process. The only place where parts are chosen."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from threading import Lock

from config import accounts as accounts_file
from config import redis_access, retries
from config import settings as settings_file
from config.accounts import Account, Accounts
from config.secrets import SecretMissing, secrets_read
from config.settings import Settings
from worker.ledger.connect import ledger_for
from worker.ledger.ledger import Ledger
from worker.outage import Outage
from worker.providers import adapter_for
from worker.providers.base import Adapter
from worker.retry import Policies
from worker.run import Runner
from worker.sender import Limits, Sender
from worker.serving import Serving


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker process works with.

    Attributes:
        secrets: Every secret in use, for redaction.
        outage: What Redis refuses this process, on whichever connection.
    """

    settings: Settings
    accounts: Accounts
    ledger: Ledger
    runner: Runner
    adapter: Callable[[Account], Adapter]
    environment: Mapping[str, str]
    secrets: Callable[[], Collection[str]]
    outage: Outage


def build(settings: Settings, accounts: Accounts, environment: Mapping[str, str]) -> Parts:
    """The parts for these values; no connection is made yet."""
    ledger, outage = ledger_for(settings), Outage()
    adapters = _Adapters(Sender(Limits(settings.connect_timeout_s, settings.read_timeout_s, settings.total_timeout_s)))
    runner = Runner(
        settings=settings,
        serving=Serving(accounts.by_name, environment),
        adapter=adapters.of,
        ledger=ledger,
        policies=Policies(retries.policies(settings, accounts.environment)),
        outage=outage,
    )
    return Parts(
        settings, accounts, ledger, runner, adapters.of, environment, _Secrets(settings, accounts, environment), outage
    )


@cache
def parts() -> Parts:
    """The parts of this process.

    Raises:
        ConfigurationProblem: settings or accounts cannot be used.
    """
    settings = settings_file.load()
    return build(settings, accounts_file.load(settings.accounts), settings_file.environment())


class _Adapters:
    """One adapter for each account, made at its first use."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._made: dict[str, Adapter] = {}
        self._lock = Lock()

    def of(self, account: Account) -> Adapter:
        with self._lock:
            if account.name not in self._made:
                self._made[account.name] = adapter_for(account, self._sender)
            return self._made[account.name]


class _Secrets:
    """The secrets in use: at first all that can be read, then also each one that a call reads."""

    def __init__(self, settings: Settings, accounts: Accounts, environment: Mapping[str, str]) -> None:
        self._of_redis = frozenset(redis_access.passwords(settings))
        self._unread = [account.secret_source for account in accounts.by_name.values()]
        self._environment = environment

    def __call__(self) -> Collection[str]:
        while self._unread:
            with suppress(SecretMissing, IndexError):
                self._unread.pop().read(self._environment)
        return self._of_redis.union(secrets_read())
