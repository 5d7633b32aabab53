"""NS BP-e, answers to a cancel: every code of the facts, and every untidiness that the documents and SDKs tell of."""

import json
from typing import Any

import pytest

from tests.support.fake_sender import FakeSender
from tests.support.provider_kits import CHBPE, NS_BPE, SECRET, bpe_account, credentials
from worker.answer import Answer, Disproves, Reaction, Reason
from worker.providers import transport_answers
from worker.providers.ns_bpe import codes
from worker.providers.ns_bpe.adapter import NsBpe
from worker.sender import Received

REQUEST = NS_BPE.request
BEFORE_THE_SERVICE = sorted(map(int, transport_answers.BEFORE_THE_SERVICE))
OTHER_KEY = "43180207364617000135630000000000301000000081"
PROTOCOL, AT = "143180000002623", "2018-02-21T14:58:46-03:00"
EVENT = json.loads(NS_BPE.answer("event"))["xml"]

CANCELLED, REJECTED, TRANSIENT, UNKNOWN = Reaction.CANCELLED, Reaction.REJECTED, Reaction.TRANSIENT, Reaction.UNKNOWN
ACCOUNT, ABUSE, CONFIRM = Reaction.ACCOUNT, Reaction.ABUSE, Reaction.CONFIRM
REFUSED = Reason.REFUSED_BY_AUTHORITY


def cancel(body: Any, *, status: int = 200) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return NsBpe(bpe_account(), FakeSender(Received(status, {}, content))).cancel(REQUEST, credentials())


def refused(cStat: object, xMotivo: str = "Rejeicao", **more: object) -> dict[str, object]:
    return {"status": -3, "motivo": "Nao foi possivel", "erro": {"cStat": cStat, "xMotivo": xMotivo, **more}}


def registered(cStat: object = 135, **more: object) -> dict[str, Any]:
    event = {"cStat": cStat, "xMotivo": "Evento registrado", "chBPe": CHBPE, "nProt": PROTOCOL, "dhRegEvento": AT}
    return {"status": 200, "motivo": "sucesso", "retEvento": {**event, "xml": EVENT, **more}}


DECIDING = [
    ("101", CANCELLED, Reason.CANCELLED),
    ("108", TRANSIENT, None),
    ("109", TRANSIENT, None),
    ("134", CANCELLED, Reason.CANCELLED),
    ("135", CANCELLED, Reason.CANCELLED),
    ("136", CANCELLED, Reason.CANCELLED),
    ("155", CANCELLED, Reason.CANCELLED),
    ("203", REJECTED, REFUSED),
    ("215", REJECTED, REFUSED),
    ("216", REJECTED, REFUSED),
    ("217", REJECTED, Reason.NOT_FOUND),
    ("218", CONFIRM, Reason.ALREADY_CANCELLED),
    ("220", REJECTED, Reason.NOT_CANCELLABLE),
    ("222", REJECTED, REFUSED),
    ("224", REJECTED, Reason.NOT_CANCELLABLE),
    ("226", REJECTED, REFUSED),
    ("236", REJECTED, REFUSED),
    ("252", REJECTED, REFUSED),
    ("286", TRANSIENT, None),
    ("296", TRANSIENT, None),
    ("504", REJECTED, Reason.NOT_CANCELLABLE),
    ("600", REJECTED, REFUSED),
    ("627", REJECTED, REFUSED),
    ("628", REJECTED, REFUSED),
    ("629", REJECTED, REFUSED),
    ("630", REJECTED, REFUSED),
    ("631", CANCELLED, Reason.ALREADY_CANCELLED),
    ("632", REJECTED, REFUSED),
    ("633", REJECTED, REFUSED),
    ("634", REJECTED, REFUSED),
    ("635", TRANSIENT, None),
    ("636", REJECTED, REFUSED),
    ("637", REJECTED, REFUSED),
    ("678", ABUSE, None),
    ("996", TRANSIENT, None),
    ("997", TRANSIENT, None),
    ("999", UNKNOWN, None),
]


@pytest.mark.parametrize("as_written", [str, int])
@pytest.mark.parametrize(("cStat", "reaction", "reason"), DECIDING)
def test_every_deciding_code_as_number_or_text(cStat, reaction, reason, as_written):
    answer = cancel(refused(as_written(cStat), "their words"))

    assert (answer.reaction, answer.reason) == (reaction, reason)
    assert (answer.code, answer.message) == (cStat, "their words")
    assert answer.provider_status == {"status": "-3", "cStat": cStat}


