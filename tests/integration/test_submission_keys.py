"""A repeat is recognised by its submission key, stream entry or task id, and nothing more comes of it (docs/requests.md)."""

import hashlib
import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.ledgers import KEEP_S, World, checked, finish
from tests.support.mailbox import Mailbox
from tests.support.requests import NORTE, RODOVIARIA, SUR, bpe, chbpe, sf, uuid
from worker.ledger.admission import Admission, id_of_client
from worker.outcome import Status

pytestmark = pytest.mark.integration

JOB = f"solucion-factible:{uuid(1)}"


@pytest.fixture
def mailbox(world: World) -> Mailbox:
    world.enroll(NORTE, RODOVIARIA)
    return Mailbox(world)


def run_to(world: World, state: str) -> None:
    """Bring the one job from queued to this state."""
    if state == "queued":
        return
    held = world.next_call()
    if state == "waiting":
        world.park(held, wait_s=60)
    elif state != "running":
        world.finish(held, finish(Status(state)))


@pytest.mark.parametrize("state", ["queued", "running", "waiting", *Status])
@pytest.mark.parametrize("way", ["stream", "queue"])
def test_a_known_repeat_changes_and_publishes_nothing(mailbox, state, way):
    hand_in = {"stream": mailbox.add, "queue": mailbox.push}[way]
    hand_in(sf(1, reference="r"), "key")
    mailbox.take_in()
    run_to(mailbox.world, state)
    before = mailbox.world.dump()

    for request in (sf(1, reference="r"), sf(1, reference="other", priority="bulk"), sf(1, account="nobody")):
        hand_in(request, "key")
        assert mailbox.take_in() == []

    assert {**mailbox.world.dump(), mailbox.stream: None} == {**before, mailbox.stream: None}


def test_the_order_of_an_entry_s_fields_does_not_matter(mailbox):
    mailbox.add(sf(1, reference="r"), "key")
    mailbox.world.redis.xadd(mailbox.stream, {"submission": "key", "request": json.dumps(sf(1, reference="other"))})

    assert mailbox.take_in() == []

    assert mailbox.world.record(JOB).references == ("r",)


def test_an_entry_without_a_key_is_a_submission_of_its_own(mailbox):
    mailbox.add(sf(1, reference="one"))
    mailbox.add(sf(1, reference="two"))

    mailbox.take_in()

    assert mailbox.world.record(JOB).references == ("one", "two")


def test_a_key_is_known_for_its_document_alone(mailbox):
    mailbox.add(sf(1), "key")
    mailbox.add(sf(2), "key")
    mailbox.add(bpe(1), "key")

    mailbox.take_in()

    assert mailbox.world.redis.zcard(mailbox.world.key("open")) == 3


@pytest.mark.parametrize("other", [sf(1, account="sur"), sf(1, reference="x"), sf(1, bad="field"), sf(1, reference=5)])
def test_another_body_under_a_known_key_is_logged(world, other):
    mailbox = Mailbox(world, NORTE, SUR)
    first = sf(1, account="norte", priority="bulk")
    mailbox.add(first, "key")
    mailbox.add(dict(reversed(first.items())), "key")
    mailbox.take_in()
    mailbox.add(first | other, "key")

    with capture_logs() as logged:
        mailbox.take_in()

    assert [(one["submission"], one["job"]) for one in logged if one["event"] == "submission_differs"] == [("key", JOB)]
    mailbox.add(first, "key")
    with capture_logs() as logged:
        mailbox.take_in()
    assert logged == []


def test_five_hundred_keys_of_a_job_are_known(mailbox):
    world = mailbox.world
    keys = [f"{number}-{'é' * 120}" for number in range(700)]
    for key in keys:
        world.redis.xadd(mailbox.stream, {"request": json.dumps(sf(1)), "submission": key})
    mailbox.take_in()
    world.finish(world.next_call(), finish(Status.REJECTED))
    before = world.dump()

    for key in keys[-500:]:
        mailbox.add(sf(1), key)
    assert mailbox.take_in() == []

    assert world.dump()[world.key("job", JOB)] == before[world.key("job", JOB)]
    assert world.redis.hstrlen(world.key("job", JOB), "known") < 25_000


def test_a_replay_and_a_new_run_are_known_as_well(mailbox):
    world = mailbox.world
    for status in (Status.REJECTED, Status.CANCELLED):
        mailbox.add(sf(1), f"run-{status}")
        mailbox.take_in()
        world.finish(world.next_call(), finish(status))
    mailbox.add(sf(1, reference="late"), "replay")
    mailbox.take_in()
    assert [one["replayed"] for one in world.outcomes()] == [False, False, True]

    for key in ("run-rejected", "run-cancelled", "replay"):
        mailbox.add(sf(1), key)
    assert mailbox.take_in() == []


