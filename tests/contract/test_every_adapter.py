"""One suite against every adapter, over real HTTP. A new provider passes by adding a kit and its answers."""

import gzip
import logging
import threading

import pytest

from config.logs import QUIET
from tests.support import http_server
from tests.support.http_server import CERTIFICATE, HttpServer, closed_address, reply, running_server
from tests.support.provider_kits import KITS, SECRET, Kit, credentials
from worker.answer import Answer, Reaction, Reason
from worker.providers.base import Adapter, Inquirer
from worker.sender import MAX_BODY_BYTES, Limits, Sender, TooLate

PATIENT = Limits(connect_s=10, read_s=10, total_s=20)
HTML = b"<html><head><title>Bad</title></head><body><h1>status 200</h1></body></html>"


def recorded(kit: Kit, name: str, status: int = 200) -> http_server.Script:
    return reply(kit.answer(name), status=status, headers={"Content-Type": kit.content_type})


def cancel(adapter: Adapter, kit: Kit) -> Answer:
    return adapter.cancel(kit.request, credentials())


def assert_unknown(answer: Answer) -> None:
    assert answer.reaction is Reaction.UNKNOWN
    assert answer.may_have_acted
    assert not answer.unsent
    assert answer.evidence is None


def test_a_success_is_cancelled_with_its_evidence(kit, server, adapter):
    server.will(recorded(kit, "cancelled"))

    answer = cancel(adapter, kit)

    assert (answer.reaction, answer.reason) == (Reaction.CANCELLED, Reason.CANCELLED)
    assert answer.warnings == ()
    assert answer.evidence is not None
    assert answer.evidence.media_type == "application/xml"
    assert kit.request.document.encode() in answer.evidence.content
    assert Answer.from_json(answer.as_json()).evidence == answer.evidence


def test_one_call_sends_one_request(kit, server, adapter):
    server.will(recorded(kit, "transient"))

    cancel(adapter, kit)

    (seen,) = server.seen
    assert seen.method == "POST"
    assert kit.request.document.encode() in seen.body


def test_a_repeat_is_already_cancelled(kit, server, adapter):
    server.will(recorded(kit, "already-cancelled"))

    answer = cancel(adapter, kit)

    assert (answer.reaction, answer.reason) == (Reaction.CANCELLED, Reason.ALREADY_CANCELLED)


def test_a_rejection_is_final_and_has_its_reason(kit, server, adapter):
    server.will(recorded(kit, "rejected"))

    answer = cancel(adapter, kit)

    assert (answer.reaction, answer.reason) == (Reaction.REJECTED, Reason.NOT_CANCELLABLE)
    assert answer.code
    assert answer.message
    assert answer.code in answer.provider_status.values()


def test_what_is_under_way_is_asked_again(kit, server, adapter):
    server.will(recorded(kit, "not-yet"))

    assert cancel(adapter, kit).reaction is kit.expected["not-yet"]


def test_trouble_before_acting_is_transient(kit, server, adapter):
    server.will(recorded(kit, "transient"))

    answer = cancel(adapter, kit)

    assert answer.reaction is Reaction.TRANSIENT
    assert not answer.may_have_acted


def test_wrong_credentials_concern_the_account(kit, server, adapter):
    server.will(recorded(kit, "account"))

    assert cancel(adapter, kit).reaction is Reaction.ACCOUNT


def test_an_unknown_code_is_unknown_and_never_success(kit, server, adapter):
    server.will(recorded(kit, "unknown-code"))

    answer = cancel(adapter, kit)

    assert_unknown(answer)
    assert answer.reason is Reason.UNREADABLE_ANSWER
    assert answer.code


def test_a_success_without_evidence_is_cancelled(kit, server, adapter):
    server.will(recorded(kit, "no-evidence"))

    answer = cancel(adapter, kit)

    assert answer.reaction is Reaction.CANCELLED
    assert answer.evidence is None


def test_an_answer_about_another_document_is_unknown(kit, server, adapter):
    server.will(recorded(kit, "another-document"))

    assert_unknown(cancel(adapter, kit))


