"""Live workers: which accounts each has, serves and takes jobs of."""

import pytest

from config.accounts import ProviderName
from tests.support.ledgers import FAILURE, LEASE_S, LOST_WAIT_S, failed, park
from tests.support.requests import NORTE, RODOVIARIA, SUR, bpe, sf, uuid

pytestmark = pytest.mark.integration

SF, BPE = ProviderName.SOLUCION_FACTIBLE, ProviderName.NS_BPE


def job(number: int) -> str:
    return f"solucion-factible:{uuid(number)}"


def released_to(world, worker: str, limit: int = 100) -> list[str]:
    found = world.ledger.release(limit, slots=1_000, begin_within_s=15, lost_wait_s=15, worker=worker)
    return [one.job for one in found.released]


def state(world, name: str):
    [found] = [one for one in world.ledger.account_states() if one.name == name]
    return found


# Release


def test_a_worker_is_given_only_jobs_of_accounts_that_it_serves(world):
    world.enroll(NORTE, SUR, RODOVIARIA)
    world.ledger.register("one", {NORTE: True, RODOVIARIA: False})
    mine, other = world.submit(sf(1)).job, world.submit(sf(2, account="sur")).job
    world.submit(bpe(3))

    assert released_to(world, "one") == [mine]
    assert released_to(world, "one") == []
    world.ledger.register("two", {SUR: True})
    assert released_to(world, "two") == [other]


def test_a_worker_that_is_not_registered_is_given_nothing(world):
    world.enroll(NORTE)
    world.submit(sf(1))

    assert released_to(world, "nobody") == []
    assert len(world.release()) == 1


def test_what_a_worker_serves_changes_with_its_next_word(world):
    world.enroll(NORTE)
    world.submit(sf(1))
    world.ledger.register("one", {NORTE: True})
    world.ledger.register("one", {NORTE: False})
    assert released_to(world, "one") == []

    world.ledger.register("one", {NORTE: True})

    assert released_to(world, "one") == [job(1)]


def test_accounts_of_others_do_not_hide_a_worker_s_own(world):
    world.enroll(NORTE)
    world.submit(sf(1))
    world.redis.zadd(world.key("turns"), {f"account-{number}": number for number in range(1_700)})
    world.ledger.register("one", {NORTE: True})

    assert released_to(world, "one") == [job(1)]


def test_a_registration_is_found_lost_and_made_again(world):
    world.ledger.register("one", {NORTE: True}, has_changed=False)
    assert world.redis.hgetall(world.key("has", "one")) == {b"norte": b"1solucion-factible"}

    world.redis.delete(world.key("has", "one"))
    world.ledger.register("one", {NORTE: True}, has_changed=False)

    assert world.redis.exists(world.key("has", "one"))


# Hand back


def test_a_job_that_is_handed_back_is_due_again_and_nothing_has_counted(world):
    world.enroll(NORTE.model_copy(update={"max_in_flight": 1, "max_per_minute": 1}))
    held = world.call(sf(1))

    world.ledger.hand_back(held.begun, held.token, held.nonce)

    record = world.record(job(1))
    assert (record.state, record.attempts, record.calls, record.history) == ("queued", 0, 0, ())
    assert (state(world, "norte").in_flight, world.redis.scard(world.key("handed"))) == (0, 0)
    again = world.next_call(job(1))
    assert again.token == held.token + 1


def test_a_waiting_job_that_is_handed_back_waits_as_before(world):
    world.enroll(NORTE)
    world.park(world.call(sf(1)), park(0, code="211", retry={"asked": {"in_process": 1}}))
    before = world.record(job(1))
    held = world.next_call(job(1))

    world.ledger.hand_back(held.begun, held.token, held.nonce)

    record = world.record(job(1))
    assert (record.state, record.attempts, record.calls) == ("waiting", before.attempts, before.calls)
    assert (record.code, record.retry, record.parked_at) == (before.code, before.retry, before.parked_at)


def test_a_failing_job_that_is_handed_back_is_still_failing(world):
    world.enroll(NORTE)
    world.park(world.call(sf(1)), failed(0))
    held = world.next_call(job(1))

    world.ledger.hand_back(held.begun, held.token, held.nonce)

    assert (state(world, "norte").failing, world.redis.scard(world.key("failing", "norte"))) == (1, 0)


def test_a_trial_that_is_handed_back_makes_room_for_the_next(world):
    world.enroll(NORTE, proven=False)
    held = world.call(sf(1))
    world.submit(sf(2))

    world.ledger.hand_back(held.begun, held.token, held.nonce)

    assert len(world.release()) == 1
    assert world.account("norte")["proven"] == "0"


