"""The dispatcher's thread: takes in, ends, releases; survives junk, poison and Redis outages."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from redis.exceptions import OutOfMemoryError, ResponseError
from structlog.testing import capture_logs

from config.accounts import Account, Environment
from config.problem import ConfigurationProblem
from config.settings import Settings
from tests.support.ledgers import World, finish
from tests.support.requests import NORTE, RODOVIARIA, SUR, accounts, bpe, sf, uuid
from tests.support.valkey import running_valkey
from tests.support.waiting import wait_until
from worker import dispatcher as module
from worker.dispatcher import Dispatcher
from worker.intake import Intake
from worker.ledger.connect import connect
from worker.ledger.ledger import Ledger
from worker.ledger.records import Released
from worker.outcome import Status
from worker.presence import Presence
from worker.serving import NotServed, Serving

pytestmark = pytest.mark.integration

_numbers = count(1)
FAR = "2099-01-01T00:00:00Z"


def job(number: int) -> str:
    return f"solucion-factible:{uuid(number)}"


class Wakened:
    """Stands for the worker's queue: keeps what was released, and fails while `failure` is set."""

    def __init__(self) -> None:
        self.all: list[Released] = []
        self.failure: Exception | None = None
        self.free = 100
        self.problems: list[ConfigurationProblem] = []

    def __call__(self, released: Sequence[Released]) -> None:
        if self.failure:
            raise self.failure
        self.all += released

    def has(self, number: int) -> bool:
        return job(number) in {one.job for one in self.all}


SECRETS = {"NORTE_PASSWORD": "x", "RODOVIARIA_TOKEN": "x"}


def build(url: str, namespace: str, woken: Wakened, *enrolled: Account) -> Dispatcher:
    name = f"worker/{next(_numbers)}"
    settings = Settings(redis_url=url, tick_s=0.01, redis_timeout_s=0.5)
    ledger = Ledger(connect(settings), namespace=namespace, keep_s=3_600)
    serving = Serving({account.name: account for account in (NORTE, *enrolled)}, SECRETS)
    enrolment = [(account, account.provider == "ns-bpe") for account in enrolled]
    return Dispatcher(
        settings=settings,
        ledger=ledger,
        intake=Intake(ledger, accounts(*enrolled), worker=name),
        presence=Presence(ledger, serving, name=name, enrolment=enrolment),
        wake_up=woken,
        slots=1_000,
        free_slots=lambda: woken.free,
        refused=woken.problems.append,
    )


@contextmanager
def running(one: Dispatcher) -> Iterator[Dispatcher]:
    one.start()
    try:
        yield one
    finally:
        one.stop()
        one.join(10)
        assert not one.is_alive()
        one._ledger.redis.close()


@pytest.fixture
def woken() -> Wakened:
    return Wakened()


@pytest.fixture
def dispatcher(redis_url, namespace, woken) -> Iterator[Dispatcher]:
    """Not started: its rounds are taken by hand, its accounts enrolled and proven."""
    one = build(redis_url, namespace, woken, NORTE)
    one._presence.enroll()
    one._ledger.redis.hset(one._ledger.key("account", "norte"), "proven", 1)
    yield one
    one._ledger.redis.close()


# The thread


def test_what_producers_leave_is_released(redis_url, world, woken):
    with running(build(redis_url, world.namespace, woken, NORTE)):
        world.redis.xadd(world.key("requests"), {"request": json.dumps(sf(1))})
        wait_until(lambda: woken.has(1))

    assert woken.all == [Released(job(1), 1, 1, 0)]
    assert woken.problems == []


def test_junk_does_not_stop_what_stands_beside_it(redis_url, world, woken):
    world.redis.lpush(world.namespace, b"junk", b"x" * 100_000)
    world.redis.xadd(world.key("requests"), {"x": "y"})
    with running(build(redis_url, world.namespace, woken, NORTE)):
        world.submit(sf(1))
        wait_until(lambda: woken.has(1))
        wait_until(lambda: len(world.outcomes()) == 3)

    assert {outcome["reason"] for outcome in world.outcomes()} == {"invalid-request"}


@pytest.mark.parametrize("key", ["requests", ""])
def test_a_wrong_key_on_a_way_in_does_not_stop_releases(redis_url, world, woken, key):
    world.redis.set(world.key(key) if key else world.namespace, "x")
    with running(build(redis_url, world.namespace, woken, NORTE)):
        world.submit(sf(1))
        wait_until(lambda: woken.has(1))