def test_a_refused_connection_is_transient_and_not_acted_on(kit, senders):
    answer = cancel(kit.adapter(senders["patient"], endpoint=closed_address()), kit)

    assert answer.reaction is Reaction.TRANSIENT
    assert not answer.may_have_acted
    assert answer.unsent
    assert (answer.code, answer.message) == (None, None)


def test_a_certificate_that_nobody_trusts_is_transient_and_not_acted_on(kit, senders):
    with running_server(recorded(kit, "cancelled"), tls=True) as server:
        answer = cancel(kit.adapter(senders["patient"], endpoint=server.url), kit)

    assert answer.reaction is Reaction.TRANSIENT
    assert not answer.may_have_acted
    assert answer.unsent
    assert server.seen == []


def test_the_account_s_ca_file_is_trusted(kit, senders):
    with running_server(recorded(kit, "cancelled"), tls=True) as server:
        answer = cancel(kit.adapter(senders["patient"], endpoint=server.url, ca_file=CERTIFICATE), kit)

    assert answer.reaction is Reaction.CANCELLED


def test_a_ca_file_that_is_missing_concerns_the_account(kit, senders, tmp_path):
    missing = tmp_path / "missing.pem"

    answer = cancel(kit.adapter(senders["patient"], endpoint="https://127.0.0.1:1", ca_file=missing), kit)

    assert answer.reaction is Reaction.ACCOUNT
    assert answer.unsent
    assert "missing.pem" in (answer.message or "")


def test_a_cut_before_the_request_was_read_is_unknown(kit, server, adapter):
    server.at_once = http_server.cut()

    assert_unknown(cancel(adapter, kit))


def test_a_cut_after_the_request_is_unknown(kit, server, adapter):
    server.will(http_server.cut())

    assert_unknown(cancel(adapter, kit))


def test_a_cut_within_a_success_is_unknown(kit, server, adapter):
    server.will(http_server.cut_in_the_body(kit.answer("cancelled")))

    assert_unknown(cancel(adapter, kit))


@pytest.mark.parametrize("script", [http_server.silence(), http_server.drip_body(), http_server.drip_headers()])
def test_an_answer_that_does_not_end_in_time_is_unknown(kit, server, hasty, script):
    server.will(script)

    assert_unknown(cancel(hasty, kit))


def billion_laughs() -> bytes:
    """A kilobyte that is a hundred gigabytes once its entities are followed."""
    entities = [b'<!ENTITY e0 "aaaaaaaaaa">']
    entities += [b'<!ENTITY e%d "%s">' % (number, b"&e%d;" % (number - 1) * 10) for number in range(1, 11)]
    return b"<!DOCTYPE a [" + b"".join(entities) + b"]><a>&e10;</a>"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \r\n",
        b"\xff\xfe\x00garbage\x00",
        HTML,
        b"<!DOCTYPE html><html><body>maintenance</body></html>",
        b"null",
        b"[]",
        b'"200"',
        b"200",
        b"{",
        b"<",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"<a>" * 100_000,
        b'{"status": ' + b"9" * 100_000 + b"}",
        b'{"status": NaN}',
        b'{"status": 200, "status": 135}',
        b'{"motivo": "\xe7"}',
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>',
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        billion_laughs(),
        b'<!DOCTYPE a [<!ENTITY b "' + b"x" * 100_000 + b'">]><a>' + b"&b;" * 100_000 + b"</a>",
        b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1:1/x.dtd"> %b;]><a/>',
        b"<a " + b" ".join(b'a%d="1"' % number for number in range(100_000)) + b"/>",
        gzip.compress(b"\0" * 20_000_000, mtime=0),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_garbage_is_unknown(kit, server, adapter, body):
    server.will(reply(body, headers={"Content-Type": kit.content_type}))

    answer = cancel(adapter, kit)

    assert_unknown(answer)
    assert answer.reason is Reason.UNREADABLE_ANSWER


