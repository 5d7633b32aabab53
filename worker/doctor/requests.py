"""Requests that wait where no worker reads them (docs/requests.md)."""

from collections.abc import Iterator

from worker.check import Check, failed, ok, warning
from worker.ledger.ledger import Ledger
from worker.ledger.unread import look, wrong_types


def checks(ledger: Ledger) -> Iterator[Check]:
    """One for each place that nobody reads, else one."""
    lists, types = look(ledger), wrong_types(ledger)
    for one in types.unread:
        yield failed("requests", f"{one.place} cannot be read", one.remedy)
    for one in lists.unread:
        found = f"{one.length} on the list {one.place}, which no worker reads"
        remedy = f'{one.remedy}, and move them: redis-cli LMOVE "{one.place}" {ledger.namespace} RIGHT LEFT, for each'
        yield failed("requests", found, remedy)
    hidden = (*types.hidden, *lists.hidden)
    if hidden:
        remedy = "allow TYPE, EXISTS and LLEN there (docs/redis.md, user operator)"
        yield warning("requests", f"{', '.join(hidden)} cannot be seen: it is not allowed", remedy)
    elif not types.unread and not lists.unread:
        yield ok("requests", "none is where nobody reads it")