def nearly_full(world: World) -> None:
    """Too little room to admit anything, and enough for the scripts themselves to be loaded."""
    world.redis.set("ballast", bytes(20_000_000))
    world.redis.config_set("maxmemory", int(world.redis.info("memory")["used_memory"] * 1.08))


def test_while_nothing_is_admitted_releases_go_on(redis_url, world, woken):
    world.submit(sf(1))
    world.redis.xadd(world.key("requests"), {"request": json.dumps(sf(2))})
    nearly_full(world)
    try:
        with capture_logs() as lines, running(build(redis_url, world.namespace, woken, NORTE)):
            wait_until(lambda: woken.has(1))
            wait_until(lambda: [line for line in lines if line["event"] == "nothing_admitted"])
    finally:
        world.redis.config_set("maxmemory", 0)

    assert world.redis.xlen(world.key("requests")) == 1


def test_a_redis_that_goes_away_is_waited_for(tmp_path, namespace, woken):
    with running_valkey(tmp_path, appendonly=True) as server:
        world = World(server.url, namespace)
        with capture_logs() as lines, running(build(server.url, namespace, woken, NORTE)) as one:
            world.submit(sf(1))
            wait_until(lambda: woken.has(1))

            server.stop()
            wait_until(lambda: [line for line in lines if line["event"] == "redis_away"])
            server.start()
            world.finish(world.begin(woken.all[0]), finish(Status.REJECTED))
            world.submit(sf(2))
            wait_until(lambda: woken.has(2))
            wait_until(lambda: [line for line in lines if line["event"] == "redis_back"])

            assert one.is_alive()
        world.redis.close()

    assert [line["event"] for line in lines if line["event"].startswith("redis")] == ["redis_away", "redis_back"]


def test_a_full_redis_is_emptied_by_shorter_retention_before_anything_is_written(tmp_path, namespace, woken):
    with running_valkey(tmp_path) as server:
        world = World(server.url, namespace)
        world.redis.xadd(world.key("requests"), {"request": json.dumps(sf(1))})
        two_hours_ago_ms = world.redis.time()[0] * 1000 - 7_200_000
        pipeline = world.redis.pipeline(transaction=False)
        for number in range(5_000):
            pipeline.xadd(world.key("outcomes"), {"outcome": "x" * 1_000}, id=f"{two_hours_ago_ms + number}-0")
        pipeline.execute()
        world.redis.config_set("maxmemory", world.redis.info("memory")["used_memory"] - 1)
        with pytest.raises(OutOfMemoryError):
            world.redis.set("anything", "x")

        with capture_logs() as lines, running(build(server.url, namespace, woken, NORTE)):
            wait_until(lambda: woken.has(1), limit_s=30)
        world.redis.close()

    assert [line for line in lines if line["event"] == "redis_away"] == []


def test_a_full_redis_is_named_as_full_once_with_what_to_do(tmp_path, namespace, woken):
    with running_valkey(tmp_path) as server:
        world = World(server.url, namespace)
        world.redis.config_set("maxmemory", 1)

        with capture_logs() as lines, running(build(server.url, namespace, woken, NORTE)):
            wait_until(lambda: lines)
            world.redis.config_set("maxmemory", 0)
            wait_until(lambda: world.redis.exists(world.key("account", "norte")))
            wait_until(lambda: lines[-1]["event"] == "redis_back")
        world.redis.close()

    assert [line["event"] for line in lines] == ["redis_full", "redis_back"]
    assert "ANULA_OUTCOME_RETENTION_DAYS" in lines[0]["remedy"]


def test_a_command_that_is_not_permitted_is_logged_once_and_keeps_no_step_from_its_work(tmp_path, namespace, woken):
    with running_valkey(tmp_path) as server:
        world = World(server.url, namespace)
        world.redis.execute_command("ACL", "SETUSER", "default", "-xtrim")
        with capture_logs() as lines, running(build(server.url, namespace, woken, NORTE)):
            world.submit(sf(1))
            wait_until(lambda: woken.has(1))
            wait_until(lambda: lines)
            world.redis.execute_command("ACL", "SETUSER", "default", "+xtrim")
            wait_until(lambda: lines[-1]["event"] == "redis_back", limit_s=30)
        world.redis.close()

    assert [(line["event"], line.get("part")) for line in lines] == [("redis_refuses", "trim"), ("redis_back", None)]
    assert "docs/redis.md" in lines[0]["remedy"]


