"""Moves that the state of a job or account does not allow, and in which words that is said."""

from worker.ledger.records import instant


class NotPossible(Exception):
    """A move that the state of the job or account does not allow; the message says why and what to do."""


class NotRemoved(NotPossible):
    """An entry of stream or queue that was taken in and could not be removed; nothing more comes of it."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(
            f"taken in, and it cannot be removed from {place} ({why}): nothing more comes of it, but it is read again "
            "and again; allow the worker's user XDEL and LREM (docs/redis.md)"
        )


class NotPermitted(NotPossible):
    """What this user of Redis may not do; it is tried again, since an operator is changing that."""

    def __init__(self, why: str) -> None:
        super().__init__(f"Redis refuses ({why}): give the worker's user what docs/redis.md lists for its role")


_VISIT_PROBLEMS = {
    "suspended": "account {account} is suspended ({detail}): anula accounts resume {account}",
    "paused": "account {account} is paused until {detail}: try again then",
    "circuit": "account {account} has an open circuit, its provider fails: try again when anula accounts says ready",
    "trial": "account {account} makes one call at a time until an answer proves it: try again in a moment",
    "full": "account {account} has all its calls under way: try again in a moment",
    "pace": "account {account} has used up its calls of this minute: try again in a minute",
}
_RETRY_PROBLEMS = {
    "unknown": "unknown: never submitted, or ended longer ago than outcomes are kept",
    "open": "is still open: nothing to retry",
    "cancelled": "is cancelled: nothing to retry",
    "deadline": "its deadline has passed: submit it anew without one",
}


def visit_refused(account: str, why: str, detail: str) -> NotPossible:
    """In the words of the reply of `lua/visit.lua`."""
    if why == "paused":
        detail = f"{instant(detail):%Y-%m-%dT%H:%M:%SZ}"
    return NotPossible(_VISIT_PROBLEMS[why].format(account=account, detail=detail))


def retry_refused(job: str, why: str) -> NotPossible:
    """In the words of the reply of `lua/retry.lua`."""
    return NotPossible(f"{job}: {_RETRY_PROBLEMS[why]}")


def record_damaged(job: str, why: str) -> NotPossible:
    """Somebody else has written to the job's record."""
    return NotPossible(f"{job}: its record in Redis is damaged ({why}): docs/runbook.md says what to do")
