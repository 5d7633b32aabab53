"""NS BP-e, answers to a look-up and to a download of the event."""

import json
from typing import Any

import pytest

from tests.support.fake_sender import FakeSender
from tests.support.provider_kits import CHBPE, NS_BPE, bpe_account, credentials
from worker.answer import Answer, Disproves, Reaction, Reason
from worker.providers.base import Inquirer
from worker.providers.ns_bpe import codes
from worker.providers.ns_bpe.adapter import NsBpe
from worker.sender import Failing, NotReceived, Received

REQUEST = NS_BPE.request
OTHER_KEY = "43180207364617000135630000000000301000000081"
PROTOCOL, AT = "143180000002623", "2018-02-21T14:58:46-03:00"
EVENT = json.loads(NS_BPE.answer("event"))["xml"]


def answered(body: Any, status: int = 200) -> NsBpe:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return NsBpe(bpe_account(), FakeSender(Received(status, {}, content)))


def look_up(body: Any, status: int = 200) -> Answer:
    return answered(body, status).look_up(REQUEST, credentials())


def download(body: Any, status: int = 200) -> Answer:
    return answered(body, status).evidence(REQUEST, credentials())


def situation(cStat: object, **more: object) -> dict[str, Any]:
    found = {"tpAmb": 2, "cStat": cStat, "xMotivo": "words", "chBPe": CHBPE, **more}
    return {"status": 200, "motivo": "Consulta realizada com sucesso", "retConsSitBPe": found}


def event(**changed: object) -> dict[str, Any]:
    fields = {"tpEvento": "110111", "cStat": "135", "chBPe": CHBPE, "nProt": PROTOCOL, "dhRegEvento": AT}
    return {**fields, **changed}


def downloaded(**changed: object) -> dict[str, Any]:
    found = {"cStat": "135", "xMotivo": "ok", "chBPe": CHBPE, "nProt": PROTOCOL, "dhRegEvento": AT}
    return {"status": 200, "motivo": "Evento localizado com sucesso", "retEvento": found, "xml": EVENT, **changed}


def assert_open(answer: Answer) -> None:
    assert answer.reaction is Reaction.UNKNOWN
    assert not answer.may_have_acted
    assert answer.evidence is None


def test_the_provider_can_be_asked():
    assert isinstance(answered(b""), Inquirer)


@pytest.mark.parametrize("as_written", [str, int])
@pytest.mark.parametrize(
    ("cStat", "reaction", "reason"),
    [
        ("100", Reaction.NOT_CANCELLED, None),
        ("101", Reaction.CANCELLED, Reason.ALREADY_CANCELLED),
        ("102", Reaction.REJECTED, Reason.NOT_CANCELLABLE),
        ("108", Reaction.TRANSIENT, None),
        ("109", Reaction.TRANSIENT, None),
        ("150", Reaction.NOT_CANCELLED, None),
        ("413", Reaction.NOT_CANCELLED, None),
        ("678", Reaction.ABUSE, None),
    ],
)
def test_every_deciding_code_of_a_look_up(cStat, reaction, reason, as_written):
    answer = look_up(situation(as_written(cStat)))

    assert (answer.reaction, answer.reason, answer.code) == (reaction, reason, cStat)
    assert answer.disproves is (Disproves.EVERY_RUN if cStat in {"100", "102", "150"} else Disproves.NOTHING)
    assert not answer.may_have_acted


def test_codes_with_leading_zeros_are_read_as_their_numbers():
    assert look_up(situation("0100")).reaction is Reaction.NOT_CANCELLED
    assert look_up(situation("0101")).reaction is Reaction.CANCELLED
    assert look_up(situation("0100", procEventoBPe=[event(cStat="0135")])).reaction is Reaction.CANCELLED
    assert (
        look_up(situation("100", procEventoBPe=EVENT.replace("<cStat>135", "<cStat>0135"))).reaction
        is Reaction.CANCELLED
    )
    found = downloaded()["retEvento"]
    assert download(downloaded(retEvento={**found, "cStat": "0135"})).evidence is not None


def test_the_table_holds_these_codes_and_no_others():
    assert list(codes.LOOK_UP) == ["100", "101", "102", "108", "109", "150", "413", "678"]


def test_a_halted_service_reads_as_for_a_cancel():
    """Without forecast it holds the whole account; where in the answer it stands, and what was asked, changes nothing."""
    for ask in (look_up, download):
        for body in (situation(109), {"status": -6, "erro": {"cStat": 109}}):
            answer = ask(body)
            assert (answer.reaction, answer.hold_account_s) == (Reaction.TRANSIENT, codes.HALTED_HOLD_S)
        assert (ask(situation(108)).reaction, ask(situation(108)).hold_account_s) == (Reaction.TRANSIENT, 0)


