"""The sender against a real server that misbehaves in every way."""

import gzip
import os
import ssl
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support import http_server
from tests.support.http_server import CERTIFICATE, HttpServer, closed_address, reply, running_server
from tests.support.waiting import wait_until
from worker.sender import MAX_BODY_BYTES, Failing, Limits, NotReceived, Received, Sender, TooLate

LIMITS = Limits(connect_s=5, read_s=0.3, total_s=0.6)
PATIENT = Limits(connect_s=10, read_s=10, total_s=20)


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def sender() -> Iterator[Sender]:
    sender = Sender(LIMITS)
    yield sender
    sender.close()


@pytest.fixture
def patient() -> Iterator[Sender]:
    sender = Sender(PATIENT)
    yield sender
    sender.close()


def post(sender, url, *, may_send=lambda: True, headers=None, ca_file=None, content=b"{}"):
    return sender.post(url, content=content, headers=headers or {}, ca_file=ca_file, may_send=may_send)


def failing(answer) -> Failing:
    assert isinstance(answer, NotReceived), answer
    return answer.kind


def test_an_answer_comes_back_with_status_and_body(server, patient):
    server.will(reply(b"body", status=418, headers={"Retry-After": "7", "X-Other": "1", "Content-Type": "a/b"}))

    answer = post(patient, server.url + "/path", headers={"X-Asked": "yes"}, content=b"asked")

    assert answer == Received(418, {"content-type": "a/b", "retry-after": "7"}, b"body")
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.body) == ("POST", "/path", b"asked")
    assert seen.headers["x-asked"] == "yes"
    assert seen.headers["accept-encoding"] == "identity"


def test_a_second_call_uses_the_same_connection(server, patient):
    post(patient, server.url)
    post(patient, server.url)

    assert [seen.connection for seen in server.seen] == [1, 1]


def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again(server, patient):
    server.will(http_server.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))

    for number in range(1, 4):
        assert post(patient, server.url) == Received(200, {}, b"")
        wait_until(lambda: server.hung_up == number, what="the server to hang up")  # noqa: B023 - called at once


def test_a_refused_connection_is_not_sent(sender):
    assert failing(post(sender, closed_address())) is Failing.NOT_SENT


@pytest.mark.parametrize("host", ["nobody.invalid", "a" * 64 + ".invalid", ".invalid"])
def test_a_name_that_does_not_resolve_is_not_sent(patient, host):
    assert failing(post(patient, f"https://{host}/")) in {Failing.NOT_SENT, Failing.MISCONFIGURED}


def test_a_certificate_that_nobody_trusts_is_not_sent(patient):
    with running_server(tls=True) as server:
        answer = post(patient, server.url)

    assert failing(answer) is Failing.NOT_SENT
    assert "certificate" in answer.detail
    assert server.seen == []


def test_the_account_s_own_ca_file_is_trusted(patient):
    with running_server(reply(b"secure"), tls=True) as server:
        answer = post(patient, server.url, ca_file=CERTIFICATE)

    assert answer == Received(200, {}, b"secure")


def test_a_certificate_for_another_name_is_not_trusted(patient):
    with running_server(tls=True) as server:
        answer = post(patient, server.url.replace("127.0.0.1", "127.0.0.2"), ca_file=CERTIFICATE)

    assert failing(answer) is Failing.NOT_SENT


def test_an_address_that_speaks_no_tls_is_not_sent(server, sender):
    server.will(http_server.raw(b"HTTP/1.1 400 Bad\r\n\r\n"))

    assert failing(post(sender, server.url.replace("http:", "https:"))) is Failing.NOT_SENT


def test_a_handshake_that_hangs_ends_at_the_connect_limit():
    sender = Sender(Limits(connect_s=0.3, read_s=10, total_s=20))
    with running_server(http_server.silence()) as server:
        answer = post(sender, server.url.replace("http:", "https:"))
        sender.close()

    assert failing(answer) is Failing.NOT_SENT


def test_silence_ends_at_the_read_limit(server, sender):
    server.will(http_server.silence())

    assert failing(post(sender, server.url)) is Failing.NO_ANSWER


