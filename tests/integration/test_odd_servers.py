"""Servers that tell little, have few connections, or had another clock: the ledger goes on with what there is."""

import json
import threading
from contextlib import suppress

import pytest
import redis
from structlog.testing import capture_logs

from tests.support.hand_driven import a_deployment, cfdi, not_cancelled
from tests.support.ledgers import World
from tests.support.mailbox import Mailbox
from tests.support.requests import NORTE, sf, uuid
from tests.support.sandbox import running_sandbox
from tests.support.site import running_site
from tests.support.valkey import running_valkey
from tests.support.waiting import wait_until
from worker.ledger.connect import connect
from worker.ledger.listing import Wanted, jobs
from worker.sandbox.numbers import sandbox_uuid

pytestmark = pytest.mark.integration

HOUR_MS = 3_600_000


@pytest.fixture
def blind(world: World, redis_url):
    """The ledger of `world` for a user who may not ask the server for anything."""
    world.redis.execute_command("ACL", "SETUSER", "blind", "on", "nopass", "~*", "&*", "+@all", "-info", "-config")
    one = World(redis_url.replace("redis://", "redis://blind:x@"), world.namespace)
    yield one
    one.redis.close()
    world.redis.execute_command("ACL", "DELUSER", "blind")


def test_without_info_requests_are_admitted_and_it_is_said_once(blind):
    mailbox = Mailbox(blind)
    blind.enroll(NORTE)

    with capture_logs() as logs:
        for number in range(3):
            mailbox.add(sf(number))
            assert mailbox.take_in() == []

    assert [blind.state(f"solucion-factible:{uuid(number)}") for number in range(3)] == ["queued"] * 3
    assert [one["event"] for one in logs if one["log_level"] == "warning"] == ["memory_not_seen"]


def test_without_info_a_full_server_still_refuses(blind, world):
    blind.enroll(NORTE)
    world.redis.config_set("maxmemory", 1)
    try:
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            blind.submit(sf(1))
    finally:
        world.redis.config_set("maxmemory", 0)


@pytest.fixture
def deployment(tmp_path, redis_url, namespace):
    one = a_deployment(tmp_path, redis_url, namespace)
    one.enroll()
    return one


def test_jobs_that_bear_a_later_time_than_now_are_listed_behind_the_others(deployment):
    with deployment.client() as client:
        ended, future, now = (client.submit(cfdi()).job for _ in range(3))
    deployment.end(ended, not_cancelled())
    ledger = deployment.ledger
    for key, job in (("ended", ended), ("open", future)):
        ledger.redis.zincrby(ledger.key(key), HOUR_MS, job)

    assert next(one.job for one in jobs(ledger, Wanted())) == now
    assert {one.job for one in jobs(ledger, Wanted())} == {now, ended, future}
    assert [one.job for one in jobs(ledger, Wanted(states=["rejected"]))] == [ended]


def test_a_list_does_not_follow_what_is_retried_while_it_is_read(deployment):
    with deployment.client() as client:
        names = [client.submit(cfdi()).job for _ in range(3)]
    ledger = deployment.ledger
    for job in names:
        deployment.end(job, not_cancelled())
        ledger.redis.zincrby(ledger.key("ended"), HOUR_MS, job)

    listed = []
    for one in jobs(ledger, Wanted(states=["rejected"])):
        listed.append(one.job)
        ledger.retry(one.job, by="test")
        deployment.end(one.job, not_cancelled())

    assert sorted(listed) == sorted(names)


@pytest.fixture
def crowded(tmp_path_factory):
    with running_valkey(tmp_path_factory.mktemp("valkey"), settings={"maxclients": 12}) as server:
        yield server


def test_threads_share_the_connections_that_there_are(crowded, deployment, caplog):
    settings = deployment.settings.model_copy(update={"redis_url": crowded.url})
    problems: list[redis.RedisError] = []

    def count() -> None:
        try:
            for _ in range(50):
                client.incr("count")
        except redis.RedisError as problem:
            problems.append(problem)

    with connect(settings) as client:
        threads = [threading.Thread(target=count) for _ in range(40)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

        assert problems == []
        assert int(client.get("count")) == 40 * 50
    assert [one.levelname for one in caplog.records if "no new connection" in one.getMessage()] == ["WARNING"]


def test_a_server_that_is_away_is_no_reason_to_wait_for_another_thread(crowded, deployment):
    settings = deployment.settings.model_copy(update={"redis_url": crowded.url})
    with connect(settings) as client:
        client.ping()
        crowded.stop()

        for _ in range(3):
            with pytest.raises(redis.ConnectionError):
                client.ping()

        crowded.start()
        with suppress(redis.ConnectionError):
            client.ping()
        assert client.ping()


def test_a_worker_drains_with_few_connections(crowded, tmp_path):
    with (
        running_sandbox() as sandbox,
        running_site(tmp_path, redis_url=crowded.url, namespace="anula", sandbox_url=sandbox.url) as site,
        redis.Redis.from_url(crowded.url) as erp,
    ):
        for number in range(60):
            request = {"provider": "solucion-factible", "account": "norte", "uuid": sandbox_uuid(200, number)}
            erp.xadd("anula:requests", {"request": json.dumps(request)})
        site.start_worker("--concurrency", "32", "--without-gossip", "--without-mingle")

        wait_until(lambda: erp.xlen("anula:outcomes") == 60, limit_s=60)
