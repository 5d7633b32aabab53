"""One call: begin, then park or finish; late answers; what an answer means for the account (docs/architecture.md)."""

import json
from concurrent.futures import ThreadPoolExecutor

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.exceptions import ResponseError

from tests.support.ledgers import PROVEN, failed, finish, park, verdict
from tests.support.requests import NORTE, RODOVIARIA, bpe, sf
from tests.support.waiting import wait_until
from worker import outcome
from worker.answer import Answer, Evidence, Reaction, Reason
from worker.ledger.records import Begun
from worker.ledger.steps import Effects
from worker.outcome import Status, Verdict

pytestmark = pytest.mark.integration

SUSPENDS = Effects(feeds="answer", suspend="601 wrong password", suspend_code="601")


@pytest.fixture
def norte(world):
    world.enroll(NORTE)
    return world


# Begin


def test_a_begun_call_is_counted_and_known(norte):
    held = norte.call(sf(1))

    record = norte.record(held.job)
    assert (record.state, record.attempts, record.calls, record.is_released) == ("running", 1, 1, False)
    assert held.begun.record == record
    assert (held.begun.generation, held.begun.waited_s, held.begun.until_deadline_s) == (1, 0.0, None)


def test_the_first_nonce_wins(norte):
    norte.submit(sf(1))
    [released] = norte.release()

    assert isinstance(norte.try_begin(released, "one"), Begun)
    before = norte.dump()

    assert norte.try_begin(released, "other") == "its lease is not this one"
    assert norte.dump() == before


def test_the_same_nonce_is_answered_the_same_and_counted_once(norte):
    norte.submit(sf(1))
    [released] = norte.release()
    first = norte.try_begin(released, "one")
    before = norte.dump()

    assert norte.try_begin(released, "one") == first
    assert norte.dump() == before


def test_of_many_who_begin_at_once_one_may_call(norte):
    norte.submit(sf(1))
    [released] = norte.release()

    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda number: norte.try_begin(released, f"n{number}"), range(8)))

    assert sum(isinstance(reply, Begun) for reply in replies) == 1


def test_a_wake_up_after_the_end_is_dropped(norte):
    held = norte.call(sf(1))
    norte.finish(held)

    assert norte.ledger.begin(held.job, held.token, held.nonce, lease_s=1) == "its lease is not this one"
    assert norte.ledger.begin("solucion-factible:unknown", 1, "n", lease_s=1) == "unknown job"


def test_a_wake_up_of_an_earlier_release_is_dropped(norte):
    held = norte.call(sf(1))
    norte.park(held)
    [again] = norte.release()

    assert norte.ledger.begin(held.job, held.token, "n", lease_s=1) == "its lease is not this one"
    norte.begin(again)


def test_begin_says_how_long_the_job_has_waited_and_how_long_its_deadline_is_away(norte):
    far = "2099-01-01T00:00:00Z"
    held = norte.call(sf(1, deadline=far))
    norte.park(held, wait_s=60)
    norte.pass_time(61)

    begun = norte.next_call().begun

    assert 60.9 < begun.waited_s < 65
    assert begun.until_deadline_s > 1_000_000


OBSTACLES = {
    "account suspended": {"suspended_at": 1},
    "account paused": {"hold_until": 9_999_999_999_999},
    "one call at a time": {"circuit": 1},
}


@pytest.mark.parametrize("why", OBSTACLES)
def test_an_obstacle_puts_the_job_back_uncounted(norte, why):
    norte.submit(sf(1))
    [released] = norte.release()
    before = norte.record(released.job)
    norte.redis.hset(norte.key("account", "norte"), mapping=OBSTACLES[why])

    assert norte.try_begin(released, "n") == why

    record = norte.record(released.job)
    assert (record.state, record.attempts, record.calls, record.is_released) == ("queued", 0, 0, False)
    assert record.due_at <= before.due_at
    assert norte.redis.scard(norte.key("flight", "norte")) == 0
    assert norte.redis.zcard(norte.key("leases")) == 0
    dump = norte.dump()
    assert isinstance(norte.try_begin(released, "n"), str)
    assert norte.dump() == dump