@pytest.mark.parametrize("zeros", ["0", "00", "000000"])
@pytest.mark.parametrize(("cStat", "reaction", "reason"), DECIDING)
def test_a_code_with_leading_zeros_is_read_as_its_number(cStat, reaction, reason, zeros):
    answer = cancel(refused(zeros + cStat))

    assert (answer.reaction, answer.reason, answer.code) == (reaction, reason, cStat)
    assert answer.provider_status == {"status": "-3", "cStat": zeros + cStat}


def test_the_table_holds_the_deciding_codes_and_no_others():
    assert list(codes.CANCEL) == [cStat for cStat, _, _ in DECIDING]


@pytest.mark.parametrize(("cStat", "reaction", "reason"), DECIDING)
@pytest.mark.parametrize("status", [200, "200", -2, -999, None, 12_345, 135])
def test_the_authority_s_code_beats_the_provider_s(cStat, reaction, reason, status):
    assert cancel({**refused(cStat), "status": status}).reaction is reaction


@pytest.mark.parametrize(("cStat", "reaction", "reason"), DECIDING)
@pytest.mark.parametrize("http", [201, 400, 401, 500, 502])
def test_the_authority_s_code_beats_the_http_status(cStat, reaction, reason, http):
    assert cancel(refused(cStat), status=http).reaction is reaction


@pytest.mark.parametrize(("cStat", "reaction", "reason"), DECIDING)
@pytest.mark.parametrize(
    "shape",
    [
        lambda fields: {"status": 200, "retEvento": fields},
        lambda fields: {"status": "200", "retEvento": [fields]},
        lambda fields: {"status": -3, "erro": fields},
        lambda fields: {"status": -3, "erros": [fields]},
        lambda fields: {"status": -3, **fields},
        lambda fields: {"status": 200, "cStat": 128, "xMotivo": "Lote processado", "retEvento": fields},
    ],
)
def test_the_code_is_found_wherever_it_stands(cStat, reaction, reason, shape):
    answer = cancel(shape({"cStat": cStat, "xMotivo": "words"}))

    assert (answer.reaction, answer.code, answer.message) == (reaction, cStat, "words")


def test_what_a_rejection_by_the_authority_disproves():
    """Asked after the duplicates and not about the request: every earlier call. About the request: the same request."""
    found = {cStat: cancel(refused(cStat)).disproves for cStat, reaction, _ in DECIDING if reaction is REJECTED}

    assert {cStat for cStat, disproves in found.items() if disproves is Disproves.EVERY_RUN} == {"220", "224", "504"}
    assert {cStat for cStat, disproves in found.items() if disproves is Disproves.NOTHING} == {"203", "217"}
    assert all(cancel(refused(cStat)).disproves is Disproves.NOTHING for cStat, _, _ in DECIDING if cStat not in found)


def test_what_may_have_acted_is_marked():
    marked = {cStat for cStat, _, _ in DECIDING if cancel(refused(cStat)).may_have_acted}

    assert marked == {"218", "996", "999"}


def test_waits_and_holds():
    waits = {cStat: cancel(refused(cStat)).least_wait_s for cStat, _, _ in DECIDING}
    holds = {cStat: cancel(refused(cStat)).hold_account_s for cStat, _, _ in DECIDING}

    assert {cStat: wait for cStat, wait in waits.items() if wait} == {"635": 300, "996": 2}
    assert {cStat: hold for cStat, hold in holds.items() if hold} == {"109": 900}


@pytest.mark.parametrize(
    "cStat", ["1", "100", "102", "150", "280", "573", "656", "998", "13", "1350", "x", "-1", "00573", "0"]
)
def test_any_other_code_under_status_3_is_rejected_and_never_retried(cStat):
    answer = cancel(refused(cStat))

    assert (answer.reaction, answer.reason) == (REJECTED, Reason.UNCLASSIFIED)
    assert answer.disproves is Disproves.NOTHING


@pytest.mark.parametrize("status", [200, -2, -6, -999, 135, None])
def test_any_other_code_elsewhere_is_unknown(status):
    answer = cancel({"status": status, "retEvento": {"cStat": 998}})

    assert (answer.reaction, answer.reason) == (UNKNOWN, Reason.UNREADABLE_ANSWER)
    assert answer.may_have_acted


