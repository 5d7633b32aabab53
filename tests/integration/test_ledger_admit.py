"""Admission: new, joined, replayed; from stream and queue in one step (docs/requests.md)."""

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from redis.exceptions import ResponseError

from tests.support.ledgers import World, checked, finish
from tests.support.requests import NORTE, RODOVIARIA, accounts, bpe, chbpe, sf, uuid
from tests.support.valkey import running_valkey
from worker.invalid import FieldError
from worker.ledger.admission import Admission, Entry, Refused, Source
from worker.ledger.admitting import LedgerFull
from worker.ledger.not_possible import NotPossible
from worker.ledger.scripts import source
from worker.ledger.ways_in import WaysIn
from worker.outcome import Status
from worker.request import check

pytestmark = pytest.mark.integration


def test_a_new_request_is_queued(world):
    admitted = world.submit(sf(reference="order/7", priority="bulk"))

    record = world.record(admitted.job)
    assert (admitted.job, admitted.run) == (f"solucion-factible:{uuid(1)}", 1)
    assert (admitted.joined, admitted.replayed) == (False, False)
    assert (record.state, record.run, record.account, record.lane) == ("queued", 1, "norte", "bulk")
    assert record.references == ("order/7",)
    assert (record.attempts, record.calls, record.next_call) == (0, 0, "cancel")
    assert json.loads(record.request) == {"account": "norte", "provider": "solucion-factible", "uuid": uuid(1)}
    assert world.due_in_s(admitted.job) <= 0


def test_a_second_request_joins_the_first(world):
    first = world.submit(sf(reference="one", deadline="2099-01-01T00:00:00Z"))

    second = world.submit(sf(reference="two", deadline="2099-01-01T00:00:00Z"))

    record = world.record(first.job)
    assert (second.run, second.joined, second.replayed) == (1, True, False)
    assert record.references == ("one", "two")
    assert record.warnings == ()
    assert len(world.release()) == 1


@pytest.mark.parametrize("state", ["released", "running", "waiting"])
def test_a_request_joins_in_every_open_state(world, state):
    world.enroll(NORTE)
    job = world.submit(sf()).job
    [released] = world.release()
    if state != "released":
        held = world.begin(released)
        if state == "waiting":
            world.park(held, wait_s=60)

    assert world.submit(sf(reference="late")).joined
    assert world.record(job).references == ("late",)


def test_references_are_a_set(world):
    for reference in ("a", "b", "a", None, "b"):
        job = world.submit(sf() if reference is None else sf(reference=reference)).job

    assert world.record(job).references == ("a", "b")


def test_a_thousand_references_are_kept_and_the_rest_warned_of_once(world):
    job = world.submit(sf(reference="first")).job
    many = json.dumps([f"r{number}" for number in range(999)])
    world.redis.hset(world.job_hash(job), "references", many)

    assert world.submit(sf(reference="the 1000th")).joined
    for late in ("x", "y"):
        assert world.submit(sf(reference=late)).joined
    world.submit(sf(reference="r5"))

    record = world.record(job)
    assert len(record.references) == 1_000
    assert record.references[-1] == "the 1000th"
    assert record.warnings == ("more than 1000 references: the later ones are not kept",)


def test_a_joining_interactive_request_takes_the_job_to_the_interactive_lane(world):
    job = world.submit(sf(priority="bulk")).job

    world.submit(sf())

    assert world.record(job).lane == "interactive"
    assert world.redis.zcard(world.key("due", "norte", "bulk")) == 0
    assert world.redis.zcard(world.key("due", "norte", "interactive")) == 1


def test_a_joining_bulk_request_does_not_lower_the_priority(world):
    job = world.submit(sf()).job

    world.submit(sf(priority="bulk"))

    assert world.record(job).lane == "interactive"


def test_a_waiting_job_stays_waiting_in_its_new_lane(world):
    world.enroll(NORTE)
    held = world.call(sf(priority="bulk"))
    world.park(held, wait_s=60)

    world.submit(sf())

    assert 55 < world.due_in_s(held.job) <= 60
    assert world.release() == []


def test_a_running_job_comes_back_in_its_new_lane(world):
    world.enroll(NORTE)
    held = world.call(sf(priority="bulk"))
    world.submit(sf())

    world.park(held)

    assert world.redis.zcard(world.key("due", "norte", "interactive")) == 1