def test_at_the_deadline_no_cancellation_is_begun(norte):
    norte.submit(sf(1, deadline="2099-01-01T00:00:00Z"))
    [released] = norte.release()
    norte.redis.hset(norte.job_hash(released.job), "deadline", norte.now_ms())

    assert norte.try_begin(released, "n") == "deadline reached"


@pytest.mark.parametrize("call", ["look_up", "evidence"])
def test_after_the_deadline_look_ups_and_downloads_may_go_on(norte, call):
    held = norte.call(sf(1, deadline="2099-01-01T00:00:00Z"))
    norte.park(held, next_call=call)
    [released] = norte.release()
    norte.redis.hset(norte.job_hash(released.job), "deadline", norte.now_ms())

    begun = norte.begin(released).begun

    assert (begun.record.attempts, begun.record.calls) == (1, 2)


def test_a_revoked_job_is_not_begun(norte):
    norte.submit(sf(1))
    [released] = norte.release()
    assert norte.ledger.revoke(norte.record(released.job), verdict(Status.REVOKED), by="ana") == "ended"

    assert norte.try_begin(released, "n") == "its lease is not this one"


# Park


def test_a_parked_job_waits_with_all_that_the_next_call_needs(norte):
    held = norte.call(sf(1))
    step = park(
        60,
        next_call="look_up",
        retry={"asked": {"unknown": 1}},
        code="x",
        may_have_acted=True,
        in_process=True,
        pending={"reaction": "cancelled"},
        entry={"call": "cancel", "reaction": "unknown", "code": None},
    )

    assert norte.park(held, step) == "parked"

    record = norte.record(held.job)
    assert (record.state, record.next_call, record.code) == ("waiting", "look_up", "x")
    assert (record.retry, record.pending) == ({"asked": {"unknown": 1}}, {"reaction": "cancelled"})
    assert (record.may_have_acted, record.in_process) == (True, True)
    assert {**record.history[-1], "at": 0} == {"call": "cancel", "reaction": "unknown", "at": 0}
    assert 59 < norte.due_in_s(held.job) <= 60


def test_evidence_is_fetched_before_everything_that_waits_longer(norte):
    held = norte.call(sf(1))
    for number in range(2, 10):
        norte.submit(sf(number))

    norte.park(held, park(0, next_call="evidence", pending={"reaction": "cancelled"}, until_s=600))

    assert norte.release()[0].job == held.job


def test_a_repeated_park_changes_nothing_more(norte):
    held = norte.call(sf(1))
    step = failed(60, effects=Effects(feeds="failure", hold_s=1, hold_reason="x"), unsent=True, until_s=60)
    assert norte.park(held, step) == "parked"
    before = norte.dump()

    assert norte.park(held, step) == "parked"

    assert norte.dump() == before


def test_a_park_after_the_next_call_has_begun_is_late(norte):
    held = norte.call(sf(1))
    norte.park(held)
    norte.next_call()
    before = norte.dump()

    assert norte.park(held) == "late"

    assert norte.dump() == before


def test_marks_stay_when_a_later_answer_does_not_bear_them(norte):
    held = norte.call(sf(1))
    norte.park(held, may_have_acted=True, in_process=True)

    norte.park(norte.next_call())

    record = norte.record(held.job)
    assert (record.may_have_acted, record.in_process) == (True, True)


def test_what_was_not_sent_is_no_attempt(norte):
    held = norte.call(sf(1))
    norte.park(held, unsent=True)
    assert norte.record(held.job).attempts == 0

    norte.park(norte.next_call(), next_call="look_up")
    norte.park(norte.next_call(), unsent=True, next_call="look_up")

    assert norte.record(held.job).attempts == 1


