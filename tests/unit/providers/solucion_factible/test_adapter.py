"""Solución Factible: every documented code, and every trap that the documents tell of."""

import base64
import html

import pytest

from tests.support.fake_sender import FakeSender
from tests.support.provider_kits import SECRET, SOLUCION_FACTIBLE, UUID, credentials, sf_account
from worker.answer import Answer, Disproves, Reaction, Reason
from worker.providers import transport_answers
from worker.providers.solucion_factible import codes, wire
from worker.providers.solucion_factible.adapter import SolucionFactible
from worker.request import SolucionFactibleRequest
from worker.sender import Received

REQUEST = SOLUCION_FACTIBLE.request
OTHER_UUID = "99999999-2222-4333-8444-555555555555"
ACUSE = (
    '<?xml version="1.0" encoding="utf-8"?>\n<Acuse Fecha="2022-10-27T11:02:56.2475804" RfcEmisor="AAA010101AAA">'
    '<Folios xmlns="http://cancelacfd.sat.gob.mx"><UUID>{uuid}</UUID><EstatusUUID>{estatus}</EstatusUUID></Folios>'
    '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/></Acuse>'
)


def acuse(estatus: object = 201, uuid: str = UUID) -> str:
    return ACUSE.format(uuid=uuid, estatus=estatus)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def envelope(content: str, *, soap_version: str = "1.2") -> bytes:
    namespace = wire.SOAP_NAMESPACES[soap_version]
    return f'<s:Envelope xmlns:s="{namespace}"><s:Header/><s:Body>{content}</s:Body></s:Envelope>'.encode()


def result(status: object = None, *, acuse: str | None = None, mensaje: str | None = None) -> str:
    fields = {"acuseSat": acuse, "mensaje": mensaje, "status": status}
    inside = "".join(f"<x:{name}>{value}</x:{name}>" for name, value in fields.items() if value is not None)
    return f'<n:cancelarSectorPrimarioResponse xmlns:n="n" xmlns:x="x"><n:return>{inside}</n:return></n:cancelarSectorPrimarioResponse>'


def cancel(body: bytes | str, *, status: int = 200, **settings: object) -> Answer:
    body = body if isinstance(body, bytes) else envelope(body)
    adapter = SolucionFactible(sf_account(**settings), FakeSender(Received(status, {}, body)))
    return adapter.cancel(REQUEST, credentials())


def assert_unreadable(answer: Answer) -> None:
    assert (answer.reaction, answer.reason) == (Reaction.UNKNOWN, Reason.UNREADABLE_ANSWER)
    assert answer.may_have_acted


@pytest.mark.parametrize(
    ("status", "reaction", "reason"),
    [
        (200, Reaction.CANCELLED, Reason.CANCELLED),
        (204, Reaction.REJECTED, Reason.NOT_CANCELLABLE),
        (211, Reaction.IN_PROCESS, Reason.STILL_IN_PROCESS),
        (213, Reaction.REJECTED, Reason.REJECTED_BY_RECIPIENT),
        (500, Reaction.TRANSIENT, None),
        (501, Reaction.TRANSIENT, None),
        (601, Reaction.ACCOUNT, None),
        (602, Reaction.ACCOUNT, None),
        (603, Reaction.ACCOUNT, None),
        (604, Reaction.ACCOUNT, None),
        (605, Reaction.ACCOUNT, None),
        (611, Reaction.REJECTED, Reason.REFUSED_BY_PROVIDER),
        (620, Reaction.ACCOUNT, None),
        (621, Reaction.REJECTED, Reason.REFUSED_BY_PROVIDER),
        (623, Reaction.REJECTED, Reason.NOT_FOUND),
        (633, Reaction.ACCOUNT, None),
    ],
)
def test_every_documented_status(status, reaction, reason):
    answer = cancel(result(status, mensaje="their words"))

    assert (answer.reaction, answer.reason) == (reaction, reason)
    assert (answer.code, answer.message) == (str(status), "their words")
    assert answer.provider_status == {"status": str(status)}
    assert answer.may_have_acted is (status == 501)
    assert answer.disproves is (Disproves.EVERY_RUN if status == 213 else Disproves.NOTHING)


def test_the_tables_hold_the_documented_codes_and_no_others():
    documented = "200 204 211 213 500 501 601 602 603 604 605 611 620 621 623 633"

    assert list(codes.STATUS) == documented.split()
    assert list(codes.ESTATUS_UUID) == [str(number) for number in range(201, 213)]


@pytest.mark.parametrize("status", [201, 202, 205, 210, 212, 299, 0, -200, 2_000, 1_234_567_890])
def test_an_unknown_status_is_never_success(status):
    answer = cancel(result(status, acuse=encoded(acuse())))

    assert_unreadable(answer)
    assert answer.code == str(status)


