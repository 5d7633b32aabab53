"""NS BP-e's side of the sandbox, asked in plain HTTP."""

from datetime import datetime, timedelta, timezone

import pytest

from tests.support.sandbox import N_PROT, X_JUST, cancellation, running_sandbox
from tests.support.waiting import wait_until
from worker.documents import check_digit
from worker.sandbox.numbers import WELL_KNOWN, sandbox_chbpe

pytestmark = pytest.mark.integration
CANCELLABLE = "43180207364617000135630000000000311000000089"
UNKNOWN = "4322050736461700013563060000000008196355006"
UNKNOWN += check_digit(UNKNOWN)


@pytest.fixture(scope="module")
def running():
    with running_sandbox(xml_later_s=0.3) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running):
    running.reset()
    return running


def error(reply):
    assert reply.status_code == 200
    return reply.json()["status"], reply.json()["erro"]["cStat"]


def test_the_documented_example_is_cancelled_as_documented(sandbox):
    answer = sandbox.cancel_bpe(CANCELLABLE).json()

    event = answer["retEvento"]
    assert (answer["status"], event["cStat"], event["chBPe"]) == (200, 135, CANCELLABLE)
    assert len(event["nProt"]) == 15
    assert event["xml"].startswith('<?xml version="1.0" encoding="utf-8"?><procEventoBPe')
    assert all(word in event["xml"] for word in (f"ID110111{CANCELLABLE}01", event["nProt"], N_PROT, X_JUST))


@pytest.mark.parametrize("key", [document for document in WELL_KNOWN if len(document) == 44])
def test_the_keys_of_the_documents_are_ordinary_tickets(sandbox, key):
    assert sandbox.look_up(key).json()["retConsSitBPe"]["cStat"] == "100"
    assert sandbox.cancel_bpe(key).json()["retEvento"]["cStat"] == 135


def test_a_repeat_names_the_original_protocol(sandbox):
    first = sandbox.cancel_bpe(CANCELLABLE).json()["retEvento"]

    repeat = sandbox.cancel_bpe(CANCELLABLE)

    assert error(repeat) == (-3, 631)
    suffix = f"[nProt:{first['nProt']}][dhRegEvento:{first['dhRegEvento']}]"
    assert repeat.json()["erro"]["xMotivo"].endswith(suffix)


def test_look_up_and_download_show_the_same_event(sandbox):
    first = sandbox.cancel_bpe(CANCELLABLE).json()["retEvento"]

    situation = sandbox.look_up(CANCELLABLE).json()["retConsSitBPe"]
    download = sandbox.download(CANCELLABLE).json()

    assert situation["cStat"] == "101"
    assert situation["procEventoBPe"][0]["retEventoBPe"]["infEvento"]["nProt"] == first["nProt"]
    assert download["retEvento"]["cStat"] == "135"
    assert download["xml"] == first["xml"]


def test_there_is_no_event_to_download_before_the_cancellation(sandbox):
    assert sandbox.download(CANCELLABLE).json()["status"] == -2


REJECTIONS = "203 215 216 217 218 220 222 224 226 236 252 504 600 627 628 629 630 632 633 634 635 636 637 656 678 777 108 109 286 296 997 999"


@pytest.mark.parametrize("cstat", [int(code) for code in REJECTIONS.split()])
def test_every_code_of_the_authority_is_had_by_its_number(sandbox, cstat):
    assert error(sandbox.cancel_bpe(sandbox_chbpe(cstat))) == (-3, cstat)


def test_still_processing_comes_under_status_minus_2(sandbox):
    key = sandbox_chbpe(996, first_calls=1)

    assert error(sandbox.cancel_bpe(key)) == (-2, 996)
    assert sandbox.cancel_bpe(key).json()["retEvento"]["cStat"] == 135


@pytest.mark.parametrize("cstat", [135, 155, 136, 134, 101])
def test_every_code_of_success_is_had_by_its_number(sandbox, cstat):
    key = sandbox_chbpe(cstat)

    event = sandbox.cancel_bpe(key).json()["retEvento"]

    assert event["cStat"] == cstat
    assert sandbox.download(key).json()["xml"] == event["xml"]


