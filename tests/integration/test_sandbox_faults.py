"""Faults of the sandbox: what the client sees, and whether the document stands cancelled."""

import socket
import threading
import time
from contextlib import contextmanager

import httpx
import pytest

from tests.support.sandbox import cancellation, envelope, running_sandbox
from tests.support.waiting import wait_until
from worker.sandbox.accounts import TOKEN
from worker.sandbox.numbers import sandbox_chbpe, sandbox_uuid

pytestmark = pytest.mark.integration
CUT = (httpx.RemoteProtocolError, httpx.ReadError)


@pytest.fixture(scope="module")
def running():
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running):
    running.reset()
    return running


@contextmanager
def raw_call(sandbox, key):
    """A socket on which a cancellation was asked for, and nothing read yet."""
    body = httpx.Request("POST", sandbox.url, json=cancellation(key)).content
    head = f"POST /v1/bpe/cancel HTTP/1.1\r\nHost: x\r\nX-AUTH-TOKEN: {TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n"
    address = httpx.URL(sandbox.url)
    with socket.create_connection((address.host, address.port), timeout=10) as raw:
        raw.sendall(head.encode() + body)
        yield raw


def test_cut_before_acting_really_cuts_and_cancels_nothing(sandbox):
    key = sandbox_chbpe("cut-before")

    with raw_call(sandbox, key) as raw:
        received = raw.recv(100)

    assert received == b""
    assert sandbox.document(key)["cancelled"] is False
    assert sandbox.document(key)["asked"] == 1


def test_cut_after_acting_leaves_the_document_cancelled(sandbox):
    uuid, key = sandbox_uuid("cut-after"), sandbox_chbpe("cut-after", first_calls=1)

    with pytest.raises(CUT):
        sandbox.cancel_uuid(uuid)
    with pytest.raises(CUT):
        sandbox.cancel_bpe(key)

    assert sandbox.document(uuid)["cancelled"] is True
    assert sandbox.cancel_bpe(key).json()["erro"]["cStat"] == 631


def test_the_call_after_a_cut_one_may_say_that_it_cannot_be_cancelled(sandbox):
    uuid = sandbox_uuid("cut-after-then-204")

    with pytest.raises(CUT):
        sandbox.cancel_uuid(uuid)

    assert ">204<" in sandbox.cancel_uuid(uuid).text
    assert sandbox.document(uuid)["cancelled"] is True