def test_a_park_never_sleeps_past_the_deadline(norte):
    held = norte.call(sf(1, deadline="2099-01-01T00:00:00Z"))
    norte.redis.zadd(norte.key("deadlines"), {held.job: norte.now_ms() + 30_000})

    norte.park(held, wait_s=600)

    assert 29 < norte.due_in_s(held.job) <= 30


def test_the_phase_of_evidence_has_an_end_of_its_own(norte):
    held = norte.call(sf(1))

    norte.park(held, wait_s=1, until_s=600, next_call="evidence", pending={"x": 1})

    assert norte.ledger.overdue(9) == []
    norte.pass_time(601)
    assert norte.ledger.overdue(9) == [held.job]


def test_the_history_keeps_the_last_twenty_calls(norte):
    held = norte.call(sf(1))
    for number in range(25):
        norte.park(held, entry={"call": "cancel", "code": str(number)})
        held = norte.next_call()

    history = norte.record(held.job).history
    assert [entry["code"] for entry in history] == [str(number) for number in range(5, 25)]
    assert all(abs(entry["at"] - norte.now_ms()) < 60_000 for entry in history)


# Finish


def test_an_end_is_one_outcome_on_stream_and_channel_at_once(norte):
    with norte.redis.pubsub() as channel:
        channel.subscribe(norte.key("outcomes"))
        wait_until(lambda: channel.get_message(timeout=1))
        held = norte.call(sf(1, reference="ref"))

        assert norte.finish(held) == "ended"

        message = wait_until(lambda: channel.get_message(timeout=1))
    [outcome_] = norte.outcomes()
    assert json.loads(message["data"]) == outcome_
    assert (outcome_["job"], outcome_["run"], outcome_["status"], outcome_["reason"]) == (
        held.job,
        1,
        "cancelled",
        "cancelled",
    )
    assert (outcome_["references"], outcome_["attempts"], outcome_["replayed"]) == (["ref"], 1, False)
    assert outcome_["submitted_at"] <= outcome_["finished_at"]
    record = norte.record(held.job)
    assert (record.state, record.reason, record.code) == ("cancelled", "cancelled", "200")
    assert record.finished_at == outcome_["finished_at"]
    assert record.outcome_id == norte.redis.xrange(norte.key("outcomes"))[0][0].decode()
    assert 3_500 < norte.redis.ttl(norte.key("job", held.job)) <= 3_600


def test_an_end_does_not_count_what_was_not_sent(norte):
    held = norte.call(sf(1))
    norte.park(held)

    norte.finish(norte.next_call(), finish(Status.UNRESOLVED, unsent=True))

    assert [one["attempts"] for one in norte.outcomes()] == [1]
    assert norte.record(held.job).attempts == 1


def test_an_end_by_a_look_up_that_was_not_sent_counts_the_request_before_it(norte):
    held = norte.call(sf(1))
    norte.park(held, next_call="look_up")

    norte.finish(norte.next_call(), finish(Status.UNRESOLVED, unsent=True))

    assert [one["attempts"] for one in norte.outcomes()] == [1]


@pytest.mark.parametrize("status", list(Status))
def test_a_repeated_finish_changes_nothing_more(norte, status):
    held = norte.call(sf(1))
    step = finish(status, unsent=True, effects=Effects(feeds="failure", hold_s=1, hold_reason="x"))
    assert norte.finish(held, step) == "ended"
    before = norte.dump()

    assert norte.finish(held, step) == "ended"

    assert norte.dump() == before


def test_nothing_of_an_ended_job_is_left_to_be_done(norte):
    held = norte.call(sf(1, deadline="2099-01-01T00:00:00Z"))
    norte.park(held, failed(60))
    norte.pass_time(61)
    held = norte.next_call()

    norte.finish(held, finish(Status.REJECTED))

    left = {name.removeprefix(norte.namespace + ":").split(":")[0] for name in norte.dump()}
    assert left == {"job", "account", "accounts", "outcomes", "ended", "turns"}


