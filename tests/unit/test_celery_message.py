"""Whatever stands on the intake queue is read without an exception (docs/reliability.md, F8 and F9)."""

import base64
import bz2
import gzip
import json
import pickle
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kombu.connection import Connection

from tests.support.requests import sf
from worker.celery_message import TASK, read
from worker.invalid import InvalidRequest

REQUEST = sf()


def body_of(args: Any = (), kwargs: Any = None, embed: Any = None) -> str:
    return json.dumps([args, {"request": REQUEST} if kwargs is None else kwargs, embed or {}])


def message(**changes: Any) -> dict[str, Any]:
    """The least that a client of another language sends; a change to None leaves the part out."""
    whole = {
        "body": body_of(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"task": TASK, "id": "task-1"},
        "properties": {"delivery_tag": "t", "delivery_info": {"exchange": "", "routing_key": "anula"}},
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def item(**changes: Any) -> bytes:
    return json.dumps(message(**changes)).encode()


def refusal(raw: bytes) -> str:
    found = read(raw).request
    assert isinstance(found, InvalidRequest), found
    return str(found)


def test_a_plain_message_gives_its_request_and_id():
    found = read(item())

    assert (found.id, found.request) == ("task-1", REQUEST)


def test_a_base64_body_is_read():
    encoded = base64.b64encode(body_of().encode()).decode()

    assert read(item(body=encoded, properties={"body_encoding": "base64"})).request == REQUEST


def test_what_kombu_itself_sends_is_read():
    with Connection("memory://") as connection, connection.channel() as channel:
        channel.queue_declare("anula")
        connection.Producer(channel).publish(
            [[], {"request": REQUEST}, {"callbacks": None}],
            routing_key="anula",
            headers={"task": TASK, "id": "from-kombu"},
        )
        raw = channel._get("anula")

    found = read(json.dumps(raw).encode())

    assert (found.id, found.request) == ("from-kombu", REQUEST)


def compressed(body: bytes, **header: Any) -> bytes:
    headers = {"task": TASK, "id": "task-1", "compression": "application/x-gzip"} | header
    return item(body=base64.b64encode(body).decode(), headers=headers, properties={"body_encoding": "base64"})


@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress])
def test_a_compressed_body_is_read(pack):
    assert read(compressed(pack(body_of().encode()))).request == REQUEST


def test_what_kombu_itself_compresses_is_read():
    with Connection("memory://") as connection:
        queue = connection.SimpleQueue("anula")
        sent = json.loads(body_of())
        queue.put(sent, headers={"task": TASK, "id": "task-2"}, serializer="json", compression="gzip")
        envelope = queue.channel._get("anula")

    assert read(json.dumps(envelope).encode()).request == REQUEST


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (compressed(zlib.compress(body_of().encode())[:-20]), "not whole"),
        (compressed(body_of().encode()), "not compressed with gzip"),
        (compressed(b""), "not whole"),
        (compressed(bz2.compress(body_of().encode()), compression="application/x-bz2"), "not read: send it with gzip"),
        (compressed(zlib.compress(body_of().encode()), compression=5), "not read: send it with gzip"),
        (compressed(zlib.compress(b" " * 50_000_000)), "longer than"),
    ],
)
def test_a_compressed_body_that_cannot_be_read_is_told_so(raw, problem):
    assert problem in refusal(raw)


def test_the_same_message_sent_again_has_the_same_digest():
    again = item(properties={"delivery_tag": "another"}, headers={"task": TASK, "id": "task-2", "retries": 1})

    assert read(again).digest == read(item()).digest


@pytest.mark.parametrize(
    "changes",
    [
        {"body": body_of() + " "},
        {"body": None},
        {"body": 5},
        {"body": 6},
        {"body": "x" * 5},
        {"body": "\ud800"},
        {"content-type": "application/x"},
        {"content-type": ["application/json"]},
        {"headers": {"task": "other", "id": "task-1"}},
        {"headers": {"id": "task-1"}},
        {"properties": {"body_encoding": "base64"}},
        {"properties": {"body_encoding": {}}},
    ],
    ids=str,
)
def test_whatever_is_read_of_a_message_is_in_its_digest(changes):
    others: list[dict[str, Any]] = [{}, {"body": 7}, {"content-type": "text/plain"}]

    assert read(item(**changes)).digest not in {read(item(**other)).digest for other in others}