@pytest.mark.parametrize("cStat", [135, 217, 218, 220, 252, 631, 215, 996, 997, 999, 1, "x", None])
def test_any_other_code_is_asked_again(cStat):
    assert_open(look_up(situation(cStat)))
    assert_open(look_up({"status": -6, "motivo": "falha", "erro": {"cStat": cStat, "xMotivo": "words"}}))


@pytest.mark.parametrize("status", [-6, -999, -500, -2, -3, -400, 135, 200, None])
def test_a_look_up_without_a_situation_is_asked_again(status):
    assert_open(look_up({"status": status, "motivo": "words"}))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"status": -6, "motivo": "falha"}, None),
        ({"status": -6, "erro": {"cStat": "", "xMotivo": "falha"}}, None),
        ({"status": -6, "erro": {"cStat": 4711, "xMotivo": "falha"}}, None),
        ({"status": -999, "motivo": "erro interno"}, None),
        (situation(217), None),
        (situation(999), None),
        (situation(4711), Reason.UNREADABLE_ANSWER),
        (situation(None), Reason.UNREADABLE_ANSWER),
        ({"status": -3, "motivo": "?"}, Reason.UNREADABLE_ANSWER),
        ({"status": 4711}, Reason.UNREADABLE_ANSWER),
        (b"<html>", Reason.UNREADABLE_ANSWER),
        (b"", Reason.UNREADABLE_ANSWER),
    ],
    ids=str,
)
def test_only_what_nobody_understands_ends_as_unreadable(body, reason):
    """What was understood and settles nothing ends as given up."""
    answer = look_up(body)

    assert_open(answer)
    assert answer.reason is reason


@pytest.mark.parametrize("cStat", [413, "413"])
def test_413_is_found_in_the_error_as_well(cStat):
    answer = look_up({"status": -6, "erro": {"cStat": cStat, "xMotivo": "mais de 6 meses"}})

    assert answer.reaction is Reaction.NOT_CANCELLED


@pytest.mark.parametrize(("status", "body"), [(400, b""), (400, {"status": -400}), (403, b"<html>")])
def test_a_refused_look_up_rejects_nothing(status, body):
    assert_open(look_up(body, status))


def test_a_look_up_that_never_reached_the_service_is_transient():
    assert look_up(b"", 401).reaction is Reaction.TRANSIENT
    assert look_up(b"<html>", 421).reaction is Reaction.TRANSIENT


def test_account_and_abuse_read_as_for_a_cancel():
    for ask in (look_up, download):
        assert ask({"status": -401, "motivo": "x"}).reaction is Reaction.ACCOUNT
        assert ask({"status": 401, "motivo": "Token invalido"}, 401).reaction is Reaction.ACCOUNT
        assert ask({"status": -6, "erro": {"cStat": 678}}).reaction is Reaction.ABUSE
        assert ask({"status": -6, "erro": {"cStat": 656, "xMotivo": "Consumo Indevido"}}).reaction is Reaction.ABUSE
        assert ask(b"", 429).reaction is Reaction.TRANSIENT


@pytest.mark.parametrize("kind", [Failing.NO_ANSWER, Failing.UNREADABLE, Failing.NOT_SENT])
def test_an_exchange_that_failed_has_not_acted(kind):
    adapter = NsBpe(bpe_account(), FakeSender(NotReceived(kind, "x")))

    for answer in (adapter.look_up(REQUEST, credentials()), adapter.evidence(REQUEST, credentials())):
        assert answer.reaction in {Reaction.UNKNOWN, Reaction.TRANSIENT}
        assert not answer.may_have_acted


@pytest.mark.parametrize(
    "events",
    [
        EVENT,
        [EVENT],
        {"xml": EVENT},
        [{"xml": EVENT}],
        event(),
        [event()],
        [event(cStat=135, tpEvento=110111, nProt=int(PROTOCOL))],
        [{"retEventoBPe": {"infEvento": event()}, "eventoBPe": {"infEvento": {"chBPe": CHBPE}}}],
        [{"retEventoBPe": event()}],
        [{"infEvento": event()}],
        [event(tpEvento="110115"), None, 5, "garbage", event(cStat="155")],
        [event(cStat="134")],
    ],
)
@pytest.mark.parametrize("cStat", [101, 100, 999, None])
def test_a_linked_cancellation_event_of_our_key_settles_it(events, cStat):
    answer = look_up(situation(cStat, procEventoBPe=events))

    assert (answer.reaction, answer.reason) == (Reaction.CANCELLED, Reason.ALREADY_CANCELLED)
    assert (answer.protocol, answer.registered_at) == (PROTOCOL, AT)


def test_the_code_is_the_one_that_decided():
    assert look_up(situation(101, procEventoBPe=event())).code == "101"
    by_event = look_up(situation(100, procEventoBPe=event(cStat="155")))
    assert (by_event.code, by_event.message) == ("155", None)
    assert by_event.provider_status == {"status": "200", "cStat": "100"}


@pytest.mark.parametrize("events", [EVENT, [{"xml": EVENT}]])
def test_its_xml_is_the_evidence_where_it_is_there_as_text(events):
    answer = look_up(situation(101, procEventoBPe=events))

    assert answer.evidence is not None
    assert answer.evidence.content == EVENT.encode()


