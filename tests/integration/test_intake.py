"""Ways 1 and 2: what producers leave on stream and queue is admitted, or refused with its errors."""

import base64
import hashlib
import json

import pytest
import redis
from structlog.testing import capture_logs

from tests.support.ledgers import World
from tests.support.mailbox import Mailbox
from tests.support.requests import NORTE, bpe, chbpe, sf, uuid
from worker.ledger.admitting import LedgerFull

pytestmark = pytest.mark.integration


@pytest.fixture
def mailbox(world) -> Mailbox:
    return Mailbox(world)


def test_both_ways_lead_to_a_job(mailbox):
    mailbox.add(sf(1, reference="stream"))
    mailbox.push(bpe(1, reference="queue"))

    assert mailbox.take_in() == []

    assert mailbox.world.record(f"solucion-factible:{uuid(1)}").references == ("stream",)
    assert mailbox.world.record(f"ns-bpe:{chbpe(1)}").references == ("queue",)


def test_nothing_there_is_nothing_taken_in(mailbox):
    assert mailbox.intake.take_in() == 0


def test_a_base64_message_is_admitted(mailbox):
    body = base64.b64encode(json.dumps([[], {"request": sf(1)}, {}]).encode()).decode()
    mailbox.push(None, body=body, properties={"body_encoding": "base64"})

    assert mailbox.take_in() == []
    assert mailbox.world.state(f"solucion-factible:{uuid(1)}") == "queued"


def test_a_message_sent_twice_is_one_submission(mailbox):
    mailbox.push(sf(1, reference="r"), "same")
    mailbox.push(sf(1, reference="r"), "same")
    mailbox.push(sf(1, reference="other"), "another")

    mailbox.take_in()

    assert mailbox.world.record(f"solucion-factible:{uuid(1)}").references == ("r", "other")


def test_a_copy_that_comes_after_the_end_starts_nothing(mailbox):
    world = mailbox.world
    world.enroll(NORTE)
    mailbox.push(sf(1), "same")
    mailbox.take_in()
    world.finish(world.next_call())
    mailbox.push(sf(1), "same")

    assert mailbox.take_in() == [], "nor is anything replayed"


JUNK: list[tuple[bytes, str]] = [
    (b"junk", "not JSON"),
    (b"\x80\x04pickle", "not JSON"),
    (b"[]", "not a Celery message"),
    (b'{"headers": {"task": "other", "id": "x"}}', "for the task"),
    (b"x" * 200_000, "too long"),
    (b'{"headers": ' * 5_000, "not JSON"),
]


@pytest.mark.parametrize(("item", "problem"), JUNK)
def test_junk_on_the_queue_becomes_an_outcome(mailbox, item, problem):
    mailbox.push_raw(item)

    [outcome] = mailbox.take_in()

    assert (outcome["status"], outcome["reason"]) == ("rejected", "invalid-request")
    assert (outcome["job"], outcome["run"], outcome["document"], outcome["account"]) == (None,) * 4
    assert problem in outcome["errors"][0]["problem"]
    assert outcome["submission"]


@pytest.mark.parametrize(
    "text", ["", "junk", "[]", "5", b"\xff", '{"uuid": NaN}', "x" * 20_000, "[" * 16_000, '{"a": 1, "a": 2}']
)
def test_junk_on_the_stream_becomes_an_outcome_under_the_entry_s_id(mailbox, text):
    entry_id = mailbox.add(text)

    [outcome] = mailbox.take_in()

    assert (outcome["reason"], outcome["submission"]) == ("invalid-request", entry_id)
    assert outcome["errors"]


def test_an_invalid_request_gives_back_what_it_does_tell(mailbox):
    mailbox.push(bpe(1, reference="r-1", account="nobody", nProt="1"), "task-9")

    [outcome] = mailbox.take_in()

    assert (outcome["job"], outcome["document"], outcome["provider"]) == (f"ns-bpe:{chbpe(1)}", chbpe(1), "ns-bpe")
    assert (outcome["account"], outcome["references"], outcome["submission"]) == ("nobody", ["r-1"], "task-9")
    assert {error["field"] for error in outcome["errors"]} == {"account", "nProt"}
    assert mailbox.world.ledger.record(f"ns-bpe:{chbpe(1)}") is None, "there is no job"