@pytest.mark.parametrize(
    "status", [None, "", " ", "ok", "2OO", "200.0", "0x200", "2 00", "２００", "9" * 5_000, "--200"]
)
def test_a_status_that_is_no_number_is_unknown(status):
    answer = cancel(result(status, acuse=encoded(acuse())))

    assert_unreadable(answer)
    assert answer.code is None


@pytest.mark.parametrize("status", ["200", " 200\n", "+200", "0200", "2<!-- -->00", "<![CDATA[200]]>"])
def test_a_status_may_be_written_in_any_way_that_means_the_number(status):
    assert cancel(result(status)).reaction is Reaction.CANCELLED


def test_a_status_that_stands_there_twice_is_unknown():
    assert_unreadable(cancel("<r><status>200</status><status>601</status></r>"))
    assert_unreadable(cancel("<r><status>200</status><status>200</status></r>"))


@pytest.mark.parametrize(
    "written", [encoded, lambda text: html.escape(text, quote=False), lambda text: f"<![CDATA[{text}]]>"]
)
@pytest.mark.parametrize("uuid", [UUID, UUID.lower(), f" {UUID}\n"])
def test_the_acuse_is_kept_byte_for_byte_as_base64_or_plain_xml(written, uuid):
    original = acuse(uuid=uuid) + "\n"

    answer = cancel(result(200, acuse=written(original)))

    assert (answer.reaction, answer.reason, answer.warnings) == (Reaction.CANCELLED, Reason.CANCELLED, ())
    assert answer.evidence is not None
    assert answer.evidence.content == original.encode()
    assert answer.evidence.media_type == "application/xml"
    assert answer.provider_status == {"status": "200", "EstatusUUID": "201"}


def test_base64_may_come_in_lines():
    lines = base64.encodebytes(acuse().encode()).decode()

    answer = cancel(result(200, acuse=lines.replace("\n", "&#13;\n  ")))

    assert answer.evidence is not None
    assert answer.evidence.content == acuse().encode()


def test_an_acuse_in_another_encoding_stays_as_it_is():
    original = acuse().replace("utf-8", "iso-8859-1").replace("AAA0", "ÑÑÑ0").encode("latin-1")

    answer = cancel(result(200, acuse=base64.b64encode(original).decode()))

    assert answer.reason is Reason.CANCELLED
    assert answer.evidence is not None
    assert answer.evidence.content == original


def test_an_acuse_in_a_default_namespace_is_read():
    original = acuse(202).replace("<Acuse ", '<Acuse xmlns="http://cancelacfd.sat.gob.mx" ')

    assert cancel(result(200, acuse=encoded(original))).reason is Reason.ALREADY_CANCELLED


@pytest.mark.parametrize("estatus", [203, 204, 205, 206, 207, 208, 209, 210, 211, 212, 0, 200, 213, 601, 999, "abc"])
def test_an_acuse_that_disagrees_leaves_it_unresolved_and_is_kept(estatus):
    answer = cancel(result(200, acuse=encoded(acuse(estatus))))

    assert (answer.reaction, answer.reason) == (Reaction.UNRESOLVED, Reason.EVIDENCE_DISAGREES)
    assert answer.evidence is not None
    assert answer.code == "200"
    assert answer.provider_status == {"status": "200", "EstatusUUID": str(estatus)}


def test_the_two_code_spaces_stay_apart():
    """211 of the method is "in process", 211 of the SAT a date limit; 204 is another pair."""
    assert cancel(result(211)).reaction is Reaction.IN_PROCESS
    assert cancel(result(211, acuse=encoded(acuse(211)))).reaction is Reaction.IN_PROCESS
    assert cancel(result(200, acuse=encoded(acuse(211)))).reaction is Reaction.UNRESOLVED
    assert cancel(result(204, acuse=encoded(acuse(201)))).reaction is Reaction.REJECTED


def test_an_acuse_that_names_another_uuid_is_unknown():
    for status in (200, 204, 211):
        answer = cancel(result(status, acuse=encoded(acuse(uuid=OTHER_UUID))))

        assert_unreadable(answer)
        assert answer.evidence is None
        assert answer.warnings == ("the acuse names another UUID",)


def test_of_several_documents_in_an_acuse_ours_counts():
    folios = "<Folios><UUID>{}</UUID><EstatusUUID>{}</EstatusUUID></Folios>"
    both = f"<Acuse>{folios.format(OTHER_UUID, 205)}{folios.format(UUID, 202)}</Acuse>"

    assert cancel(result(200, acuse=encoded(both))).reason is Reason.ALREADY_CANCELLED