def test_a_released_job_is_put_back_into_its_new_lane(world):
    world.enroll(NORTE)
    world.submit(sf(priority="bulk"))
    world.release()
    world.submit(sf())

    world.pass_time(16)
    world.redis.hset(world.key("account", "norte"), "suspended_at", 1)
    world.release()

    assert world.redis.zcard(world.key("due", "norte", "interactive")) == 1


def test_fields_that_differ_are_warned_of_by_name_alone(world):
    job = world.submit(bpe(dhEvento="2020-01-01T00:00:00-03:00")).job

    world.submit(bpe(xJust="Outro motivo inteiramente", nProt="143180000000002", deadline="2099-01-01T00:00:00Z"))
    world.submit(bpe(xJust="Ainda um terceiro motivo", nProt="143180000000003", deadline="2098-01-01T00:00:00Z"))
    world.submit(bpe(dhEvento="2020-01-01T00:00:00-03:00"))

    assert world.record(job).warnings == ("a joined request differed in: deadline, nProt, xJust",)
    assert "xJust" in world.record(job).request


def test_another_account_is_warned_of(world):
    job = world.submit(sf(account="norte")).job

    world.submit(sf(account="sur"))

    assert world.record(job).account == "norte"
    assert world.record(job).warnings == ("a joined request differed in: account",)


def test_a_deadline_that_only_the_first_has_is_a_difference(world):
    job = world.submit(sf(account="norte", deadline="2099-01-01T00:00:00Z")).job

    world.submit(sf(account="norte"))

    assert world.record(job).warnings == ("a joined request differed in: deadline",)


def test_the_event_time_is_the_moment_of_admission_in_the_account_s_offset_and_stays(world):
    job = world.submit(bpe()).job
    first = json.loads(world.record(job).request)["dhEvento"]

    world.pass_time(3_600)
    world.submit(bpe())
    world.submit(bpe())

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-03:00", first)
    assert abs(datetime.fromisoformat(first) - datetime.now(UTC)) < timedelta(seconds=30)
    assert json.loads(world.record(job).request)["dhEvento"] == first
    assert world.record(job).warnings == ()


def test_a_given_event_time_stays_as_it_is(world):
    job = world.submit(bpe(dhEvento="2020-01-01T00:00:00+01:00")).job

    assert json.loads(world.record(job).request)["dhEvento"] == "2020-01-01T00:00:00+01:00"


CIVIL = "return { local_time(tonumber(ARGV[1]), tonumber(ARGV[2])), utc(tonumber(ARGV[1])) }"


@pytest.mark.parametrize("offset_hours", [-11, -3, 0, 12])
@pytest.mark.parametrize(
    "at",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2000, 2, 29, 23, 59, 59, 999_000, tzinfo=UTC),
        datetime(2024, 2, 29, 1, tzinfo=UTC),
        datetime(2026, 12, 31, 22, 30, tzinfo=UTC),
        datetime(2027, 1, 1, 2, 3, 4, 5_000, tzinfo=UTC),
        datetime(2100, 3, 1, tzinfo=UTC),
        datetime(2399, 12, 31, 12, tzinfo=UTC),
    ],
)
def test_the_server_s_calendar_is_python_s(world, at, offset_hours):
    shared = source("peek").split("-- peek")[0]

    here, utc = world.redis.eval(shared + CIVIL, 1, world.key("meta"), round(at.timestamp() * 1000), offset_hours * 60)

    there = at.astimezone(timezone(timedelta(hours=offset_hours)))
    assert here.decode() == there.isoformat(timespec="seconds")
    assert utc.decode() == at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# Ended jobs


def end(world, status, **fields):
    world.enroll(NORTE)
    held = world.call(sf(reference="first", **fields))
    assert world.finish(held, finish(status)) == "ended"
    return held.job


def test_a_cancelled_document_is_replayed_with_only_the_new_reference(world):
    job = end(world, Status.CANCELLED)

    again = world.submit(sf(reference="second"))

    first, second = world.outcomes()
    assert (again.job, again.run, again.joined, again.replayed) == (job, 1, False, True)
    assert second == first | {"replayed": True, "references": ["second"]}
    assert first["evidence"]["content"] == "<Acuse/>"
    assert world.release() == []
    assert world.state(job) == "cancelled"