@pytest.mark.parametrize("status", [-2, -3, -6, -400, -401, -500, -999])
def test_every_status_of_the_provider_is_had_by_its_number(sandbox, status):
    answer = sandbox.cancel_bpe(sandbox_chbpe(status)).json()

    assert answer["status"] == status
    assert "erro" not in answer


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 500, 502, 503, 504])
def test_every_http_error_is_had_by_its_number(sandbox, status):
    reply = sandbox.cancel_bpe(sandbox_chbpe(f"http-{status}"))

    assert reply.status_code == status
    expected = {400: None, 401: "application/json", 403: "application/json"}.get(status, "text/html")
    assert (reply.headers.get("content-type") or "None").startswith(str(expected))
    assert bool(reply.content) is (status != 400)


def test_a_duplicate_is_found_before_the_deadline(sandbox):
    key = sandbox_chbpe(220)
    assert error(sandbox.cancel_bpe(key)) == (-3, 220)
    sandbox.put(key, "135")
    sandbox.cancel_bpe(key)

    future = (datetime.now(timezone(timedelta(hours=-3))) + timedelta(hours=2)).isoformat(timespec="seconds")

    assert error(sandbox.cancel_bpe(key, dhEvento=future)) == (-3, 631)


def test_an_event_in_the_future_is_635(sandbox):
    future = (datetime.now(timezone(timedelta(hours=-3))) + timedelta(minutes=6)).isoformat(timespec="seconds")

    assert error(sandbox.cancel_bpe(CANCELLABLE, dhEvento=future)) == (-3, 635)
    assert sandbox.document(CANCELLABLE)["cancelled"] is False


def test_a_duplicate_can_come_without_its_protocol(sandbox):
    key = sandbox_chbpe("631-no-suffix")

    assert sandbox.cancel_bpe(key).json()["erro"]["xMotivo"].endswith("evento")
    assert sandbox.look_up(key).json()["retConsSitBPe"]["cStat"] == "101"


def test_218_is_confirmed_by_a_look_up_or_is_not(sandbox):
    confirmed, not_confirmed = sandbox_chbpe(218), sandbox_chbpe("218-look-up-100")

    assert error(sandbox.cancel_bpe(confirmed)) == error(sandbox.cancel_bpe(not_confirmed)) == (-3, 218)
    assert sandbox.look_up(confirmed).json()["retConsSitBPe"]["cStat"] == "101"
    assert sandbox.look_up(not_confirmed).json()["retConsSitBPe"]["cStat"] == "100"


def test_an_event_xml_can_appear_later(sandbox):
    key = sandbox_chbpe("xml-later")
    assert "xml" not in sandbox.cancel_bpe(key).json()["retEvento"]

    assert sandbox.download(key).json()["status"] == -2

    wait_until(lambda: sandbox.download(key).json()["status"] == 200)
    assert "<procEventoBPe" in sandbox.download(key).json()["xml"]


def test_untidy_answers_are_had_by_number(sandbox):
    def cancelled(name):
        return sandbox.cancel_bpe(sandbox_chbpe(name)).json()

    assert (cancelled("strings")["status"], sandbox.cancel_bpe(sandbox_chbpe("strings")).json()["erro"]["cStat"]) == (
        "200",
        "631",
    )
    assert cancelled("erros")["erros"][0].startswith("Rejeição")
    assert cancelled("status-135")["status"] == 135
    assert "<procEventoBPe" in cancelled("top-level-xml")["xml"]
    assert "xMotivo" not in cancelled("motivo")["erro"]
    assert cancelled("other-key")["retEvento"]["chBPe"] != sandbox_chbpe("other-key")
    assert "retEvento" not in cancelled("no-event")
    assert isinstance(cancelled("number-protocol")["retEvento"]["nProt"], int)
    assert "143269999999999" in cancelled("xml-other-protocol")["retEvento"]["xml"]
    assert sandbox_chbpe("xml-other-key") not in cancelled("xml-other-key")["retEvento"]["xml"]


@pytest.mark.parametrize("name", ["look-up-100", "look-up-150"])
def test_what_was_not_cancelled_is_looked_up_as_cancelled_once_a_repeat_has_cancelled_it(sandbox, name):
    key = sandbox_chbpe(name, 77)
    sandbox.cancel_bpe(key)
    sandbox.cancel_bpe(key)

    assert sandbox.look_up(key).json()["retConsSitBPe"]["cStat"] == "101"