ODD = st.text(st.characters(codec="utf-8") | st.sampled_from('"\\/\x00\x07\x7f\u2028\ufeff\U0001f600%'), max_size=30)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    evidence=st.none() | st.binary(max_size=60) | ODD.map(str.encode),
    words=ODD,
    warnings=st.lists(ODD, max_size=3),
    reference=st.text(min_size=1, max_size=20).filter(str.isprintable),
)
def test_every_outcome_is_valid_and_its_evidence_the_original_bytes(norte, evidence, words, warnings, reference):
    norte.redis.flushall()
    norte.enroll(NORTE)
    said = Answer(
        reaction=Reaction.CANCELLED,
        code=words,
        message=words,
        provider_status={words: words},
        protocol=words,
        registered_at=words,
        evidence=Evidence(evidence) if evidence is not None else None,
    )
    ending = Verdict(status=Status.CANCELLED, reason=Reason.CANCELLED, answer=said, warnings=tuple(warnings))
    held = norte.call(sf(1, reference=reference))
    norte.park(held, entry={"call": "cancel", "answer": words}, code=words, pending=said.as_json())

    norte.finish(norte.next_call(), finish(verdict=ending, entry={"call": "cancel", "code": words}))
    norte.submit(sf(1, reference=reference))

    for found in norte.outcomes():
        assert (found["message"], found["code"], found["provider_status"]) == (words, words, {words: words})
        assert (found["warnings"], found["references"]) == (warnings, [reference])
        kept = found["evidence"]
        assert (Evidence.from_json(kept).content if kept else None) == evidence
    assert len(norte.outcomes()) == 2
    assert norte.record(held.job).history[-1]["code"] == words


@pytest.mark.parametrize("where", ["message", "code", "warning", "pending", "entry"])
def test_words_that_are_no_text_do_not_hold_up_the_outcome(norte, where):
    """What a provider writes as a lone surrogate in its JSON cannot be written as UTF-8."""
    odd = "a\ud800b"
    said = Answer(
        reaction=Reaction.CANCELLED,
        code=odd if where == "code" else None,
        message=odd if where == "message" else None,
    )
    held = norte.call(sf(1))
    if where == "pending":
        norte.park(held, pending={"message": odd})
        assert norte.record(held.job).pending == {"message": "a?b"}
        held = norte.next_call()
    warnings = (odd,) if where == "warning" else ()
    ending = Verdict(status=Status.CANCELLED, reason=Reason.CANCELLED, answer=said, warnings=warnings)

    norte.finish(held, finish(verdict=ending, entry={"note": odd} if where == "entry" else {"note": "x"}))

    [found] = norte.outcomes()
    assert found["status"] == "cancelled"


def test_a_long_acuse_stays_whole(norte):
    content = b"<Acuse>" + "\u00e1\u20ac".encode() * 100_000 + b"\r\n\t</Acuse>"
    held = norte.call(sf(1))

    norte.finish(held, finish(verdict=verdict(evidence=content)))

    assert Evidence.from_json(norte.outcomes()[0]["evidence"]).content == content


def test_the_schema_of_outcomes_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(outcome.schema())


# Late answers


def lost(world, request=None):
    """A call whose lease has ended without an answer; the job waits for its next call."""
    held = world.call(request or sf(1))
    world.pass_time(181)
    world.release()
    assert world.state(held.job) == "waiting"
    return held


@pytest.mark.parametrize("status", [Status.REJECTED, Status.UNRESOLVED])
def test_a_late_answer_is_dropped(norte, status):
    held = lost(norte)
    before = norte.dump()

    assert norte.finish(held, finish(status)) == "late"
    assert norte.park(held) == "late"

    assert norte.dump() == before