@pytest.mark.parametrize("environment", ["test", "production"])
def test_every_outcome_and_its_replay_name_the_environment(world, environment):
    world.enroll(NORTE.model_copy(update={"environment": environment}))
    world.submit(sf(1))
    world.finish(world.next_call())
    world.submit(sf(1), "again")
    world.ledger.refuse(stream_entry(world), REFUSAL, [])

    assert [one["environment"] for one in world.outcomes()] == [environment] * 3


def test_a_replay_without_a_reference_has_none(world):
    end(world, Status.CANCELLED)

    world.submit(sf())

    assert world.outcomes()[-1]["references"] == []


def test_a_cancelled_document_whose_outcome_is_no_longer_kept_is_unknown(world):
    job = end(world, Status.CANCELLED)
    world.redis.xtrim(world.key("outcomes"), maxlen=0)

    again = world.submit(sf())

    assert not again.replayed
    assert world.state(job) == "queued"


@pytest.mark.parametrize("status", [Status.REJECTED, Status.UNRESOLVED, Status.REVOKED])
def test_any_other_ended_document_gets_a_new_run_with_the_new_body(world, status):
    job = end(world, status, deadline="2098-01-01T00:00:00Z", priority="bulk")

    again = world.submit(sf(reference="second", account="sur"))

    record = world.record(job)
    assert (again.run, again.joined, again.replayed) == (2, False, False)
    assert (record.state, record.run, record.account, record.lane) == ("queued", 2, "sur", "interactive")
    assert record.references == ("second",)
    assert (record.attempts, record.calls, record.code, record.deadline_at, record.warnings) == (0, 0, None, None, ())
    assert world.redis.ttl(world.key("job", job)) == -1
    assert [one["run"] for one in world.outcomes()] == [1]
    assert world.redis.zscore(world.key("deadlines"), job) is None


def test_a_new_run_after_one_that_may_have_acted_looks_up_first_where_it_can(world):
    world.enroll(RODOVIARIA, inquires=True)
    held = world.call(bpe())
    world.finish(held, finish(Status.UNRESOLVED, may_have_acted=True))

    world.submit(bpe())

    record = world.record(held.job)
    assert (record.next_call, record.may_have_acted) == ("look_up", True)


def test_a_new_run_without_a_way_to_look_up_remembers_that_the_last_may_have_acted(world):
    world.enroll(NORTE)
    held = world.call(sf())
    world.finish(held, finish(Status.UNRESOLVED, may_have_acted=True))

    world.submit(sf())

    record = world.record(held.job)
    assert (record.next_call, record.may_have_acted) == ("cancel", True)


def test_a_new_run_remembers_that_the_last_was_still_in_process(world):
    world.enroll(NORTE)
    held = world.call(sf())
    world.park(held, in_process=True)
    world.finish(world.next_call(), finish(Status.UNRESOLVED))

    world.submit(sf())

    assert world.record(held.job).in_process


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.REJECTED])
def test_a_final_word_settles_what_was_in_doubt(world, status):
    world.enroll(NORTE)
    held = world.call(sf())
    world.park(held, may_have_acted=True, in_process=True)

    world.finish(world.next_call(), finish(status))

    record = world.record(held.job)
    assert (record.may_have_acted, record.in_process) == (False, False)


# Packed


@pytest.mark.parametrize(
    ("request_", "submission"),
    [
        (sf(), None),
        (sf(reference='order "7"/\\ ñ', priority="bulk", deadline="2099-01-01T00:00:00Z"), "sub\n1"),
        (bpe(1, xJust="Passagem \\ cancelada: \u00e7\u00e3o"), 'a "quoted" \u20ac id\n\n'),
        (bpe(1, dhEvento="2026-01-31T10:00:00-03:00"), "s1"),
    ],
)
def test_a_new_job_is_one_string_that_becomes_the_same_hash_when_it_is_touched(world, request_, submission):
    job = world.submit(request_, submission).job
    key = world.key("job", job)
    assert world.redis.type(key) == b"string"
    packed, record = world.ledger.read([job]), world.record(job)
    assert world.redis.type(key) == b"string"

    assert world.job_hash(job) == key

    assert world.redis.type(key) == b"hash"
    assert (world.ledger.read([job]), world.record(job)) == (packed, record)
    assert record.references == ((request_["reference"],) if "reference" in request_ else ())
    assert submission is None or world.submit(request_, submission).repeated