@pytest.mark.parametrize(
    ("text", "reaction"),
    [
        ("Rejeicao: Consumo Indevido", ABUSE),
        ("CONSUMO INDEVIDO (tente mais tarde)", ABUSE),
        ("Rejeicao: outra coisa", REJECTED),
    ],
)
def test_656_is_abuse_only_if_its_text_says_so(text, reaction):
    assert cancel(refused(656, text)).reaction is reaction


@pytest.mark.parametrize(
    ("status", "reaction", "reason"),
    [
        (200, UNKNOWN, Reason.UNREADABLE_ANSWER),
        (135, CANCELLED, Reason.CANCELLED),
        (-2, REJECTED, Reason.REFUSED_BY_PROVIDER),
        (-400, REJECTED, Reason.REFUSED_BY_PROVIDER),
        (-401, ACCOUNT, None),
        (-3, UNKNOWN, Reason.UNREADABLE_ANSWER),
        (-6, UNKNOWN, None),
        (-500, UNKNOWN, None),
        (-999, UNKNOWN, None),
        (0, UNKNOWN, Reason.UNREADABLE_ANSWER),
        (401, UNKNOWN, Reason.UNREADABLE_ANSWER),
        (-1, UNKNOWN, Reason.UNREADABLE_ANSWER),
    ],
)
@pytest.mark.parametrize("as_written", [str, int])
def test_a_status_without_a_code_of_the_authority(status, reaction, reason, as_written):
    answer = cancel({"status": as_written(status), "motivo": "their words"})

    assert (answer.reaction, answer.reason) == (reaction, reason)
    assert (answer.code, answer.message) == (str(status), "their words")
    assert answer.provider_status == {"status": str(status)}
    assert answer.disproves is Disproves.NOTHING
    assert answer.may_have_acted is (reaction is UNKNOWN)


@pytest.mark.parametrize(
    "body", [b"", b" \r\n", b'{"motivo": "dados invalidos"}', b'{"status": 400, "erros": ["chBPe"]}']
)
def test_http_400_is_the_provider_s_refusal(body):
    answer = cancel(body, status=400)

    assert (answer.reaction, answer.reason) == (REJECTED, Reason.REFUSED_BY_PROVIDER)
    assert answer.disproves is Disproves.NOTHING
    assert answer.code == ("400")


@pytest.mark.parametrize("body", [b"<html>Bad Request</html>", b'{"message": "Bad Request"}', b"Bad Request", b"{"])
def test_http_400_of_somebody_else_is_unknown(body):
    assert cancel(body, status=400).reaction is UNKNOWN


@pytest.mark.parametrize("http", [401, 403])
@pytest.mark.parametrize("body", [{"status": 401, "motivo": "Token invalido"}, {"motivo": "x"}, {"erros": ["token"]}])
def test_a_refused_token_in_the_provider_s_own_json_concerns_the_account(http, body):
    answer = cancel(body, status=http)

    assert answer.reaction is ACCOUNT
    assert answer.code
    assert answer.message


FOREIGN = [
    b"",
    b"<html>Forbidden</html>",
    b'{"message": "Forbidden"}',
    b"null",
    b'"status"',
    b'{"timestamp": "2026-01-27", "status": 401, "error": "Unauthorized", "path": "/v1/bpe/cancel"}',
    b'{"status": "error", "message": "no"}',
]


@pytest.mark.parametrize(("http", "reaction"), [(401, TRANSIENT), (403, UNKNOWN)])
@pytest.mark.parametrize("body", FOREIGN)
def test_a_firewall_s_refusal_stops_nobody_else(http, reaction, body):
    answer = cancel(body, status=http)

    assert answer.reaction is reaction
    assert answer.may_have_acted is (reaction is UNKNOWN)


@pytest.mark.parametrize("http", [500, 502, 504])
def test_the_provider_s_own_words_beat_a_gateway_s_status(http):
    assert cancel({"status": -401, "motivo": "Sem permissao"}, status=http).reaction is ACCOUNT
    assert cancel({"status": -999, "motivo": "Erro interno"}, status=http).code == "-999"
    assert cancel({"error": "Internal"}, status=http).provider_status == {"http": str(http)}