@pytest.mark.parametrize(
    "name, cancelled, look_up, repeat",
    [
        ("look-up-100", False, "100", 135),
        ("look-up-150", False, "150", 135),
        ("look-up-101", True, "101", 631),
        ("look-up-102", False, "102", 224),
        ("look-up-413", True, "413", 631),
        ("look-up-stale-100", True, "100", 631),
        ("look-up-217", True, "217", 631),
    ],
)
def test_a_lost_answer_is_cleared_up_by_look_up_and_repeat(sandbox, name, cancelled, look_up, repeat):
    key = sandbox_chbpe(name)

    assert sandbox.cancel_bpe(key).json()["status"] == -999
    assert sandbox.document(key)["cancelled"] is cancelled
    assert sandbox.look_up(key).json()["retConsSitBPe"]["cStat"] == look_up
    answer = sandbox.cancel_bpe(key).json()
    assert (answer.get("retEvento") or answer.get("erro"))["cStat"] == repeat


@pytest.mark.parametrize("name, status", [("look-up-6", -6), ("look-up-999", -999)])
def test_a_look_up_can_fail(sandbox, name, status):
    key = sandbox_chbpe(name)
    sandbox.cancel_bpe(key)

    assert sandbox.look_up(key).json()["status"] == status


def test_events_of_a_look_up_come_as_list_object_or_not_at_all(sandbox):
    def events(name):
        sandbox.cancel_bpe(sandbox_chbpe(name))
        return sandbox.look_up(sandbox_chbpe(name)).json()["retConsSitBPe"].get("procEventoBPe")

    assert isinstance(events("look-up-101"), list)
    assert isinstance(events("one-object"), dict)
    assert events("no-list") is None
    assert events("event-only")


def test_tokens_are_checked(sandbox):
    assert sandbox.cancel_bpe(CANCELLABLE, token="").status_code == 401
    assert sandbox.cancel_bpe(CANCELLABLE, token="unknown").status_code == 401
    assert sandbox.cancel_bpe(CANCELLABLE, token="sandbox-token:403").status_code == 403
    assert sandbox.cancel_bpe(CANCELLABLE, token="sandbox-token:-401").json()["status"] == -401
    assert error(sandbox.cancel_bpe(CANCELLABLE, token="sandbox-token:678")) == (-3, 678)
    assert sandbox.document(CANCELLABLE)["cancelled"] is False


def test_requests_that_break_a_rule_are_rejected_by_that_rule(sandbox):
    assert error(sandbox.cancel_bpe(UNKNOWN)) == (-3, 217)
    assert error(sandbox.cancel_bpe(CANCELLABLE, tpAmb=1)) == (-3, 252)
    assert error(sandbox.cancel_bpe(CANCELLABLE, xJust="too short")) == (-3, 215)
    assert error(sandbox.cancel_bpe(CANCELLABLE, dhEvento="2026-01-15T12:00:00Z")) == (-3, 215)
    assert sandbox.cancel_bpe(CANCELLABLE, xJust=None).json()["status"] == -400
    assert sandbox.cancel_bpe(CANCELLABLE[:-1] + "0").json()["status"] == -2


def test_keys_and_protocols_are_taken_as_numbers_too(sandbox):
    assert sandbox.cancel_bpe(CANCELLABLE, chBPe=int(CANCELLABLE), nProt=int(N_PROT)).json()["status"] == 200


def test_an_unknown_ticket_is_217_in_a_look_up(sandbox):
    assert sandbox.look_up(UNKNOWN).json()["retConsSitBPe"]["cStat"] == "217"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"a": 1' + b"0" * 5_000 + b"}"], ids=range(6)
)
def test_wrongly_assembled_data_is_http_400_without_a_body(sandbox, body):
    reply = sandbox.http.post(f"{sandbox.url}/v1/bpe/cancel", content=body, headers={"x-auth-token": "sandbox-token"})

    assert (reply.status_code, reply.content) == (400, b"")


def test_a_production_sandbox_wants_tp_amb_1():
    with running_sandbox(environment="production") as production:
        assert error(production.post_bpe("cancel", cancellation(CANCELLABLE))) == (-3, 252)
        assert production.cancel_bpe(CANCELLABLE, tpAmb=1).json()["status"] == 200