def test_an_invalid_request_gives_back_the_reference_under_a_name_that_is_nearly_right(mailbox):
    request = bpe(1)
    request["chbpe"] = request.pop("chBPe")
    mailbox.add(json.dumps({**request, "referencia": "r-1"}))

    [outcome] = mailbox.take_in()

    assert (outcome["document"], outcome["references"]) == (chbpe(1), ["r-1"])
    assert {error["field"]: error["problem"].partition(": ")[2] for error in outcome["errors"]} == {
        "chBPe": "",
        "chbpe": "did you mean `chBPe`?",
        "referencia": "did you mean `reference`?",
    }


@pytest.mark.parametrize("value", ["\ud800", "x" * 200, "a\nb", 5, None, {}, ["x"], ""])
def test_what_is_given_back_is_never_junk(mailbox, value):
    fields = {"uuid": value, "account": value, "reference": value, "chBPe": value, "provider": value}
    mailbox.add(json.dumps(fields))
    mailbox.push(fields)

    outcomes = mailbox.take_in()

    assert [outcome["account"] for outcome in outcomes] == [None, None]
    assert [outcome["references"] for outcome in outcomes] == [[], []]


def test_good_entries_beside_junk_are_admitted(mailbox):
    for number in range(30):
        mailbox.add(sf(number))
        mailbox.add("junk" * number)
        mailbox.push(bpe(number), f"task-{number}")
        mailbox.push_raw(b"junk" * number)
    mailbox.push_raw(b"x" * 300_000)

    refused = mailbox.take_in()

    assert len(refused) == 61
    assert mailbox.world.redis.zcard(mailbox.world.key("open")) == 60


def test_oversize_junk_is_read_little_by_little_and_refused_once_each(mailbox):
    junk = [b"%d" % number + b"x" * 1_000_000 for number in range(8)]
    for item in junk:
        mailbox.push_raw(item)
    mailbox.world.redis.xadd(mailbox.stream, {"request": "x" * 1_000_000})
    mailbox.world.redis.xadd(mailbox.stream, {"request": "x" * 1_000_000})
    mailbox.world.redis.xadd(mailbox.stream, {"request": "{}"})
    mailbox.push(sf(1))

    assert mailbox.intake.take_in() == 4, "about a megabyte from each"

    refused = [outcome["submission"] for outcome in mailbox.world.outcomes() + mailbox.take_in()]
    by_queue = [one for one in refused if one.startswith("sha1:")]
    assert by_queue == [f"sha1:{hashlib.sha1(item).hexdigest()}" for item in junk]
    assert len(refused) == 11
    assert mailbox.world.state(f"solucion-factible:{uuid(1)}") == "queued"


def test_oversize_junk_is_found_where_it_stands_now(mailbox):
    """What stood before it was taken in by another, and more has come since."""
    junk = b"x" * 100_000
    small, other = mailbox.push_raw(b"junk"), mailbox.push_raw(b"y" * 100_000)
    mailbox.push_raw(junk)
    seen = [one for one in mailbox.intake._ways_in.waiting(50) if one.entry.entry.startswith(_sha1(junk))]
    for item in (small, other):
        mailbox.world.redis.lrem(mailbox.queue, -1, item)
    mailbox.push_raw(b"z" * 100_000)
    mailbox.intake._ways_in.waiting = lambda limit: iter(seen)

    assert mailbox.intake.take_in() == 1

    assert mailbox.world.redis.lrange(mailbox.queue, 0, -1) == [b"z" * 100_000]
    [outcome] = mailbox.world.outcomes()
    assert outcome["submission"] == f"sha1:{_sha1(junk).decode()}"
    mailbox.intake.take_in()
    assert len(mailbox.world.outcomes()) == 1, "nor is it refused again, once it is gone"


def _sha1(item: bytes) -> bytes:
    return hashlib.sha1(item).hexdigest().encode()


def test_every_priority_of_the_queue_is_read(mailbox):
    item = mailbox.push(sf(1))
    mailbox.world.redis.rename(mailbox.queue, mailbox.queue + "\x06\x166")

    assert mailbox.intake.take_in() == 1
    assert item
    assert mailbox.world.state(f"solucion-factible:{uuid(1)}") == "queued"


def test_a_wrong_key_on_one_way_does_not_stop_the_other(mailbox):
    mailbox.world.redis.set(mailbox.stream, "x")
    mailbox.push(sf(1))

    assert mailbox.intake.take_in() == 1
    assert mailbox.world.state(f"solucion-factible:{uuid(1)}") == "queued"
    mailbox.world.redis.delete(mailbox.stream)
    mailbox.world.redis.set(mailbox.queue, "x")
    mailbox.add(sf(2))
    assert mailbox.intake.take_in() == 1
    assert mailbox.world.state(f"solucion-factible:{uuid(2)}") == "queued"