@pytest.mark.parametrize("http", BEFORE_THE_SERVICE)
def test_the_provider_s_own_json_decides_whatever_the_http_status_says(http):
    account = ACCOUNT if http == 401 else UNKNOWN

    assert cancel({"status": -401, "motivo": "Sem permissao"}, status=http).reaction is ACCOUNT
    assert cancel(refused(4711), status=http).reason is (None if http == 401 else Reason.UNCLASSIFIED)
    assert cancel({"motivo": "their words"}, status=http).reaction is account
    for cStat, reaction in (("220", REJECTED), ("135", CANCELLED), ("999", UNKNOWN), ("108", TRANSIENT)):
        assert cancel(refused(cStat), status=http).reaction is reaction


@pytest.mark.parametrize("http", BEFORE_THE_SERVICE)
@pytest.mark.parametrize("body", FOREIGN)
def test_a_status_from_before_the_service_is_transient_where_the_body_is_not_the_provider_s(http, body):
    answer = cancel(body, status=http)

    assert answer.reaction is TRANSIENT
    assert not answer.may_have_acted


@pytest.mark.parametrize("http", BEFORE_THE_SERVICE)
@pytest.mark.parametrize(
    "body",
    [
        b'{"status": -3, "erro": {"cStat": 22',
        b'{"motivo": "x", "motivo": "y"}',
        b"{",
        bytes(range(1, 99)),
        b'"erro": {"cStat": 220}}',
    ],
)
def test_a_broken_body_that_may_be_the_provider_s_leaves_such_a_status_in_doubt(http, body):
    answer = cancel(body, status=http)

    assert (answer.reaction, answer.may_have_acted) == (UNKNOWN, True)


@pytest.mark.parametrize("http", [429, 503])
def test_a_service_that_is_not_there_is_transient_whatever_its_words(http):
    answer = cancel({"status": -400, "motivo": "their words"}, status=http)

    assert answer.reaction is TRANSIENT
    assert (answer.code, answer.message) == ("-400", "their words")


def test_a_success_carries_protocol_time_and_the_xml_byte_for_byte():
    answer = cancel(registered())

    assert (answer.protocol, answer.registered_at) == (PROTOCOL, AT)
    assert answer.evidence is not None
    assert answer.evidence.content == EVENT.encode()
    assert answer.evidence.media_type == "application/xml"
    assert answer.provider_status == {"status": "200", "cStat": "135"}
    assert answer.warnings == ()


@pytest.mark.parametrize(
    "xml", [EVENT, EVENT + "\n", "\ufeff" + EVENT, EVENT.replace("utf-8", "iso-8859-1"), EVENT.replace("ã", "😀")]
)
def test_the_xml_is_never_altered(xml):
    answer = cancel(registered(xml=xml))

    assert answer.evidence is not None
    assert answer.evidence.content == xml.encode()


def test_the_xml_may_stand_at_the_top():
    body = registered()
    body["xml"] = body["retEvento"].pop("xml")

    answer = cancel(body)

    assert answer.evidence is not None
    assert answer.evidence.content == EVENT.encode()


def test_some_suites_say_135_and_put_everything_at_the_top():
    event = registered()["retEvento"]
    del event["cStat"]

    answer = cancel({"status": 135, **event})

    assert (answer.reaction, answer.protocol, answer.registered_at) == (CANCELLED, PROTOCOL, AT)
    assert answer.evidence is not None


@pytest.mark.parametrize("cStat", [135, 155, 136, 134, 101])
def test_a_success_without_xml_is_cancelled_without_evidence(cStat):
    for xml in (None, "", "  "):
        answer = cancel(registered(cStat, xml=xml))

        assert (answer.reaction, answer.evidence, answer.protocol) == (CANCELLED, None, PROTOCOL)


@pytest.mark.parametrize(("cStat", "word"), [(136, "linked"), (134, "alert")])
def test_a_registration_with_a_flaw_warns(cStat, word):
    (warning, *_) = cancel(registered(cStat)).warnings

    assert word in warning


def test_protocol_and_time_come_from_the_xml_where_the_answer_is_silent():
    answer = cancel(registered(nProt=None, dhRegEvento=None))

    assert (answer.protocol, answer.registered_at, answer.warnings) == (PROTOCOL, AT, ())


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [(f"<nProt>{PROTOCOL}", "<nProt>143180000009999", "nProt"), ("<cStat>135", "<cStat>136", "cStat")],
)
def test_an_xml_of_the_same_event_that_differs_warns_and_is_kept(old, new, name):
    xml = EVENT.replace(old, new)
    assert xml != EVENT

    answer = cancel(registered(xml=xml))

    assert answer.reaction is CANCELLED
    assert answer.evidence is not None
    assert answer.evidence.content == xml.encode()
    (warning,) = answer.warnings
    assert warning.startswith(name)