@pytest.mark.parametrize(
    ("statuses", "reason"),
    [((201, 202), Reason.ALREADY_CANCELLED), ((201, 205), Reason.EVIDENCE_DISAGREES)],
)
def test_an_acuse_that_says_two_things_is_taken_by_the_worse(statuses, reason):
    folios = "".join(f"<Folios><UUID>{UUID}</UUID><EstatusUUID>{code}</EstatusUUID></Folios>" for code in statuses)

    assert cancel(result(200, acuse=encoded(f"<Acuse>{folios}</Acuse>"))).reason is reason


@pytest.mark.parametrize("missing", [None, "", "  \n"])
def test_a_missing_acuse_is_a_warning(missing):
    answer = cancel(result(200, acuse=missing))

    assert (answer.reaction, answer.reason, answer.evidence) == (Reaction.CANCELLED, Reason.CANCELLED, None)
    assert answer.warnings == ("the provider sent no acuse",)


def test_an_acuse_without_a_status_is_a_warning():
    answer = cancel(result(200, acuse=encoded(f"<Acuse><UUID>{UUID}</UUID></Acuse>")))

    assert answer.reaction is Reaction.CANCELLED
    assert answer.evidence is not None
    assert len(answer.warnings) == 1


@pytest.mark.parametrize(
    ("text", "kept", "media_type"),
    [
        ("not base64, not XML", b"not base64, not XML", "text/plain"),
        ("QUJD", b"QUJD", "text/plain"),
        (encoded("nothing that anybody could read"), encoded("nothing that anybody could read").encode(), "text/plain"),
        (encoded("<Acuse Fecha="), b"<Acuse Fecha=", "application/xml"),
        (encoded("<Acuse/>"), b"<Acuse/>", "application/xml"),
        (html.escape("<Acuse>"), b"<Acuse>", "application/xml"),
    ],
)
def test_an_acuse_in_which_nothing_can_be_seen_leaves_the_provider_s_word_and_a_warning(text, kept, media_type):
    answer = cancel(result(200, acuse=text))

    assert (answer.reaction, answer.reason) == (Reaction.CANCELLED, Reason.CANCELLED)
    assert answer.evidence is not None
    assert answer.evidence.content == kept
    assert answer.evidence.media_type == media_type
    assert answer.warnings == ("the acuse cannot be read; it is kept as it came",)


def test_an_acuse_that_stands_there_as_elements_is_kept_with_the_whole_answer():
    body = envelope(result(200, acuse=acuse(202).partition("\n")[2]))

    answer = cancel(body)

    assert answer.reason is Reason.ALREADY_CANCELLED
    assert answer.evidence is not None
    assert answer.evidence.content == body


def test_fields_may_come_in_any_order_with_others_between_and_in_any_namespace():
    content = "<other><added>1</added><status>204</status><more/><acuseSat/><mensaje>no</mensaje></other>"

    answer = cancel(content)

    assert (answer.reaction, answer.message) == (Reaction.REJECTED, "no")


@pytest.mark.parametrize("soap_version", ["1.1", "1.2"])
def test_both_soap_versions_are_read(soap_version):
    body = envelope(result(204), soap_version=soap_version)

    assert cancel(body, soap_version=soap_version).reaction is Reaction.REJECTED


@pytest.mark.parametrize(("asked", "answered"), [("1.1", "1.2"), ("1.2", "1.1")])
def test_an_answer_in_the_other_soap_version_is_read_all_the_same(asked, answered):
    answer = cancel(envelope(result(200), soap_version=answered), soap_version=asked)

    assert (answer.reaction, answer.code) == (Reaction.CANCELLED, "200")


