"""Solución Factible's side of the sandbox, asked with envelopes written by hand and with a stock zeep client."""

import base64

import httpx
import pytest
import zeep
from lxml import etree

from tests.support.sandbox import SOAP_11, SOAP_12, envelope, running_sandbox
from tests.support.waiting import wait_until
from worker.sandbox.accounts import PASSWORD, USER
from worker.sandbox.numbers import sandbox_uuid

pytestmark = pytest.mark.integration
FIELDS = "{http://cancelacion.ws.cfdi.solucionfactible.com/xsd}"


@pytest.fixture(scope="module")
def running():
    with running_sandbox(in_process_s=0.3) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running):
    running.reset()
    return running


def fields(reply):
    """The fields of an answer, in the order in which they came."""
    root = etree.fromstring(reply.content)
    return {element.tag.removeprefix(FIELDS): element.text for element in root.iter(f"{FIELDS}*")}


def status(reply):
    return int(fields(reply)["status"])


def acuse(reply):
    return etree.fromstring(base64.b64decode(fields(reply)["acuseSat"]))


def estatus(reply):
    return acuse(reply).findtext("{http://cancelacfd.sat.gob.mx}Folios/{http://cancelacfd.sat.gob.mx}EstatusUUID")


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12], ids=["1.1", "1.2"])
def test_a_cancellation_is_answered_in_the_version_of_its_request(sandbox, version):
    reply = sandbox.cancel_uuid(sandbox_uuid(200), version=version)

    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith(version[1].partition(";")[0])
    assert etree.fromstring(reply.content).tag == f"{{{version[0]}}}Envelope"
    assert list(fields(reply)) == ["acuseSat", "mensaje", "status"]
    assert estatus(reply) == "201"


def test_a_repeat_says_that_it_was_cancelled_before(sandbox):
    uuid = sandbox_uuid(200)
    sandbox.cancel_uuid(uuid)

    reply = sandbox.cancel_uuid(uuid.lower())

    assert (status(reply), estatus(reply)) == (200, "202")
    assert sandbox.document(uuid)["asked"] == 2
    assert sandbox.document(uuid)["cancelled"] is True


@pytest.mark.parametrize("code", [204, 213, 500, 501, 601, 602, 603, 604, 605, 611, 620, 621, 623, 633, 999])
def test_every_other_code_is_had_by_its_number_and_cancels_nothing(sandbox, code):
    uuid = sandbox_uuid(code)

    reply = sandbox.cancel_uuid(uuid)

    assert status(reply) == code
    assert fields(reply)["acuseSat"] is None
    assert sandbox.document(uuid)["cancelled"] is False


def test_the_uuids_of_the_documentation_answer_as_documented(sandbox):
    assert status(sandbox.cancel_uuid("E329DD15-7D0B-44E9-A204-51A7443D1FBE")) == 204
    assert status(sandbox.cancel_uuid("0D62B12C-BC6C-4626-E211-FC8FE727A5BC")) == 211


def test_in_process_ends_in_200(sandbox):
    uuid = sandbox_uuid(211)

    assert status(sandbox.cancel_uuid(uuid)) == 211
    wait_until(lambda: sandbox.document(uuid)["cancelled"])

    reply = sandbox.cancel_uuid(uuid)
    assert (status(reply), estatus(reply)) == (200, "201")
    assert estatus(sandbox.cancel_uuid(uuid)) == "202"


def test_in_process_ends_in_213_for_its_number(sandbox):
    uuid = sandbox_uuid("211-then-213")

    assert status(sandbox.cancel_uuid(uuid)) == 211
    wait_until(lambda: status(sandbox.cancel_uuid(uuid)) == 213)
    assert sandbox.document(uuid)["cancelled"] is False


def test_a_code_can_be_had_for_the_first_calls_only(sandbox):
    uuid = sandbox_uuid(500, first_calls=2)

    assert [status(sandbox.cancel_uuid(uuid)) for _ in range(3)] == [500, 500, 200]


def test_a_200_whose_acuse_says_otherwise_cancels_nothing(sandbox):
    uuid = sandbox_uuid("200-estatus-205")

    reply = sandbox.cancel_uuid(uuid)

    assert (status(reply), estatus(reply)) == (200, "205")
    assert sandbox.document(uuid)["cancelled"] is False


def test_501_may_have_acted(sandbox):
    uuid = sandbox_uuid("501-acted")

    assert status(sandbox.cancel_uuid(uuid)) == 501
    assert sandbox.document(uuid)["cancelled"] is True
    assert estatus(sandbox.cancel_uuid(uuid)) == "202"


