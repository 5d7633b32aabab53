"""Which accounts this process serves: those of its accounts file whose secrets it can read and that it can call for."""

import time
from collections.abc import Iterable, Mapping
from threading import Lock

import structlog

from config.accounts import Account
from config.secrets import SecretMissing

log = structlog.get_logger(__name__)

TRIED_AGAIN_AFTER_S = 60.0
"""Until an account with which no call could be made, although its secret was read, is tried again."""
_NOT_IN_FILE = "it is not in this worker's accounts file"
_ADD_IT = "give all workers the same accounts file, and restart this one"
_CORRECT_IT = "correct its entry in this worker's accounts file or what it names there; a changed file needs a restart"


class NotServed(Exception):
    """This process cannot call for an account; the message says why."""


class Serving:
    """Serves an account while that is possible, and logs whenever it changes. The threads of a process share one."""

    def __init__(self, accounts: Mapping[str, Account], environment: Mapping[str, str]) -> None:
        self._accounts = accounts
        self._environment = environment
        self._told: dict[str, str] = {}
        self._unread: set[str] = set()
        self._again_at: dict[str, float] = {}
        self._lock = Lock()

    def account_and_secret(self, name: str) -> tuple[Account, str]:
        """What a call needs.

        Raises:
            NotServed: not in the file, or its secret cannot be read; it is not served until that changes.
        """
        account = self._accounts.get(name)
        if account is None:
            self._tell(name, _NOT_IN_FILE, _ADD_IT)
            raise NotServed(_NOT_IN_FILE)
        try:
            return account, account.secret_source.read(self._environment)
        except SecretMissing as problem:
            self._note_unread(account, problem)
            raise NotServed(str(problem)) from None

    def look(self, with_work: Iterable[str]) -> Mapping[Account, bool]:
        """Read every secret anew: of each account of the file whether it is served now.

        `with_work`: the accounts that have something to do; those of them that are not in the file are logged as well.
        """
        for name in sorted(set(with_work) - set(self._accounts)):
            self._tell(name, _NOT_IN_FILE, _ADD_IT)
        return {one: self._is_readable(one) and not self._is_aside(one.name) for one in self._accounts.values()}

    def unserved(self) -> frozenset[str]:
        """The accounts of the file that are not served, as far as calls and the last look have found out."""
        with self._lock:
            return frozenset(self._unread.union(name for name in self._again_at if self._is_aside(name)))

    def set_aside(self, name: str, problem: str) -> None:
        """No call could be made with this account because of its configuration here: it is tried again later."""
        with self._lock:
            self._again_at[name] = time.monotonic() + TRIED_AGAIN_AFTER_S
        self._tell(name, problem, _CORRECT_IT)

    def confirm(self, name: str) -> None:
        """A call was made with this account."""
        with self._lock:
            was_aside = self._again_at.pop(name, None) is not None
        if was_aside:
            self._tell_served(name)

    def _is_aside(self, name: str) -> bool:
        return self._again_at.get(name, 0.0) > time.monotonic()

    def _is_readable(self, account: Account) -> bool:
        try:
            account.secret_source.read(self._environment)
        except SecretMissing as problem:
            self._note_unread(account, problem)
            return False
        with self._lock:
            was_unread = account.name in self._unread
            self._unread.discard(account.name)
        if was_unread and account.name not in self._again_at:
            self._tell_served(account.name)
        return True

    def _note_unread(self, account: Account, problem: SecretMissing) -> None:
        with self._lock:
            self._unread.add(account.name)
        self._tell(account.name, str(problem), _remedy(account))

    def _tell(self, name: str, problem: str, remedy: str) -> None:
        with self._lock:
            is_news = self._told.get(name) != problem
            self._told[name] = problem
        if is_news:
            log.warning("account_not_served", account=name, problem=problem, remedy=remedy)

    def _tell_served(self, name: str) -> None:
        with self._lock:
            self._told.pop(name, None)
        log.info("account_served", account=name)


def _remedy(account: Account) -> str:
    if account.secret_source.variable is not None:
        return "set it in the worker's environment, and restart the worker"
    return "let the worker read it: it goes on by itself"
