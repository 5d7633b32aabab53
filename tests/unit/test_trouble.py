"""Every error of the client library has a meaning, and a remedy that fits it."""

import inspect

import pytest
from redis import exceptions
from redis.exceptions import RedisError
from redis.sentinel import MasterNotFoundError
from structlog.testing import capture_logs

from worker.ledger import trouble
from worker.ledger.primary import NoPrimary, UnknownPrimary
from worker.ledger.replicas import NotReplicated
from worker.ledger.trouble import Kind
from worker.outage import Outage

OF_REDIS_PY = [one for _, one in inspect.getmembers(exceptions, inspect.isclass) if issubclass(one, RedisError)]


@pytest.mark.parametrize("one", OF_REDIS_PY, ids=lambda one: one.__name__)
def test_each_class_of_the_client_library_is_classified_by_itself_or_its_nearest_parent(one):
    nearest = next(parent for parent in one.__mro__ if parent in trouble._CLASSES)

    assert nearest is not RedisError or one is RedisError, "a class of its own, not just any error"


@pytest.mark.parametrize(
    ("error", "kind", "remedy"),
    [
        (exceptions.ConnectionError("Error 111 connecting to here:1. Connection refused."), Kind.AWAY, "start it"),
        (exceptions.ConnectionError("Connection closed by server."), Kind.AWAY, "whether it runs"),
        (exceptions.TimeoutError("Timeout reading from socket"), Kind.AWAY, "whether it runs"),
        (exceptions.ConnectionError("max number of clients reached", status_code="ERR"), Kind.REFUSES, "maxclients"),
        (exceptions.BusyLoadingError("Redis is loading", status_code="LOADING"), Kind.REFUSES, "wait until"),
        (exceptions.ResponseError("MISCONF Errors writing to the AOF file"), Kind.REFUSES, "disk"),
        (exceptions.ResponseError("NOGROUP No such key 'x' or consumer group 'g'"), Kind.FORBIDDEN, "XGROUP CREATE"),
        (exceptions.ResponseError("WRONGTYPE Operation against a key"), Kind.BUG, "somebody else"),
        (exceptions.OutOfMemoryError("command not allowed", status_code="OOM"), Kind.FULL, "more memory"),
        (exceptions.NoPermissionError("no permissions", status_code="NOPERM"), Kind.FORBIDDEN, "docs/redis.md"),
        (exceptions.AuthenticationError("invalid username", status_code="WRONGPASS"), Kind.FORBIDDEN, "password"),
        (NotReplicated("no replica has confirmed"), Kind.REFUSES, "replica is connected"),
        (UnknownPrimary("the Sentinels know no primary"), Kind.FORBIDDEN, "sentinel monitor"),
        (NoPrimary("the primary is down"), Kind.AWAY, "Sentinels"),
        (NoPrimary("x", because=exceptions.AuthenticationError("x")), Kind.FORBIDDEN, "ANULA_SENTINEL_PASSWORD"),
        (MasterNotFoundError("x"), Kind.AWAY, "whether it runs"),
        (ConnectionRefusedError(111, "Connection refused"), Kind.AWAY, "start it"),
        (exceptions.DataError("Invalid input"), Kind.BUG, "report"),
        (ValueError("OOM x"), Kind.BUG, "report"),
    ],
)
def test_each_error_has_a_meaning_and_a_remedy_that_fits(error, kind, remedy):
    assert trouble.kind(error) is kind
    assert remedy in trouble.remedy(error)


def test_an_outage_is_logged_once_until_it_changes_and_once_when_it_is_over_for_all(log):
    outage = Outage()
    full = exceptions.OutOfMemoryError("command not allowed", status_code="OOM")
    readonly = exceptions.ReadOnlyError("You can't write", status_code="READONLY")

    for part, error in [("a", readonly), ("a", readonly), ("b", readonly), ("a", full), ("a", full)]:
        outage.note(part, error)
    outage.over("a")
    outage.over("b")
    outage.over("b")

    assert [line["event"] for line in log] == ["redis_refuses", "redis_full", "redis_back"]


@pytest.fixture
def log():
    with capture_logs() as lines:
        yield lines
