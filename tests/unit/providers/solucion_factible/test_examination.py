"""The WSDL that calls are built from, beside the provider's live one."""

import pytest

from config.accounts import Environment
from tests.support.fake_sender import FakeSender
from tests.support.provider_kits import sf_account
from worker.check import Check, Result
from worker.providers.solucion_factible.examination import wsdl
from worker.providers.solucion_factible.signature import signature
from worker.providers.solucion_factible.wsdl import OWN
from worker.sender import Failing, NotReceived, Received

OURS = OWN.read_bytes()
ENDPOINT = "https://soap.example.invalid/cancel"
LIVE = f"{ENDPOINT}?wsdl"
NAMESPACE = b"http://cancelacion.ws.cfdi.solucionfactible.com"
AWAY = NotReceived(Failing.NOT_SENT, "connection refused")


def examined(*got: Received | NotReceived, **account: object) -> tuple[Check, FakeSender]:
    sender = FakeSender(*got)
    return wsdl(sf_account(**account), sender, endpoint=ENDPOINT), sender


@pytest.mark.parametrize("soap_version", ["1.1", "1.2"])
def test_the_same_wsdl_agrees_wherever_its_ports_are(soap_version):
    moved = OURS.replace(b"https://solucionfactible.com", b"https://elsewhere.example").replace(b"Port", b"Tor")

    check, sender = examined(Received(200, {}, moved), soap_version=soap_version)

    assert (check.result, sender.fetched, sender.sent) == (Result.OK, [LIVE], [])
    assert LIVE in check.found


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        (OURS.replace(NAMESPACE, b"urn:quite-different"), "request, parameters, response, answer"),
        (OURS.replace(NAMESPACE + b"/xsd", b"urn:types-moved"), "answer"),
        (OURS.replace(b'soapAction="urn:cancelar', b'soapAction="urn:other'), "action"),
        (OURS.replace(b'name="uuid" nillable', b'name="folio" nillable'), "parameters"),
        (OURS.replace(b'name="status" type="xs:int"', b'name="status" type="xs:string"'), "answer"),
        (
            OURS.replace(
                b'name="acuseSat" nillable="true" type="xs:string"', b'name="acuseSat" type="xs:base64Binary"'
            ),
            "answer",
        ),
        (OURS.replace(b'name="return" nillable', b'name="result" nillable'), "response"),
    ],
)
@pytest.mark.parametrize("environment", Environment)
def test_a_live_wsdl_that_differs_is_a_failure_that_names_where(changed, where, environment):
    assert changed != OURS

    check, _ = examined(Received(200, {}, changed), environment=environment)

    assert check.result is Result.FAILED
    assert check.found.endswith(f"in: {where}")
    assert check.remedy is not None
    assert LIVE in check.remedy


@pytest.mark.parametrize(
    "got", [AWAY, Received(503), Received(200, {}, b"<html>maintenance"), Received(200, {}, b"<a/>")]
)
@pytest.mark.parametrize(
    ("account", "result"),
    [
        ({"environment": Environment.TEST}, Result.WARNING),
        ({"environment": Environment.PRODUCTION}, Result.FAILED),
        ({"environment": Environment.PRODUCTION, "wsdl": str(OWN)}, Result.WARNING),
    ],
)
def test_only_production_without_a_wsdl_of_its_own_rests_on_the_comparison(got, account, result):
    check, _ = examined(got, **account)

    assert check.result is result
    assert "could not be compared" in check.found


def test_an_account_s_own_wsdl_is_what_is_compared(tmp_path):
    own = tmp_path / "live.wsdl"
    own.write_bytes(OURS.replace(NAMESPACE, b"urn:of-the-provider"))

    check, _ = examined(Received(200, {}, own.read_bytes()), wsdl=str(own))

    assert check.result is Result.OK


@pytest.mark.parametrize("content", [None, b"<html/>", OURS.replace(b"<soap12:binding", b"<soap:binding")])
def test_a_wsdl_that_nothing_can_be_built_from_is_a_failure(tmp_path, content):
    own = tmp_path / "own.wsdl"
    if content:
        own.write_bytes(content)

    check, sender = examined(wsdl=str(own))

    assert (check.result, sender.fetched) == (Result.FAILED, [])


def test_a_signature_holds_names_types_and_namespaces():
    found = signature(OURS, soap_version="1.2")

    space = NAMESPACE.decode()
    assert found.parameters == tuple(f"{{{space}}}{name} string" for name in ("usuario", "password", "uuid"))
    assert found.answer == (
        f"{{{space}/xsd}}acuseSat string",
        f"{{{space}/xsd}}mensaje string",
        f"{{{space}/xsd}}status int",
    )
    assert (found.action, found.request) == ("urn:cancelarSectorPrimario", f"{{{space}}}cancelarSectorPrimario")