# What is no key


BAD_KEYS = ["", "x" * 129, "a\nb", "\x00", "\u200b", b"\xff", "x" * 100_000, b"\xc3\xa9" * 128 + b"\xc3"]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_is_none_makes_the_request_invalid(mailbox, key):
    entry_id = mailbox.add(sf(1, reference="r"), key)

    [outcome] = mailbox.take_in()

    assert outcome["errors"] == [{"field": "submission", "problem": "must be 1 to 128 printable characters"}]
    assert (outcome["job"], outcome["references"], outcome["submission"]) == (JOB, ["r"], entry_id)
    assert mailbox.world.ledger.record(JOB) is None


@pytest.mark.parametrize("key", ["x", "x" * 128, "é" * 128, "with blanks, \"quotes\" and 'more'", "celery:1", "1-1"])
def test_whatever_can_be_printed_is_a_key(mailbox, key):
    mailbox.add(sf(1), key)
    mailbox.add("junk", key)

    [outcome] = mailbox.take_in()

    assert (outcome["submission"], mailbox.world.state(JOB)) == (key, "queued")


SHAPE = "the entry must have the field `request`, may have `submission`, each once, and no other field"


@pytest.mark.parametrize(
    "fields",
    [
        [],
        ["Request", "{}"],
        ["", ""],
        [b"\xff", b"\xff"],
        ["request", None, "x", "y"],
        ["request", None, "Submission", "key"],
        ["submission", "key", "request", None, "traceparent", "00-0"],
        ["request", None, "request", None],
        ["submission", "key", "request", None, "submission", "key"],
        ["submission", "one", "submission", "two", "submission", "three", "request", None],
    ],
)
def test_an_entry_of_another_shape_is_invalid_and_tells_all_that_is_wrong(mailbox, fields):
    text = json.dumps(sf(1, account="nobody"))
    flat = [text if one is None else one for one in fields] or ["submission", "key"]
    entry_id = mailbox.world.redis.execute_command("XADD", mailbox.stream, "*", *flat).decode()

    [outcome] = mailbox.take_in()

    assert {"field": "", "problem": SHAPE} in outcome["errors"]
    has_key, has_request = flat.count("submission") == 1, flat.count("request") == 1
    assert outcome["submission"] == ("key" if has_key else entry_id)
    assert ("account" in {error["field"] for error in outcome["errors"]}) == has_request
    assert outcome["job"] == (JOB if has_request else None)


# Invalid requests


def test_an_invalid_entry_is_known_by_key_and_body(mailbox):
    invalid = sf(1, account="nobody", reference="r")
    for request in (invalid, invalid, invalid | {"reference": "s"}, "junk", invalid, "junk", "junk "):
        mailbox.add(request, "key")
    mailbox.add(invalid, "another key")
    mailbox.add(invalid)
    last = mailbox.add(invalid)

    outcomes = mailbox.take_in()

    told = [(one["submission"], one["references"]) for one in outcomes]
    assert told[:5] == [("key", ["r"]), ("key", ["s"]), ("key", []), ("key", []), ("another key", ["r"])]
    assert [references for _, references in told[5:]] == [["r"], ["r"]]
    assert told[-1][0] == last
    mailbox.add(invalid, "key")
    assert mailbox.take_in() == []


def test_a_corrected_request_under_the_same_key_is_admitted(mailbox):
    text = json.dumps(sf(1))
    mailbox.add(sf(1, account="nobody"), "key")
    mailbox.world.redis.xadd(mailbox.stream, {"request": text, "submission": "key", "more": "x"})
    mailbox.take_in()

    mailbox.add(text, "key")

    assert mailbox.take_in() == []
    assert mailbox.world.state(JOB) == "queued"


def test_two_long_bodies_that_differ_at_their_ends_are_two(mailbox):
    for end in ("a", "b", "a"):
        mailbox.add("x" * 20_000 + end, "key")

    assert len(mailbox.take_in()) == 2


def test_what_was_refused_stays_refused_when_the_accounts_change(mailbox):
    mailbox.add(sf(1, account="sur"), "key")
    mailbox.take_in()
    wiser = Mailbox(mailbox.world, NORTE, SUR)

    wiser.add(sf(1, account="sur"), "key")

    assert wiser.take_in() == []
    assert mailbox.world.ledger.record(JOB) is None