# Repeats


def test_a_known_submission_is_answered_as_before(world):
    world.enroll(NORTE)
    first = world.submit(sf(reference="a"), "sub-1")
    joined = world.submit(sf(reference="b"), "sub-2")
    held = world.next_call(first.job)
    world.finish(held)
    replayed = world.submit(sf(reference="c"), "sub-3")
    before = world.dump()

    assert world.submit(sf(reference="a"), "sub-1") == first
    assert world.submit(sf(reference="b"), "sub-2") == joined
    assert world.submit(sf(reference="c"), "sub-3") == replayed

    assert world.dump() == before


def test_a_known_submission_starts_no_new_run(world):
    world.enroll(NORTE)
    held = world.call(sf())
    world.submit(sf(), "sub-1")
    world.finish(held, finish(Status.REJECTED))

    assert world.submit(sf(), "sub-1").run == 1
    assert world.state(held.job) == "rejected"


def test_the_latest_of_many_submissions_are_remembered(world):
    for number in range(1_001):
        world.submit(sf(), f"sub-{number}")
    before = world.dump()

    assert world.submit(sf(reference="x"), "sub-1000").joined
    assert world.submit(sf(reference="x"), "sub-999").joined
    assert world.submit(sf(reference="x"), "sub-600").joined

    assert world.dump() == before


def test_many_are_admitted_in_one_exchange_and_answered_in_their_order(world):
    admissions = [Admission.of(checked(sf(number)), f"s{place}") for place, number in enumerate((3, 1, 2, 3))]

    admitted = world.ledger.admit(admissions)

    assert [one.job for one in admitted] == [f"solucion-factible:{uuid(number)}" for number in (3, 1, 2, 3)]
    assert [one.joined for one in admitted] == [False, False, False, True]


def test_more_are_admitted_than_one_script_takes(world):
    requests = [sf(number % 40, reference=f"r{number}") for number in range(60)]

    admitted = world.ledger.admit([Admission.of(checked(one), f"s{place}") for place, one in enumerate(requests)])

    assert [one.joined for one in admitted] == [False] * 40 + [True] * 20
    assert world.record(f"solucion-factible:{uuid(3)}").references == ("r3", "r43")


def test_accounts_of_different_utc_offset_are_admitted_together(world):
    manaus = RODOVIARIA.model_copy(update={"name": "manaus", "utc_offset": "-04:00"})
    both = accounts(RODOVIARIA, manaus)
    requests = [bpe(1) | {"account": "rodoviaria"}, bpe(2) | {"account": "manaus"}]

    first, second = world.ledger.admit([Admission.of(check(one, both, now=datetime.now(UTC))) for one in requests])

    assert json.loads(world.record(first.job).request)["dhEvento"].endswith("-03:00")
    assert json.loads(world.record(second.job).request)["dhEvento"].endswith("-04:00")


@pytest.mark.parametrize(
    "damage",
    [{"state": "cancelled"}, {"request": "5"}, {"references": "[1e999]"}, {"submissions": "5"}, {"run": "01"}],
)
def test_a_request_for_a_damaged_record_changes_nothing(world, damage):
    job = world.submit(sf(1), "s0").job
    world.redis.hset(world.job_hash(job), mapping=damage)
    before = world.dump()

    [refused] = world.ledger.admit([Admission.of(checked(sf(1, reference="r")), "s1")])

    assert isinstance(refused, NotPossible)
    assert world.dump() == before


def test_a_damaged_record_keeps_no_other_job_from_admission(world):
    """Somebody has written to it, or over it."""
    jobs = [f"solucion-factible:{uuid(number)}" for number in range(30)]
    world.redis.set(world.key("job", jobs[1]), "x")
    world.submit(sf(2))
    world.redis.hset(world.job_hash(jobs[2]), "references", "damaged")

    admitted = world.ledger.admit([Admission.of(checked(sf(n, reference="r")), f"s{n}") for n in range(30)])

    assert [n for n, one in enumerate(admitted) if isinstance(one, NotPossible)] == [1, 2]
    assert str(admitted[1]).startswith(f"{jobs[1]}: its record in Redis is damaged (it is no record)")
    assert "(references is no JSON list of texts)" in str(admitted[2])
    assert all(world.record(job).references == ("r",) for n, job in enumerate(jobs) if n not in (1, 2))
    assert all(world.due_in_s(job) is not None for n, job in enumerate(jobs) if n not in (1, 2))