def test_a_late_cancellation_ends_an_open_job(norte):
    held = lost(norte)

    assert norte.finish(held) == "ended"

    assert [one["status"] for one in norte.outcomes()] == ["cancelled"]
    assert norte.state(held.job) == "cancelled"
    before = norte.dump()
    assert norte.finish(held) == "ended"
    assert norte.dump() == before


def test_a_late_cancellation_ends_a_job_that_is_released_again(norte):
    held = lost(norte)
    norte.pass_time(16)
    [released] = norte.release()

    assert norte.finish(held) == "ended"

    assert isinstance(norte.try_begin(released, "n"), str)


@pytest.fixture
def overtaken(world):
    """A call whose lease has ended, and the newer one that holds its job."""
    world.enroll(RODOVIARIA, inquires=True)
    held = lost(world, bpe(1))
    world.pass_time(16)
    return held, world.next_call(held.job)


def test_a_late_cancellation_waits_for_the_newer_call_that_holds_the_job(world, overtaken):
    held, _ = overtaken

    assert world.finish(held) == "kept"

    assert (world.state(held.job), world.outcomes()) == ("running", [])
    assert world.record(held.job).history[-1]["call"] == "cancel"
    before = world.dump()
    assert world.finish(held) == "kept"
    assert world.dump() == before


@pytest.mark.parametrize("way", ["rejected", "unresolved", "parked", "parked, unsent", "lost"])
def test_a_kept_cancellation_ends_the_run_when_the_newer_call_is_over(world, overtaken, way):
    held, newer = overtaken
    world.finish(held)

    if way == "lost":
        world.pass_time(181)
        assert world.release() == []
    elif way.startswith("parked"):
        assert world.park(newer, wait_s=60, unsent=way.endswith("unsent")) == "overruled"
    else:
        assert world.finish(newer, finish(Status(way))) == "overruled"

    [found] = world.outcomes()
    assert (found["status"], found["reason"], bool(found["evidence"])) == ("cancelled", "cancelled", True)
    record = world.record(held.job)
    assert (record.state, record.is_in_doubt) == ("cancelled", False)
    assert len(record.history) == 3
    assert world.redis.scard(world.key("flight", "rodoviaria")) == 0
    left = {name.removeprefix(world.namespace + ":").split(":")[0] for name in world.dump()}
    assert left <= {"job", "account", "accounts", "outcomes", "ended", "turns"}


@pytest.mark.parametrize("hand_in", ["finish", "park"])
def test_a_kept_cancellation_decides_when_the_newer_call_is_handed_back(world, overtaken, hand_in):
    held, newer = overtaken
    if hand_in == "finish":
        world.finish(held)
    else:
        world.park(held, CANCELLED_WITHOUT_EVIDENCE)

    world.ledger.hand_back(newer.begun, newer.token, newer.nonce)
    before = world.dump()
    world.ledger.hand_back(newer.begun, newer.token, newer.nonce)

    assert world.dump() == before
    if hand_in == "park":
        world.pass_time(2)
        world.finish(world.next_call(held.job))
    assert [(one["status"], one["attempts"]) for one in world.outcomes()] == [("cancelled", 1)]
    assert world.redis.scard(world.key("flight", "rodoviaria")) == 0


@pytest.mark.parametrize("hand_in", ["finish", "park"])
def test_a_repeat_after_a_kept_cancellation_has_decided_changes_nothing_more(world, overtaken, hand_in):
    held, newer = overtaken
    world.finish(held)

    def again():
        return world.park(newer) if hand_in == "park" else world.finish(newer, finish(Status.REJECTED))

    assert again() == "overruled"
    before = world.dump()

    assert (again(), world.finish(held)) == ("overruled", "kept")

    assert world.dump() == before


