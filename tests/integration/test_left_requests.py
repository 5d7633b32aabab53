"""Requests that name an account of another worker: left for it, out of the way of the others, and refused when it is gone."""

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.ledgers import World
from tests.support.requests import NORTE, RODOVIARIA, SUR, accounts, bpe, chbpe, sf, uuid
from worker import intake as module
from worker.intake import Intake
from worker.ledger.ways_in import Waiting

pytestmark = pytest.mark.integration

ESTE = RODOVIARIA.model_copy(update={"name": "este"})


class Two:
    """Two workers on one ledger: `mine` has norte, `other` has sur and rodoviaria."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.mine = Intake(world.ledger, accounts(NORTE), batch=5, worker="mine")
        self.other = Intake(world.ledger, accounts(SUR, RODOVIARIA), batch=5, worker="other")
        self.register()

    def register(self, *, is_other_alive: bool = True) -> None:
        self.world.ledger.register("mine", {NORTE: True})
        if is_other_alive:
            self.world.ledger.register("other", {SUR: True, RODOVIARIA: False})

    def add(self, request: Any) -> str:
        text = request if isinstance(request, str) else json.dumps(request)
        return str(self.world.redis.xadd(self.world.key("requests"), {"request": text}).decode())

    def push(self, request: Any, task_id: str) -> None:
        message = {
            "body": json.dumps([[], {"request": request}, {}]),
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "headers": {"task": "anula.submit", "id": task_id},
            "properties": {"delivery_tag": task_id, "delivery_info": {}},
        }
        self.world.redis.lpush(self.world.namespace, json.dumps(message))

    def take_in(self, one: Intake) -> None:
        """All that there is for it."""
        while one.take_in():
            pass

    def look_again(self) -> None:
        """As if the time to look again had come."""
        self.mine._left._checked_at -= 6

    def other_goes(self) -> None:
        for _ in range(5):
            self.world.pass_time(4)
            self.register(is_other_alive=False)
        self.look_again()

    @property
    def waiting(self) -> tuple[int, int]:
        """On stream and queue."""
        redis = self.world.redis
        return redis.xlen(self.world.key("requests")), redis.llen(self.world.namespace)


@pytest.fixture
def two(world) -> Two:
    return Two(world)


def test_a_request_for_an_account_of_another_worker_is_left_and_that_worker_takes_it_in(two):
    two.add(sf(1, account="sur", reference="stream"))
    two.push(bpe(2, account="rodoviaria", reference="queue"), "task-1")

    two.take_in(two.mine)
    assert (two.waiting, two.world.outcomes()) == ((1, 1), [])
    two.take_in(two.other)

    assert two.waiting == (0, 0)
    assert two.world.record(f"solucion-factible:{uuid(1)}").account == "sur"
    assert two.world.record(f"ns-bpe:{chbpe(2)}").references == ("queue",)


def test_a_request_of_a_provider_whose_accounts_only_another_worker_has_is_left(two):
    two.add(bpe(1))

    two.take_in(two.mine)

    assert (two.waiting, two.world.outcomes()) == ((1, 0), [])


@pytest.mark.parametrize(
    "request_",
    [
        sf(1, account="nobody"),
        sf(1, account="rodoviaria"),
        sf(1, account="\ud800"),
        sf(1, account=""),
        sf(1, account=5),
    ],
    ids=["unknown", "of another provider", "no text", "empty", "number"],
)
def test_a_request_for_an_account_that_no_live_worker_has_is_refused(two, request_):
    two.add(request_)

    two.take_in(two.mine)

    [outcome] = two.world.outcomes()
    assert (outcome["reason"], [error["field"] for error in outcome["errors"]]) == ("invalid-request", ["account"])


def test_what_is_wrong_with_a_request_that_was_left_the_other_worker_says(two):
    two.add(bpe(1, account="rodoviaria", nProt="1"))
    two.take_in(two.mine)
    assert two.world.outcomes() == []

    two.take_in(two.other)

    [outcome] = two.world.outcomes()
    assert [error["field"] for error in outcome["errors"]] == ["nProt"]


def test_requests_that_were_left_do_not_hold_up_those_behind_them(two):
    for number in range(40):
        two.add(sf(100 + number, account="sur"))
        two.push(sf(200 + number, account="sur"), f"task-{number}")
    two.add(sf(1))
    two.push(sf(2), "task-mine")

    two.take_in(two.mine)

    assert two.waiting == (40, 40)
    assert {two.world.state(f"solucion-factible:{uuid(number)}") for number in (1, 2)} == {"queued"}


def test_requests_that_were_left_are_not_read_again_and_again(two, monkeypatch):
    for number in range(40):
        two.add(sf(100 + number, account="sur"))
        two.push(sf(200 + number, account="sur"), f"task-{number}")
    two.take_in(two.mine)
    read: list[Waiting] = []
    monkeypatch.setattr(module, "_read", read.append)

    for _ in range(20):
        two.look_again()
        assert two.mine.take_in() == 0

    assert read == []
    assert list(two.mine._ways_in.waiting(100)) == [], "nor does Redis read them"


def test_what_comes_while_the_other_worker_takes_in_its_own_is_not_missed(two):
    for number in range(12):
        two.push(sf(200 + number, account="sur"), f"task-{number}")
    two.take_in(two.mine)
    two.other.take_in()
    two.push(sf(1), "task-mine")
    two.take_in(two.other)
    two.push(sf(2), "task-mine-too")

    two.take_in(two.mine)

    assert two.waiting == (0, 0)
    assert {two.world.state(f"solucion-factible:{uuid(number)}") for number in (1, 2)} == {"queued"}


def test_requests_that_were_left_are_refused_when_that_worker_is_gone(two):
    entries = [two.add(sf(100 + number, account="sur")) for number in range(12)]
    two.push(sf(200, account="sur"), "task-1")
    two.take_in(two.mine)

    two.other_goes()
    two.take_in(two.mine)

    assert two.waiting == (0, 0)
    outcomes = two.world.outcomes()
    assert {outcome["submission"] for outcome in outcomes} == {*entries, "task-1"}
    assert len(outcomes) == 13
    assert {outcome["reason"] for outcome in outcomes} == {"invalid-request"}


def test_when_one_worker_is_gone_requests_for_another_stay_left(two):
    two.world.ledger.register("third", {ESTE: True})
    two.add(sf(1, account="sur"))
    two.add(bpe(2, account="este"))
    two.take_in(two.mine)

    for _ in range(5):
        two.world.pass_time(4)
        two.register(is_other_alive=False)
        two.world.ledger.register("third", {ESTE: True})
    two.look_again()
    two.take_in(two.mine)

    assert (two.waiting, len(two.world.outcomes())) == ((1, 0), 1)


def test_one_that_is_stuck_before_those_that_were_left_is_tried_again(two):
    two.world.submit(sf(1))
    two.world.redis.set(two.world.key("job", f"solucion-factible:{uuid(1)}"), "somebody else's")
    two.add(sf(100, account="sur"))
    two.add(sf(1))
    two.add(sf(101, account="sur"))
    two.take_in(two.mine)
    assert two.waiting == (3, 0)
    two.world.redis.delete(two.world.key("job", f"solucion-factible:{uuid(1)}"))

    two.take_in(two.mine)

    assert (two.waiting, two.world.state(f"solucion-factible:{uuid(1)}")) == ((2, 0), "queued")


def test_that_requests_are_left_is_logged_once_for_each_account(two):
    with capture_logs() as lines:
        for number in range(3):
            two.add(sf(100 + number, account="sur"))
        two.add(bpe(1, account="rodoviaria"))
        two.take_in(two.mine)

    told = [(line["event"], line["account"], line["log_level"]) for line in lines]
    assert told == [("request_left", "sur", "warning"), ("request_left", "rodoviaria", "warning")]
