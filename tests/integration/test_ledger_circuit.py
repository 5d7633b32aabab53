"""The circuit of an account, and the documents that fail: neither holds up the others (docs/adr/0009)."""

import pytest

from tests.support.ledgers import FAILURE, LEASE_S, LOST_WAIT_S, PROVEN, failed, finish, park
from tests.support.requests import NORTE, sf, uuid
from worker.outcome import Status

pytestmark = pytest.mark.integration


def job(number: int) -> str:
    return f"solucion-factible:{uuid(number)}"


def names(released) -> list[str]:
    return [one.job for one in released]


def fill(world, numbers, **fields) -> None:
    for number in numbers:
        world.submit(sf(number, **fields))


def limited(**limits):
    return NORTE.model_copy(update=limits)


def fail(world, *numbers, wait_s=600.0, **fields) -> None:
    """Each of these documents is submitted and called for, and fails."""
    for number in numbers:
        held = world.next_call(world.submit(sf(number, **fields)).job)
        world.park(held, failed(wait_s))


def succeed(world, number: int) -> None:
    """This document is submitted, called for and cancelled."""
    world.finish(world.next_call(world.submit(sf(number)).job))


def fail_again(world, released, **changes) -> None:
    world.park(world.begin(released), failed(**changes))


def open_circuit(world, numbers=range(10), **changes) -> None:
    """Ten documents fail in a row and wait."""
    fail(world, *numbers, **changes)
    assert is_open(world)


def is_open(world) -> bool:
    return "circuit" in world.account("norte")


def failing(world, *numbers, wait_s=30.0, **fields) -> None:
    """These documents have failed among others that did not."""
    for number in numbers:
        fail(world, number, wait_s=wait_s, **fields)
        succeed(world, 1_000_000 + number)


def due_in_s(world, name: str) -> float:
    """Seconds until a failing job is due."""
    record = world.record(name)
    due = world.redis.zscore(world.key("due", "norte", f"{record.lane}:failing"), name)
    return float(due - world.now_ms()) / 1000


# What opens and closes it


def test_ten_failures_in_a_row_of_different_documents_open_the_circuit(world):
    world.enroll(NORTE)
    fail(world, *range(9))
    assert not is_open(world)

    fail(world, 9)

    assert is_open(world)
    assert world.ledger.account_states()[0].circuit_open_since is not None


def test_however_often_one_document_fails_it_counts_once(world):
    world.enroll(NORTE)
    fail(world, *range(9), wait_s=1)

    for _ in range(30):
        world.pass_time(1.1)
        for released in world.release():
            fail_again(world, released, wait_s=1)

    state = world.account("norte")
    assert not is_open(world)
    assert state["failing_documents"] == "9"
    assert int(state["failures"]) >= 39


def test_a_document_counts_again_once_it_has_had_another_answer(world):
    world.enroll(NORTE)
    fail(world, 0, wait_s=0)
    world.park(world.next_call(job(0)), park(0))
    assert world.account("norte")["failing_documents"] == "0"

    for number in range(10):
        held = world.next_call(job(0)) if number == 0 else world.call(sf(number))
        world.park(held, failed(600))

    assert is_open(world)


def test_a_failure_that_is_handed_in_twice_counts_once(world):
    world.enroll(NORTE)
    held = world.call(sf(1))

    for _ in range(12):
        world.park(held, failed())

    state = world.account("norte")
    assert (state["failures"], state["failing_documents"]) == ("1", "1")


def test_any_other_answer_starts_the_count_anew(world):
    world.enroll(NORTE)
    fail(world, *range(9))
    succeed(world, 50)

    fail(world, *range(10, 19))

    assert not is_open(world)


def test_documents_that_keep_failing_do_not_open_the_circuit_again(world):
    world.enroll(NORTE)
    open_circuit(world, range(10), wait_s=1)
    world.submit(sf(50))
    world.pass_time(1.1)
    world.finish(world.next_call(job(50)))

    calls = 0
    for _ in range(40):
        for released in world.release():
            fail_again(world, released, wait_s=1)
            calls += 1
        world.pass_time(1.1)

    assert calls >= 40
    assert not is_open(world)


def test_a_document_that_ends_by_a_failure_counts_as_well(world):
    world.enroll(NORTE)
    for number in range(10):
        world.finish(world.call(sf(number)), finish(Status.UNRESOLVED, effects=FAILURE))

    assert is_open(world)


