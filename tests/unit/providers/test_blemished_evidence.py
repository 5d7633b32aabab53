"""Evidence that says otherwise is heard however it comes, and evidence that is not whole is never agreement."""

import base64
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.evidence_wrappings import HIDDEN, READABLE, VISIBLE
from tests.support.fake_sender import FakeSender
from tests.support.provider_kits import CHBPE, NS_BPE, SECRET, SOLUCION_FACTIBLE, UUID, bpe_account, credentials
from worker.answer import Answer, Reaction, Reason
from worker.providers import visible
from worker.providers.ns_bpe import event
from worker.providers.ns_bpe.adapter import NsBpe
from worker.providers.solucion_factible import answers
from worker.providers.solucion_factible.wire import Reply
from worker.sender import Received

OTHER_UUID = "99999999-2222-4333-8444-555555555555"
OTHER_KEY = "43180207364617000135630000000000301000000081"
ACUSE = (
    '<?xml version="1.0" encoding="utf-8"?><Acuse Fecha="2022-10-27T11:02:56.2475804" RfcEmisor="AAA010101AAA">'
    '<Folios xmlns="http://cancelacfd.sat.gob.mx"><UUID>{uuid}</UUID><EstatusUUID>{estatus}</EstatusUUID></Folios>'
    '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignatureValue>bm8gcmVhbCBzaWduYXR1cmU=</SignatureValue>'
    "</Signature></Acuse>"
)
EVENT = json.loads(NS_BPE.answer("event"))["xml"].replace("Cancelamento pedido", "AAA pedido")
DISAGREES = (Reaction.UNRESOLVED, Reason.EVIDENCE_DISAGREES)
UNREADABLE = (Reaction.UNRESOLVED, Reason.UNREADABLE_ANSWER)
UNKNOWN = (Reaction.UNKNOWN, Reason.UNREADABLE_ANSWER)
CANCELLED = (Reaction.CANCELLED, Reason.CANCELLED)