@pytest.mark.parametrize("dripping", [http_server.drip_body(), http_server.drip_headers()])
def test_a_drip_fed_answer_ends_at_the_total_limit(server, sender, dripping):
    server.will(dripping)
    started = time.monotonic()

    answer = post(sender, server.url)

    assert failing(answer) is Failing.NO_ANSWER
    assert time.monotonic() - started < 10


def test_a_drip_fed_handshake_ends_at_the_connect_limit(server):
    sender = Sender(Limits(connect_s=0.4, read_s=10, total_s=20))
    server.at_once = http_server.drip(b"\x16\x03\x03\x40\x00")
    started = time.monotonic()

    answer = post(sender, server.url.replace("http:", "https:"))

    assert failing(answer) is Failing.NOT_SENT
    assert time.monotonic() - started < 10
    sender.close()


def test_a_cut_before_the_request_was_read_is_no_answer(server, sender):
    server.at_once = http_server.cut()

    assert failing(post(sender, server.url)) is Failing.NO_ANSWER


@pytest.mark.parametrize("cutting", [http_server.cut(), http_server.cut_in_the_body(b"0123456789")])
def test_a_cut_after_the_request_is_no_answer(server, sender, cutting):
    server.will(cutting)

    assert failing(post(sender, server.url)) is Failing.NO_ANSWER