@pytest.mark.parametrize("cStat", [135, 155, 631, 101])
@pytest.mark.parametrize(
    ("old", "new", "warning"),
    [
        (f"<chBPe>{CHBPE}", f"<chBPe>{OTHER_KEY}", "the answer is about another key"),
        (f"ID110111{CHBPE}", f"ID110111{OTHER_KEY}", "the answer is about another key"),
        ("<tpEvento>110111", "<tpEvento>110115", "the event XML is not that of a registered cancellation"),
        ("<cStat>135", "<cStat>220", "the event XML is not that of a registered cancellation"),
        ("<cStat>135", "<cStat>999", "the event XML is not that of a registered cancellation"),
        ("<cStat>135", "<cStat>4711", "the event XML is not that of a registered cancellation"),
    ],
)
def test_an_xml_that_says_otherwise_leaves_it_to_the_look_up(old, new, warning, cStat):
    xml = EVENT.replace(old, new)
    assert xml != EVENT

    answer = cancel(registered(cStat, xml=xml))

    assert (answer.reaction, answer.reason) == (UNKNOWN, Reason.UNREADABLE_ANSWER)
    assert answer.may_have_acted
    assert answer.warnings == (warning,)


@pytest.mark.parametrize(
    ("xml", "media_type"),
    [
        ("not XML", "text/plain"),
        ("<procEventoBPe>", "application/xml"),
        ("<procEventoBPe>...</procEventoBPe>", "application/xml"),
        ('<!DOCTYPE a [<!ENTITY e "x">]><procEventoBPe/>', "application/xml"),
        ("\ud800<a/>", "text/plain"),
    ],
)
def test_an_xml_in_which_nothing_can_be_seen_is_kept_with_a_warning(xml, media_type):
    answer = cancel(registered(xml=xml))

    assert answer.reaction is CANCELLED
    assert answer.evidence is not None
    assert answer.evidence.media_type == media_type
    assert answer.evidence.content == xml.encode("utf-8", "surrogatepass")
    assert answer.warnings == ("the event XML cannot be read; it is kept as it came",)
    assert Answer.from_json(json.loads(json.dumps(answer.as_json()))).evidence == answer.evidence


def test_an_answer_about_another_key_is_unknown_as_in_the_documentation_s_own_sample():
    for body in (registered(chBPe=OTHER_KEY), refused(220, chBPe=OTHER_KEY), {"status": 135, "chBPe": OTHER_KEY}):
        answer = cancel(body)

        assert (answer.reaction, answer.may_have_acted, answer.evidence) == (UNKNOWN, True, None)
        assert answer.warnings == ("the answer is about another key",)


def test_where_only_the_xml_names_a_key_that_key_counts():
    foreign = EVENT.replace(CHBPE, OTHER_KEY)

    assert cancel(registered(chBPe=None, xml=foreign)).reaction is UNKNOWN
    assert cancel(registered(chBPe=None)).reaction is CANCELLED


def test_the_key_may_come_as_a_number():
    body = json.dumps(registered()).replace(f'"{CHBPE}"', CHBPE, 1).encode()

    assert cancel(body).reaction is CANCELLED


def test_protocols_and_codes_may_come_as_numbers():
    answer = cancel(registered(nProt=int(PROTOCOL)))

    assert answer.protocol == PROTOCOL


