"""Ends without an answer, and what operators do: expire, revoke, retry, suspend, resume, enroll, trim."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.accounts import Environment
from config.problem import ConfigurationProblem
from tests.support.ledgers import KEEP_S, World, finish, park
from tests.support.lossy_proxy import LossyProxy, lossy_proxy
from tests.support.requests import NORTE, RODOVIARIA, bpe, sf
from tests.support.waiting import wait_until
from worker import verdicts
from worker.answer import Answer, Reaction, Reason
from worker.ledger.ledger import Ledger
from worker.ledger.not_possible import NotPossible
from worker.ledger.scripts import NAMES, Scripts, source
from worker.ledger.steps import Effects, Expiry
from worker.outcome import Status

pytestmark = pytest.mark.integration

PAST, FAR = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"


@pytest.fixture
def norte(world):
    world.enroll(NORTE)
    return world


def expire(world: World, job: str) -> Expiry:
    record = world.record(job)
    return world.ledger.expire(record, verdicts.time_is_up(record))


def revoke(world: World, job: str) -> str:
    record = world.record(job)
    return world.ledger.revoke(record, verdicts.revoked(record), by="ana")


@contextmanager
def _losing_replies(world: World) -> Iterator[tuple[Ledger, LossyProxy]]:
    """The same ledger behind a proxy; its client repeats once, as ours does. All scripts are loaded."""
    for name in NAMES:
        world.redis.script_load(source(name))
    with lossy_proxy(world.redis.connection_pool.connection_kwargs["port"]) as proxy:
        client = Redis.from_url(proxy.url, retry=Retry(NoBackoff(), 1))
        yield Ledger(client, namespace=world.namespace, keep_s=KEEP_S), proxy
        client.close()


# Expire


def test_a_deadline_already_past_ends_the_job_at_once(norte):
    job = norte.submit(sf(1, deadline=PAST)).job

    assert norte.ledger.overdue(9) == [job]
    assert expire(norte, job) is Expiry.ENDED

    [outcome] = norte.outcomes()
    assert (outcome["status"], outcome["reason"], outcome["attempts"]) == ("rejected", "deadline-passed", 0)
    assert norte.ledger.overdue(9) == []
    assert norte.release() == []


def test_a_job_whose_time_is_not_up_is_not_ended(norte):
    job = norte.submit(sf(1, deadline=FAR)).job

    assert norte.ledger.overdue(9) == []
    assert expire(norte, job) is Expiry.CHANGED


def test_a_waiting_job_in_doubt_ends_unresolved_at_its_deadline_where_nobody_can_be_asked(norte):
    held = norte.call(sf(1, deadline=FAR))
    norte.park(held, wait_s=60, may_have_acted=True, code="501")
    norte.redis.zadd(norte.key("deadlines"), {held.job: norte.now_ms()})

    assert expire(norte, held.job) is Expiry.ENDED

    [outcome] = norte.outcomes()
    assert (outcome["status"], outcome["reason"], outcome["code"]) == ("unresolved", "deadline-passed", "501")
    assert norte.record(held.job).may_have_acted


def test_a_new_run_of_a_document_that_was_in_process_ends_unresolved_at_its_deadline(norte):
    held = norte.call(sf(1))
    norte.park(held, in_process=True)
    norte.finish(norte.next_call(), finish(Status.UNRESOLVED))

    norte.submit(sf(1, deadline=PAST))
    assert expire(norte, held.job) is Expiry.ENDED

    assert norte.outcomes()[-1]["status"] == "unresolved"


def test_the_deadline_of_a_record_that_somebody_has_removed_ends_no_later_run(norte):
    job = norte.submit(sf(deadline="2026-01-01T00:00:00Z")).job
    norte.redis.delete(norte.key("job", job))
    norte.submit(sf())

    assert norte.ledger.overdue(9) == []
    assert expire(norte, job) is Expiry.CHANGED

    assert norte.state(job) == "queued"
    norte.park(norte.next_call(job), wait_s=60)
    assert norte.due_in_s(job) > 30


def test_a_suspended_account_s_job_ends_at_its_deadline_as_well(norte):
    job = norte.submit(sf(1, deadline=PAST)).job
    norte.ledger.suspend("norte", "audit", by="ana")

    assert expire(norte, job) is Expiry.ENDED


def test_a_released_job_that_is_not_begun_ends_at_its_deadline(norte):
    job = norte.submit(sf(1, deadline=FAR)).job
    [released] = norte.release()
    norte.redis.zadd(norte.key("deadlines"), {job: norte.now_ms()})

    assert expire(norte, job) is Expiry.ENDED

    assert norte.try_begin(released, "n") == "its lease is not this one"
    assert norte.account("norte")["handed"] == "0"


def test_a_call_under_way_is_not_ended(norte):
    held = norte.call(sf(1, deadline=FAR))
    norte.redis.zadd(norte.key("deadlines"), {held.job: norte.now_ms()})

    assert expire(norte, held.job) is Expiry.CHANGED
    norte.park(held, wait_s=60)
    assert expire(norte, held.job) is Expiry.ENDED


@pytest.mark.parametrize("ending", [expire, revoke])
def test_a_record_that_has_moved_on_is_not_ended(norte, ending):
    job = norte.submit(sf(1, deadline=PAST)).job
    old = norte.record(job)
    norte.submit(sf(1, deadline=PAST, reference="joined"))

    assert norte.ledger.expire(old, verdicts.time_is_up(old)) is Expiry.CHANGED
    assert norte.ledger.revoke(old, verdicts.revoked(old), by="ana") == "changed"
    assert ending(norte, job) == "ended"
    assert norte.outcomes()[0]["references"] == ["joined"]


def test_a_repeated_expire_changes_nothing_more(norte):
    job = norte.submit(sf(1, deadline=PAST)).job
    record = norte.record(job)
    norte.ledger.expire(record, verdicts.time_is_up(record))
    before = norte.dump()

    assert norte.ledger.expire(record, verdicts.time_is_up(record)) is Expiry.CHANGED

    assert norte.dump() == before


def test_evidence_that_never_comes_leaves_the_document_cancelled(norte):
    held = norte.call(sf(1, deadline=FAR))
    said = Answer(reaction=Reaction.CANCELLED, reason=Reason.ALREADY_CANCELLED, code="631").as_json()
    norte.park(held, wait_s=1, until_s=600, next_call="evidence", pending=said)

    norte.pass_time(601)
    assert norte.ledger.overdue(9) == [held.job]
    assert expire(norte, held.job) is Expiry.ENDED

    [outcome] = norte.outcomes()
    assert (outcome["status"], outcome["evidence"]) == ("cancelled", None)
    assert verdicts.EVIDENCE_MISSING in outcome["warnings"]


# Past a deadline, in doubt


IN_DOUBT = [{"may_have_acted": True}, {"in_process": True}]


@pytest.fixture
def rodoviaria(world):
    world.enroll(RODOVIARIA, inquires=True)
    return world


def submit_due_in(world: World, seconds: float, number: int = 1) -> str:
    deadline_at = datetime.now(UTC) + timedelta(seconds=seconds)
    return world.submit(bpe(number, deadline=deadline_at.isoformat())).job


def in_doubt_past_its_deadline(world: World, number: int = 1, **marks: Any) -> str:
    """A job whose only request may have worked, parked before its deadline, which has passed since."""
    job = submit_due_in(world, 100, number)
    world.park(world.next_call(job), wait_s=900, next_call="look_up", **(marks or {"may_have_acted": True}))
    world.pass_time(101)
    return job


def look_ups(world: World, account: str = "rodoviaria") -> list[str]:
    return [job.decode() for job in world.redis.zrange(world.key("look_ups", account), 0, -1)]


@pytest.mark.parametrize("marks", IN_DOUBT, ids=["may have acted", "in process"])
def test_a_run_in_doubt_past_its_deadline_goes_on_with_look_ups(rodoviaria, marks):
    job = in_doubt_past_its_deadline(rodoviaria, **marks)

    assert expire(rodoviaria, job) is Expiry.LOOKS_UP

    record = rodoviaria.record(job)
    assert (record.state, record.next_call) == ("waiting", "look_up")
    assert record.history[-1]["what"] == "deadline passed"
    assert (rodoviaria.outcomes(), rodoviaria.ledger.overdue(9), look_ups(rodoviaria)) == ([], [], [job])
    assert rodoviaria.next_call(job).begun.record.next_call == "look_up"


@pytest.mark.parametrize("is_released", [False, True])
def test_a_request_that_was_next_at_the_deadline_becomes_a_look_up(rodoviaria, is_released):
    """The last look-up came too early to prove anything, and the request that follows it can no longer be sent."""
    job = submit_due_in(rodoviaria, 100)
    rodoviaria.park(rodoviaria.next_call(job), next_call="cancel", may_have_acted=True)
    released = rodoviaria.release() if is_released else []
    rodoviaria.redis.zadd(rodoviaria.key("deadlines"), {job: rodoviaria.now_ms()})
    rodoviaria.redis.hset(rodoviaria.key("job", job), "deadline", rodoviaria.now_ms())

    assert expire(rodoviaria, job) is Expiry.LOOKS_UP

    held = rodoviaria.begin(released[0]) if released else rodoviaria.next_call(job)
    assert (held.begun.record.next_call, held.begun.record.attempts) == ("look_up", 1)


def test_a_park_after_the_deadline_follows_its_policy_alone(rodoviaria):
    job = submit_due_in(rodoviaria, 100)
    held = rodoviaria.next_call(job)
    rodoviaria.pass_time(101)

    rodoviaria.park(held, wait_s=60, next_call="look_up", may_have_acted=True)
    assert 59 < rodoviaria.due_in_s(job) <= 60
    expire(rodoviaria, job)
    rodoviaria.pass_time(61)
    rodoviaria.park(rodoviaria.next_call(job), wait_s=900, next_call="look_up")

    assert 899 < rodoviaria.due_in_s(job) <= 900


def test_a_run_without_doubt_ends_at_its_deadline(rodoviaria):
    job = submit_due_in(rodoviaria, 100)
    rodoviaria.park(rodoviaria.next_call(job), wait_s=900)
    rodoviaria.pass_time(101)

    assert expire(rodoviaria, job) is Expiry.ENDED

    assert [(one["status"], one["reason"]) for one in rodoviaria.outcomes()] == [("rejected", "deadline-passed")]


def test_a_look_up_that_has_disproved_the_request_leaves_no_doubt_at_the_deadline(rodoviaria):
    job = submit_due_in(rodoviaria, 1_000)
    rodoviaria.park(rodoviaria.next_call(job), next_call="look_up", may_have_acted=True)
    rodoviaria.pass_time(300)
    held = rodoviaria.next_call(job)
    assert 300 <= held.begun.since_doubt_s < 305
    rodoviaria.park(held, wait_s=900, next_call="cancel", disproved=True)
    rodoviaria.pass_time(701)

    assert expire(rodoviaria, job) is Expiry.ENDED

    [outcome] = rodoviaria.outcomes()
    assert (outcome["status"], outcome["warnings"]) == ("rejected", [])


def test_a_deadline_that_was_past_when_submitted_ends_a_run_in_doubt_at_once(rodoviaria):
    rodoviaria.finish(rodoviaria.call(bpe(1)), finish(Status.UNRESOLVED, may_have_acted=True))

    job = rodoviaria.submit(bpe(1, deadline=PAST)).job

    assert expire(rodoviaria, job) is Expiry.ENDED
    assert rodoviaria.outcomes()[-1]["status"] == "unresolved"


def test_doubt_from_an_earlier_run_is_looked_up_past_a_later_run_s_deadline(rodoviaria):
    rodoviaria.finish(rodoviaria.call(bpe(1)), finish(Status.UNRESOLVED, may_have_acted=True))
    job = submit_due_in(rodoviaria, 100)
    rodoviaria.pass_time(101)

    assert expire(rodoviaria, job) is Expiry.LOOKS_UP

    held = rodoviaria.next_call(job)
    assert (held.begun.record.next_call, held.begun.record.attempts) == ("look_up", 0)


def test_on_a_suspended_account_a_run_in_doubt_ends_at_its_deadline(rodoviaria):
    job = in_doubt_past_its_deadline(rodoviaria)
    rodoviaria.ledger.suspend("rodoviaria", "audit", by="ana")

    assert expire(rodoviaria, job) is Expiry.ENDED

    assert [(one["status"], one["reason"]) for one in rodoviaria.outcomes()] == [("unresolved", "deadline-passed")]


def test_a_suspension_ends_what_was_only_looked_up(rodoviaria):
    first = in_doubt_past_its_deadline(rodoviaria, 1)
    assert expire(rodoviaria, first) is Expiry.LOOKS_UP
    held = rodoviaria.next_call(first)
    second = in_doubt_past_its_deadline(rodoviaria, 2)
    assert expire(rodoviaria, second) is Expiry.LOOKS_UP

    rodoviaria.ledger.suspend("rodoviaria", "audit", by="ana")

    assert rodoviaria.ledger.given_up(9) == [first, second]
    assert (rodoviaria.ledger.given_up(1), rodoviaria.ledger.given_up(1, skip=1)) == ([first], [second])
    assert expire(rodoviaria, first) is Expiry.CHANGED, "its answer is waited for"
    rodoviaria.park(held, wait_s=60, next_call="look_up")
    assert [expire(rodoviaria, job) for job in (first, second)] == [Expiry.ENDED] * 2
    assert [one["status"] for one in rodoviaria.outcomes()] == ["unresolved"] * 2
    assert rodoviaria.ledger.given_up(9) == []


def test_an_account_resumed_in_time_goes_on_with_its_look_ups(rodoviaria):
    job = in_doubt_past_its_deadline(rodoviaria)
    expire(rodoviaria, job)
    rodoviaria.ledger.suspend("rodoviaria", "audit", by="ana")

    rodoviaria.ledger.resume("rodoviaria", by="ana")

    assert expire(rodoviaria, job) is Expiry.CHANGED
    assert (rodoviaria.ledger.given_up(9), look_ups(rodoviaria)) == ([], [job])
    assert rodoviaria.next_call(job).begun.record.next_call == "look_up"


def test_a_suspension_does_not_end_the_wait_for_evidence(rodoviaria):
    job = in_doubt_past_its_deadline(rodoviaria)
    expire(rodoviaria, job)
    said = Answer(reaction=Reaction.CANCELLED, reason=Reason.ALREADY_CANCELLED, code="101").as_json()
    rodoviaria.park(rodoviaria.next_call(job), wait_s=1, until_s=600, next_call="evidence", pending=said)

    rodoviaria.ledger.suspend("rodoviaria", "audit", by="ana")

    assert (rodoviaria.ledger.overdue(9), rodoviaria.ledger.given_up(9)) == ([], [])
    rodoviaria.pass_time(601)
    assert expire(rodoviaria, job) is Expiry.ENDED
    assert rodoviaria.outcomes()[0]["status"] == "cancelled"


@pytest.mark.parametrize("way", ["finish", "revoke", "worn out"])
def test_whatever_ends_a_run_past_its_deadline_leaves_nothing_of_it(rodoviaria, way):
    job = in_doubt_past_its_deadline(rodoviaria)
    expire(rodoviaria, job)

    if way == "finish":
        rodoviaria.finish(rodoviaria.next_call(job), finish(Status.REJECTED))
    elif way == "revoke":
        assert revoke(rodoviaria, job) == "ended"
        assert rodoviaria.outcomes()[0]["warnings"] == [verdicts.MAY_STILL_BE_CANCELLED]
    else:
        rodoviaria.redis.hset(rodoviaria.key("job", job), "lost", 3)
        record = rodoviaria.record(job)
        assert rodoviaria.ledger.expire(record, verdicts.worn_out(record)) is Expiry.ENDED

    left = {name.removeprefix(rodoviaria.namespace + ":").split(":")[0] for name in rodoviaria.dump()}
    assert left == {"job", "account", "accounts", "outcomes", "ended", "turns"}


def test_a_job_worn_out_at_its_deadline_is_not_looked_up(rodoviaria):
    job = in_doubt_past_its_deadline(rodoviaria)
    rodoviaria.redis.hset(rodoviaria.key("job", job), "lost", 3)

    assert expire(rodoviaria, job) is Expiry.ENDED


def test_a_request_that_is_lost_past_the_deadline_is_looked_up(rodoviaria):
    job = submit_due_in(rodoviaria, 100)
    rodoviaria.next_call(job)
    rodoviaria.pass_time(181)
    assert rodoviaria.release() == []

    assert expire(rodoviaria, job) is Expiry.LOOKS_UP

    assert 0 <= (datetime.now(UTC) - rodoviaria.record(job).doubted_at).total_seconds() < 60


def test_a_look_up_past_the_deadline_whose_reply_was_lost_is_answered_the_same(rodoviaria):
    job = in_doubt_past_its_deadline(rodoviaria)
    with _losing_replies(rodoviaria) as (through, proxy):
        record = rodoviaria.record(job)
        proxy.lose_replies(1, to=b"EVALSHA")

        assert through.expire(record, verdicts.time_is_up(record)) is Expiry.LOOKS_UP

        assert proxy.lost == 1
    assert [entry.get("what") for entry in rodoviaria.record(job).history].count("deadline passed") == 1


def test_a_removed_record_takes_its_place_among_the_look_ups_with_it(rodoviaria):
    job = in_doubt_past_its_deadline(rodoviaria)
    expire(rodoviaria, job)
    rodoviaria.redis.delete(rodoviaria.key("job", job))

    assert rodoviaria.release() == []

    assert look_ups(rodoviaria) == []


def test_a_suspension_ends_no_run_in_the_place_of_a_removed_record(rodoviaria):
    job = in_doubt_past_its_deadline(rodoviaria)
    expire(rodoviaria, job)
    rodoviaria.redis.delete(rodoviaria.key("job", job))
    rodoviaria.submit(bpe(1))

    rodoviaria.ledger.suspend("rodoviaria", "audit", by="ana")

    assert expire(rodoviaria, job) is Expiry.CHANGED


# Revoke


def test_a_queued_job_is_revoked_without_a_warning(norte):
    job = norte.submit(sf(1, reference="r")).job

    assert revoke(norte, job) == "ended"

    [outcome] = norte.outcomes()
    assert (outcome["status"], outcome["reason"], outcome["warnings"]) == ("revoked", "revoked", [])
    assert outcome["references"] == ["r"]
    assert {**norte.record(job).history[-1], "at": 0} == {"what": "revoked", "by": "ana", "at": 0}


def test_a_job_that_was_asked_for_is_revoked_with_a_warning(norte):
    held = norte.call(sf(1))
    norte.park(held, wait_s=60, in_process=True)

    assert revoke(norte, held.job) == "ended"

    assert norte.outcomes()[0]["warnings"] == [verdicts.MAY_STILL_BE_CANCELLED]


def test_a_job_in_a_call_is_not_revoked(norte):
    held = norte.call(sf(1))

    assert revoke(norte, held.job) == "in call"
    assert norte.state(held.job) == "running"


def test_a_job_whose_evidence_is_being_fetched_is_not_revoked(norte):
    held = norte.call(sf(1))
    norte.park(held, wait_s=60, pending={"x": 1}, next_call="evidence", until_s=600)

    assert revoke(norte, held.job) == "cancelled"


def test_a_repeated_revoke_changes_nothing_more(norte):
    job = norte.submit(sf(1)).job
    record = norte.record(job)
    norte.ledger.revoke(record, verdicts.revoked(record), by="ana")
    before = norte.dump()

    assert norte.ledger.revoke(record, verdicts.revoked(record), by="ana") == "changed"

    assert norte.dump() == before


def test_a_revoke_whose_reply_was_lost_is_answered_the_same(norte):
    with _losing_replies(norte) as (through, proxy):
        record = norte.record(norte.submit(sf(1)).job)
        proxy.lose_replies(1, to=b"EVALSHA")

        assert through.revoke(record, verdicts.revoked(record), by="ana") == "ended"

        assert proxy.lost == 1
    assert len(norte.outcomes()) == 1


def test_a_deadline_whose_reply_was_lost_is_answered_the_same(norte):
    with _losing_replies(norte) as (through, proxy):
        record = norte.record(norte.submit(sf(1, deadline=PAST)).job)
        proxy.lose_replies(1, to=b"EVALSHA")

        assert through.expire(record, verdicts.time_is_up(record)) is Expiry.ENDED

        assert proxy.lost == 1
    assert len(norte.outcomes()) == 1


# Retry


@pytest.mark.parametrize("status", [Status.REJECTED, Status.UNRESOLVED, Status.REVOKED])
def test_a_retry_is_a_new_run_with_the_same_body_and_references(norte, status):
    held = norte.call(sf(1, reference="r", priority="bulk", deadline=FAR))
    norte.finish(held, finish(status))
    before = norte.record(held.job)

    assert norte.ledger.retry(held.job, by="ana") == 2

    record = norte.record(held.job)
    assert (record.state, record.run, record.attempts) == ("queued", 2, 0)
    assert (record.request, record.references, record.lane) == (before.request, ("r",), "bulk")
    assert record.deadline_at == before.deadline_at
    assert norte.redis.zscore(norte.key("deadlines"), held.job) is not None
    assert norte.redis.ttl(norte.key("job", held.job)) == -1
    assert {**record.history[-1], "at": 0} == {"what": "retried", "by": "ana", "at": 0}
    norte.finish(norte.next_call())
    assert [one["run"] for one in norte.outcomes()] == [1, 2]


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (lambda world: None, "unknown"),
        (lambda world: world.submit(sf(1)), "still open"),
        (lambda world: world.finish(world.call(sf(1))), "is cancelled"),
        (lambda world: expire(world, world.submit(sf(1, deadline=PAST)).job), "its deadline has passed"),
    ],
)
def test_a_retry_that_makes_no_sense_is_refused(norte, prepare, why):
    prepare(norte)
    before = norte.dump()

    with pytest.raises(NotPossible, match=why):
        norte.ledger.retry("solucion-factible:00000001-0000-4000-8000-000000000000", by="ana")

    assert norte.dump() == before


def test_doubt_is_remembered_with_the_first_run_that_it_arose_in(norte):
    held = norte.call(sf(1))
    assert norte.record(held.job).doubted_run is None
    norte.finish(held, finish(Status.REJECTED))
    norte.ledger.retry(held.job, by="ana")
    norte.park(norte.next_call(), may_have_acted=True)
    assert norte.record(held.job).doubted_run == 2
    norte.finish(norte.next_call(), finish(Status.UNRESOLVED, may_have_acted=True))

    norte.ledger.retry(held.job, by="ana")
    norte.park(norte.next_call(), may_have_acted=True)

    assert (norte.record(held.job).run, norte.record(held.job).doubted_run) == (3, 2)
    norte.finish(norte.next_call(), finish(Status.REJECTED))
    assert norte.record(held.job).doubted_run is None


def test_a_run_that_ends_in_doubt_is_the_one_that_is_remembered(norte):
    held = norte.call(sf(1))
    norte.finish(held, finish(Status.UNRESOLVED, may_have_acted=True))

    norte.ledger.retry(held.job, by="ana")

    assert (norte.record(held.job).run, norte.record(held.job).doubted_run) == (2, 1)


def test_a_repeated_retry_is_one_new_run(norte):
    held = norte.call(sf(1))
    norte.finish(held, finish(Status.REJECTED))
    scripts = Scripts(norte.redis, norte.namespace)
    first = scripts.call("retry", held.job, "operation-1", "ana")
    before = norte.dump()

    assert scripts.call("retry", held.job, "operation-1", "ana") == first == [b"queued", 2]

    assert norte.dump() == before
    norte.finish(norte.next_call(), finish(Status.REJECTED))
    assert scripts.call("retry", held.job, "operation-1", "ana") == first
    assert norte.state(held.job) == "rejected", "the same command starts no third run"


def test_a_retry_after_a_call_that_may_have_acted_looks_up_first(world):
    world.enroll(RODOVIARIA, inquires=True)
    held = world.call(bpe(1))
    world.finish(held, finish(Status.UNRESOLVED, may_have_acted=True))

    world.ledger.retry(held.job, by="ana")

    assert world.record(held.job).next_call == "look_up"


# Suspend and resume


def test_an_operator_s_suspension_says_who_and_why(norte):
    assert norte.ledger.suspend("norte", "audit", by="ana")

    [state] = norte.ledger.account_states()
    assert (state.suspended_reason, state.suspended_by, state.suspended_job) == ("audit", "ana", None)
    assert state.suspended_at is not None


def test_a_repeated_suspension_changes_nothing_more(norte):
    norte.ledger.suspend("norte", "audit", by="ana")
    before = norte.dump()

    assert not norte.ledger.suspend("norte", "audit", by="ana")
    assert not norte.ledger.suspend("norte", "another", by="bob")

    assert norte.dump() == before


def test_a_repeated_suspension_does_not_undo_a_later_resume(norte):
    scripts = Scripts(norte.redis, norte.namespace)
    assert scripts.call("suspend", "norte", "operation-1", "audit", "ana", "") == 1
    before = norte.dump()
    assert scripts.call("suspend", "norte", "operation-1", "audit", "ana", "") == 1
    assert norte.dump() == before

    norte.ledger.resume("norte", by="bob")

    assert scripts.call("suspend", "norte", "operation-1", "audit", "ana", "") == 1
    assert norte.ledger.account_states()[0].suspended_at is None


def test_a_resumed_account_goes_on_with_one_call_at_a_time(norte):
    for number in range(3):
        norte.submit(sf(number))
    norte.ledger.suspend("norte", "audit", by="ana")

    assert norte.ledger.resume("norte", by="bob")

    [state] = norte.ledger.account_states()
    assert (state.suspended_at, state.suspended_reason) == (None, None)
    assert [entry["what"] for entry in state.history] == ["suspended", "resumed"]
    assert len(norte.release()) == 1


def test_an_account_that_is_not_suspended_is_not_resumed(norte):
    before = norte.dump()

    assert not norte.ledger.resume("norte", by="ana")

    assert norte.dump() == before


def test_a_repeated_resume_does_not_lift_a_later_suspension(norte):
    scripts = Scripts(norte.redis, norte.namespace)
    norte.ledger.suspend("norte", "audit", by="ana")
    assert scripts.call("resume", "norte", "operation-1", "ana") == 1
    before = norte.dump()
    assert scripts.call("resume", "norte", "operation-1", "ana") == 1
    assert norte.dump() == before

    norte.ledger.suspend("norte", "again", by="ana")

    assert scripts.call("resume", "norte", "operation-1", "ana") == 1
    assert norte.ledger.account_states()[0].suspended_reason == "again"


def test_an_unknown_account_is_neither_suspended_nor_resumed(norte):
    for move in (lambda: norte.ledger.suspend("nobody", "x", by="a"), lambda: norte.ledger.resume("nobody", by="a")):
        with pytest.raises(NotPossible, match="account nobody is unknown"):
            move()
    assert not norte.redis.exists(norte.key("account", "nobody"))


def test_resume_does_not_shorten_a_pause(norte):
    held = norte.call(sf(1))
    norte.park(held, effects=Effects(feeds="failure", hold_s=60, hold_reason="x", suspend="y"))

    norte.ledger.resume("norte", by="ana")

    assert norte.release() == []
    norte.pass_time(61)
    assert len(norte.release()) == 1


# Enrolment and environment


def test_a_repeated_enrolment_changes_nothing_more(world):
    world.ledger.enroll(NORTE, inquires=False)
    before = world.dump()

    world.pass_time(0)
    world.ledger.enroll(NORTE, inquires=False)

    assert world.dump() == before


def test_an_enrolment_keeps_what_an_account_stands_still_for(norte):
    norte.ledger.suspend("norte", "audit", by="ana")

    norte.ledger.enroll(NORTE.model_copy(update={"max_in_flight": 3}), inquires=False)

    [state] = norte.ledger.account_states()
    assert (state.suspended_reason, state.max_in_flight) == ("audit", 3)


def test_a_namespace_belongs_to_one_environment(world):
    production = NORTE.model_copy(update={"environment": Environment.PRODUCTION})
    world.ledger.enroll(NORTE, inquires=False)
    before = world.dump()

    with pytest.raises(ConfigurationProblem, match="belongs to test"):
        world.ledger.enroll(production, inquires=False)
    with pytest.raises(ConfigurationProblem, match="belongs to test"):
        world.ledger.agree_environment(Environment.PRODUCTION)
    world.ledger.agree_environment(Environment.TEST)

    assert world.dump() == before


def test_the_first_that_asks_decides_the_environment(world):
    world.ledger.agree_environment(Environment.PRODUCTION)

    with pytest.raises(ConfigurationProblem, match="belongs to production"):
        world.ledger.enroll(NORTE, inquires=False)


def test_namespaces_on_one_server_do_not_meet(redis_url, world):
    other = World(redis_url, world.namespace + "-2")
    world.enroll(NORTE)
    other.enroll(NORTE)
    world.submit(sf(1))

    assert other.ledger.record(world.release()[0].job) is None
    assert other.release() == []
    other.redis.close()


# Keeping


@pytest.fixture
def one_entry_a_node(world):
    """Streams are cut by whole nodes: with one entry in each it shows which entries may go."""
    [usual] = world.redis.config_get("stream-node-max-entries").values()
    world.redis.config_set("stream-node-max-entries", 1)
    yield
    world.redis.config_set("stream-node-max-entries", usual)


def test_what_is_older_than_outcomes_are_kept_is_forgotten(norte, one_entry_a_node):
    norte.redis.xadd(norte.key("outcomes"), {"outcome": "{}"}, id="5-1")
    norte.redis.zadd(norte.key("ended"), {"old": 5})
    held = norte.call(sf(2))
    norte.finish(held)

    norte.ledger.trim()
    norte.ledger.trim()

    assert [one["job"] for one in norte.outcomes()] == [held.job]
    assert norte.redis.zrange(norte.key("ended"), 0, -1) == [held.job.encode()]


def test_an_ended_record_goes_when_its_outcome_does(redis_url, namespace):
    world = World(redis_url, namespace)
    world.ledger = Ledger(world.redis, namespace=namespace, keep_s=0.001)
    world.enroll(NORTE)
    held = world.call(sf(1))

    world.finish(held)

    wait_until(lambda: world.ledger.record(held.job) is None)
    assert not world.submit(sf(1)).replayed
    world.redis.close()


def test_every_script_says_what_it_takes_and_answers():
    for name in NAMES:
        text = source(name).split(f"-- {name}: ")[1]
        for part in ("-- KEYS:", "-- ARGV:", "-- Reply:", "-- Again:"):
            assert part in text, (name, part)


def test_a_job_in_every_phase_is_ended_by_one_of_its_ends(norte):
    """No open state is a dead end: an operator can always end a job that is not in a call."""
    queued = norte.submit(sf(1)).job
    released = norte.release()[0].job
    waiting = norte.call(sf(2))
    norte.park(waiting, park(900))

    assert queued == released
    assert [revoke(norte, job) for job in (released, waiting.job)] == ["ended", "ended"]
    assert norte.redis.zcard(norte.key("open")) == 0
    assert [one["reason"] for one in norte.outcomes()] == [Reason.REVOKED] * 2