def test_one_request_that_cannot_be_admitted_does_not_stop_the_others(mailbox):
    """Somebody has damaged the record of its job."""
    mailbox.world.submit(sf(1))
    mailbox.world.redis.hset(mailbox.world.job_hash(f"solucion-factible:{uuid(1)}"), "references", "damaged")
    mailbox.add(sf(1, reference="r"))
    mailbox.add(sf(2))
    mailbox.push(sf(3))

    with capture_logs() as logged:
        assert mailbox.intake.take_in() == 2
        assert mailbox.intake.take_in() == 0, "so that the dispatcher does not hurry because of it"

    (told,) = (line for line in logged if line["event"] == "request_not_admissible")
    assert "(references is no JSON list of texts)" in told["problem"]
    for number in (2, 3):
        assert mailbox.world.state(f"solucion-factible:{uuid(number)}") == "queued"
    assert mailbox.world.redis.xlen(mailbox.stream) == 1, "the one entry stays for when the record is mended"


def test_many_requests_that_cannot_be_admitted_do_not_keep_those_behind_them(mailbox):
    mailbox.world.submit(sf(1))
    mailbox.world.redis.hset(mailbox.world.job_hash(f"solucion-factible:{uuid(1)}"), "references", "damaged")
    for number in range(60):
        mailbox.add(sf(1, reference=f"r{number}"))
        mailbox.push(sf(1, reference=f"q{number}"))
    mailbox.add(sf(2))
    mailbox.push(sf(3))

    assert [mailbox.intake.take_in() for _ in range(3)] == [0, 2, 0]

    for number in (2, 3):
        assert mailbox.world.state(f"solucion-factible:{uuid(number)}") == "queued"


def test_one_request_that_cannot_be_refused_does_not_stop_the_others(mailbox):
    mailbox.add("the first of the stream")
    mailbox.add(sf(2))
    mailbox.add("junk")
    first, *_ = mailbox.intake._ways_in.waiting(50)
    is_broken = True

    def refusing(entry, *rest, refuse=mailbox.world.ledger.refuse, **more):
        if is_broken and entry == first.entry:
            raise ValueError("a bug")
        return refuse(entry, *rest, **more)

    mailbox.world.ledger.refuse = refusing
    with capture_logs() as logged:
        assert mailbox.intake.take_in() == 2
        assert mailbox.intake.take_in() == 0, "so that the dispatcher does not hurry because of it"

    assert [line["event"] for line in logged].count("request_not_refusable") == 1
    assert mailbox.world.state(f"solucion-factible:{uuid(2)}") == "queued"
    assert len(mailbox.world.outcomes()) == 1
    is_broken = False
    assert len(mailbox.take_in()) == 1


def test_an_outage_while_refusing_is_no_fault_of_the_entry(mailbox):
    mailbox.add("junk")

    def away(*_, **__):
        raise redis.ConnectionError("away")

    mailbox.world.ledger.refuse = away

    with pytest.raises(redis.ConnectionError):
        mailbox.intake.take_in()


def test_two_dispatchers_that_read_the_same_take_it_in_once(mailbox, redis_url):
    other = Mailbox(World(redis_url, mailbox.world.namespace))
    for number in range(20):
        mailbox.add(sf(number, reference="r"))
        mailbox.add("junk")
    seen = list(mailbox.intake._ways_in.waiting(50))

    refused = other.take_in()
    mailbox.intake._ways_in.waiting = lambda limit: iter(seen)
    mailbox.intake.take_in()

    assert len(refused) == 20
    assert len(mailbox.world.outcomes()) == 20
    for number in range(20):
        assert mailbox.world.record(f"solucion-factible:{uuid(number)}").references == ("r",)
    other.world.redis.close()


def test_while_memory_is_short_entries_stay(mailbox):
    mailbox.add(sf(1))
    mailbox.push(sf(2))
    short = mailbox.world.redis.info("memory")["used_memory"]

    mailbox.world.redis.config_set("maxmemory", int(short * 1.05))
    try:
        with pytest.raises(LedgerFull):
            mailbox.intake.take_in()
    finally:
        mailbox.world.redis.config_set("maxmemory", 0)

    assert mailbox.world.redis.xlen(mailbox.stream) == mailbox.world.redis.llen(mailbox.queue) == 1
    assert mailbox.take_in() == []