@pytest.mark.parametrize("properties", [None, {}, [], "x", 5, {"delivery_tag": None}, {"delivery_info": 7}])
def test_delivery_tag_and_info_are_not_missed(properties):
    assert read(item(properties=properties)).request == REQUEST


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"junk",
        b"\x00",
        b"\xff" * 10,
        b"{",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 5_000,
        pickle.dumps({"request": REQUEST}),
    ],
)
def test_what_is_not_json_is_told_so(raw):
    assert refusal(raw) == "the queue item is not JSON"


@pytest.mark.parametrize(
    "raw",
    [b"null", b"5", b'"text"', b"[]", b"{}", b"NaN", b'{"headers": null}', b'{"headers": []}', b'{"headers": "x"}'],
)
def test_json_that_is_no_message_is_told_so(raw):
    assert refusal(raw) == "the queue item is not a Celery message"


@pytest.mark.parametrize("task", [None, "", "anula.cancel", 5, [], {"x": 1}])
def test_another_task_is_refused(task):
    assert "for the task anula.submit alone" in refusal(item(headers={"task": task, "id": "x"}))


@pytest.mark.parametrize(
    "content_type", [None, "", "application/x-python-serialize", "application/x-yaml", "text/plain", 5, [], {}]
)
def test_another_content_type_is_refused(content_type):
    assert "must be application/json" in refusal(item(**{"content-type": content_type}))


def test_a_pickled_body_is_never_unpacked():
    pickled = base64.b64encode(pickle.dumps([[], {"request": REQUEST}, {}])).decode()
    properties = {"body_encoding": "base64"}

    assert "application/json" in refusal(
        item(body=pickled, properties=properties, **{"content-type": "application/x-python-serialize"})
    )
    assert "not valid JSON" in refusal(item(body=pickled, properties=properties))


@pytest.mark.parametrize("body", [None, 5, [], {}, True])
def test_a_message_without_a_text_body_is_refused(body):
    assert refusal(item(body=body)) == "the message has no body"


@pytest.mark.parametrize("body", ["%%%", "abc", "\u00f1", "YWJj\n"])
def test_a_body_that_is_not_base64_though_it_says_so_is_refused(body):
    assert refusal(item(body=body, properties={"body_encoding": "base64"})) == "the body is not base64"


@pytest.mark.parametrize(
    "body",
    ["", "junk", "{", '{"request": NaN}', "\ud800", '[[], {"request": {"uuid": 1, "uuid": 2}}, {}]', "[" * 10_000],
)
def test_a_body_that_is_not_strict_json_is_refused(body):
    assert refusal(item(body=body))


@pytest.mark.parametrize(
    "body",
    [
        "null",
        "{}",
        "[]",
        "[[]]",
        "[[], {}]",
        "[[], null, {}]",
        body_of(args=[REQUEST], kwargs={}),
        body_of(args=[1]),
        body_of(args={}),
        body_of(args=""),
        body_of(kwargs={"request": REQUEST, "countdown": 5}),
        body_of(kwargs={"Request": REQUEST}),
        body_of(kwargs=[REQUEST]),
        json.dumps({"request": REQUEST}),
    ],
)
def test_arguments_of_another_shape_are_refused(body):
    assert "the arguments must be kwargs" in refusal(item(body=body))


@pytest.mark.parametrize("value", [None, 5, "text", [], [REQUEST]])
def test_what_the_request_is_is_for_its_own_rules(value):
    assert read(item(body=body_of(kwargs={"request": value}))).request == value


def test_a_body_over_the_limit_is_refused():
    assert "longer than 16384 bytes" in refusal(item(body=body_of(kwargs={"request": "x" * 17_000})))


@pytest.mark.parametrize("raw", [b"x" * 1_000_000, b"[" + b"0," * 500_000 + b"0]", item(body="x" * 1_000_000)])
def test_a_megabyte_of_junk_is_refused(raw):
    assert refusal(raw)


@pytest.mark.parametrize("task_id", [None, "", 5, [], "x" * 129, "a\nb", "\ud800"])
def test_a_message_without_a_usable_id_is_known_by_its_digest(task_id):
    raw = item(headers={"task": TASK, "id": task_id})

    found = read(raw)

    assert found.id.startswith("sha256:")
    assert found.id == read(raw).id != read(item(headers={"task": TASK})).id
    assert found.request == REQUEST


@given(raw=st.binary(max_size=200))
def test_no_bytes_raise(raw):
    read(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["headers", "body", "properties", "content-type", "task", "id"]), inner)
    ),
    max_leaves=10,
)


@given(value=JSON, part=st.sampled_from(["headers", "body", "properties", "content-type", "content-encoding"]))
def test_no_json_raises(value, part):
    read(json.dumps(value).encode())
    read(item(**{part: value}))