def test_refusals_are_remembered_as_long_as_outcomes(mailbox):
    world = mailbox.world
    mailbox.add("old", "key")
    mailbox.take_in()
    world.pass_time(KEEP_S - 60)
    mailbox.add("new", "key")
    mailbox.take_in()
    world.ledger.trim()
    assert world.redis.zcard(world.key("refused")) == 2

    world.pass_time(120)
    world.ledger.trim()

    assert world.redis.zcard(world.key("refused")) == 1
    mailbox.add("old", "key")
    mailbox.add("new", "key")
    assert len(mailbox.take_in()) == 1


def test_an_invalid_message_is_known_by_task_id_and_body(mailbox):
    invalid = sf(1, account="nobody")
    for number, (request, task_id) in enumerate(
        [(invalid, "a"), (invalid, "a"), (sf(2, account="nobody"), "a"), (invalid, "b"), (invalid, "a")]
    ):
        mailbox.push(request, task_id, properties={"delivery_tag": f"sent-{number}"})

    outcomes = mailbox.take_in()

    assert [(one["submission"], one["document"]) for one in outcomes] == [
        ("a", uuid(1)),
        ("a", uuid(2)),
        ("b", uuid(1)),
    ]


@pytest.mark.parametrize("item", [b"junk", b"[]", b"x" * 100_000, b'{"headers": {}}'])
def test_the_same_junk_without_an_id_is_refused_once(mailbox, item):
    for _ in range(3):
        mailbox.push_raw(item)
    mailbox.push_raw(b"other" + item)

    assert len(mailbox.take_in()) == 2


def test_equal_ids_of_the_four_ways_do_not_meet(mailbox):
    world = mailbox.world
    entry_id = mailbox.add(sf(1, reference="by entry"))
    for number, key in enumerate(("same", entry_id, f"entry:{entry_id}", "celery:same", "stream:same", "same:0")):
        mailbox.add(sf(1, reference=f"s{number}"), key)
        mailbox.push(sf(1, reference=f"q{number}"), key)
        world.submit(sf(1, reference=f"c{number}"), id_of_client(key, 0))
    mailbox.take_in()

    assert len(world.record(JOB).references) == 19


# Of older versions


def test_what_an_older_version_remembers_is_known(mailbox):
    world = mailbox.world
    mailbox.add(sf(1))
    mailbox.take_in()
    key = world.job_hash(JOB)
    older = {"celery:one": [1, 0, 0], 'with "quotes"/': [1, 1, 0]}
    world.redis.hdel(key, "known")
    world.redis.hset(key, "submissions", json.dumps(older).replace("/", "\\/"))
    world.redis.hset(key, "older_submissions", json.dumps({"celery:two": [1, 1, 0]}))
    before = world.dump()

    mailbox.push(sf(1, reference="x"), "one")
    mailbox.push(sf(1, reference="x"), "two")
    mailbox.take_in()
    assert world.submit(sf(1, reference="x"), 'with "quotes"/').repeated
    assert world.dump() == before

    mailbox.push(sf(1, reference="x"), "three")
    mailbox.push(sf(1, reference="y"), "three")
    mailbox.push(sf(1, reference="y"), "one")
    mailbox.take_in()
    assert world.record(JOB).references == ("x",)
    assert world.redis.hget(key, "submissions") == before[key][0][b"submissions"]


def test_a_packed_record_of_an_older_version_is_read(mailbox):
    world = mailbox.world
    body = f'{{"provider":"ns-bpe","account":"rodoviaria","chBPe":"{chbpe(1)}","nProt":"1","xJust":"x"}}'
    text = f'packed 1\n1795257610992\nrodoviaria\nbulk\n\n-180\n["r"]\n{body}\ncelery:one'
    world.redis.set(world.key("job", f"ns-bpe:{chbpe(1)}"), text)

    mailbox.push(bpe(1, reference="x"), "one")
    mailbox.take_in()

    record = world.record(f"ns-bpe:{chbpe(1)}")
    assert (record.state, record.references, record.submitted_at.timestamp()) == ("queued", ("r",), 1795257610.992)


@pytest.mark.parametrize(
    "damage", [{"known": "5"}, {"known": "\n0"}, {"submissions": "[]"}, {"older_submissions": '{"a": 1'}]
)
def test_damaged_submissions_are_damage(mailbox, damage: dict[str, Any]):
    world = mailbox.world
    world.submit(sf(1), "s0")
    world.redis.hset(world.job_hash(JOB), mapping=damage)
    before = world.dump()

    [refused] = world.ledger.admit([Admission.of(checked(sf(1)), "s1")])

    assert "is no list of submissions" in str(refused)
    assert world.dump() == before


def test_what_is_remembered_of_a_submission_is_small(mailbox):
    world = mailbox.world
    mailbox.add(sf(1), hashlib.sha512(b"").hexdigest())
    mailbox.take_in()

    assert world.redis.hstrlen(world.job_hash(JOB), "known") < 40