def test_a_new_run_of_a_document_that_failed_is_not_failing(world):
    world.enroll(NORTE)
    fail(world, 1, wait_s=0)
    world.finish(world.next_call(job(1)), finish(Status.UNRESOLVED, effects=FAILURE))

    world.ledger.retry(job(1), by="ana")

    assert world.ledger.account_states()[0].failing == 0
    assert b"failing" not in world.redis.hgetall(world.job_hash(job(1)))


# Probes


def test_an_open_circuit_lets_one_probe_through_at_a_time(world):
    world.enroll(NORTE)
    open_circuit(world)
    fill(world, range(50, 53))
    assert world.release() == []

    world.pass_time(1.1)
    [probe] = world.release()
    assert world.release() == []
    fail_again(world, probe)

    assert world.release() == []
    world.pass_time(1.1)
    assert world.release() == [], "the second wait is longer"
    world.pass_time(1)
    assert len(world.release()) == 1


def test_probes_come_at_least_every_ten_seconds(world):
    world.enroll(NORTE)
    open_circuit(world)
    for _ in range(8):
        world.pass_time(10.1)
        [probe] = world.release()
        fail_again(world, probe)

    assert float(world.account("norte")["probe_wait"]) == 10_000


def test_calls_from_before_an_opening_do_not_put_off_its_first_probe(world):
    world.enroll(NORTE)
    fill(world, range(20, 25))
    before = [world.begin(one) for one in world.release()]
    open_circuit(world)
    for held in before:
        world.park(held, failed())

    world.pass_time(1.1)

    assert len(world.release()) == 1


def test_a_probe_is_a_document_that_has_not_failed_interactive_before_bulk(world):
    world.enroll(NORTE)
    open_circuit(world, wait_s=1)
    fill(world, [50], priority="bulk")
    world.pass_time(1)
    fill(world, [51])
    world.pass_time(1)

    probes = []
    for _ in range(3):
        [probe] = world.release()
        probes.append(probe.job)
        fail_again(world, probe, wait_s=3600)
        world.pass_time(10.1)

    assert probes[:2] == [job(51), job(50)]
    assert probes[2] in {job(number) for number in range(10)}


def test_a_document_that_has_not_failed_is_probed_beside_one_that_has_and_no_third(world):
    world.enroll(NORTE)
    open_circuit(world)
    world.pass_time(1.1)
    [failing_probe] = world.release()
    world.begin(failing_probe)

    world.submit(sf(50))
    world.submit(sf(51))
    [probe] = world.release()
    world.begin(probe)

    assert probe.job == job(50)
    assert world.release() == []
    world.pass_time(100)
    assert world.release() == []


def test_no_failing_document_is_probed_beside_one_that_has_not_failed(world):
    world.enroll(NORTE)
    open_circuit(world)
    world.submit(sf(50))
    world.pass_time(1.1)
    [probe] = world.release()
    world.begin(probe)

    world.pass_time(100)

    assert world.release() == []


def test_a_new_document_does_not_wait_for_the_pause_after_a_failing_one(world):
    world.enroll(NORTE)
    open_circuit(world)
    for _ in range(5):
        world.pass_time(10.1)
        [probe] = world.release()
        fail_again(world, probe)

    world.submit(sf(50))

    assert names(world.release()) == [job(50)]


def test_with_a_provider_that_is_away_new_documents_are_probed_no_faster_than_every_ten_seconds(world):
    world.enroll(NORTE)
    open_circuit(world)
    probed = 0
    for number in range(100, 200):
        world.submit(sf(number))
        world.pass_time(1)
        for released in world.release():
            fail_again(world, released)
            probed += 1

    assert 11 <= probed <= 14, "1, 2, 4, 8, 10, 10, …"


def test_a_call_that_was_released_before_the_opening_does_not_begin_after_it(world):
    world.enroll(NORTE)
    failing(world, 50)
    world.pass_time(31)
    fill(world, [60])
    [again, other] = world.release()
    open_circuit(world)

    assert (again.job, other.job) == (job(50), job(60))
    assert world.try_begin(other, "n") == "one call at a time"
    world.begin(again)


def test_of_several_failing_jobs_released_before_the_opening_one_begins(world):
    world.enroll(NORTE)
    failing(world, 50, 51, 52)
    world.pass_time(31)
    released = world.release()
    assert len(released) == 3
    open_circuit(world)

    said = [world.try_begin(one, f"n{place}") for place, one in enumerate(released)]

    assert said[:2] == ["one call at a time"] * 2
    assert said[2] != "one call at a time"