@pytest.mark.parametrize(
    "damaged", [("accounts",), ("turns",), ("due", "norte", "bulk"), ("open",), ("deadlines",)], ids=":".join
)
def test_a_job_is_in_its_lane_or_unknown_where_another_key_is_damaged(world, damaged):
    """A record without its place in the lane would be answered as known, and never be called for."""
    world.redis.set(world.key(*damaged), "x")
    requests = [sf(n, priority="bulk", deadline="2099-01-01T00:00:00Z") for n in range(3)]
    admissions = [Admission.of(checked(one), f"s{n}") for n, one in enumerate(requests)]
    with pytest.raises(ResponseError):
        world.ledger.admit(admissions)

    world.redis.delete(world.key(*damaged))
    admitted = world.ledger.admit(admissions)

    world.enroll(NORTE)
    assert [one.job for one in world.release()] == [one.job for one in admitted]
    assert all(world.redis.zscore(world.key(name), one.job) for name in ("open", "deadlines") for one in admitted)


@pytest.mark.parametrize("damaged", [("turns",), ("due", "norte", "bulk"), ("open",), ("ended",)], ids=":".join)
def test_a_retried_job_is_in_its_lane_or_has_ended_where_another_key_is_damaged(world, damaged):
    world.enroll(NORTE)
    held = world.call(sf(1, priority="bulk"))
    world.finish(held, finish(Status.UNRESOLVED))
    world.redis.delete(world.key(*damaged))
    world.redis.set(world.key(*damaged), "x")
    with pytest.raises(ResponseError):
        world.ledger.retry(held.job, by="test")

    world.redis.delete(world.key(*damaged))
    assert world.ledger.retry(held.job, by="test") == 2

    assert [one.run for one in world.release()] == [2]


def test_what_an_admission_that_broke_off_left_behind_is_removed_by_release(world):
    world.redis.set(world.key("deadlines"), "x")
    with pytest.raises(ResponseError):
        world.submit(sf(deadline="2099-01-01T00:00:00Z"))
    world.redis.delete(world.key("deadlines"))
    world.enroll(NORTE)

    assert world.release() == []

    assert not world.redis.exists(world.key("open"), world.key("due", "norte", "interactive"))


# Stream and queue


def stream_entry(world, text="{}") -> Entry:
    place = world.key("requests")
    return Entry(Source.STREAM, place, world.redis.xadd(place, {"request": text}))


def queue_entry(world, item=b"item") -> Entry:
    world.redis.lpush(world.namespace, item)
    return Entry(Source.QUEUE, world.namespace, item)


def test_a_stream_entry_is_removed_with_its_admission_and_admitted_once(world):
    entry = stream_entry(world)

    assert world.submit(sf(), entry=entry).run == 1
    before = world.dump()

    assert world.try_submit(sf(reference="again"), entry=entry) is None
    assert world.redis.xlen(entry.place) == 0
    assert world.dump() == before


def test_a_queue_item_is_removed_with_its_admission_and_admitted_once(world):
    entry = queue_entry(world)

    world.submit(sf(), entry=entry)
    before = world.dump()

    assert world.try_submit(sf(reference="again"), entry=entry) is None
    assert world.redis.llen(entry.place) == 0
    assert world.dump() == before


def test_of_two_equal_items_one_is_removed_at_a_time(world):
    entry = queue_entry(world)
    queue_entry(world)

    world.submit(sf(), "celery:1", entry=entry)

    assert world.redis.llen(entry.place) == 1
    assert world.submit(sf(), "celery:1", entry=entry).run == 1
    assert world.redis.llen(entry.place) == 0
    assert world.record(f"solucion-factible:{uuid(1)}").references == ()


def test_an_entry_whose_submission_is_known_is_removed_as_well(world):
    world.submit(sf(), "celery:1")
    entry = queue_entry(world)

    assert not world.submit(sf(), "celery:1", entry=entry).joined
    assert world.redis.llen(entry.place) == 0


