"""The WSDL: ours, the account's own, and the ones that nothing can be built from."""

import gzip
import threading
import time
from typing import Literal

import pytest
from lxml import etree

from tests.support import http_server
from tests.support.fake_sender import FakeSender
from tests.support.http_server import closed_address, reply, running_server
from tests.support.provider_kits import SECRET, SOLUCION_FACTIBLE, UUID, credentials, sf_account
from worker.answer import Answer, Reaction
from worker.providers.solucion_factible import wsdl, wsdl_source
from worker.providers.solucion_factible.adapter import SolucionFactible
from worker.providers.solucion_factible.wsdl import OWN, EnvelopeBuilder, WsdlUnusable
from worker.sender import Failing, Limits, NotReceived, Received, Sender

ENDPOINT = "https://soap.example.invalid/cancel"
REQUEST = SOLUCION_FACTIBLE.request
OURS = OWN.read_bytes()
NAMESPACE = b"http://cancelacion.ws.cfdi.solucionfactible.com"
REJECTED = Received(200, {}, SOLUCION_FACTIBLE.answer("rejected"))


def built(content: bytes = OURS, soap_version: Literal["1.1", "1.2"] = "1.2", **fields: str) -> wsdl.Envelope:
    builder = EnvelopeBuilder(content, soap_version=soap_version, endpoint=ENDPOINT)
    return builder.build(**{"username": "user", "password": "password", "uuid": UUID, **fields})


def cancel(sender: Sender, **settings: object) -> Answer:
    return SolucionFactible(sf_account(**settings), sender).cancel(REQUEST, credentials())


def test_a_soap_1_2_call_names_its_action_in_the_content_type():
    envelope = built()

    assert envelope.headers == {
        "Content-Type": 'application/soap+xml; charset=utf-8; action="urn:cancelarSectorPrimario"'
    }
    assert b'"http://www.w3.org/2003/05/soap-envelope"' in envelope.content


def test_a_soap_1_1_call_names_its_action_in_a_header():
    envelope = built(soap_version="1.1")

    assert envelope.headers == {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": '"urn:cancelarSectorPrimario"',
    }
    assert b'"http://schemas.xmlsoap.org/soap/envelope/"' in envelope.content


@pytest.mark.parametrize("soap_version", ["1.1", "1.2"])
def test_the_three_parameters_are_qualified_and_in_order(soap_version):
    body = etree.fromstring(built(soap_version=soap_version, password='<&>"ñ]]> ').content)[-1]

    (operation,) = body
    namespace = f"{{{NAMESPACE.decode()}}}"
    assert operation.tag == namespace + "cancelarSectorPrimario"
    assert [(child.tag.removeprefix(namespace), child.text) for child in operation] == [
        ("usuario", "user"),
        ("password", '<&>"ñ]]> '),
        ("uuid", UUID),
    ]


def test_ws_addressing_names_the_endpoint_that_is_called():
    assert f"To>{ENDPOINT}<".encode() in built().content


def test_the_namespaces_are_the_wsdl_s_own():
    content = built(OURS.replace(NAMESPACE, b"urn:quite-different")).content

    assert b'"urn:quite-different"' in content
    assert NAMESPACE not in content


@pytest.mark.parametrize(
    "changed",
    [
        OURS.replace(b"HttpsSoap1", b"AnyPort1"),
        OURS.replace(
            b'location="https://solucionfactible.com/ws/services/Cancelacion.CancelacionHttpsSoap11Endpoint/"',
            b'location=""',
        ),
        OURS.replace(
            b' location="https://solucionfactible.com/ws/services/Cancelacion.CancelacionHttpsSoap11Endpoint/"', b""
        ),
        OURS.replace(
            b'<soap:address location="https://solucionfactible.com/ws/services/Cancelacion.CancelacionHttpsSoap11Endpoint/"/>',
            b"",
        ),
    ],
)
@pytest.mark.parametrize("soap_version", ["1.1", "1.2"])
def test_the_ports_names_and_addresses_do_not_matter(changed, soap_version):
    assert changed != OURS

    assert f"To>{ENDPOINT}<".encode() in built(changed, soap_version).content


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "XML"),
        (b"<html><body>", "XML"),
        (b"<html/>", "binding"),
        (b"<!DOCTYPE x>" + OURS.partition(b"?>")[2], "DTD"),
        (OURS.replace(b"<soap12:binding", b"<soap:binding"), "SOAP 1.2 binding"),
        (OURS.replace(b"cancelarSectorPrimario", b"cancelarOtraCosa"), "binding"),
        (OURS.replace(b'name="usuario"', b'name="user"'), "usuario"),
        (OURS.replace(b'name="uuid" nillable="true" type="xs:string"', b'name="uuid" type="nowhere:thing"'), ""),
        (OURS.replace(b'/xsd"/>', b'/xsd" schemaLocation="https://example.invalid/x.xsd"/>'), "external"),
        (OURS.replace(b'/xsd"/>', b'/xsd" schemaLocation="file:///etc/passwd"/>'), "another document"),
        (OURS.replace(b'/xsd"/>', b'/xsd" schemaLocation="other.xsd"/>'), "another document"),
    ],
)
def test_a_wsdl_that_nothing_can_be_built_from_is_told_why(content, why):
    assert content != OURS

    with pytest.raises(WsdlUnusable, match=f"(?i){why}"):
        built(content)


