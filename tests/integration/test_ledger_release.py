"""Release: what is due, in turns, paced, and taken back where nobody began or answered (docs/architecture.md)."""

import pytest

from tests.support.ledgers import FAILURE, LEASE_S, LOST_WAIT_S, PROVEN, finish, park
from tests.support.requests import NORTE, RODOVIARIA, SUR, bpe, sf, uuid
from worker import verdicts
from worker.ledger.records import Round
from worker.ledger.steps import Effects
from worker.outcome import Status

pytestmark = pytest.mark.integration


def job(number: int) -> str:
    return f"solucion-factible:{uuid(number)}"


def limited(account=NORTE, **limits):
    return account.model_copy(update=limits)


def names(released) -> list[str]:
    return [one.job for one in released]


def fill(world, numbers, **fields) -> None:
    for number in numbers:
        world.submit(sf(number, **fields))


# What is due


def test_a_due_job_is_released_once(world):
    world.enroll(NORTE)
    world.submit(sf(1))

    [released] = world.release()

    assert (released.job, released.token, released.run, released.calls) == (job(1), 1, 1, 0)
    assert world.release() == []
    assert world.record(job(1)).is_released
    assert world.state(job(1)) == "queued"


def test_no_more_is_released_than_was_asked_for(world):
    world.enroll(NORTE)
    fill(world, range(5))

    assert len(world.release(limit=3)) == 3
    assert world.release(limit=0) == []
    assert len(world.release()) == 2


def test_a_waiting_job_is_released_when_its_time_has_come(world):
    world.enroll(NORTE)
    held = world.call(sf(1))
    world.park(held, wait_s=60)

    assert world.release() == []
    world.pass_time(61)

    [again] = world.release()
    assert (again.token, again.calls) == (held.token + 1, 1)


def test_the_longest_due_goes_first(world):
    world.enroll(NORTE)
    world.submit(sf(1))
    world.pass_time(10)
    world.submit(sf(2))

    assert names(world.release()) == [job(1), job(2)]


def test_interactive_goes_before_bulk(world):
    world.enroll(NORTE)
    fill(world, (1, 2), priority="bulk")
    world.pass_time(10)
    world.submit(sf(3))

    assert names(world.release(limit=2)) == [job(3), job(1)]


def test_an_account_that_no_worker_knows_is_served_one_at_a_time(world):
    fill(world, (1, 2))

    assert names(world.release()) == [job(1)]


# Limits


def test_no_more_are_in_flight_than_the_account_allows(world):
    world.enroll(limited(max_in_flight=2))
    fill(world, range(4))

    first, second = world.release()
    assert world.release() == []
    world.finish(world.begin(first))

    assert len(world.release()) == 1
    world.finish(world.begin(second))
    assert len(world.release()) == 1


def test_bulk_never_takes_the_last_slot(world):
    world.enroll(limited(max_in_flight=3))
    fill(world, range(5), priority="bulk")

    assert len(world.release()) == 2
    world.submit(sf(9))

    assert names(world.release()) == [job(9)]


def test_bulk_gets_the_only_slot_of_an_account_with_one(world):
    world.enroll(limited(max_in_flight=1))
    fill(world, (1, 2), priority="bulk")

    assert len(world.release()) == 1


EVIDENCE = park(0.2, next_call="evidence", pending={"x": 1}, until_s=600)


def test_evidence_leaves_the_last_slot_to_an_interactive_job(world):
    world.enroll(limited(max_in_flight=3))
    for number in range(4):
        world.park(world.call(sf(number, priority="bulk")), EVIDENCE)
    world.submit(sf(9))
    world.pass_time(1)

    assert names(world.release()) == [job(0), job(1), job(9)]


def test_evidence_takes_the_last_slot_where_no_interactive_job_is_due(world):
    world.enroll(limited(max_in_flight=3))
    for number in range(4):
        world.park(world.call(sf(number)), EVIDENCE)
    fill(world, (9,), priority="bulk")
    world.pass_time(1)

    assert names(world.release()) == [job(0), job(1), job(2)]


def test_a_bulk_job_that_waits_for_a_slot_does_not_hold_up_a_later_interactive_one(world):
    world.enroll(limited(max_in_flight=2))
    held = world.call(sf(9))
    world.park(held, wait_s=0.2)
    fill(world, (1, 2), priority="bulk")
    assert len(world.release()) == 1

    turn = world.redis.zscore(world.key("turns"), "norte")

    assert turn == world.redis.zscore(world.key("due", "norte", "interactive"), held.job)