def test_on_trial_nothing_is_called_for_beside_a_failing_document(world):
    world.enroll(NORTE)
    open_circuit(world)
    world.ledger.suspend("norte", "audit", by="ana")
    world.ledger.resume("norte", by="ana")
    world.pass_time(1.1)
    [trial] = world.release()
    world.begin(trial)

    world.submit(sf(50))

    assert world.release() == []


def test_on_trial_a_document_that_has_not_failed_goes_first(world):
    world.enroll(NORTE)
    failing(world, 1, wait_s=1)
    world.enroll(NORTE, proven=False)
    world.pass_time(1.1)
    world.submit(sf(50, priority="bulk"))

    assert names(world.release()) == [job(50)]


def test_a_waiting_job_serves_as_probe_where_nothing_is_due(world):
    world.enroll(NORTE)
    open_circuit(world)
    world.pass_time(1.1)

    [probe] = world.release()

    assert probe.calls == 1


def test_a_job_is_no_probe_before_its_least_wait(world):
    world.enroll(NORTE)
    for number in range(10):
        world.park(world.call(sf(number)), failed(600, least_wait_s=15))
    world.pass_time(10)

    assert world.release() == []
    world.pass_time(6)
    assert len(world.release()) == 1


def test_a_document_that_failed_before_the_outage_is_probed_in_turn_with_those_that_fail_since(world):
    world.enroll(NORTE)
    failing(world, 90, wait_s=1)
    open_circuit(world)
    world.pass_time(20)

    probed = set()
    for _ in range(3):
        [probe] = world.release()
        probed.add(probe.job)
        fail_again(world, probe, wait_s=600)
        world.pass_time(10.1)

    assert job(90) in probed
    assert len(probed) == 3


def test_a_probe_that_was_not_begun_is_still_there_to_probe_with(world):
    world.enroll(NORTE)
    open_circuit(world, wait_s=900)
    for _ in range(12):
        world.pass_time(16)
        assert len(world.release()) == 1


def test_a_damaged_record_is_no_probe_for_an_open_circuit(world):
    world.enroll(NORTE)
    open_circuit(world)
    world.redis.set(world.key("job", job(0)), "somebody else's")

    world.pass_time(2)
    first, second = world.round(), world.round()

    assert [name for name, _ in first.damaged] == [job(0)]
    assert len(names(first.released + second.released)) == 1, "another one is the probe"


def test_an_open_circuit_and_a_suspension_are_separate(world):
    world.enroll(NORTE)
    open_circuit(world)
    world.ledger.suspend("norte", "audit", by="ana")
    world.pass_time(20)
    assert world.release() == []

    world.ledger.resume("norte", by="ana")

    assert is_open(world)
    assert len(world.release()) == 1


# After an outage


def close(world) -> None:
    """A probe is answered."""
    world.pass_time(1.1)
    [probe] = world.release()
    world.finish(world.begin(probe))
    assert not is_open(world)


def test_any_other_answer_closes_the_circuit_and_brings_the_waiting_jobs_forward(world):
    world.enroll(NORTE)
    open_circuit(world)

    close(world)

    recovered = 0
    while released := world.release():
        for one in released:
            world.finish(world.begin(one))
            recovered += 1
    assert recovered == 9


def test_after_an_outage_a_job_is_brought_forward_as_soon_as_its_least_wait_is_over(world):
    world.enroll(NORTE)
    for number in range(10):
        world.park(world.call(sf(number)), failed(600, least_wait_s=15))
    world.submit(sf(50))
    close(world)
    assert world.release() == []

    world.pass_time(14)

    assert len(world.release()) == 3


def test_a_job_that_fails_after_the_outage_waits_out_its_own_pause(world):
    world.enroll(NORTE)
    open_circuit(world)
    close(world)
    [again, *others] = world.release()
    fail_again(world, again)
    for one in others:
        world.finish(world.begin(one))

    world.pass_time(5)

    assert again.job not in names(world.release())
    assert due_in_s(world, again.job) > 50


def test_a_job_that_failed_before_an_outage_waits_out_its_own_pause_after_it(world):
    world.enroll(NORTE)
    failing(world, 90, wait_s=3_600)
    open_circuit(world)

    close(world)
    world.release()

    assert due_in_s(world, job(90)) > 3_500


def test_a_job_that_failed_before_and_was_answered_since_is_brought_forward_again(world):
    world.enroll(NORTE)
    failing(world, 90)
    world.pass_time(31)
    world.park(world.next_call(job(90)), park(0))
    world.park(world.next_call(job(90)), failed(600))
    fail(world, *range(9))
    assert is_open(world)

    close(world)

    assert world.state(job(90)) == "cancelled" or due_in_s(world, job(90)) < 1