def test_the_wsdl_comes_from_the_project_unless_the_account_names_one():
    sender = FakeSender(REJECTED)

    assert cancel(sender).reaction is Reaction.REJECTED
    assert sender.fetched == []


def test_an_account_may_name_a_file(tmp_path):
    own = tmp_path / "live.wsdl"
    own.write_bytes(OURS.replace(NAMESPACE, b"urn:of-the-file"))
    sender = FakeSender(REJECTED)

    cancel(sender, wsdl=str(own))

    assert b"urn:of-the-file" in sender.sent[0].content


def test_an_account_may_name_an_address_which_is_fetched_at_the_first_call_only():
    sender = FakeSender(Received(200, {}, OURS.replace(NAMESPACE, b"urn:of-the-address")), REJECTED)
    adapter = SolucionFactible(sf_account(wsdl="https://example.invalid/?wsdl"), sender)
    assert sender.fetched == []

    for _ in range(3):
        adapter.cancel(REQUEST, credentials())

    assert sender.fetched == ["https://example.invalid/?wsdl"]
    assert len(sender.sent) == 3
    assert b"urn:of-the-address" in sender.sent[0].content


@pytest.mark.parametrize("wrap", [gzip.compress, lambda wsdl: b"\r\n" + wsdl, lambda wsdl: b"\xef\xbb\xbf" + wsdl])
def test_a_fetched_wsdl_may_come_wrapped(wrap):
    sender = FakeSender(Received(200, {}, wrap(OURS)), REJECTED)

    assert cancel(sender, wsdl="https://example.invalid/?wsdl").reaction is Reaction.REJECTED


@pytest.mark.parametrize(
    ("got", "reaction"),
    [
        (NotReceived(Failing.NOT_SENT, "refused"), Reaction.TRANSIENT),
        (NotReceived(Failing.NO_ANSWER, "silence"), Reaction.TRANSIENT),
        (NotReceived(Failing.UNREADABLE, "too long"), Reaction.TRANSIENT),
        (NotReceived(Failing.MISCONFIGURED, "no CA file"), Reaction.ACCOUNT),
        (Received(302), Reaction.TRANSIENT),
        (Received(404), Reaction.TRANSIENT),
        (Received(503), Reaction.TRANSIENT),
        (Received(200, {}, gzip.compress(OURS)[:-9]), Reaction.TRANSIENT),
        (Received(200, {}, b"<html>maintenance"), Reaction.ACCOUNT),
        (Received(200, {}, b"<html/>"), Reaction.ACCOUNT),
    ],
)
def test_a_wsdl_that_cannot_be_had_is_weather_and_a_wrong_one_the_account_s(got, reaction):
    sender = FakeSender(got)

    answer = cancel(sender, wsdl="https://example.invalid/?wsdl")

    assert answer.reaction is reaction
    assert not answer.may_have_acted
    assert answer.unsent
    assert "WSDL https://example.invalid/?wsdl" in (answer.message or "")
    assert sender.sent == []


def test_a_failure_to_load_is_not_kept():
    sender = FakeSender(Received(503), Received(200, {}, OURS), REJECTED)
    adapter = SolucionFactible(sf_account(wsdl="https://example.invalid/?wsdl"), sender)

    reactions = [adapter.cancel(REQUEST, credentials()).reaction for _ in range(2)]

    assert reactions == [Reaction.TRANSIENT, Reaction.REJECTED]


@pytest.mark.parametrize("content", [None, b"<html/>", b"\x00"])
def test_a_file_that_is_missing_or_wrong_concerns_the_account(tmp_path, content):
    path = tmp_path / "live.wsdl"
    if content is not None:
        path.write_bytes(content)

    answer = cancel(FakeSender(), wsdl=str(path))

    assert answer.reaction is Reaction.ACCOUNT
    assert answer.unsent
    assert "live.wsdl" in (answer.message or "")


def test_threads_that_come_meanwhile_share_one_fetch():
    started = threading.Barrier(4)
    answers: list[Answer] = []
    sender = Sender(Limits(5, 5, 1.5))
    with running_server(http_server.silence()) as server:
        adapter = SolucionFactible(sf_account(wsdl=server.url), sender)

        def work() -> None:
            started.wait()
            answers.append(adapter.cancel(REQUEST, credentials()))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    sender.close()

    assert [answer.reaction for answer in answers] == [Reaction.TRANSIENT] * 4
    assert len(server.seen) == 1


def test_a_fetched_wsdl_follows_no_redirect_and_ends_in_time(monkeypatch):
    monkeypatch.setattr(wsdl_source, "FETCH_S", 0.4)
    sender = Sender(Limits(5, 5, 20))
    started = time.monotonic()
    with running_server(reply(status=302, headers={"Location": closed_address()}), http_server.drip_body()) as server:
        redirected = cancel(sender, wsdl=server.url)
        dripped = cancel(sender, wsdl=server.url)
    sender.close()

    assert (redirected.reaction, dripped.reaction) == (Reaction.TRANSIENT, Reaction.TRANSIENT)
    assert time.monotonic() - started < 10


def test_the_secret_stands_in_the_envelope_alone():
    sender = FakeSender(REJECTED)

    cancel(sender)

    (sent,) = sender.sent
    assert SECRET.encode() in sent.content
    assert SECRET not in sent.url + repr(sent.headers)
    assert SECRET not in repr(built(password=SECRET))