@pytest.mark.parametrize(
    "events",
    [
        None,
        [],
        {},
        "",
        "garbage",
        5,
        event(chBPe=OTHER_KEY),
        EVENT.replace(CHBPE, OTHER_KEY),
        event(tpEvento="110115"),
        event(cStat="136"),
        event(cStat="631"),
        event(cStat=None),
        event(chBPe=None),
    ],
)
def test_no_other_event_settles_anything(events):
    assert look_up(situation(100, procEventoBPe=events)).reaction is Reaction.NOT_CANCELLED
    assert_open(look_up(situation(999, procEventoBPe=events)))


@pytest.mark.parametrize("events", [None, [], {}, "garbage", event(chBPe=OTHER_KEY)])
def test_101_without_an_event_of_ours_is_cancelled_without_evidence(events):
    answer = look_up(situation(101, procEventoBPe=events))

    assert (answer.reaction, answer.evidence, answer.protocol) == (Reaction.CANCELLED, None, None)


@pytest.mark.parametrize("cStat", [100, 101, 102, 150])
@pytest.mark.parametrize(
    "foreign",
    [
        {"chBPe": OTHER_KEY},
        {"chBPe": None, "protBPe": [{"chBPe": OTHER_KEY}]},
        {"chBPe": None, "protBPe": {"infProt": {"chBPe": OTHER_KEY}}},
        {"chBPe": OTHER_KEY, "tpAmb": 1},
    ],
)
def test_a_situation_of_another_key_says_nothing(cStat, foreign):
    answer = look_up(situation(cStat, **foreign))

    assert_open(answer)
    assert answer.warnings == ("the answer is about another key",)


@pytest.mark.parametrize("cStat", [100, 101, 102, 150])
@pytest.mark.parametrize("tpAmb", [1, "1"])
def test_a_situation_of_the_other_environment_says_nothing(cStat, tpAmb):
    answer = look_up(situation(cStat, tpAmb=tpAmb))

    assert_open(answer)
    assert answer.warnings == ("the answer is about the other environment (tpAmb)",)


@pytest.mark.parametrize("silent", [{"chBPe": None}, {"tpAmb": None}, {"protBPe": None}, {"protBPe": [{}]}])
def test_a_situation_that_names_no_key_is_about_ours(silent):
    assert look_up(situation(100, **silent)).reaction is Reaction.NOT_CANCELLED


def test_recorded_look_ups_are_read():
    assert look_up(NS_BPE.answer("look-up-authorised")).reaction is Reaction.NOT_CANCELLED
    cancelled = look_up(NS_BPE.answer("look-up-cancelled"))
    assert cancelled.reaction is Reaction.CANCELLED
    assert cancelled.evidence is not None


def test_a_download_gives_the_event_and_its_protocol():
    answer = download(NS_BPE.answer("event"))

    assert answer.reaction is Reaction.CANCELLED
    assert (answer.protocol, answer.registered_at, answer.warnings) == (PROTOCOL, AT, ())
    assert answer.evidence is not None
    assert answer.evidence.content == EVENT.encode()


def test_a_download_may_carry_the_xml_inside():
    body = downloaded(xml=None)
    body["retEvento"]["xml"] = EVENT

    assert download(body).evidence is not None


def test_an_event_that_is_registered_but_not_linked_is_evidence_too():
    xml = EVENT.replace("<cStat>135", "<cStat>136")

    answer = download(downloaded(retEvento={"cStat": 136}, xml=xml))

    assert answer.evidence is not None


@pytest.mark.parametrize(
    "body",
    [
        NS_BPE.answer("event-missing"),
        downloaded(xml=None),
        downloaded(xml=""),
        downloaded(retEvento=None),
        downloaded(retEvento={"cStat": 631}),
        {"status": 200},
        b"",
        b"<html>",
        b"[",
    ],
)
def test_a_download_that_brings_nothing_is_asked_again(body):
    assert_open(download(body))


def test_a_download_that_says_why_names_its_code():
    """An answer with a code says nothing against the provider's health."""
    assert download(NS_BPE.answer("event-missing")).code == "-6"
    assert download({"status": -6, "motivo": "nao localizado"}, 404).code == "-6"


def test_an_event_of_another_key_is_no_evidence():
    foreign = EVENT.replace(CHBPE, OTHER_KEY)

    assert_open(download(downloaded(xml=foreign)))
    assert_open(download(downloaded(retEvento={"cStat": 135, "chBPe": OTHER_KEY})))


def test_an_event_that_disagrees_elsewhere_is_kept_with_a_warning():
    answer = download(downloaded(xml=EVENT.replace(f"<nProt>{PROTOCOL}", "<nProt>143180000009999")))

    assert answer.evidence is not None
    (warning,) = answer.warnings
    assert warning.startswith("nProt")
