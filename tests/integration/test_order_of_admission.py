"""Jobs are released and listed in the order in which they were admitted, also those of one script and one millisecond."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tests.support.ledgers import World, checked, finish
from tests.support.requests import NORTE, RODOVIARIA, bpe, sf
from worker.ledger.admission import Admission
from worker.ledger.listing import Wanted, jobs
from worker.outcome import Status

pytestmark = pytest.mark.integration

NUMBERS = random.Random(1).sample(range(1_000), 120)
WIDE = {"max_in_flight": 1_000}


@pytest.fixture
def wide(world: World) -> World:
    """Both accounts may make a thousand calls at a time."""
    world.enroll(NORTE.model_copy(update=WIDE), RODOVIARIA.model_copy(update=WIDE))
    return world


def admissions(numbers: Sequence[int], way: str = "s") -> list[Admission]:
    return [Admission.of(checked(sf(number, priority="bulk")), f"{way}{number}") for number in numbers]


def job(number: int) -> str:
    return admissions([number])[0].job


def released(world: World) -> list[str]:
    found: list[str] = []
    while one := world.release(50):
        found += [released.job for released in one]
    return found


def test_many_admitted_at_once_are_released_and_listed_in_their_order(wide):
    wide.ledger.admit(admissions(NUMBERS))

    assert [one.job for one in jobs(wide.ledger, Wanted())] == list(map(job, NUMBERS))
    assert released(wide) == list(map(job, NUMBERS))


def test_an_import_keeps_the_order_of_its_rows_whichever_part_arrives_first(wide):
    first_us = wide.ledger.clock_us()
    parts = [NUMBERS[:55], NUMBERS[55:70], NUMBERS[70:]]
    for part in (2, 0, 1):
        before = sum(map(len, parts[:part]))
        wide.ledger.admit(admissions(parts[part]), first_us=first_us + before)
    wide.ledger.admit(admissions([2_000]))

    assert [one.job for one in jobs(wide.ledger, Wanted())] == list(map(job, [*NUMBERS, 2_000]))
    assert released(wide) == list(map(job, [*NUMBERS, 2_000]))


@pytest.mark.parametrize("first_us", [10**17, None])
def test_what_is_admitted_is_due_at_once_whatever_place_is_asked_for(wide, first_us):
    for number in range(20):
        wide.ledger.admit(admissions([number]), first_us=first_us)

        assert released(wide) == [job(number)]


def test_new_jobs_and_new_runs_keep_their_order(wide):
    for number in NUMBERS[::3]:
        wide.finish(wide.call(sf(number)), finish(Status.REJECTED))

    for first in range(0, len(NUMBERS), 10):
        wide.ledger.admit(admissions(NUMBERS[first : first + 10]))

    assert released(wide) == list(map(job, NUMBERS))


def test_a_job_that_comes_back_untried_keeps_its_place(wide):
    first_us = wide.ledger.clock_us() - 60_000_000
    wide.ledger.admit(admissions(NUMBERS[:40]), first_us=first_us)
    assert len(wide.release(10)) == 10

    wide.pass_time(16)

    assert released(wide) == list(map(job, NUMBERS[:40]))


def test_a_joining_interactive_request_takes_the_place_along(wide):
    wide.ledger.admit(admissions(NUMBERS[:40]))
    for number in reversed(NUMBERS[:40]):
        wide.submit(sf(number))

    assert released(wide) == list(map(job, NUMBERS[:40]))


def test_the_order_says_nothing_about_times(wide):
    wide.ledger.admit(admissions(NUMBERS[:3]), first_us=wide.ledger.clock_us() - 3_600_000_000)
    wide.submit(bpe(1))

    for listed in jobs(wide.ledger, Wanted()):
        assert abs((listed.submitted_at - datetime.now(UTC)).total_seconds()) < 30