def test_calls_a_minute_are_limited(world):
    world.enroll(limited(max_per_minute=2))
    fill(world, range(5))

    for released in world.release():
        world.finish(world.begin(released))
    assert world.redis.xlen(world.key("outcomes")) == 2
    assert world.release() == []

    world.pass_time(61)
    assert len(world.release()) == 2


def test_what_is_handed_out_counts_towards_the_calls_a_minute(world):
    world.enroll(limited(max_per_minute=3))
    fill(world, range(5))

    assert len(world.release(limit=2)) == 2
    assert len(world.release()) == 1
    assert world.release() == []


def test_a_pace_that_came_into_force_since_is_kept_at_the_beginning_of_a_call(world):
    world.enroll(NORTE)
    fill(world, range(3))
    released = world.release()
    world.enroll(limited(max_per_minute=1))

    world.begin(released[0])

    assert world.try_begin(released[1], "n") == "calls a minute used up"


# Fairness


def test_accounts_take_turns(world):
    world.enroll(NORTE, SUR)
    fill(world, range(10))
    fill(world, range(20, 23), account="sur")

    released = world.release(limit=6)

    accounts = [world.record(one.job).account for one in released]
    assert accounts.count("sur") == 3


def test_with_one_slot_at_a_time_no_account_starves(world):
    world.enroll(NORTE, SUR, RODOVIARIA)
    fill(world, range(8))
    fill(world, range(20, 28), account="sur")
    for number in range(8):
        world.submit(bpe(number))

    served = []
    for _ in range(9):
        [one] = world.release(limit=1)
        served.append(world.record(one.job).account)
        world.pass_time(0.01)

    assert {name: served.count(name) for name in set(served)} == {"norte": 3, "sur": 3, "rodoviaria": 3}


def test_an_account_that_cannot_be_served_does_not_hold_up_the_others(world):
    world.enroll(limited(max_in_flight=1), SUR)
    fill(world, range(5))
    fill(world, range(20, 24), account="sur")
    world.redis.hset(world.key("account", "norte"), "suspended_at", world.now_ms())

    assert len(world.release()) == 4


def test_a_million_waiting_jobs_are_not_looked_at(world):
    """In small: a release reads no more than it hands out, however many jobs wait for later."""
    world.enroll(NORTE)
    later = world.now_ms() + 3_600_000
    world.redis.zadd(world.key("due", "norte", "interactive"), {f"x{number}": later for number in range(50_000)})
    world.submit(sf(1))
    before = world.redis.info("commandstats")["cmdstat_evalsha"]["usec"]

    assert names(world.release()) == [job(1)]

    assert world.redis.info("commandstats")["cmdstat_evalsha"]["usec"] - before < 20_000


# Accounts that stand still


def test_a_suspended_account_is_not_served_until_it_is_resumed(world):
    world.enroll(NORTE)
    world.submit(sf(1))
    world.ledger.suspend("norte", "audit", by="ana")

    assert world.release() == []
    world.submit(sf(2))
    assert world.release() == []

    world.ledger.resume("norte", by="ana")
    assert names(world.release()) == [job(1)]


def test_a_paused_account_goes_on_by_itself_with_one_call_at_a_time(world):
    world.enroll(NORTE)
    held = world.call(sf(1))
    fill(world, (2, 3))
    world.park(held, effects=Effects(feeds="failure", hold_s=60, hold_reason="Retry-After"))

    assert world.release() == []
    world.pass_time(30)
    assert world.release() == []
    world.pass_time(31)

    assert len(world.release()) == 1


def test_until_an_answer_proves_the_account_there_is_one_call_at_a_time(world):
    world.enroll(NORTE, proven=False)
    fill(world, range(3))

    [first] = world.release()
    held = world.begin(first)
    assert world.release() == []
    world.park(held, wait_s=60, effects=FAILURE)
    [second] = world.release()
    assert world.release() == []
    world.finish(world.begin(second))

    assert len(world.release()) == 1


def test_a_trial_that_was_never_begun_makes_room_for_the_next(world):
    world.enroll(NORTE, proven=False)
    fill(world, range(2))
    world.release()

    world.pass_time(16)

    assert len(world.release()) == 1