def test_other_entries_stay(world):
    first, second = stream_entry(world), stream_entry(world)
    third, fourth = queue_entry(world, b"a"), queue_entry(world, b"b")

    world.submit(sf(), entry=first)
    world.submit(sf(), entry=third)

    assert world.redis.xrange(second.place)[0][0] == second.entry
    assert world.redis.lrange(fourth.place, 0, -1) == [b"b"]


REFUSAL: dict[str, Any] = {
    "job": None,
    "provider": None,
    "account": None,
    "document": None,
    "status": "rejected",
    "reason": "invalid-request",
    "code": None,
    "message": None,
    "provider_status": {},
    "protocol": None,
    "registered_at": None,
    "evidence": None,
    "errors": [FieldError("uuid", "is missing").as_json()],
    "submission": "1-1",
}


@pytest.mark.parametrize("way", [stream_entry, queue_entry])
def test_a_refused_entry_becomes_one_outcome(world, way):
    world.enroll(NORTE)
    entry = way(world)

    assert world.ledger.refuse(entry, REFUSAL, ["ref"]) is Refused.REFUSED
    before = world.dump()
    assert world.ledger.refuse(entry, REFUSAL, ["ref"]) is Refused.GONE

    assert world.dump() == before
    [outcome] = world.outcomes()
    assert (outcome["run"], outcome["attempts"], outcome["replayed"], outcome["warnings"]) == (None, 0, False, [])
    assert (outcome["references"], outcome["errors"], outcome["submission"]) == (["ref"], REFUSAL["errors"], "1-1")
    assert outcome["submitted_at"] == outcome["finished_at"]


def test_an_oversize_item_is_known_by_its_digest_length_and_place(world):
    big = b"x" * 70_000
    queue_entry(world, b"small")
    queue_entry(world, big)

    small, found = WaysIn(world.ledger).waiting(10)

    assert (small.text, found.text) == (b"small", None)
    name = f"{hashlib.sha1(big).hexdigest()}:70000:1".encode()
    assert found.entry == Entry(Source.OVERSIZE, world.namespace, name)
    assert world.ledger.refuse(found.entry, REFUSAL, []) is Refused.REFUSED
    assert world.ledger.refuse(found.entry, REFUSAL, []) is Refused.GONE
    assert world.redis.lrange(world.namespace, 0, -1) == [b"small"]


def test_the_queue_is_read_oldest_first_and_urgent_ones_before(world):
    for item in (b"1", b"2", b"3"):
        queue_entry(world, item)
    world.redis.lpush(world.namespace + "\x06\x169", b"unimportant")

    assert [one.text for one in WaysIn(world.ledger).waiting(2)] == [b"1", b"2", b"unimportant"]


def test_a_long_stream_entry_is_cut_and_other_fields_are_not_read(world):
    place = world.key("requests")
    stream_entry(world, "x" * 100_000)
    world.redis.xadd(place, {"request": "{}", "more": "y"})
    world.redis.xadd(place, {"Request": "{}"})
    stream_entry(world, "{}")

    seen = list(WaysIn(world.ledger).waiting(10))

    assert [one.text and len(one.text) for one in seen] == [16 * 1024 + 1, 2, None, 2]
    assert [one.is_odd for one in seen] == [False, True, True, False]


# Room


def test_nothing_is_admitted_while_memory_is_short(tmp_path, namespace):
    with running_valkey(tmp_path, settings={"maxmemory": "64mb", "maxmemory-policy": "noeviction"}) as server:
        world = World(server.url, namespace)
        world.enroll(NORTE)
        held = world.call(sf(1))
        for number in range(58):
            world.redis.set(f"ballast-{number}", b"x" * 1_040_000)  # a megabyte under every allocator

        with pytest.raises(LedgerFull, match="less than a tenth"):
            world.submit(sf(2))
        assert world.finish(held) == "ended"

        world.redis.delete(*world.redis.keys("ballast-*"))
        assert world.submit(sf(2)).run == 1
        world.redis.close()


def test_keys_of_both_providers_do_not_meet(world):
    world.submit(sf(1))
    world.submit(bpe(1))

    assert world.ledger.record(f"ns-bpe:{chbpe(1)}") is not None
    assert world.ledger.record(f"solucion-factible:{uuid(1)}") is not None