def as_text(content: bytes) -> str:
    """What an envelope or JSON carries: letters; bytes that are none come as base64."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return base64.b64encode(content).decode()


def acuse(content: bytes) -> Answer:
    """The answer of 200 with this acuse."""
    reply = Reply(status="200", acuse=as_text(content))
    return answers.to_cancel(reply, http_status=200, uuid=UUID, secret=SECRET)


def registered(content: bytes, *, call: str = "cancel", key: str | None = None) -> Answer:
    """The answer of 135 with this event XML."""
    found = {"cStat": 135, "nProt": "143180000002623", "chBPe": key, "xml": as_text(content)}
    return _answered({"status": 200, "retEvento": found}, call)


def looked_up(content: bytes, cStat: int) -> Answer:
    """The look-up that has this event XML."""
    return _answered({"status": 200, "retConsSitBPe": {"cStat": cStat, "procEventoBPe": [as_text(content)]}}, "look_up")


def _answered(body: object, call: str) -> Answer:
    adapter = NsBpe(bpe_account(), FakeSender(Received(200, {}, json.dumps(body).encode())))
    answer = getattr(adapter, call)(NS_BPE.request, credentials())
    assert isinstance(answer, Answer)
    return answer


def saying(answer: Answer) -> tuple[Reaction, Reason | None]:
    return answer.reaction, answer.reason


def each(wrappings: dict[str, Callable[[str], bytes]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("wrap", wrappings.values(), ids=wrappings)


@each(READABLE)
def test_an_acuse_is_read_however_it_comes(wrap):
    agreeing = acuse(wrap(ACUSE.format(uuid=UUID, estatus=201)))

    assert (saying(agreeing), agreeing.warnings) == (CANCELLED, ())
    assert saying(acuse(wrap(ACUSE.format(uuid=UUID, estatus=205)))) == DISAGREES
    assert saying(acuse(wrap(ACUSE.format(uuid=OTHER_UUID, estatus=201)))) == UNKNOWN


@each(VISIBLE)
def test_an_acuse_that_is_not_whole_is_heard_only_against_a_cancellation(wrap):
    assert saying(acuse(wrap(ACUSE.format(uuid=UUID, estatus=201)))) in {UNREADABLE, DISAGREES}
    assert saying(acuse(wrap(ACUSE.format(uuid=UUID, estatus=205)))) == DISAGREES
    assert saying(acuse(wrap(ACUSE.format(uuid=OTHER_UUID, estatus=201)))) == UNKNOWN


@each(VISIBLE)
def test_an_acuse_that_is_not_whole_is_kept_with_a_warning(wrap):
    answer = acuse(wrap(ACUSE.format(uuid=UUID, estatus=205)))

    assert answer.evidence is not None
    assert answer.warnings == ("the acuse is damaged and proves nothing; it is kept as it came",)


@each(HIDDEN)
def test_an_acuse_in_which_nothing_can_be_seen_is_as_none(wrap):
    answer = acuse(wrap(ACUSE.format(uuid=UUID, estatus=205)))

    assert saying(answer) == CANCELLED
    assert answer.evidence is not None
    assert answer.warnings == ("the acuse cannot be read; it is kept as it came",)


@each(READABLE)
def test_an_event_is_read_however_it_comes(wrap):
    agreeing = registered(wrap(EVENT))

    assert (saying(agreeing), agreeing.warnings) == (CANCELLED, ())
    for otherwise in (EVENT.replace(CHBPE, OTHER_KEY), EVENT.replace("<cStat>135", "<cStat>220")):
        assert saying(registered(wrap(otherwise))) == UNKNOWN
        assert saying(registered(wrap(otherwise), key=CHBPE)) == UNKNOWN


@each(VISIBLE)
@pytest.mark.parametrize("key", [None, CHBPE])
def test_an_event_that_is_not_whole_leaves_it_to_the_look_up(wrap, key):
    for text in (EVENT, EVENT.replace(CHBPE, OTHER_KEY), EVENT.replace("<cStat>135", "<cStat>220")):
        answer = registered(wrap(text), key=key)

        assert saying(answer) == UNKNOWN
        assert answer.may_have_acted


@each(READABLE)
def test_a_download_and_a_look_up_take_a_whole_event_however_it_comes(wrap):
    downloaded, by_event = registered(wrap(EVENT), call="evidence"), looked_up(wrap(EVENT), 100)

    assert downloaded.evidence is not None
    assert by_event.reaction is Reaction.CANCELLED
    assert by_event.evidence == downloaded.evidence


@each({**VISIBLE, **HIDDEN})
def test_a_download_or_a_look_up_takes_no_event_that_is_not_whole(wrap):
    downloaded = registered(wrap(EVENT), call="evidence")

    assert (downloaded.reaction, downloaded.evidence) == (Reaction.UNKNOWN, None)
    assert looked_up(wrap(EVENT), 100).reaction in {Reaction.NOT_CANCELLED, Reaction.UNKNOWN}
    assert looked_up(wrap(EVENT), 101).evidence is None


@each({**READABLE, **VISIBLE})
def test_a_situation_whose_only_event_is_another_ticket_s_says_nothing(wrap):
    assert looked_up(wrap(EVENT.replace(CHBPE, OTHER_KEY)), 101).reaction is Reaction.UNKNOWN


@pytest.mark.parametrize(
    ("written", "kept", "media_type"),
    [
        ("{}", "{}", "application/xml"),
        ("\r\n{}\n\n", "\r\n{}\n\n", "application/xml"),
        ("\ufeff{}\0", "\ufeff{}\0", "application/xml"),
        ("{}OK", "{}OK", "application/xml"),
        ("OK{}", "OK{}", "text/plain"),
    ],
)
def test_evidence_is_kept_byte_for_byte_as_it_came_or_out_of_its_base64(written, kept, media_type):
    xml = ACUSE.format(uuid=UUID, estatus=205)
    content = written.format(xml).encode()

    for came in (content, *([base64.b64encode(content), base64.encodebytes(base64.b64encode(content))])):
        answer = acuse(came)

        assert answer.evidence is not None
        if media_type == "application/xml":
            assert answer.evidence.content == kept.format(xml).encode()
        else:
            assert answer.evidence.content == came
        assert answer.evidence.media_type == media_type


def test_escaped_evidence_keeps_its_escapes():
    content = READABLE["escaped"](ACUSE.format(uuid=UUID, estatus=201))

    answer = acuse(content)

    assert answer.evidence is not None
    assert (answer.evidence.content, answer.evidence.media_type) == (content, "text/plain")


FOLIOS = "<Folios><UUID>{}</UUID><EstatusUUID>{}</EstatusUUID></Folios>"


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (f"<Folios><EstatusUUID>205</EstatusUUID><UUID>{UUID}</UUID></Folios>", DISAGREES),
        (f"<Folios><EstatusUUID>201</EstatusUUID><UUID>{UUID}</UUID></Folios>", CANCELLED),
        (f"<a><UUID>{UUID}</UUID></a><b><EstatusUUID>205</EstatusUUID></b>", DISAGREES),
        (f"<UUID>{UUID}</UUID><Estatus>205</Estatus>", DISAGREES),
        (f'<UUID>{UUID}</UUID><EstatusUUID codigo="205"/>', DISAGREES),
        (f"<UUID>{UUID}</UUID><EstatusUUID><codigo>205</codigo></EstatusUUID>", DISAGREES),
        (f"<UUID>{UUID}</UUID><EstatusUUID>2<!-- -->05</EstatusUUID>", DISAGREES),
        (f"<UUID>{UUID}</UUID><EstatusUUID>2<a/>05</EstatusUUID>", DISAGREES),
        (f"<UUID>{UUID}</UUID><EstatusUUID><![CDATA[205]]></EstatusUUID>", DISAGREES),
        (f"<UUID>{UUID}</UUID><EstatusUUID>&#50;05</EstatusUUID>", DISAGREES),
        (f'<Folios UUID="{UUID}" EstatusUUID="205"/>', DISAGREES),
        (f'<Folios UUID="{UUID}" EstatusUUID="201"/>', UNREADABLE),
        (f'<Folios UUID="{OTHER_UUID}" EstatusUUID="201"/>', UNKNOWN),
        (f"<uuid>{UUID}</uuid><estatusuuid>205</estatusuuid>", DISAGREES),
        (f"<uuid>{OTHER_UUID}</uuid><estatusuuid>201</estatusuuid>", UNKNOWN),
        (f'<p:UUID xmlns:p="x">{UUID}</p:UUID><q:EstatusUUID xmlns:q="y">205</q:EstatusUUID>', DISAGREES),
        (f"<UUID>{{{UUID}}}</UUID><EstatusUUID>201</EstatusUUID>", CANCELLED),
        (f"<UUID>{UUID.replace('-', '').lower()}</UUID><EstatusUUID>201</EstatusUUID>", CANCELLED),
        (f"<UUID>{OTHER_UUID.replace('-', '')}</UUID><EstatusUUID>201</EstatusUUID>", UNKNOWN),
        (f"<UUID>{UUID[:-1]}</UUID><EstatusUUID>201</EstatusUUID>", UNKNOWN),
        ("<UUID/><EstatusUUID>205</EstatusUUID>", DISAGREES),
        ("<UUID/><EstatusUUID>201</EstatusUUID>", UNREADABLE),
        ("<EstatusUUID>201</EstatusUUID>", UNREADABLE),
        (FOLIOS.format(OTHER_UUID, 205) + FOLIOS.format(UUID, 201), CANCELLED),
        (FOLIOS.format(OTHER_UUID, 201) + FOLIOS.format(UUID, 205), DISAGREES),
        (FOLIOS.format(UUID, 201) + FOLIOS.format(OTHER_UUID, 205) + "<a>", DISAGREES),
        (f"<UUID>{UUID}</UUID><UUID>{OTHER_UUID}</UUID><EstatusUUID>205</EstatusUUID>", DISAGREES),
    ],
)
def test_a_code_against_is_found_wherever_an_acuse_has_it(inside, expected):
    assert saying(acuse(f"<Acuse>{inside}</Acuse>".encode())) == expected


@pytest.mark.parametrize("text", ["<UUID>1111", f"no hay acuse de {UUID}", "EstatusUUID: 201", f"[{UUID.lower()}]"])
def test_what_is_no_acuse_and_visibly_names_something_is_no_agreement(text):
    assert saying(acuse(text.encode())) in {UNREADABLE, DISAGREES}


def test_only_the_part_of_an_event_that_the_authority_wrote_makes_it_whole():
    request_alone = EVENT.partition("<retEventoBPe")[0] + "</procEventoBPe>"

    assert saying(registered(request_alone.encode(), key=CHBPE)) == UNKNOWN


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"xmlEvento": EVENT.replace(CHBPE, OTHER_KEY)},
        {"evento": {"conteudo": [EVENT.replace(CHBPE, OTHER_KEY)]}},
        {"xmlEvento": EVENT.replace("<cStat>135", "<cStat>220")},
        {"xml": [EVENT.replace("<cStat>135", "<cStat>220")]},
        {"xml": {"texto": EVENT[:-20]}},
        {"retEvento": {"cStat": 135, "xml": EVENT}, "xml": EVENT.replace(CHBPE, OTHER_KEY)},
        {"chaveConsultada": OTHER_KEY},
    ],
)
def test_an_event_in_a_field_where_nobody_expects_it_is_heard_too(elsewhere):
    answer = _answered({"status": 200, "retEvento": {"cStat": 135, "chBPe": CHBPE}, **elsewhere}, "cancel")

    assert saying(answer) == UNKNOWN


@pytest.mark.parametrize("codes", [(201, 205), (205, 201), (201, 201)])
def test_two_acuses_in_one_answer_agree_on_nothing(codes):
    acuses = [READABLE["base64"](ACUSE.format(uuid=UUID, estatus=code)).decode() for code in codes]

    assert saying(enveloped("".join(f"<acuseSat>{one}</acuseSat>" for one in acuses))) == UNKNOWN


def test_an_empty_acuse_beside_another_hides_nothing():
    one = READABLE["base64"](ACUSE.format(uuid=UUID, estatus=205)).decode()

    assert saying(enveloped(f"<acuseSat/><acuseSat>{one}</acuseSat>")) == DISAGREES


def enveloped(acuses: str) -> Answer:
    envelope = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><r><status>200</status>'
        f"{acuses}</r></s:Body></s:Envelope>"
    )
    adapter = SOLUCION_FACTIBLE.adapter(FakeSender(Received(200, {}, envelope.encode())))
    return adapter.cancel(SOLUCION_FACTIBLE.request, credentials())


def test_what_is_too_long_to_be_looked_through_is_no_agreement():
    noise = "#" * (visible.LONGEST + 1)

    assert saying(acuse(noise.encode())) == UNREADABLE
    assert saying(registered(noise.encode(), key=CHBPE)) == UNKNOWN
    assert saying(acuse(noise[1:].encode())) == CANCELLED


def test_an_event_s_key_is_not_mistaken_within_its_id():
    assert event.keys_in(f"ID110111{CHBPE}01", CHBPE) == {CHBPE}
    assert OTHER_KEY not in event.keys_in(EVENT, CHBPE)


@given(st.text() | st.binary().map(lambda content: content.decode("latin-1")))
def test_no_evidence_breaks_the_reading(text):
    assert acuse(text.encode()).reaction in {Reaction.CANCELLED, Reaction.UNRESOLVED, Reaction.UNKNOWN}
    assert registered(text.encode(), key=CHBPE).reaction in {Reaction.CANCELLED, Reaction.UNKNOWN}