def test_what_was_handed_out_before_is_put_back_where_one_call_at_a_time_is_the_rule(world):
    world.enroll(NORTE)
    fill(world, range(2))
    first, second = world.release()
    world.enroll(NORTE, proven=False)

    assert world.try_begin(first, "n") == "one call at a time"
    assert world.try_begin(second, "n") == "one call at a time"
    [trial] = world.release()
    world.begin(trial)


# Taken back


def test_what_was_not_begun_is_released_again_under_a_new_token(world):
    world.enroll(NORTE)
    world.submit(sf(1))
    [first] = world.release()

    world.pass_time(14)
    assert world.release() == []
    world.pass_time(2)
    [second] = world.release()

    assert second.token == first.token + 1
    assert world.try_begin(first, "late") == "its lease is not this one"
    assert world.record(job(1)).lost == 0
    world.begin(second)


def test_a_call_whose_lease_has_ended_may_have_acted_and_is_made_again_after_a_pause(world):
    world.enroll(NORTE)
    held = world.call(sf(1))

    world.pass_time(181)
    assert world.release() == []

    record = world.record(job(1))
    assert (record.state, record.lost, record.may_have_acted, record.next_call) == ("waiting", 1, True, "cancel")
    assert record.doubted_run == record.run
    assert LOST_WAIT_S - 1 < world.due_in_s(job(1)) <= LOST_WAIT_S
    assert record.history[-1]["reaction"] == "lost"
    assert world.park(held) == "late"


def test_a_lost_call_is_looked_up_first_where_that_is_possible(world):
    world.enroll(RODOVIARIA, inquires=True)
    held = world.call(bpe(1))

    world.pass_time(181)
    world.release()

    assert world.record(held.job).next_call == "look_up"


@pytest.mark.parametrize("call", ["look_up", "evidence"])
def test_a_lost_look_up_or_download_did_not_act(world, call):
    world.enroll(RODOVIARIA, inquires=True)
    world.park(world.call(bpe(1)), next_call=call)
    held = world.next_call()

    world.pass_time(181)
    world.release()

    record = world.record(held.job)
    assert (record.next_call, record.may_have_acted, record.lost) == (call, False, 1)


def lose(world, times: int) -> list[str]:
    worn: list[str] = []
    for _ in range(times):
        world.pass_time(16)
        [one] = world.release()
        world.begin(one)
        world.pass_time(181)
        worn += world.round().worn
    return worn


def test_after_three_lost_calls_in_a_row_a_job_is_worn_out(world):
    world.enroll(NORTE)
    world.submit(sf(1))

    assert lose(world, 2) == []
    assert lose(world, 1) == [job(1)]


def test_a_worn_out_job_is_never_released_again_and_told_of_until_it_is_ended(world):
    world.enroll(NORTE)
    world.submit(sf(1))
    lose(world, 3)

    for _ in range(3):
        world.pass_time(61)
        assert world.round() == Round([], [job(1)], [])
    assert world.state(job(1)) == "waiting"


def overwrite(world, number: int) -> None:
    world.redis.set(world.key("job", job(number)), "somebody else's")


def without(field: str):
    return lambda world, number: world.redis.hdel(world.job_hash(job(number)), field)


def with_(field: str, value: str):
    return lambda world, number: world.redis.hset(world.job_hash(job(number)), field, value)