def test_the_wait_of_a_job_that_probed_all_the_time_ends_with_the_outage(world):
    world.enroll(NORTE)
    open_circuit(world, wait_s=0.5)
    for _ in range(20):
        world.pass_time(10.1)
        [probe] = world.release()
        fail_again(world, probe, wait_s=900)

    world.submit(sf(50))
    world.finish(world.next_call(job(50)))
    world.pass_time(1)

    assert len(world.release()) == 3


# Failing documents beside others


def test_a_failing_document_waits_apart_and_is_counted(world):
    world.enroll(NORTE)
    failing(world, 1, 2)
    fill(world, [3])

    [state] = world.ledger.account_states()

    assert (state.waiting, state.failing) == (3, 2)


def test_while_others_are_due_failing_documents_are_called_for_one_at_a_time(world):
    world.enroll(NORTE)
    failing(world, *range(1, 6), priority="bulk")
    world.pass_time(31)
    fill(world, range(50, 70), priority="bulk")

    released = names(world.release())

    assert len(released) == 7
    assert len(set(released) & {job(number) for number in range(1, 6)}) == 1


def test_with_few_slots_there_is_a_rest_after_a_failing_document_s_call_while_others_are_due(world):
    world.enroll(limited(max_in_flight=3))
    failing(world, 1, 2, priority="bulk")
    world.pass_time(31)
    fill(world, range(50, 90), priority="bulk")
    first = world.release()
    [retried] = [one for one in first if one.job in {job(1), job(2)}]
    held = world.begin(retried)
    world.pass_time(10)
    world.park(held, failed(3_600))

    assert not {job(1), job(2)} & set(names(world.release()))
    world.finish(world.begin(next(one for one in first if one is not retried)))
    world.pass_time(21)
    assert {job(1), job(2)} & set(names(world.release()))


def test_with_many_slots_failing_documents_follow_one_another(world):
    world.enroll(NORTE)
    failing(world, 1, 2, priority="bulk")
    world.pass_time(31)
    fill(world, range(50, 90), priority="bulk")
    [again, *_] = world.release()
    held = world.begin(again)
    world.pass_time(10)
    world.park(held, failed(3_600))

    assert names(world.release())[0] in {job(1), job(2)}


def test_in_an_outage_of_few_documents_they_probe_before_their_pauses_are_over(world):
    world.enroll(NORTE)
    fail(world, 1, 2, wait_s=1)
    for _ in range(5):
        world.pass_time(1.1)
        for released in world.release():
            fail_again(world, released, wait_s=900)
            world.redis.zadd(world.key("due", "norte", "interactive:failing"), {released.job: world.now_ms()})
    assert int(world.account("norte")["failures"]) >= 10
    for name in (job(1), job(2)):
        world.redis.zadd(world.key("due", "norte", "interactive:failing"), {name: world.now_ms() + 900_000})
    assert not is_open(world)

    world.pass_time(10.1)
    [probe] = world.release()
    world.finish(world.begin(probe))

    assert len(world.release()) == 1, "and the other is brought forward by its answer"


def test_a_rest_holds_up_nobody_where_only_failing_documents_are_due(world):
    world.enroll(NORTE)
    failing(world, 1)
    world.pass_time(31)
    held = world.next_call(job(1))
    world.pass_time(100)
    world.park(held, failed(0))

    assert names(world.release()) == [job(1)]


def test_failing_documents_never_take_half_of_the_slots(world):
    world.enroll(NORTE)
    failing(world, *range(1, 9))
    world.pass_time(31)

    assert len(world.release()) == 3
    fill(world, range(50, 60), priority="bulk")
    assert len(world.release()) == 4, "bulk leaves the last slot"


def test_while_nothing_else_is_answered_failing_documents_are_called_for_one_at_a_time(world):
    world.enroll(NORTE)
    failing(world, *range(1, 6))
    for _ in range(10):
        world.pass_time(31)
        fail_again(world, world.release(limit=1)[0], wait_s=30)
    assert not is_open(world)
    world.pass_time(31)

    assert len(world.release()) == 1
    fill(world, range(50, 60), priority="bulk")
    assert len(world.release()) == 6, "others are not concerned"