def test_what_is_not_http_at_all_is_unknown(kit, server, adapter):
    server.will(http_server.raw(b"SSH-2.0-nothing\r\n\r\n"))

    assert_unknown(cancel(adapter, kit))


@pytest.mark.parametrize(("length", "is_read"), [(MAX_BODY_BYTES, True), (MAX_BODY_BYTES + 1, False)])
def test_a_body_is_read_up_to_five_mebibytes(kit, server, adapter, length, is_read):
    server.will(reply(kit.answer("cancelled").ljust(length)))

    answer = cancel(adapter, kit)

    if is_read:
        assert answer.reaction is Reaction.CANCELLED
    else:
        assert_unknown(answer)


@pytest.mark.parametrize(
    ("status", "is_in_doubt"), [(301, False), (302, True), (303, True), (307, False), (308, False)]
)
def test_a_redirect_is_not_followed(kit, server, adapter, status, is_in_doubt):
    server.will(reply(status=status, headers={"Location": server.url + "/elsewhere"}))

    answer = cancel(adapter, kit)

    assert answer.reaction is (Reaction.UNKNOWN if is_in_doubt else Reaction.TRANSIENT)
    assert answer.may_have_acted is is_in_doubt
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [401, 404, 405, 407, 411, 413, 414, 415, 417, 421, 426, 431])
@pytest.mark.parametrize("body", [b"", HTML, b'{"message": "no"}'])
def test_a_refusal_from_before_the_service_is_transient_and_not_acted_on(kit, server, adapter, status, body):
    server.will(reply(body, status=status))

    answer = cancel(adapter, kit)

    assert answer.reaction is Reaction.TRANSIENT
    assert not answer.may_have_acted
    assert answer.provider_status == {"http": str(status)}
    assert f"HTTP {status}" in (answer.excerpt or "")


@pytest.mark.parametrize("status", [401, 404, 415])
def test_with_the_provider_s_own_body_such_a_status_decides_nothing(kit, server, adapter, status):
    server.will(recorded(kit, "rejected", status))
    assert cancel(adapter, kit).reaction is Reaction.REJECTED

    server.will(recorded(kit, "account", status))
    assert cancel(adapter, kit).reaction is Reaction.ACCOUNT

    server.will(reply(kit.answer("rejected")[:-20], status=status))
    assert_unknown(cancel(adapter, kit))


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_gateway_s_error_page_is_unknown(kit, server, adapter, status):
    server.will(reply(HTML, status=status))

    answer = cancel(adapter, kit)

    assert_unknown(answer)
    assert answer.provider_status == {"http": str(status)}


@pytest.mark.parametrize("status", [300, 304, 402, 403, 406, 408, 409, 410, 418, 422, 451, 501, 520])
def test_any_other_error_page_is_unknown_and_stops_no_account(kit, server, adapter, status):
    server.will(reply(HTML, status=status))

    assert_unknown(cancel(adapter, kit))


@pytest.mark.parametrize(("status", "may_have_acted"), [(429, False), (503, True)])
def test_retry_after_holds_the_account(kit, server, adapter, status, may_have_acted):
    server.will(reply(HTML, status=status, headers={"Retry-After": "7"}))

    answer = cancel(adapter, kit)

    assert answer.reaction is Reaction.TRANSIENT
    assert answer.may_have_acted is may_have_acted
    assert answer.hold_account_s == 7


def test_nothing_is_sent_where_it_is_too_late(kit, server, adapter):
    with pytest.raises(TooLate):
        adapter.cancel(kit.request, credentials(may_send=False))

    assert server.seen == []


def test_many_threads_share_an_adapter(kit, server, adapter):
    server.will(recorded(kit, "cancelled"))
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(cancel(adapter, kit))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.reaction for answer in answers] == [Reaction.CANCELLED] * 8


def test_a_request_of_another_provider_is_a_bug(kit, adapter):
    (other,) = (other for other in KITS if other is not kit)

    with pytest.raises(TypeError):
        adapter.cancel(other.request, credentials())