def test_a_newer_call_that_says_cancelled_itself_needs_no_kept_answer(world, overtaken):
    held, newer = overtaken
    world.finish(held, finish(verdict=verdict(evidence=b"<late/>")))

    assert world.finish(newer, finish(verdict=verdict(evidence=b"<newer/>"))) == "ended"

    assert [one["evidence"]["content"] for one in world.outcomes()] == ["<newer/>"]


def test_of_two_late_cancellations_one_is_kept_and_repeats_change_nothing(world):
    world.enroll(RODOVIARIA, inquires=True)
    calls = [lost(world, bpe(1))]
    for _ in range(2):
        world.pass_time(16)
        calls.append(world.next_call(calls[0].job))
        if len(calls) < 3:
            world.pass_time(181)
            world.release()
    first, second, newest = calls

    assert [world.finish(first), world.finish(second), world.park(second, CANCELLED_WITHOUT_EVIDENCE)] == ["kept"] * 3
    before = world.dump()
    assert [world.finish(first), world.finish(second)] == ["kept"] * 2
    assert world.dump() == before

    assert world.finish(newest, finish(Status.REJECTED)) == "overruled"
    assert [one["status"] for one in world.outcomes()] == ["cancelled"]


def test_a_kept_answer_does_not_count_a_newer_request_that_was_not_sent(norte):
    held = lost(norte)
    norte.pass_time(16)
    newer = norte.next_call(held.job)
    norte.finish(held)

    norte.finish(newer, finish(Status.UNRESOLVED, unsent=True))

    assert [one["attempts"] for one in norte.outcomes()] == [1]


def test_what_a_newer_call_says_of_the_account_holds_although_a_kept_answer_decides(world, overtaken):
    held, newer = overtaken
    world.finish(held)

    world.park(newer, effects=SUSPENDS)

    assert world.ledger.account_states()[0].suspended_at is not None


def test_a_late_cancellation_after_another_end_is_kept_with_a_warning(norte):
    held = lost(norte)
    norte.ledger.revoke(norte.record(held.job), verdict(Status.REVOKED), by="ana")

    assert norte.finish(held, finish(entry={"call": "cancel", "code": "200"})) == "over"

    record = norte.record(held.job)
    assert (record.state, len(norte.outcomes())) == ("revoked", 1)
    assert record.warnings == ("a later answer said that the document is cancelled",)
    assert record.history[-1]["code"] == "200"
    norte.submit(sf(1))
    assert norte.record(held.job).may_have_acted, "a rejection of the new run proves nothing"
    assert norte.record(held.job).claimed, "nor does a look-up that denies it"
    assert norte.record(held.job).doubted_run == 1


def test_a_late_cancellation_after_another_end_is_kept_once(norte):
    held = lost(norte)
    norte.ledger.revoke(norte.record(held.job), verdict(Status.REVOKED), by="ana")
    norte.finish(held)
    before = norte.dump()

    assert norte.finish(held) == "over"

    assert norte.dump() == before


CANCELLED_WITHOUT_EVIDENCE = park(1, next_call="evidence", pending={"reaction": "cancelled"}, until_s=600)


@pytest.mark.parametrize("released", [False, True])
def test_a_late_cancellation_whose_evidence_is_still_to_be_fetched_is_kept(world, released):
    world.enroll(RODOVIARIA, inquires=True)
    held = lost(world, bpe(1))
    if released:
        world.pass_time(16)
        [again] = world.release()

    assert world.park(held, CANCELLED_WITHOUT_EVIDENCE) == "parked"

    record = world.record(held.job)
    assert (record.state, record.next_call, record.is_released) == ("waiting", "evidence", False)
    assert record.pending
    assert world.redis.scard(world.key("flight", "rodoviaria")) == 0
    if released:
        assert isinstance(world.try_begin(again, "n"), str)
    before = world.dump()
    assert world.park(held, CANCELLED_WITHOUT_EVIDENCE) == "parked"
    assert world.dump() == before
    world.pass_time(2)
    world.next_call(held.job)