DAMAGES = [
    overwrite,
    *map(without, ("run", "state", "account", "lane", "references", "request")),
    with_("run", "x"),
    with_("seq", "x"),
    with_("token", "007"),
    with_("token", "9" * 19),
    with_("request", "5"),
    with_("references", "[1e999]"),
    with_("state", "cancelled"),
    with_("lane", "x"),
    with_("state", "x"),
    with_("history", "x"),
    with_("warnings", "5"),
    with_("account", "sur"),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_keeps_no_other_job_from_release_and_is_looked_at_again_later(world, damage):
    world.enroll(NORTE)
    fill(world, (1, 2, 3), priority="bulk")
    record = world.redis.dump(world.job_hash(job(1)))
    damage(world, 1)

    first = world.round()
    second = world.round()

    assert sorted(names(first.released)) == [job(2), job(3)]
    assert [name for name, _ in first.damaged] == [job(1)]
    assert second == Round([], [], [])
    world.pass_time(61)
    assert [name for name, _ in world.round().damaged] == [job(1)]

    world.redis.restore(world.key("job", job(1)), 0, record, replace=True)
    world.pass_time(61)
    assert job(1) in names(world.release())


@pytest.mark.parametrize("line", range(8))
@pytest.mark.parametrize("damage", [b"", b"x", b"-", b"9" * 400, b"\xff\x00\n", b"\n\n"])
def test_a_damaged_packed_record_keeps_no_other_job_from_release(world, line, damage):
    world.enroll(RODOVIARIA)
    jobs = [world.submit(bpe(number, priority="bulk"), f"s{number}").job for number in (1, 2)]
    lines = world.redis.get(world.key("job", jobs[0])).split(b"\n")
    world.redis.set(world.key("job", jobs[0]), b"\n".join([*lines[:line], damage, *lines[line + 1 :]]))

    done = world.round()

    assert jobs[1] in names(done.released)
    assert jobs[0] in [*names(done.released), *(name for name, _ in done.damaged)]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("proven", [True, False])
def test_a_damaged_record_keeps_neither_slot_nor_trial(world, damage, proven):
    world.enroll(limited(max_in_flight=1), proven=proven)
    world.submit(sf(1))
    world.begin(world.release()[0])
    world.submit(sf(2))
    damage(world, 1)

    world.pass_time(181)
    first, second = world.round(), world.round()

    assert [name for name, _ in first.damaged] == [job(1)]
    assert names(first.released + second.released) == [job(2)]
    assert world.redis.zscore(world.key("leases"), job(1)) is None


@pytest.mark.parametrize("due", ["nan", "inf", "x", ""])
def test_a_time_that_is_none_is_damage(world, due):
    world.enroll(NORTE)
    world.submit(sf(1))
    world.redis.hset(world.job_hash(job(1)), "due", due)

    assert world.round().damaged == [(job(1), "due is no time")]


def test_a_call_during_which_the_record_was_damaged_counts_as_lost_when_it_is_mended(world):
    world.enroll(RODOVIARIA, inquires=True)
    held = world.call(bpe(1, deadline="2099-01-01T00:00:00Z"))
    world.redis.hset(world.job_hash(held.job), "history", "x")
    world.pass_time(181)
    assert world.round().damaged

    world.redis.hdel(world.job_hash(held.job), "history")
    world.pass_time(61)

    assert world.round() == Round([], [], [])
    record = world.record(held.job)
    assert (record.state, record.may_have_acted, record.lost, record.next_call) == ("waiting", True, 1, "look_up")
    world.pass_time(LOST_WAIT_S + 1)
    assert names(world.release()) == [held.job]


def test_a_call_of_which_the_account_knows_nothing_is_taken_back_all_the_same(world):
    world.enroll(NORTE)
    held = world.call(sf(1))
    world.redis.delete(world.key("flight", "norte"))

    world.pass_time(181)
    world.round()

    assert (world.state(held.job), world.record(held.job).lost) == ("waiting", 1)
    assert world.due_in_s(held.job) > 0


def remove(world, name: str) -> None:
    """As docs/runbook.md says of a damaged record."""
    world.redis.delete(world.key("job", name))
    for place in ("open", "deadlines"):
        world.redis.zrem(world.key(place), name)


def test_a_document_that_is_submitted_again_to_another_account_is_forgotten_by_the_first(world):
    world.enroll(NORTE, SUR)
    world.submit(sf(1, account="norte"))
    overwrite(world, 1)
    world.round()
    remove(world, job(1))
    world.submit(sf(1, account="sur"))

    world.pass_time(61)
    [released] = world.release()
    world.finish(world.begin(released))
    world.pass_time(61)

    assert world.round() == Round([], [], [])
    assert [one.waiting for one in world.ledger.account_states()] == [0, 0]


def test_a_document_that_is_submitted_again_is_not_called_for_while_its_old_call_may_be_under_way(world):
    world.enroll(NORTE, SUR)
    held = world.call(sf(1, account="norte"))
    remove(world, held.job)
    world.submit(sf(1, account="sur"))

    assert world.release() == []
    world.pass_time(181)

    assert names(world.release()) == [held.job]
    assert [one.in_flight for one in world.ledger.account_states()] == [0, 1]


def test_a_late_answer_to_a_document_submitted_again_to_another_account_leaves_the_first_its_slot(world):
    world.enroll(NORTE, SUR)
    held = world.call(sf(1, account="norte"))
    remove(world, held.job)
    world.submit(sf(1, account="sur"))

    world.finish(held)

    assert world.state(held.job) == "cancelled"
    assert [one.in_flight for one in world.ledger.account_states()] == [0, 0]


def test_a_removed_record_takes_its_places_with_it(world):
    world.enroll(NORTE)
    name = world.submit(sf(1, deadline="2099-01-01T00:00:00Z")).job
    world.redis.delete(world.key("job", name))

    assert world.release() == []

    assert not world.redis.exists(world.key("open"), world.key("deadlines"), world.key("due", "norte", "interactive"))


def test_a_record_removed_in_a_call_takes_its_places_with_it(world):
    world.enroll(NORTE)
    held = world.call(sf(1, deadline="2099-01-01T00:00:00Z"))
    world.redis.delete(world.key("job", held.job))

    world.pass_time(181)
    world.round()

    assert not world.redis.exists(world.key("open"), world.key("deadlines"), world.key("leases"))


def test_what_an_account_has_handed_out_is_counted_as_its_own_whoever_has_the_document_now(world):
    world.enroll(NORTE, SUR)
    name = world.submit(sf(1, account="norte")).job
    world.release()
    remove(world, name)
    world.submit(sf(1, account="sur"))

    record = world.record(name)
    world.ledger.revoke(record, verdicts.revoked(record), by="test")

    assert [world.account(one).get("handed", "0") for one in ("norte", "sur")] == ["0", "0"]


def test_a_worker_starts_also_where_the_record_of_a_trial_is_damaged(world):
    world.enroll(NORTE, proven=False)
    held = world.call(sf(1))
    overwrite(world, 1)

    world.enroll(NORTE, proven=False)

    assert held.job not in names(world.release())


def test_what_has_ended_is_not_released_again_wherever_it_still_stands(world):
    world.enroll(NORTE)
    held = world.call(sf(1))
    world.finish(held, finish(Status.REJECTED))
    for key in ("leases", "due:norte:bulk"):
        world.redis.zadd(world.key(*key.split(":")), {job(1): 1})
    world.redis.sadd(world.key("flight", "norte"), job(1))

    assert [world.round() for _ in range(2)] == [Round([], [], [])] * 2

    assert world.state(job(1)) == "rejected"
    assert world.ledger.account_states()[0].in_flight == 0


def test_no_round_deals_with_more_damaged_records_than_it_may_release(world):
    world.enroll(NORTE)
    fill(world, range(6))
    for number in range(5):
        overwrite(world, number)

    rounds = [world.round(2) for _ in range(3)]

    assert [len(one.damaged) for one in rounds] == [2, 2, 1]
    assert [names(one.released) for one in rounds] == [[], [], [job(5)]]


def test_an_answer_in_between_starts_the_count_of_lost_calls_anew(world):
    world.enroll(NORTE)
    world.submit(sf(1))
    lose(world, 2)
    world.pass_time(16)
    world.park(world.next_call())

    assert lose(world, 2) == []


def test_while_nobody_released_no_lease_ends(world):
    world.enroll(NORTE)
    fill(world, (1, 2))
    first, second = world.release()
    held = world.begin(first)

    world.pass_time(3_600, nobody_released=True)
    assert world.release() == []

    assert world.park(held) == "parked"
    world.begin(second)


def test_a_lease_goes_on_after_a_gap_where_it_was(world):
    world.enroll(NORTE)
    world.call(sf(1))
    world.pass_time(100)
    world.pass_time(3_600, nobody_released=True)
    world.release()

    world.pass_time(70)
    world.release()
    assert world.state(job(1)) == "running"
    world.pass_time(11)
    world.release()

    assert world.state(job(1)) == "waiting"


def test_a_short_pause_between_releases_moves_no_lease(world):
    world.enroll(NORTE)
    world.call(sf(1))
    world.pass_time(178)

    world.pass_time(4, nobody_released=True)
    world.release()

    assert world.state(job(1)) == "waiting"


def test_an_entry_without_a_record_is_passed_over(world):
    world.enroll(NORTE)
    world.submit(sf(1))
    world.redis.zadd(world.key("due", "norte", "interactive"), {"ghost": 0})
    world.redis.zadd(world.key("leases"), {"another ghost": 0})
    world.redis.sadd(world.key("flight", "norte"), "another ghost")

    assert names(world.release()) == [job(1)]

    assert world.redis.zscore(world.key("leases"), "another ghost") is None
    assert world.redis.scard(world.key("flight", "norte")) == 1


def test_slots_are_free_again_after_every_way_out(world):
    world.enroll(limited(max_in_flight=1))
    fill(world, range(4))
    world.park(world.next_call(), wait_s=900)
    world.finish(world.next_call(), finish(Status.REJECTED))
    world.begin(world.release()[0])
    world.pass_time(181)

    assert len(world.release()) == 1
    assert world.redis.scard(world.key("flight", "norte")) == 1


def test_a_slow_pace_ends_by_itself(world):
    world.enroll(NORTE)
    effects = Effects(feeds="answer", hold_s=3_600, hold_reason="678", slow_s=86_400, slow_per_minute=2)
    world.park(world.call(sf(1)), effects=effects)
    fill(world, range(2, 9))

    world.pass_time(3_601)
    world.park(world.next_call(), park(wait_s=500_000, effects=PROVEN))
    [second] = world.release()
    world.finish(world.begin(second))
    assert world.release() == [], "two a minute"
    world.pass_time(86_400)

    assert len(world.release()) == 6


# Trials


def suspended_and_resumed(world):
    world.ledger.suspend("norte", "checking", by="ana")
    world.ledger.resume("norte", by="ana")


def test_a_call_from_before_a_resume_proves_nothing_about_the_credentials_after_it(world):
    world.enroll(NORTE)
    older = world.call(sf(1))
    suspended_and_resumed(world)
    for number in range(2, 10):
        world.submit(sf(number))

    world.finish(older, finish(effects=PROVEN))

    assert len(world.release()) == 1
    assert world.account("norte")["proven"] == "0"


def test_a_call_from_before_another_worker_s_start_proves_nothing_about_its_credentials(world):
    world.enroll(NORTE, proven=False)
    older = world.call(sf(1))
    for number in range(2, 10):
        world.submit(sf(number))

    world.enroll(NORTE, proven=False)
    world.finish(older, finish(effects=PROVEN))

    assert len(world.release()) == 1


def test_workers_that_start_one_after_the_other_try_an_account_once_at_a_time(world):
    world.enroll(NORTE, proven=False)
    first = world.call(sf(1))
    for number in range(2, 10):
        world.submit(sf(number))

    for _ in range(3):
        world.enroll(NORTE, proven=False)
        assert world.release() == []

    world.park(first, wait_s=60, effects=FAILURE)
    assert len(world.release()) == 1


def test_a_trial_from_before_a_resume_that_is_lost_makes_room_for_the_next(world):
    world.enroll(NORTE, proven=False)
    world.call(sf(1))
    world.submit(sf(2))
    suspended_and_resumed(world)
    assert world.release() == []

    world.pass_time(LEASE_S + 1)

    assert len(world.release()) == 1


def test_a_job_released_on_trial_before_a_resume_is_not_begun_beside_the_next_trial(world):
    world.enroll(NORTE, proven=False)
    world.submit(sf(1))
    world.submit(sf(2))
    [first] = world.release()
    suspended_and_resumed(world)
    [second] = world.release()

    assert world.try_begin(first, "n") == "one call at a time"
    world.begin(second)


def test_accounts_on_trial_take_half_of_the_slots_at_the_most(world):
    world.enroll(NORTE, SUR, RODOVIARIA, proven=False)
    for request in (sf(1, account="norte"), sf(2, account="sur"), bpe()):
        world.submit(request)

    released = world.ledger.release(4, slots=4, begin_within_s=15, lost_wait_s=15).released

    assert len(released) == 2
    for one in released:
        world.finish(world.begin(one), finish())
    world.redis.zadd(world.key("turns"), dict.fromkeys(["norte", "sur", "rodoviaria"], 0))
    assert len(world.ledger.release(4, slots=4, begin_within_s=15, lost_wait_s=15).released) == 1


def test_wake_ups_that_nobody_has_fetched_take_their_share_of_what_is_released(world):
    world.enroll(NORTE)
    for number in range(1, 9):
        world.submit(sf(number))
    world.redis.lpush(f"{world.namespace}.run", *[b"a wake-up"] * 3)

    assert len(world.release(5)) == 2


def test_a_pause_that_the_authority_asked_for_too_late_for_the_job_still_holds_the_account(world):
    world.enroll(NORTE)
    held = world.call(sf(1))
    world.pass_time(LEASE_S + 1)
    world.release()

    world.park(held, park(0, effects=Effects(feeds="answer", hold_s=3_600, hold_reason="abuse")))

    assert world.account("norte")["hold_reason"] == "abuse"
    assert world.release() == []
