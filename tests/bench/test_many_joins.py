"""How long one script with many joins holds up Redis: the figures of docs/adr/0009. `make bench`."""

import statistics
from typing import Any

import pytest

from tests.support.ledgers import World, checked
from tests.support.requests import NORTE, sf
from tests.support.valkey import running_valkey
from worker.ledger.admission import TOGETHER, Admission

pytestmark = pytest.mark.bench


@pytest.mark.parametrize(("known", "referenced"), [(1, False), (150, False), (400, False), (400, True)])
def test_many_joins_in_one_script(tmp_path, known, referenced):
    with running_valkey(tmp_path) as server:
        world = World(server.url, "anula")
        world.enroll(NORTE)
        for number in range(known):
            world.ledger.admit(joins(number, referenced=referenced))
        spent = []
        for number in range(9):
            before = cpu_ms(world.redis)
            world.ledger.admit(joins(known + number, referenced=referenced))
            spent.append(cpu_ms(world.redis) - before)
        world.redis.close()

    print(
        f"\n{TOGETHER} joins of jobs with {known} submissions, references {referenced}: "
        f"{statistics.median(spent):.1f} ms of the server's time"
    )


def joins(number: int, *, referenced: bool) -> list[Admission]:
    extra = {"reference": f"order-{number}"} if referenced else {}
    return [Admission.of(checked(sf(job, **extra)), f"{number:032}:{job}") for job in range(TOGETHER)]


def cpu_ms(redis: Any) -> float:
    """What the thread that runs scripts has spent so far."""
    found = redis.info("cpu")
    return 1000 * float(found["used_cpu_user_main_thread"] + found["used_cpu_sys_main_thread"])