@pytest.mark.parametrize("way", ["rejected", "parked", "lost"])
def test_a_kept_cancellation_without_evidence_fetches_it_when_the_newer_call_is_over(world, overtaken, way):
    held, newer = overtaken
    assert world.park(held, CANCELLED_WITHOUT_EVIDENCE) == "kept"
    before = world.dump()
    assert world.park(held, CANCELLED_WITHOUT_EVIDENCE) == "kept"
    assert world.dump() == before

    if way == "lost":
        world.pass_time(181)
        assert world.release() == []
    else:
        hand_in = {
            "rejected": lambda: world.finish(newer, finish(Status.REJECTED)),
            "parked": lambda: world.park(newer, wait_s=60),
        }[way]
        assert hand_in() == "overruled"
        before = world.dump()
        assert (hand_in(), world.park(held, CANCELLED_WITHOUT_EVIDENCE)) == ("overruled", "kept")
        assert world.dump() == before

    record = world.record(held.job)
    assert (record.state, record.next_call, record.lane) == ("waiting", "evidence", "evidence")
    assert (record.pending, world.outcomes()) == ({"reaction": "cancelled"}, [])
    world.pass_time(2)
    world.finish(world.next_call(held.job))
    assert [one["status"] for one in world.outcomes()] == ["cancelled"]


def test_a_newer_call_that_says_cancelled_without_evidence_makes_a_kept_one_like_it_void(world, overtaken):
    held, newer = overtaken
    world.park(held, CANCELLED_WITHOUT_EVIDENCE)

    assert world.park(newer, park(1, next_call="evidence", pending={"reaction": "newer"}, until_s=600)) == "parked"

    world.pass_time(2)
    assert world.park(world.next_call(held.job), wait_s=1, next_call="evidence") == "parked"
    assert world.record(held.job).pending == {"reaction": "newer"}


def test_a_kept_cancellation_with_evidence_saves_the_download(world, overtaken):
    held, newer = overtaken
    world.finish(held)

    assert world.park(newer, CANCELLED_WITHOUT_EVIDENCE) == "overruled"

    assert [bool(one["evidence"]) for one in world.outcomes()] == [True]


def test_a_late_cancellation_without_evidence_after_another_end_is_kept_with_a_warning_once(world):
    world.enroll(RODOVIARIA, inquires=True)
    held = lost(world, bpe(1))
    world.ledger.revoke(world.record(held.job), verdict(Status.REVOKED), by="ana")

    assert world.park(held, CANCELLED_WITHOUT_EVIDENCE) == "over"

    assert world.record(held.job).warnings == ("a later answer said that the document is cancelled",)
    before = world.dump()
    assert world.park(held, CANCELLED_WITHOUT_EVIDENCE) == "over"
    assert world.dump() == before


# What an answer means for the account


@pytest.mark.parametrize("way", ["park", "finish"])
def test_an_account_reaction_suspends_at_once_and_names_the_job(norte, way):
    held = norte.call(sf(1))

    if way == "park":
        norte.park(held, effects=SUSPENDS)
    else:
        norte.finish(held, finish(Status.UNRESOLVED, effects=SUSPENDS))

    [state] = norte.ledger.account_states()
    assert state.suspended_at is not None
    assert (state.suspended_reason, state.suspended_job, state.suspended_by) == ("601 wrong password", held.job, None)
    assert state.history[-1]["what"] == "suspended"


def test_an_answer_from_before_a_resume_does_not_suspend_again(norte):
    first = norte.call(sf(1))
    second = norte.call(sf(2))
    norte.park(first, effects=SUSPENDS)
    norte.ledger.resume("norte", by="ana")

    norte.park(second, effects=SUSPENDS)

    assert norte.ledger.account_states()[0].suspended_at is None
    third = norte.next_call()
    norte.park(third, effects=SUSPENDS)
    assert norte.ledger.account_states()[0].suspended_at is not None


