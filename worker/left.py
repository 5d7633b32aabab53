"""Requests left to other workers: they name an account that is in another worker's accounts file alone."""

import re
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import structlog
from redis.exceptions import ResponseError

from config.accounts import ACCOUNT_NAME, Accounts, ProviderName
from worker.ledger.admission import Entry
from worker.ledger.ledger import Ledger
from worker.ledger.trouble import is_outage_of_all
from worker.ledger.ways_in import WaysIn

log = structlog.get_logger(__name__)

_NAME = re.compile(ACCOUNT_NAME)
CHECK_EVERY_S = 5.0
"""How often it is checked that somebody still has the accounts that were asked for."""
READ_AGAIN_AFTER_S = 60.0
"""After this all that was left is read again: a stream's ids may have gone back with a failover."""


class Wanted(NamedTuple):
    """An account that a request asks for; any of the provider where it names none."""

    provider: str
    account: str | None


class Left:
    """What was left on the ways in, so that it is neither read again and again nor in the way of what is behind it."""

    def __init__(self, ledger: Ledger, ways_in: WaysIn, accounts: Accounts, worker: str) -> None:
        self._ledger = ledger
        self._ways_in = ways_in
        self._accounts = accounts
        self._worker = worker
        self._entries: set[tuple[str, bytes]] = set()
        self._wanted: set[Wanted] = set()
        self._told: set[Wanted] = set()
        self._checked_at = self._read_at = time.monotonic()

    def __len__(self) -> int:
        """How many entries were left behind the passed ones."""
        return len(self._entries)

    def __contains__(self, entry: Entry) -> bool:
        return _place(entry) in self._entries

    def look_again(self) -> None:
        """Now and then: begin anew where somebody has gone for whom requests were left."""
        now = time.monotonic()
        if not self._wanted or now - self._checked_at < CHECK_EVERY_S:
            return
        self._checked_at = now
        if now - self._read_at >= READ_AGAIN_AFTER_S or not self._are_all_elsewhere():
            self._read_at = now
            self._ways_in.passed.clear()
            self._entries.clear()
            self._wanted.clear()

    def leave(self, entry: Entry, body: Mapping[str, Any], submission: str) -> bool:
        """Whether a request that cannot be accepted here is left to another worker."""
        wanted = _wanted(body, self._accounts)
        if wanted is None or not (wanted in self._wanted or self._is_elsewhere(wanted)):
            return False
        self._wanted.add(wanted)
        self._entries.add(_place(entry))
        if wanted not in self._told:
            self._told.add(wanted)
            log.warning(
                "request_left",
                provider=wanted.provider,
                account=wanted.account,
                submission=submission,
                remedy="another worker has this account: give all of them the same accounts file",
            )
        return True

    def pass_over(self, entries: Iterable[Entry], stays: Collection[Entry]) -> None:
        """After a round over `entries`, in their order: begin behind what was left, up to the first that stays."""
        entries = list(entries)
        self._entries &= {_place(one) for one in entries}
        blocked: set[str] = set()
        for one in entries:
            if one in stays:
                blocked.add(one.place)
            elif one in self and one.place not in blocked:
                self._ways_in.passed[one.place] = one.entry
                self._entries.discard(_place(one))

    def _are_all_elsewhere(self) -> bool:
        try:
            return all(self._is_elsewhere(one) for one in self._wanted)
        except ResponseError as error:  # each request that is read again meets it, and is logged
            if is_outage_of_all(error):
                raise
            return False

    def _is_elsewhere(self, wanted: Wanted) -> bool:
        return self._ledger.is_elsewhere(self._worker, wanted.provider, wanted.account)


def _place(entry: Entry) -> tuple[str, bytes]:
    return entry.place, entry.entry


def _wanted(body: Mapping[str, Any], accounts: Accounts) -> Wanted | None:
    """What a request asks for that is not in this accounts file; None where that is not what is wrong with it."""
    provider, account = body.get("provider"), body.get("account")
    if provider not in tuple(ProviderName):
        return None
    if account is None:
        return None if accounts.of_provider(provider) else Wanted(provider, None)
    if not isinstance(account, str) or not _NAME.fullmatch(account):
        return None
    named = accounts.by_name.get(account)
    return None if named and named.provider == provider else Wanted(provider, account)