@pytest.mark.parametrize(
    "content",
    [
        b"garbage\r\n\r\n" * 10,
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Big: " + b"a" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://a:port/\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_what_is_not_http_is_unreadable(server, sender, content):
    server.will(http_server.raw(content))

    assert failing(post(sender, server.url)) is Failing.UNREADABLE


def test_a_body_of_the_greatest_length_is_read(server, patient):
    server.will(reply(b"a" * MAX_BODY_BYTES))

    answer = post(patient, server.url)

    assert isinstance(answer, Received)
    assert len(answer.body) == MAX_BODY_BYTES


def test_a_longer_body_is_unreadable_and_the_next_call_works(server, patient):
    server.will(reply(b"a" * (MAX_BODY_BYTES + 1)), reply(b"short"))

    assert failing(post(patient, server.url)) is Failing.UNREADABLE
    assert post(patient, server.url) == Received(200, {}, b"short")


@pytest.mark.parametrize("headers", [{"Content-Length": "100000000"}, {"Connection": "close"}], ids=["told", "untold"])
def test_of_a_hundred_megabytes_no_more_is_taken_than_an_answer_may_have(server, patient, headers):
    taken: list[int] = []
    server.will(http_server.flood(100, taken, headers), reply(b"short"))

    assert failing(post(patient, server.url)) is Failing.UNREADABLE
    assert post(patient, server.url) == Received(200, {}, b"short")
    assert len(taken) < 20, "the greatest length, and what the system keeps of a connection"


def test_a_compressed_body_is_not_unpacked(server, patient):
    bomb = gzip.compress(b"\0" * 50_000_000)
    server.will(reply(bomb, headers={"Content-Encoding": "gzip"}))

    assert post(patient, server.url) == Received(200, {"content-encoding": "gzip"}, bomb)


def test_the_words_beside_the_status_are_kept(server, patient):
    words = "Tipo de contenido no válido: 'application/soap+xml; charset=utf-8'"
    server.will(http_server.raw(f"HTTP/1.1 415 {words}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")))

    answer = post(patient, server.url)

    assert isinstance(answer, Received)
    assert (answer.status, answer.reason) == (415, words)


@pytest.mark.parametrize(
    ("script", "begins"),
    [
        (http_server.cut_in_the_body(b"0123456789"), b"01234"),
        (http_server.drip_body(), b" "),
        (reply(b"a" * (MAX_BODY_BYTES + 1)), b"aaa"),
    ],
    ids=["cut", "drip-fed", "too long"],
)
def test_what_had_come_of_an_answer_is_kept(server, script, begins):
    sender = Sender(Limits(connect_s=5, read_s=2, total_s=2))
    server.will(script)

    answer = post(sender, server.url)
    sender.close()

    assert isinstance(answer, NotReceived)
    assert answer.begun is not None
    assert answer.begun.status == 200
    assert answer.begun.body.startswith(begins)


@pytest.mark.parametrize("script", [http_server.cut(), http_server.silence(), http_server.raw(b"garbage\r\n\r\n")])
def test_where_no_head_came_nothing_had_begun(server, sender, script):
    server.will(script)

    answer = post(sender, server.url)

    assert isinstance(answer, NotReceived)
    assert answer.begun is None


def test_a_redirect_is_not_followed(server, patient):
    server.will(reply(status=302, headers={"Location": server.url + "/elsewhere"}))

    assert post(patient, server.url) == Received(302, {}, b"")
    assert len(server.seen) == 1


def test_cookies_of_one_call_are_not_sent_with_the_next(server, patient):
    server.will(reply(headers={"Set-Cookie": "session=of-another-account; Path=/"}))

    post(patient, server.url)
    post(patient, server.url)

    assert all("cookie" not in seen.headers for seen in server.seen)


def test_proxies_of_the_environment_are_not_used(server, patient, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, closed_address())

    assert isinstance(post(patient, server.url), Received)


def test_may_send_is_asked_once_the_connection_stands(patient):
    asked = []
    with running_server(tls=True) as server:

        def may_send() -> bool:
            asked.append((server.connections, len(server.seen)))
            return True

        post(patient, server.url, may_send=may_send, ca_file=CERTIFICATE, content=b"a" * 100_000)

    assert asked == [(1, 0)]


def test_no_byte_leaves_where_it_may_not(server, patient):
    post(patient, server.url)  # the connection stands

    for _ in range(2):
        with pytest.raises(TooLate):
            post(patient, server.url, may_send=lambda: False)

    assert isinstance(post(patient, server.url), Received)
    assert len(server.seen) == 2


def test_a_header_that_cannot_be_sent_is_told_without_its_value(server, patient):
    for secret in ("tok\nen-secret", "tok\0en", "töken-secret", " token", "tok\udceden", ""):
        answer = post(patient, server.url, headers={"X-AUTH-TOKEN": secret})

        assert failing(answer) is Failing.MISCONFIGURED
        assert "X-AUTH-TOKEN" in answer.detail
        assert "secret" not in answer.detail
    assert server.seen == []


def test_a_ca_file_that_cannot_be_read_is_misconfigured(patient, tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("")

    for ca_file in (tmp_path / "missing.pem", empty):
        assert failing(post(patient, "https://127.0.0.1/", ca_file=ca_file)) is Failing.MISCONFIGURED


@pytest.mark.parametrize("url", ["ftp://example.invalid/", "nothing", "https://a:port/"])
def test_an_address_that_is_none_is_misconfigured(patient, url):
    assert failing(post(patient, url)) is Failing.MISCONFIGURED


def test_get_fetches_within_its_own_limit(server, patient):
    server.will(reply(b"wsdl"), http_server.drip_body())
    started = time.monotonic()

    assert patient.get(server.url + "/?wsdl", ca_file=None) == Received(200, {}, b"wsdl")
    assert failing(patient.get(server.url, ca_file=None, total_s=0.3)) is Failing.NO_ANSWER
    assert time.monotonic() - started < 10
    assert (server.seen[0].method, server.seen[0].path) == ("GET", "/?wsdl")


def test_each_thread_has_a_connection_of_its_own(server, patient):
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        for _ in range(5):
            post(patient, server.url)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(server.seen) == 20
    assert server.connections == 4


def test_the_tls_context_is_made_once_for_all_threads(patient, monkeypatch):
    made = []

    def make(**_) -> ssl.SSLContext:
        made.append(1)
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    monkeypatch.setattr(ssl, "create_default_context", make)
    threads = [
        threading.Thread(target=post, args=(patient, closed_address()), kwargs={"ca_file": CERTIFICATE})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1


def test_a_closed_sender_opens_new_connections(server, patient):
    post(patient, server.url)
    patient.close()
    post(patient, server.url)

    assert [seen.connection for seen in server.seen] == [1, 2]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_shares_no_connection_with_its_parent(server, patient):
    post(patient, server.url)

    child = os.fork()
    if child == 0:
        os._exit(0 if isinstance(post(patient, server.url), Received) else 1)
    _, status = os.waitpid(child, 0)
    post(patient, server.url)

    assert status == 0
    assert [seen.connection for seen in server.seen] == [1, 2, 1]