def test_a_failing_bulk_document_leaves_the_last_slot_to_an_interactive_one(world):
    world.enroll(limited(max_in_flight=2))
    failing(world, 1, 2, priority="bulk")
    world.pass_time(31)
    assert len(world.release()) == 1

    world.submit(sf(50))

    assert names(world.release()) == [job(50)]


def test_a_failing_interactive_document_does_not_wait_for_a_backlog_of_bulk(world):
    world.enroll(NORTE)
    failing(world, 1, 2, priority="bulk")
    failing(world, 3)
    world.pass_time(31)
    fill(world, range(50, 70), priority="bulk")

    assert names(world.release())[0] == job(3)


def test_with_one_slot_healthy_documents_keep_most_of_the_time(world):
    world.enroll(limited(max_in_flight=1))
    failing(world, *range(1, 21), wait_s=1, priority="bulk")
    world.pass_time(31)
    fill(world, range(100, 200), priority="bulk")
    served = []
    for _ in range(60):
        [released] = world.release()
        held = world.begin(released)
        world.pass_time(1)
        is_healthy = released.job >= job(100)
        served.append(is_healthy)
        if is_healthy:
            world.finish(held)
        else:
            world.park(held, failed(1))

    assert served.count(True) > 36
    assert served.count(False) > 12


def test_of_few_calls_a_minute_healthy_documents_keep_most(world):
    world.enroll(NORTE)
    failing(world, *range(1, 21), wait_s=1, priority="bulk")
    world.enroll(limited(max_per_minute=12))
    world.pass_time(90)
    fill(world, range(100, 200), priority="bulk")
    served = []
    for _ in range(120):
        for released in world.release():
            is_healthy = released.job >= job(100)
            served.append(is_healthy)
            if is_healthy:
                world.finish(world.begin(released))
            else:
                fail_again(world, released, wait_s=1)
        world.pass_time(2)

    assert len(served) >= 48
    assert served.count(True) > len(served) / 2
    assert served.count(False) >= 4


def test_a_failing_document_that_becomes_interactive_goes_before_failing_bulk(world):
    world.enroll(NORTE)
    failing(world, 1, 2, priority="bulk")
    world.submit(sf(2))
    world.pass_time(31)

    assert names(world.release(limit=1)) == [job(2)]
    assert world.ledger.account_states()[0].failing == 1


def test_a_failing_document_whose_call_is_lost_is_still_failing(world):
    world.enroll(NORTE)
    failing(world, 1)
    world.pass_time(31)
    world.next_call(job(1))
    world.pass_time(LEASE_S + 1)
    world.release()

    [state] = world.ledger.account_states()
    assert (state.waiting, state.failing) == (1, 1)
    world.pass_time(LOST_WAIT_S + 1)
    world.park(world.next_call(job(1)), park(60))
    assert world.ledger.account_states()[0].failing == 0


def test_what_somebody_left_among_the_failing_calls_holds_nothing_up(world):
    world.enroll(NORTE)
    failing(world, 1)
    world.redis.sadd(world.key("failing", "norte"), "ghost", "another", "a third")
    world.pass_time(31)

    assert names(world.release()) == [job(1)]
    assert world.redis.smembers(world.key("failing", "norte")) == {job(1).encode()}


def test_where_nothing_fails_any_more_nothing_is_left_of_it(world):
    world.enroll(NORTE)
    open_circuit(world)
    close(world)
    while released := world.release():
        for one in released:
            world.finish(world.begin(one))

    assert "failing" not in world.account("norte")
    keys = [key.decode() for key in world.redis.scan_iter(match=f"{world.namespace}:*")]
    assert [key for key in keys if "failing" in key or "outage" in key or "recovery" in key] == []


@pytest.mark.parametrize("count", [20, 200])
def test_a_new_interactive_document_is_called_for_at_once_whatever_fails(world, count):
    world.enroll(NORTE)
    failing(world, *range(count), wait_s=15, priority="bulk")
    for number in range(10):
        for _ in range(5):
            world.pass_time(3)
            for released in world.release():
                fail_again(world, released, wait_s=15)
        new = world.submit(sf(500 + number)).job

        released = world.release()

        assert new in names(released)
        for one in released:
            if one.job == new:
                world.finish(world.begin(one))
            else:
                fail_again(world, one, wait_s=15)


def test_proving_still_takes_an_answer(world):
    world.enroll(NORTE, proven=False)
    fail(world, *range(3))
    assert world.account("norte")["proven"] == "0"

    world.submit(sf(50))
    world.finish(world.next_call(job(50)), finish(effects=PROVEN))

    assert world.account("norte")["proven"] == "1"