def test_debug_logging_of_the_libraries_shows_no_secret(kit, server, adapter, caplog):
    caplog.set_level(logging.DEBUG)
    for name in QUIET:  # a test that has set up our own logging before this one leaves them quiet
        caplog.set_level(logging.DEBUG, logger=name)
    server.will(recorded(kit, "cancelled"))

    answer = cancel(adapter, kit)

    assert SECRET.encode() in server.seen[0].body + repr(server.seen[0].headers).encode()
    assert any(record.name.startswith("httpcore") for record in caplog.records)
    assert SECRET not in caplog.text
    assert SECRET not in "".join(repr(record.args) for record in caplog.records)
    assert SECRET not in repr(answer)


@pytest.mark.parametrize("secret", ["s3cret\nof-two-lines", "s3cret\0", "s3cret\x0b", "s3cret\udce9"])
def test_a_secret_that_cannot_be_sent_concerns_the_account(kit, server, adapter, caplog, secret):
    caplog.set_level(logging.DEBUG)
    server.will(recorded(kit, "cancelled"))

    answer = adapter.cancel(kit.request, credentials(secret=secret))

    if server.seen:  # a password may hold a line break, a header may not
        assert (kit.provider, secret) == ("solucion-factible", "s3cret\nof-two-lines")
        return
    assert answer.reaction is Reaction.ACCOUNT
    assert answer.unsent
    assert answer.message
    assert "s3cret" not in repr(answer) + caplog.text


def test_a_provider_that_quotes_the_secret_is_not_quoted(kit, server, adapter):
    body = kit.answer("rejected")
    message = cancel_with(server, adapter, kit, body).message
    assert message
    quoting = body.replace(message[:10].encode(), f"token {SECRET} ".encode())

    answer = cancel_with(server, adapter, kit, quoting)

    assert answer.reaction is Reaction.REJECTED
    assert "token … " in (answer.message or "")
    assert SECRET not in repr(answer)


def test_no_field_of_an_answer_quotes_the_secret(kit, server, adapter):
    rejected, code = kit.answer("rejected"), {"solucion-factible": b"204", "ns-bpe": b"220"}[kit.provider]
    for body in (rejected.replace(code, b"%s" % SECRET.encode()), rejected.replace(code, b'"%s"' % SECRET.encode())):
        answer = cancel_with(server, adapter, kit, body)

        assert answer.reaction in {Reaction.UNKNOWN, Reaction.REJECTED}
        assert SECRET not in repr(answer)


def cancel_with(server: HttpServer, adapter: Adapter, kit: Kit, body: bytes) -> Answer:
    server.will(reply(body))
    return cancel(adapter, kit)


INQUIRERS = [kit for kit in KITS if isinstance(kit.adapter(Sender(PATIENT)), Inquirer)]


@pytest.mark.parametrize("kit", INQUIRERS, ids=lambda kit: kit.provider)
@pytest.mark.parametrize(
    "script",
    [
        http_server.cut(),
        http_server.silence(),
        *(reply(HTML, status=status) for status in (200, 302, 400, 403, 404, 429, 500, 502, 503, 504)),
    ],
)
def test_a_look_up_or_download_that_fails_has_not_acted(kit, server, senders, script):
    adapter = kit.adapter(senders["hasty"], endpoint=server.url)
    server.will(script)

    for answer in (adapter.look_up(kit.request, credentials()), adapter.evidence(kit.request, credentials())):
        assert answer.reaction in {Reaction.UNKNOWN, Reaction.TRANSIENT}
        assert not answer.may_have_acted
        assert answer.evidence is None


@pytest.mark.parametrize("kit", INQUIRERS, ids=lambda kit: kit.provider)
def test_look_ups_and_downloads_are_not_sent_too_late(kit, server, senders):
    adapter = kit.adapter(senders["patient"], endpoint=server.url)

    for call in (adapter.look_up, adapter.evidence):
        with pytest.raises(TooLate):
            call(kit.request, credentials(may_send=False))
    assert server.seen == []
