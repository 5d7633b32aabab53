"""Redis away or out of memory, in our own words, for those who call from outside."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from config import redis_url
from worker.ledger import trouble
from worker.ledger.admitting import LedgerFull
from worker.ledger.primary import NoPrimary, UnknownPrimary
from worker.ledger.replicas import NotReplicated


class Unavailable(Exception):
    """Redis cannot serve now; the message says where it should be and what it said.

    Attributes:
        submission: The id to repeat a submission with, so that what was admitted is not admitted again.
        passes: Waiting helps: it is away, loading or changing roles, rather than refusing what was asked.
        remedy: What to do.
    """

    def __init__(
        self, message: str, *, submission: str | None = None, passes: bool = True, remedy: str | None = None
    ) -> None:
        super().__init__(message)
        self.submission = submission
        self.passes = passes
        self.remedy = remedy or "start it, or set ANULA_REDIS_URL"


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn the client library's errors into ours; `url` is where Redis should be.

    Raises:
        Unavailable: away, loading, refusing the credentials, or answering with an error.
        LedgerFull: it takes no more writes.
    """
    try:
        yield
    except (RedisError, OSError) as problem:
        if trouble.is_full(problem):
            raise LedgerFull("Redis has no memory left: nothing is admitted until there is room") from None
        raise Unavailable(
            f"Redis at {place(url)} cannot serve: {_words(problem)}", passes=_passes(problem), remedy=_remedy(problem)
        ) from problem


def place(url: str) -> str:
    """The part of a Redis URL that may be shown: no user and no password."""
    return redis_url.read(url).place


def _passes(problem: Exception) -> bool:
    if isinstance(problem, NoPrimary) and problem.because is not None:
        return _passes(problem.because)
    return trouble.passes(problem) and not _is_untrusted(problem) and not isinstance(problem, UnknownPrimary)


def _remedy(problem: Exception) -> str | None:
    if _is_untrusted(problem):
        return "set ANULA_REDIS_CA_FILE to the authority that signed it, and call Redis by the name in it"
    if isinstance(problem, UnknownPrimary):
        return "write its name in ANULA_REDIS_URL as `sentinel monitor` does"
    if isinstance(problem, NoPrimary) and isinstance(problem.because, AuthenticationError | NoPermissionError):
        return "set ANULA_SENTINEL_USERNAME and ANULA_SENTINEL_PASSWORD to what the Sentinels ask for"
    if isinstance(problem, AuthenticationError):
        return "set user and password in ANULA_REDIS_URL"
    if trouble.is_not_permitted(problem):
        return "give this user what docs/redis.md lists for its role"
    if isinstance(problem, NotReplicated):
        return "see that a replica is connected, and repeat: nothing is admitted twice"
    return None


def _is_untrusted(problem: Exception) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in str(problem)


def _words(problem: Exception) -> str:
    """The server's words, without what quotes the request."""
    if _is_untrusted(problem):
        return f"its certificate is not trusted ({str(problem).rpartition('verify failed: ')[2].split(' (_ssl')[0]})"
    return trouble.words(problem).rstrip(".") or type(problem).__name__