def test_the_acuse_can_be_missing_plain_default_namespaced_or_about_another(sandbox):
    assert fields(sandbox.cancel_uuid(sandbox_uuid("no-acuse")))["acuseSat"] is None
    assert fields(sandbox.cancel_uuid(sandbox_uuid("xml-acuse")))["acuseSat"].startswith("<?xml")
    assert acuse(sandbox.cancel_uuid(sandbox_uuid("default-namespace"))).tag == "{http://cancelacfd.sat.gob.mx}Acuse"
    other = acuse(sandbox.cancel_uuid(sandbox_uuid("other-uuid")))
    assert other.findtext(".//{*}UUID") != sandbox_uuid("other-uuid")
    assert other.findtext(".//{*}SignatureValue")


def test_untidy_answers_are_had_by_number(sandbox):
    assert list(fields(sandbox.cancel_uuid(sandbox_uuid("other-order")))) == ["status", "mensaje", "acuseSat"]
    assert "version" in fields(sandbox.cancel_uuid(sandbox_uuid("extra-field")))
    assert "status" not in fields(sandbox.cancel_uuid(sandbox_uuid("no-status")))
    assert fields(sandbox.cancel_uuid(sandbox_uuid("text-status")))["status"] == "OK"
    assert SOAP_11[0] in sandbox.cancel_uuid(sandbox_uuid("other-soap-version"), version=SOAP_12).text
    assert sandbox.cancel_uuid(sandbox_uuid("soap-fault")).status_code == 500


def test_credentials_are_checked_before_anything_else(sandbox):
    uuid = sandbox_uuid(200)

    answers = [status(sandbox.cancel_uuid(uuid, password="wrong")) for _ in range(6)]

    assert answers == [601, 601, 601, 601, 604, 602]
    assert status(sandbox.cancel_uuid(uuid)) == 602
    assert sandbox.accounts()[USER]["locked"] is True
    sandbox.reset()
    assert status(sandbox.cancel_uuid(uuid)) == 200


def test_accounts_named_after_a_code_answer_it(sandbox):
    assert [status(sandbox.cancel_uuid(sandbox_uuid(200), user=f"{code}@example.com")) for code in (603, 605, 633)] == [
        603,
        605,
        633,
    ]


def test_what_is_missing_malformed_or_unknown_is_told_apart(sandbox):
    assert status(sandbox.post_soap(envelope(None))) == 611
    assert status(sandbox.cancel_uuid("not-a-uuid")) == 621
    assert status(sandbox.cancel_uuid("00000000-0000-4000-8000-000000000000")) == 623


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff",
        b"<not-closed>",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "http://192.0.2.1/x"><a/>',
        b"<a>" * 100_000,
        f'<s:Envelope xmlns:s="{SOAP_12[0]}"/>'.encode(),
        f'<s:Envelope xmlns:s="{SOAP_12[0]}"><s:Body><x/></s:Body></s:Envelope>'.encode(),
        envelope("x").replace("c:uuid", "uuid").encode(),
    ],
    ids=range(10),
)
def test_hostile_and_wrong_bodies_end_in_a_soap_fault(sandbox, body):
    reply = sandbox.post_soap(body)

    assert reply.status_code == 500
    assert etree.fromstring(reply.content).find(f".//{{{SOAP_12[0]}}}Fault") is not None
    assert status(sandbox.cancel_uuid(sandbox_uuid(204))) == 204


def test_an_envelope_under_the_other_version_s_content_type_is_a_fault(sandbox):
    reply = sandbox.post_soap(envelope(sandbox_uuid(200), version=SOAP_11), SOAP_12)

    assert reply.status_code == 500
    assert sandbox.document(sandbox_uuid(200))["asked"] == 0


def test_a_body_over_the_limit_is_refused(sandbox):
    assert sandbox.post_soap(b" " * 2_000_000).status_code == 413


def test_the_wsdl_names_this_server_at_every_port(sandbox):
    root = etree.fromstring(httpx.get(sandbox.wsdl_url, trust_env=False).content)

    places = [element.get("location") for element in root.iter("{*}address")]

    assert places
    assert set(places) == {sandbox.soap_url}


def test_a_stock_zeep_client_built_from_the_wsdl_can_cancel_in_both_versions(sandbox):
    client = zeep.Client(sandbox.wsdl_url)
    service = client.wsdl.services["Cancelacion"]
    versions = {type(port.binding).__name__: name for name, port in service.ports.items()}

    answers = [
        client.bind("Cancelacion", versions[name]).cancelarSectorPrimario(USER, PASSWORD, sandbox_uuid(200, number))
        for number, name in enumerate(("Soap11Binding", "Soap12Binding"))
    ]

    assert [answer.status for answer in answers] == [200, 200]
    assert all(base64.b64decode(answer.acuseSat).startswith(b"<?xml") for answer in answers)