def test_a_redis_that_has_lost_everything_learns_the_accounts_anew(tmp_path, namespace, woken):
    few = NORTE.model_copy(update={"max_in_flight": 3})
    with running_valkey(tmp_path) as server:
        world = World(server.url, namespace)
        with running(build(server.url, namespace, woken, few)):
            wait_until(lambda: world.account("norte").get("max_in_flight") == "3")

            server.kill()
            server.start()

            wait_until(lambda: world.account("norte").get("max_in_flight") == "3", limit_s=30)
        world.redis.close()


def test_accounts_that_were_lost_are_enrolled_anew_also_where_somebody_has_set_the_environment(dispatcher, world):
    dispatcher.tick()
    world.redis.delete(world.key("account", "norte"))
    dispatcher._trimmed_at = -1_000.0

    dispatcher.tick()
    dispatcher.tick()

    assert world.account("norte")["provider"] == NORTE.provider


def test_a_redis_that_is_not_there_yet_is_waited_for(tmp_path, namespace, woken):
    with running_valkey(tmp_path) as server:
        server.stop()
        with capture_logs() as lines, running(build(server.url, namespace, woken, NORTE)):
            wait_until(lambda: [line for line in lines if line["event"] == "redis_away"])
            server.start()
            world = World(server.url, namespace)
            wait_until(lambda: world.redis.exists(world.key("account", "norte")))
            world.redis.close()


def test_a_namespace_of_another_environment_ends_the_dispatcher_and_says_so(redis_url, world, woken):
    world.ledger.agree_environment(Environment.PRODUCTION)
    one = build(redis_url, world.namespace, woken, NORTE)

    with running(one):
        wait_until(lambda: not one.is_alive())

    [problem] = woken.problems
    assert "belongs to production" in str(problem)


def test_stopping_releases_nothing_more(redis_url, world, woken):
    one = build(redis_url, world.namespace, woken, NORTE)
    with running(one):
        wait_until(lambda: world.redis.exists(world.key("account", "norte")))
    world.submit(sf(1))

    assert not one.is_alive()
    assert woken.all == []


def test_many_dispatchers_release_every_job_once(redis_url, world):
    woken = [Wakened() for _ in range(4)]
    limits = NORTE.model_copy(update={"max_in_flight": 500})
    world.enroll(limits)
    for number in range(200):
        world.submit(sf(number))
    threads = [build(redis_url, world.namespace, one, SUR) for one in woken]
    for one in threads:
        one.start()
    wait_until(lambda: sum(len(one.all) for one in woken) == 200)
    for one in threads:
        one.stop()
        one.join(10)
        one._ledger.redis.close()

    assert len({released.job for one in woken for released in one.all}) == 200


# What it serves


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "norte.secret"
    file.write_text("secret")
    return file


@pytest.fixture
def by_file(redis_url, namespace, woken, secret) -> Iterator[Dispatcher]:
    """Not started; the secret of norte is in a file."""
    norte = NORTE.model_copy(update={"password_env": None, "password_file": secret})
    one = build(redis_url, namespace, woken, norte)
    one._presence.enroll()
    one.tick()
    yield one
    one._ledger.redis.close()


def served_again(one: Dispatcher) -> None:
    """As if the time to look at the secrets again had come."""
    one._presence._registered_at -= 4
    one.tick()


def test_a_secret_that_a_call_does_not_find_stops_the_account_at_once_and_until_it_is_back(
    by_file, world, woken, secret
):
    world.submit(sf(1))
    secret.unlink()
    with capture_logs() as lines:
        with pytest.raises(NotServed):
            by_file._presence._serving.account_and_secret("norte")
        for _ in range(3):
            by_file.tick()

    assert [line["event"] for line in lines] == ["account_not_served"]
    assert woken.all == []
    assert world.account("norte").get("suspended_at") is None
    assert [one.workers for one in world.ledger.account_states()] == [0]
    secret.write_text("another")
    served_again(by_file)
    assert woken.has(1)


