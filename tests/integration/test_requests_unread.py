"""Requests where nobody reads them, and ways in that cannot be read: said once, and no other way in is stopped."""

import json

import pytest
from celery import Celery
from structlog.testing import capture_logs

from tests.support.ledgers import World
from tests.support.mailbox import Mailbox
from tests.support.requests import NORTE, sf, uuid
from worker.intake_log import IntakeLog
from worker.ledger import unread
from worker.ledger.unread import look
from worker.ledger.ways_in import PRIORITY_LISTS, SEPARATOR

pytestmark = pytest.mark.integration


@pytest.fixture
def mailbox(world: World) -> Mailbox:
    world.enroll(NORTE)
    return Mailbox(world)


def said(logs, event):
    return [one for one in logs if one["event"] == event]


def test_every_step_of_ten_priorities_is_read(mailbox):
    world = mailbox.world
    options = {"priority_steps": list(range(10)), "queue_order_strategy": "priority"}
    with Celery(broker=world.url, set_as_current=False) as erp:
        erp.conf.broker_transport_options = options
        for priority in range(10):
            erp.send_task(
                "anula.submit", kwargs={"request": sf(priority)}, queue=world.namespace, priority=priority, retry=False
            )

    assert mailbox.take_in() == []

    found = {f"solucion-factible:{uuid(number)}" for number in range(10)}
    assert {job for job in found if world.state(job) == "queued"} == found
    assert not world.redis.exists(*(world.namespace + end for end in PRIORITY_LISTS))


@pytest.mark.parametrize("wrong", ["requests", "queue", "priority"])
def test_a_way_in_of_a_wrong_type_is_said_once_and_stops_no_other(mailbox, wrong):
    world = mailbox.world
    places = {"requests": mailbox.stream, "queue": mailbox.queue, "priority": f"{mailbox.queue}{SEPARATOR}3"}
    world.redis.set(places[wrong], "by mistake")
    if wrong != "requests":
        mailbox.add(sf(1))
    if wrong != "queue":
        mailbox.push(sf(2))

    with capture_logs() as logs:
        while mailbox.intake.take_in():
            pass
        mailbox.intake.take_in()

    [line] = said(logs, "way_in_unreadable")
    assert (line["place"], "it is a string" in line["problem"]) == (unread.shown(places[wrong]), True)
    open_jobs = world.redis.zrange(world.key("open"), 0, -1)
    assert len(open_jobs) == (1 if wrong != "priority" else 2)


@pytest.mark.parametrize("key", ["workers", "refused"])
def test_a_private_key_of_a_wrong_type_holds_up_only_what_needs_it(mailbox, key):
    world = mailbox.world
    world.redis.set(world.key(key), "by mistake")
    mailbox.add(sf(1, account="elsewhere"))
    mailbox.push(sf(2))
    mailbox.add(sf(3))

    with capture_logs() as logs:
        while mailbox.intake.take_in():
            pass
        mailbox.intake.take_in()

    assert [world.state(f"solucion-factible:{uuid(number)}") for number in (2, 3)] == ["queued"] * 2
    assert len(said(logs, "request_not_refusable")) == 1
    world.redis.delete(world.key(key))
    [outcome] = mailbox.take_in()
    assert outcome["reason"] == "invalid-request"


def test_a_way_in_that_this_user_may_not_read_stops_no_other(mailbox, as_user):
    world = mailbox.world
    user = as_user(f"~{world.namespace}", f"~{world.namespace}:*", "+@all")
    mailbox.push(sf(1))

    with capture_logs() as logs:
        assert Mailbox(user).intake.take_in() == 1

    assert {one["place"] for one in said(logs, "way_in_unreadable")} == {
        unread.shown(world.namespace + end) for end in PRIORITY_LISTS if end
    }


@pytest.fixture
def as_user(world, redis_url):
    """The ledger of `world` as a user with these rules."""
    made = []

    def user(*rules: str) -> World:
        world.redis.execute_command("ACL", "SETUSER", "limited", "on", "nopass", "resetkeys", *rules)
        made.append(World(redis_url.replace("redis://", "redis://limited:x@"), world.namespace))
        return made[-1]

    yield user
    for one in made:
        one.redis.close()
    world.redis.execute_command("ACL", "DELUSER", "limited")


def foreign(task="shop.ship"):
    return json.dumps({"headers": {"task": task, "id": "1"}, "body": ""})


@pytest.mark.parametrize(
    ("end", "words"),
    [(":3", "`sep`"), (":255", "`sep`"), (f"{SEPARATOR}12", "priority_steps"), (f"{SEPARATOR}0", "steps")],
)
def test_a_list_that_no_worker_reads_is_found(world, end, words):
    world.redis.lpush(world.namespace + end, "one", "two")

    [found] = look(world.ledger).unread

    assert (found.place, found.length) == (unread.shown(world.namespace + end), 2)
    assert words in found.remedy


@pytest.mark.parametrize("item", [foreign("anula.submit"), "junk"])
def test_the_list_of_a_client_that_names_no_queue_is_found(world, item):
    world.redis.lpush("celery", foreign(), item)

    [found] = look(world.ledger).unread

    assert (found.place, found.length) == ("celery", 2)


def test_another_application_s_list_is_its_own(world):
    world.redis.lpush("celery", *[foreign()] * 30)

    assert look(world.ledger).unread == []


def test_what_may_not_be_looked_at_is_told(world, as_user):
    world.redis.lpush(f"{world.namespace}:3", "one")

    found = look(as_user(f"~{world.namespace}:*", "+@all").ledger)

    assert [one.length for one in found.unread] == [1]
    assert found.hidden == [f"{world.namespace}\\x06\\x16N outside 0 to 9", "celery"]


def test_requests_that_nobody_reads_are_said_once_until_they_are_gone(world):
    watch, list_ = IntakeLog(world.ledger, look_every_s=0), f"{world.namespace}:6"
    world.redis.lpush(list_, "one")

    with capture_logs() as logs:
        for _ in range(3):
            watch.look_around()
        world.redis.lmove(list_, world.namespace + ":7", "RIGHT", "LEFT")
        watch.look_around()

    assert [one["place"] for one in said(logs, "requests_unread")] == [list_, f"{world.namespace}:7"]


def test_no_refusal_is_published_without_its_environment_after_redis_has_lost_everything(mailbox):
    mailbox.world.redis.flushall()
    mailbox.push({"provider": "ns-bpe"})

    [outcome] = mailbox.take_in()

    assert outcome["environment"] == "test"