@pytest.mark.parametrize(
    ("suffix", "protocol", "at"),
    [
        (f"[nProt:{PROTOCOL}][dhRegEvento:{AT}]", PROTOCOL, AT),
        (f" [nProt: {PROTOCOL} ] [dhRegEvento: {AT} ]", PROTOCOL, AT),
        (f"[nProt:{PROTOCOL}]", PROTOCOL, None),
        (f"[dhRegEvento:{AT}]", None, AT),
        ("[nProt:14318000000262345]", "14318000000262345", None),
        ("[nProt:1431800000026234]", "1431800000026234", None),
        ("[nProt:14318000000262]", None, None),
        ("[nProt:143180000002623456]", None, None),
        ("[nProt:][dhRegEvento:]", None, None),
        ("", None, None),
    ],
)
def test_a_duplicate_tells_the_original_s_protocol(suffix, protocol, at):
    answer = cancel(refused(631, f"Rejeicao: Duplicidade de evento{suffix}"))

    assert (answer.reaction, answer.reason) == (CANCELLED, Reason.ALREADY_CANCELLED)
    assert (answer.protocol, answer.registered_at, answer.evidence) == (protocol, at, None)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"status": -3, "erro": {"cStat": 220, "motivo": "in motivo"}}, "in motivo"),
        ({"status": -3, "erro": "bare text"}, "bare text"),
        ({"status": -400, "motivo": "general", "erros": ["one", "two"]}, "one; two"),
        ({"status": -400, "motivo": "general", "erros": [{"motivo": "inside"}]}, "inside"),
        ({"status": -400, "motivo": "general", "erro": None, "erros": []}, "general"),
        ({"status": -400, "motivo": {"not": "text"}, "erro": [], "erros": {}}, None),
        ({"status": -400, "motivo": "a\r\nb\x00c" + "d" * 2_000}, "a b c" + "d" * 994 + "…"),
    ],
)
def test_the_words_are_found_wherever_they_stand(body, message):
    assert cancel(body).message == message


@pytest.mark.parametrize(
    "content",
    [
        b'{"status": 200, "retEvento": {"cStat": 135}, "retEvento": {"cStat": 220}}',
        b'{"status": 200, "retEvento": {"cStat": 135, "cStat": 136}}',
        b'{"status": 200, "retEvento": {"cStat": Infinity}}',
        b'{"status": 200, "retEvento": {"cStat": 135}} trailing',
        b'\xc3\xa3{"status": 200, "retEvento": {"cStat": 135}}',
        b'{"status": 200, "retEvento": {"cStat": 135}',
        '{"status": 200, "retEvento": {"cStat": 135}}'.encode("utf-16")[:-4],
        b'{"status": 200, "retEvento": {"cStat": 1\x0035}}',
    ],
)
def test_json_that_is_ambiguous_or_broken_is_unreadable(content):
    answer = cancel(content)

    assert (answer.reaction, answer.reason) == (UNKNOWN, Reason.UNREADABLE_ANSWER)


@pytest.mark.parametrize(
    "fields",
    [
        {"cStat": True},
        {"cStat": [135]},
        {"cStat": {"#text": 135}},
        {"cStat": 135.5},
        {"cStat": "135 "},
        {"cStat": None},
    ],
)
def test_a_code_is_a_number_or_text_and_nothing_else(fields):
    expected = CANCELLED if fields["cStat"] == "135 " else UNKNOWN

    assert cancel({"status": 200, "retEvento": fields}).reaction is expected


@pytest.mark.parametrize("value", [None, [], {}, "x", 1, [[]], [None], True])
@pytest.mark.parametrize("name", ["status", "motivo", "retEvento", "erro", "erros", "xml", "chBPe"])
def test_no_shape_of_any_field_breaks_the_reading(name, value):
    assert cancel({**refused(220), name: value}).reaction in {REJECTED, UNKNOWN}
    assert cancel({**registered(), name: value}).reaction in {CANCELLED, UNKNOWN}


def test_a_byte_order_mark_does_not_matter():
    assert cancel(b"\xef\xbb\xbf" + json.dumps(registered()).encode()).reaction is CANCELLED


def test_texts_may_hold_line_breaks_and_tabs():
    body = json.dumps(registered(xMotivo="two lines")).replace("two lines", "two\r\n\tlines").encode()

    assert (cancel(body).reaction, cancel(body).message) == (CANCELLED, "two lines")


def test_surrogates_in_the_words_can_still_be_stored():
    answer = cancel({"status": "\udce9", "motivo": "a\ud800b", "erro": {"cStat": "\ud800", "xMotivo": "c\udfffd"}})

    json.dumps(answer.as_json(), ensure_ascii=False).encode()


def test_the_secret_is_not_quoted_back():
    answer = cancel(refused(220, f"token {SECRET} refused"))

    assert answer.message == "token … refused"


def test_recorded_answers_carry_what_they_say():
    assert cancel(NS_BPE.answer("cancelled")).protocol == PROTOCOL
    assert cancel(NS_BPE.answer("already-cancelled")).registered_at == AT
    assert "legislação" in (cancel(NS_BPE.answer("rejected-latin-1")).message or "")