def test_an_account_that_is_served_again_goes_on_as_after_a_start(by_file, world, woken, secret):
    world.redis.hset(world.key("account", "norte"), "proven", 1)
    secret.unlink()
    served_again(by_file)
    for number in range(3):
        world.submit(sf(number))
    secret.write_text("perhaps a wrong one")

    served_again(by_file)

    assert len(woken.all) == 1, "one call at a time until an answer proves it"


def test_jobs_of_an_account_that_is_not_in_the_file_stay_for_others(by_file, world, woken):
    world.enroll(SUR)
    world.submit(sf(1, account="sur"))
    world.submit(sf(2))
    with capture_logs() as lines:
        served_again(by_file)
        served_again(by_file)

    assert [one.job for one in woken.all] == [job(2)]
    told = [(line["event"], line["account"]) for line in lines if line["log_level"] == "warning"]
    assert told == [("account_not_served", "sur")]


# Its rounds


def test_no_more_is_released_than_this_process_can_run(dispatcher, world, woken):
    for number in range(5):
        world.submit(sf(number))

    for free, so_far in ((2, 2), (0, 2), (-3, 2), (9, 5)):
        woken.free = free
        dispatcher.tick()
        assert len(woken.all) == so_far


def test_a_round_with_nothing_to_do_says_so(dispatcher, world):
    dispatcher.tick()

    assert dispatcher.tick() is False
    world.submit(sf(1))
    assert dispatcher.tick() is True


def test_jobs_past_their_deadline_end(dispatcher, world, woken):
    world.submit(sf(1, deadline="2020-01-01T00:00:00Z"))
    world.submit(sf(2))

    dispatcher.tick()

    [outcome] = world.outcomes()
    assert (outcome["job"], outcome["reason"]) == (job(1), "deadline-passed")
    assert [one.job for one in woken.all] == [job(2)]


@pytest.fixture
def in_doubt(world):
    """A job whose request may have worked, at a provider that can be asked, and whose deadline has passed."""
    world.enroll(RODOVIARIA, inquires=True)
    deadline_at = datetime.now(UTC) + timedelta(seconds=100)
    held = world.call(bpe(1, deadline=deadline_at.isoformat()))
    world.park(held, wait_s=900, next_call="look_up", may_have_acted=True)
    world.pass_time(101)
    return held.job


def test_a_run_in_doubt_past_its_deadline_is_released_for_a_look_up(redis_url, world, woken, in_doubt):
    dispatcher = build(redis_url, world.namespace, woken, NORTE, RODOVIARIA)
    world.enroll(NORTE)
    world.submit(sf(2, deadline="2020-01-01T00:00:00Z"))

    with capture_logs() as lines:
        dispatcher.tick()

    assert [one["job"] for one in world.outcomes()] == [job(2)], "what is overdue beside it ends"
    assert [line["job"] for line in lines if line["event"] == "outcome"] == [job(2)]
    assert [one.job for one in woken.all] == [in_doubt]
    assert world.begin(woken.all[0]).begun.record.next_call == "look_up"


def test_a_suspension_ends_a_run_in_doubt_past_its_deadline(dispatcher, world, woken, in_doubt):
    woken.free = 0
    dispatcher.tick()
    world.ledger.suspend("rodoviaria", "audit", by="ana")

    dispatcher.tick()

    assert [(one["status"], one["reason"]) for one in world.outcomes()] == [("unresolved", "deadline-passed")]


def test_worn_out_jobs_end(dispatcher, world, woken):
    world.submit(sf(1))
    for _ in range(3):
        dispatcher.tick()
        world.begin(woken.all.pop())
        world.pass_time(181)
        dispatcher.tick()
        world.pass_time(16)

    [outcome] = world.outcomes()
    assert (outcome["status"], outcome["reason"], outcome["attempts"]) == ("unresolved", "gave-up", 3)
    assert woken.all == []


def test_a_worn_out_job_whose_dispatcher_died_is_ended_by_the_next(dispatcher, world):
    world.submit(sf(1))
    world.redis.hset(world.job_hash(job(1)), "lost", 3)

    dispatcher.tick()

    assert world.outcomes()[0]["reason"] == "gave-up"


def test_a_lost_wake_up_is_given_out_again(dispatcher, world, woken):
    world.submit(sf(1))
    woken.failure = ConnectionError("the broker is away")
    with pytest.raises(ConnectionError):
        dispatcher.tick()
    woken.failure = None

    dispatcher.tick()
    assert woken.all == []
    world.pass_time(16)
    dispatcher.tick()

    assert [one.token for one in woken.all] == [2]