@pytest.mark.parametrize("way", ["park", "finish"])
def test_a_late_account_reaction_suspends_all_the_same(norte, way):
    held = lost(norte)

    said = (
        norte.park(held, effects=SUSPENDS)
        if way == "park"
        else norte.finish(held, finish(Status.UNRESOLVED, effects=SUSPENDS))
    )

    assert said == "late"
    assert norte.ledger.account_states()[0].suspended_at is not None
    assert norte.state(held.job) == "waiting"


PAUSES = Effects(feeds="answer", hold_s=3_600, hold_reason="abuse", slow_s=60, slow_per_minute=8)


@pytest.mark.parametrize("way", ["park", "finish"])
def test_a_pause_that_comes_late_is_made_once(norte, way):
    held = lost(norte)

    def hand_in():
        if way == "park":
            return norte.park(held, effects=PAUSES)
        return norte.finish(held, finish(Status.UNRESOLVED, effects=PAUSES))

    assert hand_in() == "late"
    before = norte.dump()

    assert hand_in() == "late"

    assert norte.dump() == before
    assert norte.ledger.account_states()[0].paused_until is not None


def test_a_pause_whose_reply_was_lost_is_not_made_again_by_the_repeat_after_the_next_call(norte):
    held = norte.call(sf(1))
    norte.park(held, effects=PAUSES)
    norte.pass_time(3_601)
    norte.next_call()

    assert norte.park(held, effects=PAUSES) == "late"

    assert norte.ledger.account_states()[0].paused_until is None


def test_the_first_reason_to_suspend_stays(norte):
    first, second = norte.call(sf(1)), norte.call(sf(2))
    norte.park(first, effects=SUSPENDS)

    norte.park(second, effects=Effects(suspend="another"))

    assert norte.ledger.account_states()[0].suspended_reason == "601 wrong password"


def test_a_hold_is_never_shortened(norte):
    first, second = norte.call(sf(1)), norte.call(sf(2))
    norte.park(first, effects=Effects(feeds="failure", hold_s=3_600, hold_reason="long"))

    norte.park(second, effects=Effects(feeds="failure", hold_s=1, hold_reason="short"))

    norte.pass_time(100)
    [state] = norte.ledger.account_states()
    assert state.paused_until is not None


def test_the_jobs_of_an_account_that_stands_still_wait_untouched(norte):
    held = norte.call(sf(1))
    other = norte.submit(sf(2)).job
    before = norte.record(other)

    norte.park(held, effects=SUSPENDS, retry={"asked": {"transient": 3}})
    norte.pass_time(3_600)
    norte.release()

    after = norte.record(other)
    assert (after.attempts, after.calls, after.state, after.seq) == (0, 0, "queued", before.seq)
    assert norte.record(held.job).retry == {"asked": {"transient": 3}}


def test_an_answer_that_proves_the_account_lets_the_others_go(norte):
    norte.enroll(NORTE, proven=False)
    for number in range(3):
        norte.submit(sf(number))
    [trial] = norte.release()

    norte.park(norte.begin(trial), wait_s=60, effects=PROVEN)

    assert len(norte.release()) == 2


def test_a_closed_connection_loses_no_transition(norte):
    held = norte.call(sf(1))
    other: Redis = Redis.from_url(f"redis://127.0.0.1:{norte.redis.connection_pool.connection_kwargs['port']}/0")
    other.client_kill_filter(_type="normal", skipme=True)

    assert norte.finish(held) == "ended"
    assert len(norte.outcomes()) == 1
    other.close()


def test_no_outcome_is_published_of_a_run_that_cannot_be_ended(norte):
    held = norte.call(sf(1))
    norte.redis.hset(norte.job_hash(held.job), "history", "damaged")

    with pytest.raises(ResponseError):
        norte.finish(held)

    assert norte.outcomes() == []
    assert norte.redis.hget(norte.job_hash(held.job), "state") == b"running"
