"""A user who may not use one command: whatever a script had done by then, nothing is lost and nothing is published twice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from redis import Redis
from redis.exceptions import RedisError
from structlog.testing import capture_logs

from tests.support.ledgers import World, finish, verdict
from tests.support.mailbox import Mailbox
from tests.support.requests import NORTE, RODOVIARIA, bpe, chbpe, sf, uuid
from tests.support.valkey import LocalValkey, running_valkey
from worker.outcome import Status

pytestmark = pytest.mark.integration

JOB = f"solucion-factible:{uuid(1)}"
WRITING = (
    *("del", "hdel", "hincrby", "hset", "hsetnx", "lrem", "mset", "persist", "pexpire", "publish"),
    *("sadd", "srem", "xadd", "xdel", "zadd", "zrem", "zremrangebyscore", "zscore"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalValkey]:
    """A server whose users this module makes."""
    with running_valkey(tmp_path_factory.mktemp("users")) as one:
        yield one


@pytest.fixture
def world(server: LocalValkey, namespace: str) -> Iterator[World]:
    one = World(server.url, namespace)
    one.enroll(NORTE, RODOVIARIA)
    yield one
    one.redis.close()


@contextmanager
def without(server: LocalValkey, namespace: str, command: str) -> Iterator[World]:
    """The same ledger as a user sees it who may do all but this."""
    with Redis.from_url(server.url) as admin:
        admin.execute_command("ACL", "SETUSER", "limited", "on", "nopass", "~*", "&*", "+@all", f"-{command}")
    limited = World(server.url.replace("//", "//limited:x@"), namespace)
    try:
        yield limited
    finally:
        limited.redis.close()


def taken_in(world: World) -> None:
    """Take in whatever can be, a few times, as a worker does that goes on after each error."""
    intake = Mailbox(world, NORTE, RODOVIARIA).intake
    for _ in range(3):
        try:
            intake.take_in()
        except RedisError:
            continue


def nothing(_: World) -> None:
    """The document is unknown."""


def queued(world: World) -> None:
    world.submit(sf(1, reference="first", priority="bulk"))


def touched(world: World) -> None:
    queued(world)
    world.job_hash(JOB)


def ended(status: Status) -> Callable[[World], None]:
    def end(world: World) -> None:
        queued(world)
        world.finish(world.next_call(), finish(status))

    end.__name__ = status
    return end


def handed_in(world: World) -> None:
    mailbox = Mailbox(world)
    mailbox.add(sf(1, reference="second"), "key")
    mailbox.add("junk", "junk")
    mailbox.push(bpe(1, nProt="1"), "invalid")
    mailbox.push(bpe(2, reference="third"), "task")


@pytest.mark.parametrize("command", WRITING)
@pytest.mark.parametrize("before", [nothing, queued, touched, ended(Status.REJECTED), ended(Status.CANCELLED)])
def test_what_is_handed_in_is_taken_in_once(server, world, namespace, before, command):
    before(world)
    handed_in(world)

    with without(server, namespace, command) as limited:
        taken_in(limited)
    Mailbox(world).take_in()

    record, outcomes = world.record(JOB), world.outcomes()
    runs = [(one["run"], one["replayed"]) for one in outcomes if one["job"] == JOB]
    match before.__name__:
        case "nothing":
            assert (record.state, record.run, record.references, runs) == ("queued", 1, ("second",), [])
        case "queued" | "touched":
            assert (record.state, record.run, record.references, runs) == ("queued", 1, ("first", "second"), [])
            assert record.lane == "interactive"
        case "rejected":
            assert (record.state, record.run, record.references, runs) == ("queued", 2, ("second",), [(1, False)])
            assert (record.attempts, world.redis.ttl(world.key("job", JOB))) == (0, -1)
        case _:
            assert (record.state, runs) == ("cancelled", [(1, False), (1, True)])
            assert outcomes[-1]["references"] == ["second"] or outcomes[-1]["job"] != JOB
    assert sorted(one["submission"] for one in outcomes if one["reason"] == "invalid-request") == ["invalid", "junk"]
    third = world.record(f"ns-bpe:{chbpe(2)}")
    assert (third.state, third.run, third.references) == ("queued", 1, ("third",))
    is_open = record.state == "queued"
    assert [one.job for one in world.release()] == ([JOB] if is_open else []) + [third.job]


@pytest.mark.parametrize("command", WRITING)
@pytest.mark.parametrize("is_packed", [True, False])
def test_a_run_that_is_ended_has_one_outcome(server, world, namespace, is_packed, command):
    queued(world)
    if not is_packed:
        world.job_hash(JOB)

    with without(server, namespace, command) as limited:
        for _ in range(3):
            try:
                limited.ledger.revoke(limited.record(JOB), verdict(Status.REVOKED), by="ana")
            except RedisError:
                continue
    world.ledger.revoke(world.record(JOB), verdict(Status.REVOKED), by="ana")

    assert world.state(JOB) == "revoked"
    assert [one["status"] for one in world.outcomes()] == ["revoked"]


@pytest.mark.parametrize("command", WRITING)
def test_an_answer_that_is_handed_in_again_is_published_once(server, world, namespace, command):
    queued(world)
    held = world.next_call()

    with without(server, namespace, command) as limited:
        for _ in range(3):
            try:
                limited.finish(held)
            except RedisError:
                continue

    assert world.finish(held) == "ended"
    assert [one["status"] for one in world.outcomes()] == ["cancelled"]
    assert world.state(JOB) == "cancelled"


@pytest.mark.parametrize("command", WRITING)
def test_a_job_that_nobody_has_touched_is_never_lost(server, world, namespace, command):
    queued(world)

    with without(server, namespace, command) as limited:
        for _ in range(3):
            try:
                limited.release()
            except RedisError:
                continue
    world.pass_time(16)

    assert [one.job for one in world.release()] == [JOB]
    assert world.record(JOB).references == ("first",)


@pytest.mark.parametrize("command", WRITING)
@pytest.mark.parametrize("way", ["parked", "handed back", "lost"])
def test_a_job_whose_call_is_over_comes_again(server, world, namespace, way, command):
    queued(world)
    held = world.next_call()
    if way == "lost":
        world.pass_time(181)

    with without(server, namespace, command) as limited:
        ways: dict[str, Callable[[], object]] = {
            "parked": lambda: limited.park(held),
            "handed back": lambda: limited.ledger.hand_back(held.begun, held.token, held.nonce),
            "lost": limited.release,
        }
        hand_in = ways[way]
        for _ in range(3):
            try:
                hand_in()
            except RedisError:
                continue

    if way == "parked":
        assert world.park(held) == "parked"
    elif way == "handed back":
        world.ledger.hand_back(held.begun, held.token, held.nonce)
    world.release()
    world.pass_time(200)
    world.release()
    world.pass_time(200)
    released = [one.job for one in world.release()]
    assert JOB in released or world.redis.zscore(world.key("leases"), JOB), "it is called for again, or was already"


@pytest.mark.parametrize("command", WRITING)
def test_a_call_that_has_begun_has_the_lease_of_a_call(server, world, namespace, command):
    queued(world)
    [released] = world.release()

    with without(server, namespace, command) as limited:
        for _ in range(3):
            try:
                limited.try_begin(released, "nonce")
            except RedisError:
                continue
    world.begin(released, "nonce")

    assert world.redis.zscore(world.key("leases"), JOB) - world.now_ms() > 100_000


@pytest.mark.parametrize("command", WRITING)
def test_a_resumed_account_makes_one_call_at_a_time(server, world, namespace, command):
    queued(world)
    world.submit(sf(2))
    world.ledger.suspend("norte", "holiday", by="ana")

    with without(server, namespace, command) as limited:
        for _ in range(3):
            try:
                limited.ledger.resume("norte", by="ana")
            except RedisError:
                continue
    world.ledger.resume("norte", by="ana")

    state = world.account("norte")
    assert ("suspended_at" in state, state["proven"]) == (False, "0")
    assert len(world.release()) == 1


def test_a_full_server_loses_no_job_that_nobody_has_touched(server, world):
    queued(world)
    stored = world.redis.get(world.key("job", JOB))

    world.redis.config_set("maxmemory", 1)
    try:
        for transition in (lambda: world.job_hash(JOB), lambda: world.submit(sf(1)), world.release):
            with pytest.raises(Exception, match="memory"):
                transition()
    finally:
        world.redis.config_set("maxmemory", 0)

    assert world.redis.get(world.key("job", JOB)) == stored
    assert [one.job for one in world.release()] == [JOB]


# Entries that cannot be removed


@pytest.mark.parametrize(("command", "place"), [("xdel", "requests"), ("lrem", "")])
def test_an_entry_that_cannot_be_removed_is_taken_in_once_and_told_once(server, world, namespace, command, place):
    with without(server, namespace, command) as limited:
        mailbox = Mailbox(limited)
        for number in range(5):
            mailbox.add(sf(number, reference="r"))
            mailbox.add("junk")
            mailbox.push(sf(10 + number, reference="r"), f"task-{number}")
            mailbox.push("junk", f"junk-{number}")
        mailbox.push_raw(b"x" * 100_000)
        with capture_logs() as logged:
            for _ in range(4):
                mailbox.intake.take_in()

        told = [one for one in logged if one["event"] == "entry_not_removed"]
        kept = limited.redis.xlen(mailbox.stream), limited.redis.llen(mailbox.queue)
        assert kept == ((10, 0) if command == "xdel" else (0, 11))
        assert len(told) == 1
        assert "allow the worker's user XDEL and LREM" in told[0]["problem"]
        assert [one["log_level"] for one in logged if "exc_info" in one] == []
    assert len(world.outcomes()) == 11
    for number in (*range(5), *range(10, 15)):
        assert world.record(f"solucion-factible:{uuid(number)}").references == ("r",)

    assert Mailbox(world).take_in() == []
    assert world.redis.zcard(world.key("open")) == 10


@pytest.mark.parametrize("status", list(Status))
def test_an_entry_that_cannot_be_removed_comes_to_nothing_after_its_run(server, world, namespace, status):
    with without(server, namespace, "xdel") as limited:
        mailbox = Mailbox(limited)
        mailbox.add(sf(1))
        mailbox.intake.take_in()
        world.finish(world.next_call(), finish(status))

        for _ in range(3):
            assert mailbox.intake.take_in() == 0
            assert Mailbox(limited).intake.take_in() == 0

    assert (world.record(JOB).run, len(world.outcomes())) == (1, 1)


def test_what_cannot_be_removed_is_left_alone_for_a_while(server, world, namespace):
    with without(server, namespace, "xdel") as limited:
        mailbox = Mailbox(limited, kept_for_s=3_600)
        mailbox.add(sf(1))
        mailbox.intake.take_in()
        mailbox.add(sf(2))
        limited.redis.config_resetstat()

        mailbox.intake.take_in()
        mailbox.intake.take_in()

    assert world.redis.info("commandstats")["cmdstat_mset"]["calls"] == 1
    assert "cmdstat_hgetall" not in world.redis.info("commandstats")
    assert world.redis.zcard(world.key("open")) == 2