@pytest.mark.parametrize(
    "fault",
    [
        "<s:Fault><faultcode>s:Server</faultcode><faultstring>went wrong</faultstring></s:Fault>",
        "<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text>went wrong</s:Text></s:Reason></s:Fault>",
        "<s:Fault><s:Reason><s:Text>went wrong</s:Text></s:Reason><s:Detail><status>200</status></s:Detail></s:Fault>",
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_soap_fault_is_unknown_and_quoted(fault, status):
    answer = cancel(fault, status=status)

    assert answer.reaction is Reaction.UNKNOWN
    assert answer.may_have_acted
    assert answer.message == "went wrong"
    assert answer.provider_status == {"http": str(status)}


def test_a_recorded_fault_is_unknown():
    assert_unreadable(cancel(SOLUCION_FACTIBLE.answer("fault")))


@pytest.mark.parametrize(
    "body",
    [
        envelope(""),
        envelope(result(200) + result(200)),
        envelope("").replace(b"</s:Envelope>", b"<s:Body><status>200</status></s:Body></s:Envelope>"),
        b"<status>200</status>",
        b'<Envelope xmlns="urn:something-else"><Body><r><status>200</status></r></Body></Envelope>',
        b"<!DOCTYPE x>" + envelope(result(200)),
        envelope(result("&#0;")),
    ],
)
def test_what_is_no_soap_answer_is_unknown(body):
    assert_unreadable(cancel(body))


@pytest.mark.parametrize("status", [201, 202, 204])
def test_a_success_of_http_alone_is_no_cancellation(status):
    assert_unreadable(cancel(b"", status=status))


def test_a_result_in_an_error_of_http_is_not_believed():
    assert cancel(result(200), status=500).reaction is Reaction.UNKNOWN
    assert cancel(result(204), status=400).reaction is Reaction.UNKNOWN


BEFORE_THE_SERVICE = sorted(map(int, transport_answers.BEFORE_THE_SERVICE))


@pytest.mark.parametrize("http", BEFORE_THE_SERVICE)
def test_a_soap_envelope_decides_whatever_such_a_status_says(http):
    assert cancel(result(204), status=http).reaction is Reaction.REJECTED
    assert cancel(result(601), status=http).reaction is Reaction.ACCOUNT
    assert cancel(result(200, acuse=encoded(acuse())), status=http).reaction is Reaction.CANCELLED
    for left_open in ("", result(4711), result(None), "<s:Fault><faultstring>no</faultstring></s:Fault>"):
        assert_unreadable(cancel(left_open, status=http))
    whole = b'<?xml version="1.0"?>' + envelope(result(204))
    for body in (
        whole[:-5],
        whole[:25],
        whole[21:-5],
        whole[21:30],
        bytes(range(1, 99)),
        whole.replace(b"2003", b"2001"),
    ):
        assert_unreadable(cancel(body, status=http))


@pytest.mark.parametrize("http", BEFORE_THE_SERVICE)
@pytest.mark.parametrize("body", [b"", b"<html>Envelope</html>", b"<a", b'{"message": "no"}', b"<error><a/></error>"])
def test_a_status_from_before_the_service_is_transient_where_the_body_is_no_envelope(http, body):
    answer = cancel(body, status=http)

    assert answer.reaction is Reaction.TRANSIENT
    assert not answer.may_have_acted


@pytest.mark.parametrize(("asks", "other"), [("1.1", "1.2"), ("1.2", "1.1")])
def test_a_415_points_to_the_soap_version(asks, other):
    received = Received(415, {}, b"", "Cannot process 'application/soap+xml'")
    adapter = SolucionFactible(sf_account(soap_version=asks), FakeSender(received))

    message = adapter.cancel(REQUEST, credentials()).message

    assert message == f'set soap_version = "{other}" for account test in the accounts file: {received.reason}'


def test_a_415_with_a_fault_points_to_the_soap_version_as_well():
    fault = "<s:Fault><faultstring>VersionMismatch</faultstring></s:Fault>"

    answer = cancel(fault, status=415)

    assert_unreadable(answer)
    assert answer.message == 'set soap_version = "1.1" for account test in the accounts file: VersionMismatch'


def test_a_recorded_rejection_in_latin_1_is_read():
    answer = cancel(SOLUCION_FACTIBLE.answer("rejected-latin-1"))

    assert (answer.reaction, answer.code) == (Reaction.REJECTED, "204")
    assert "está vinculado" in (answer.message or "")


def test_a_plain_acuse_as_recorded_is_read():
    answer = cancel(SOLUCION_FACTIBLE.answer("cancelled-plain-acuse"))

    assert answer.reason is Reason.CANCELLED
    assert answer.evidence is not None
    assert answer.evidence.content.startswith(b"<?xml")


def test_a_disagreeing_acuse_as_recorded_is_unresolved():
    assert cancel(SOLUCION_FACTIBLE.answer("evidence-disagrees")).reaction is Reaction.UNRESOLVED


def test_a_message_is_bounded_and_clean():
    answer = cancel(result(204, mensaje="a\nb " + "c" * 5_000 + SECRET))

    assert answer.message is not None
    assert answer.message.startswith("a b ccc")
    assert len(answer.message) == 1_000


@pytest.mark.parametrize("environment", ["test", "production"])
def test_the_endpoint_comes_from_the_environment(environment):
    sender = FakeSender(Received(200, {}, envelope(result(204))))
    SolucionFactible(sf_account(environment=environment), sender).cancel(REQUEST, credentials())

    host = {"test": "testing.solucionfactible.com", "production": "solucionfactible.com"}[environment]
    assert sender.sent[0].url == f"https://{host}/ws/services/Cancelacion"


def test_any_hex_digits_are_sent_as_they_are():
    """Six of the ten documented test UUIDs are of no RFC 4122 variant."""
    request = SolucionFactibleRequest(provider="solucion-factible", uuid="51d8a114-2ba6-40b8-c204-b9721791863b")
    sender = FakeSender(Received(200, {}, envelope(result(204))))

    SolucionFactible(sf_account(), sender).cancel(request, credentials())

    assert b">51D8A114-2BA6-40B8-C204-B9721791863B<" in sender.sent[0].content