def damage(world: World, number: int) -> None:
    world.redis.hset(world.job_hash(job(number)), "references", "damaged")


def test_one_job_that_cannot_be_released_does_not_stop_the_others(dispatcher, world, woken):
    for number in (1, 2):
        world.submit(sf(number))
    world.redis.set(world.key("job", job(1)), "somebody else's")

    with capture_logs() as lines:
        dispatcher.tick()
        dispatcher.tick()

    assert woken.has(2)
    (told,) = (line for line in lines if line["event"] == "job_not_releasable")
    assert (told["job"], told["problem"]) == (job(1), "it is no record")


@pytest.mark.parametrize("make_overdue", [True, False], ids=["overdue", "worn out"])
def test_one_job_that_cannot_be_ended_does_not_stop_the_others(dispatcher, world, make_overdue):
    for number in (1, 2, 3):
        world.submit(sf(number, deadline="2020-01-01T00:00:00Z") if make_overdue else sf(number))
        world.redis.hset(world.job_hash(job(number)), "lost", 3)
    damage(world, 1)

    with capture_logs() as lines:
        dispatcher.tick()
        dispatcher.tick()

    assert {outcome["job"] for outcome in world.outcomes()} == {job(2), job(3)}
    told = [line for line in lines if line["event"] == ("job_not_ended" if make_overdue else "job_not_releasable")]
    assert [line["job"] for line in told] == [job(1)], "once, not every round"


def test_jobs_in_a_call_do_not_keep_the_deadlines_behind_them(dispatcher, world, woken, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 2)
    for number in range(5):
        world.submit(sf(number, deadline=FAR))
    dispatcher.tick()
    for released in woken.all:
        world.begin(released)
    world.redis.zadd(world.key("deadlines"), {job(number): number for number in range(5)})
    world.submit(sf(9, deadline="2020-01-01T00:00:00Z"))

    dispatcher.tick()

    assert [outcome["job"] for outcome in world.outcomes()] == [job(9)]


def test_many_deadlines_at_once_end_batch_by_batch_and_releases_go_on(dispatcher, world, woken, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 2)
    for number in range(5):
        world.submit(sf(number, deadline="2020-01-01T00:00:00Z"))
    world.submit(sf(9))
    world.redis.zadd(world.key("due", "norte", "interactive"), {job(9): 0})

    dispatcher.tick()
    assert len(world.outcomes()) == 2
    assert woken.has(9)
    dispatcher.tick()
    dispatcher.tick()

    assert len(world.outcomes()) == 5


def test_a_full_memory_is_told_of_once(dispatcher, world):
    world.redis.xadd(world.key("requests"), {"request": json.dumps(sf(2))})
    nearly_full(world)
    try:
        with capture_logs() as lines:
            for _ in range(3):
                dispatcher.tick()
    finally:
        world.redis.config_set("maxmemory", 0)
    assert [line["event"] for line in lines] == ["nothing_admitted"]

    dispatcher.tick()
    assert world.state(job(2)) == "queued"


def test_an_outage_in_one_step_is_left_to_the_thread(tmp_path, namespace, woken):
    with running_valkey(tmp_path) as server:
        one = build(server.url, namespace, woken, NORTE)
        server.stop()
        with pytest.raises(Exception, match="onnect"):
            one.tick()
        one._ledger.redis.close()


def test_no_thread_is_left_behind():
    assert [thread for thread in threading.enumerate() if isinstance(thread, Dispatcher)] == []


def test_a_full_memory_as_redis_6_2_tells_of_it_ends_no_round(dispatcher, world):
    """Its words for what was refused inside a script: none of redis-py's classes. There is no 6.2 here to ask."""

    def full():
        raise ResponseError(f"Error running script (call to f_{'0a' * 20}): @user_script:1: @user_script: 1: -OOM full")

    dispatcher._intake.take_in = full
    world.enroll(NORTE)
    world.submit(sf(1))

    with capture_logs() as logged:
        assert dispatcher.tick()
        dispatcher.tick()

    assert world.redis.scard(world.key("handed")) == 1
    assert [line["event"] for line in logged] == ["redis_full"]