@pytest.mark.parametrize("name, acts", [("error-before", False), ("error-after", True)])
def test_a_proxy_error_comes_before_or_after_acting(sandbox, name, acts):
    reply = sandbox.cancel_uuid(sandbox_uuid(name))

    assert (reply.status_code, reply.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert sandbox.document(sandbox_uuid(name))["cancelled"] is acts


@pytest.mark.parametrize("name, status", [("busy-429", 429), ("busy-503", 503)])
def test_a_busy_provider_says_when_to_come_back(sandbox, name, status):
    reply = sandbox.cancel_bpe(sandbox_chbpe(name))

    assert (reply.status_code, reply.headers["retry-after"]) == (status, "2")
    assert sandbox.document(sandbox_chbpe(name))["cancelled"] is False


@pytest.mark.parametrize("name, body", [("garbage", bytes(range(256)) * 4), ("empty", b"")])
def test_garbage_and_nothing_come_with_http_200_after_acting(sandbox, name, body):
    reply = sandbox.cancel_bpe(sandbox_chbpe(name))

    assert (reply.status_code, reply.content) == (200, body)
    assert sandbox.document(sandbox_chbpe(name))["cancelled"] is True


def test_half_an_answer_ends_in_a_cut(sandbox):
    with pytest.raises(CUT):
        sandbox.cancel_uuid(sandbox_uuid("half"))

    with raw_call(sandbox, sandbox_chbpe("half")) as raw:
        received = b"".join(iter(lambda: raw.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"retEvento"' in received
    assert not received.endswith(b"}")


def test_a_wrong_content_type_carries_the_right_answer(sandbox):
    reply = sandbox.cancel_bpe(sandbox_chbpe("wrong-type"))

    assert reply.headers["content-type"] == "image/png"
    assert reply.json()["retEvento"]["cStat"] == 135


def test_a_redirect_does_nothing(sandbox):
    assert sandbox.cancel_bpe(sandbox_chbpe("redirect")).status_code == 307
    assert sandbox.document(sandbox_chbpe("redirect"))["cancelled"] is False


def test_a_dripped_body_comes_whole_to_whom_waits(sandbox):
    sandbox.fault("drip-body", seconds=0.0001)

    assert sandbox.cancel_bpe(sandbox_chbpe(135)).json()["retEvento"]["cStat"] == 135


def test_dripped_headers_come_byte_by_byte(sandbox):
    with raw_call(sandbox, sandbox_chbpe("drip-headers")) as raw:
        first = raw.recv(100)

    assert first == b"H"
    assert sandbox.document(sandbox_chbpe("drip-headers"))["cancelled"] is True


def test_a_gzip_bomb_is_small_on_the_wire(sandbox):
    sandbox.fault("gzip-bomb", bytes=8 * 1024 * 1024)

    with sandbox.http.stream("POST", f"{sandbox.url}/v1/bpe/cancel", json=cancellation(sandbox_chbpe(135))) as reply:
        unpacked = sum(len(part) for part in reply.iter_bytes())

    assert unpacked == 8 * 1024 * 1024
    assert int(reply.headers["content-length"]) < 100_000


def test_a_huge_body_is_as_huge_as_asked(sandbox):
    sandbox.fault("huge", bytes=3_000_001)

    assert len(sandbox.cancel_bpe(sandbox_chbpe(135)).content) == 3_000_001


@pytest.mark.parametrize("name, acted", [("delay", False), ("delay-after", True), ("hang", True)])
def test_a_slow_provider_has_acted_or_not_while_the_client_waits(sandbox, name, acted):
    key = sandbox_chbpe(135)
    sandbox.fault(name, seconds=1)

    with raw_call(sandbox, key):
        wait_until(lambda: sandbox.document(key)["in_flight"] == 1)
        meanwhile = sandbox.document(key)["cancelled"]

    assert meanwhile is acted


def test_a_client_that_leaves_does_not_stop_a_delayed_call_but_ends_its_flight(sandbox):
    key = sandbox_chbpe(135)
    sandbox.fault("delay", seconds=0.5, calls=1)

    with raw_call(sandbox, key):
        wait_until(lambda: sandbox.document(key)["in_flight"] == 1)
    wait_until(lambda: sandbox.document(key)["in_flight"] == 0)
    early = sandbox.document(key)["cancelled"]
    wait_until(lambda: sandbox.document(key)["cancelled"])

    assert early is False
    assert sandbox.document(key)["in_flight_max"] == 1


def test_simultaneous_calls_are_seen(sandbox):
    key = sandbox_chbpe(135)
    sandbox.fault("delay", seconds=0.5)
    threads = [threading.Thread(target=sandbox.cancel_bpe, args=(key,)) for _ in range(3)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sandbox.document(key)["in_flight_max"] == 3
    assert sandbox.document(key)["in_flight"] == 0


def test_a_fault_switched_on_befalls_the_next_calls_and_goes_off(sandbox):
    sandbox.fault("error-before", calls=2, status=504)

    answers = [sandbox.cancel_uuid(sandbox_uuid(200, number)).status_code for number in range(4)]

    assert answers == [504, 504, 200, 200]
    assert [call["fault"] for call in sandbox.calls()] == ["error-before", "error-before", "", ""]


def test_faults_switched_off_are_gone(sandbox):
    sandbox.fault("empty")
    sandbox.no_faults()

    assert sandbox.cancel_uuid(sandbox_uuid(200)).content


def test_a_fault_can_befall_look_ups_only(sandbox):
    key = sandbox_chbpe(135)
    sandbox.fault("busy-503", kinds=["look-up"], retry_after="7")

    assert sandbox.cancel_bpe(key).status_code == 200
    assert sandbox.look_up(key).headers["retry-after"] == "7"


def test_one_slow_call_does_not_hold_up_the_others(sandbox):
    sandbox.fault("delay", document=sandbox_uuid(200, 1), seconds=5)
    with raw_call(sandbox, sandbox_chbpe("hang")):
        started = time.monotonic()

        answers = [sandbox.cancel_uuid(sandbox_uuid(200, number)).status_code for number in range(2, 22)]

    assert answers == [200] * 20
    assert time.monotonic() - started < 5


def test_a_soap_call_can_be_cut_in_the_middle_of_many(sandbox):
    sandbox.fault("cut-after", probability=0.5, seed=3)

    def cut(number):
        try:
            return not sandbox.http.post(
                sandbox.soap_url,
                content=envelope(sandbox_uuid(200, number)),
                headers={"content-type": "application/soap+xml"},
            )
        except CUT:
            return True

    outcomes = [cut(number) for number in range(40)]

    assert 8 < sum(outcomes) < 32
    assert all(sandbox.document(sandbox_uuid(200, number))["cancelled"] for number in range(40))