def test_handing_back_twice_changes_nothing_more(world):
    world.enroll(NORTE)
    held = world.call(sf(1))
    world.ledger.hand_back(held.begun, held.token, held.nonce)
    before = world.dump()

    world.ledger.hand_back(held.begun, held.token, held.nonce)
    assert world.dump() == before
    world.next_call(job(1))
    world.ledger.hand_back(held.begun, held.token, held.nonce)

    assert (world.state(job(1)), world.record(job(1)).attempts) == ("running", 1)


def test_a_call_that_holds_the_job_no_more_hands_nothing_back(world):
    world.enroll(NORTE)
    held = world.call(sf(1))
    world.park(held, park(60, effects=FAILURE))
    before = world.dump()

    world.ledger.hand_back(held.begun, held.token, held.nonce)

    assert world.dump() == before


def test_a_late_cancellation_that_was_kept_decides_when_the_newer_call_is_handed_back(world):
    world.enroll(NORTE)
    earlier = world.call(sf(1))
    world.pass_time(LEASE_S + 1)
    world.release()
    world.pass_time(LOST_WAIT_S + 1)
    newer = world.next_call(job(1))
    assert world.finish(earlier) == "kept"

    for _ in range(2):
        world.ledger.hand_back(newer.begun, newer.token, newer.nonce)

    [outcome] = world.outcomes()
    assert (outcome["status"], outcome["attempts"]) == ("cancelled", 1)
    assert state(world, "norte").in_flight == 0


# Who is alive


def test_an_account_is_elsewhere_while_another_worker_with_it_lives(world):
    world.ledger.register("other", {SUR: False, RODOVIARIA: True})
    world.ledger.register("mine", {NORTE: True})
    elsewhere = world.ledger.is_elsewhere

    assert elsewhere("mine", SF, "sur")
    assert elsewhere("mine", BPE, None)
    assert not elsewhere("mine", BPE, "sur"), "of another provider"
    assert not elsewhere("mine", SF, "este")
    assert not elsewhere("other", SF, "sur"), "its own does not count"
    assert not elsewhere("other", SF, "este")


def test_a_worker_that_is_not_seen_any_more_counts_as_gone(world):
    world.ledger.register("other", {SUR: True})
    world.ledger.register("mine", {NORTE: True})
    for _ in range(5):
        world.pass_time(4)
        world.ledger.register("mine", {NORTE: True}, has_changed=False)

    assert not world.ledger.is_elsewhere("mine", SF, "sur")


def test_after_a_gap_of_everybody_s_the_others_have_their_time(world):
    world.ledger.register("other", {SUR: True})
    world.ledger.register("mine", {NORTE: True})
    world.pass_time(3_600)
    world.ledger.register("mine", {NORTE: True}, has_changed=False)
    assert world.ledger.is_elsewhere("mine", SF, "sur")

    for _ in range(4):
        world.pass_time(4)
        world.ledger.register("mine", {NORTE: True}, has_changed=False)

    assert not world.ledger.is_elsewhere("mine", SF, "sur")


def test_a_worker_that_has_just_started_waits_for_the_others_to_start_as_well(world):
    world.ledger.register("other", {SUR: True})
    world.pass_time(60)

    world.ledger.register("mine", {NORTE: True})

    assert world.ledger.is_elsewhere("mine", SF, "sur")
    assert not world.ledger.is_elsewhere("mine", SF, "este"), "nobody ever had it"


def test_workers_long_gone_are_forgotten(world):
    world.ledger.register("other", {SUR: True})
    world.pass_time(3_700)
    for _ in range(6):
        world.ledger.register("mine", {NORTE: True}, has_changed=False)
        world.pass_time(4)

    assert world.redis.zrange(world.key("workers"), 0, -1) == [b"mine"]
    assert not world.redis.exists(world.key("has", "other"), world.key("worker", "other"))


def test_accounts_tell_how_many_live_workers_serve_them(world):
    world.enroll(NORTE, SUR)
    world.ledger.register("one", {NORTE: True, SUR: False})
    world.ledger.register("two", {NORTE: True})

    assert [(one.name, one.workers) for one in world.ledger.account_states()] == [("norte", 2), ("sur", 0)]
    world.pass_time(16)
    assert state(world, "norte").workers == 0


def test_what_has_something_to_do_is_told(world):
    world.enroll(NORTE, SUR)
    world.submit(sf(1))
    world.ledger.suspend("sur", "x", by="ana")

    assert world.ledger.with_work() == ["norte"]
