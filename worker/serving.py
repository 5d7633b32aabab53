"""Which accounts this process serves: those of its accounts file whose secrets it can read."""

from collections.abc import Iterable, Mapping
from threading import Lock

import structlog

from config.accounts import Account
from config.secrets import SecretMissing

log = structlog.get_logger(__name__)

_NOT_IN_FILE = "it is not in this worker's accounts file"
_ADD_IT = "give all workers the same accounts file, and restart this one"


class NotServed(Exception):
    """This process cannot call for an account; the message says why."""


class Serving:
    """Serves an account as long as its secret can be read, and logs whenever that changes."""

    def __init__(self, accounts: Mapping[str, Account], environment: Mapping[str, str]) -> None:
        self._accounts = accounts
        self._environment = environment
        self._problems: dict[str, str] = {}
        self._lock = Lock()

    def account_and_secret(self, name: str) -> tuple[Account, str]:
        """What a call needs.

        Raises:
            NotServed: not in the file, or its secret cannot be read; it is not served until that changes.
        """
        account = self._accounts.get(name)
        if account is None:
            self._note(name, _NOT_IN_FILE, _ADD_IT)
            raise NotServed(_NOT_IN_FILE)
        try:
            return account, account.secret_source.read(self._environment)
        except SecretMissing as problem:
            self._note(name, str(problem), _remedy(account))
            raise NotServed(str(problem)) from None

    def look(self, with_work: Iterable[str]) -> Mapping[Account, bool]:
        """Read every secret anew: of each account of the file whether it is served now.

        `with_work`: the accounts that have something to do; those of them that are not in the file are logged as well.
        """
        for name in sorted(set(with_work) - set(self._accounts)):
            self._note(name, _NOT_IN_FILE, _ADD_IT)
        return {account: self._is_readable(account) for account in self._accounts.values()}

    def unserved(self) -> frozenset[str]:
        """The accounts that were found not to be served, so far as is known."""
        with self._lock:
            return frozenset(self._problems)

    def _is_readable(self, account: Account) -> bool:
        try:
            account.secret_source.read(self._environment)
        except SecretMissing as problem:
            self._note(account.name, str(problem), _remedy(account))
            return False
        with self._lock:
            was_unserved = self._problems.pop(account.name, None)
        if was_unserved:
            log.info("account_served", account=account.name)
        return True

    def _note(self, name: str, problem: str, remedy: str) -> None:
        with self._lock:
            is_news = self._problems.get(name) != problem
            self._problems[name] = problem
        if is_news:
            log.warning("account_not_served", account=name, problem=problem, remedy=remedy)


def _remedy(account: Account) -> str:
    if account.secret_source.variable is not None:
        return "set it in the worker's environment, and restart the worker"
    return "let the worker read it: it goes on by itself"
