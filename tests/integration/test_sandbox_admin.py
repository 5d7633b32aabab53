"""What the sandbox tells about itself, how it is set, and how it stops."""

import signal

import httpx
import pytest

from tests.support.sandbox import running_sandbox, sandbox_process
from worker.sandbox import SandboxOptions, serve
from worker.sandbox.accounts import PASSWORD, TOKEN, USER, token_label
from worker.sandbox.numbers import sandbox_chbpe, sandbox_uuid

pytestmark = pytest.mark.integration
FOREIGN = "00000000-0000-4000-8000-{:012d}"


@pytest.fixture(scope="module")
def running():
    with running_sandbox(max_calls_kept=50) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running):
    running.reset()
    return running


def test_every_call_is_recorded_in_order_with_its_answer(sandbox):
    uuid, key = sandbox_uuid(213), sandbox_chbpe(135)
    sandbox.cancel_uuid(uuid)
    sandbox.cancel_bpe(key)
    sandbox.cancel_bpe(key)
    sandbox.look_up(key)
    sandbox.download(key)

    calls = sandbox.calls()

    told = [(call["index"], call["kind"], call["document"], call["code"]) for call in calls]
    assert told == [
        (0, "cancel", uuid, "213"),
        (1, "cancel", key, "135"),
        (2, "cancel", key, "-3/631"),
        (3, "look-up", key, "200/101"),
        (4, "download", key, "200/135"),
    ]
    assert (calls[0]["account"], calls[1]["account"]) == (USER, token_label(TOKEN))
    assert all(call["started"] <= call["ended"] for call in calls)


def test_every_call_tells_which_evidence_was_made_last(sandbox):
    uuid = sandbox_uuid(200)
    sandbox.cancel_uuid(sandbox_uuid(204))
    sandbox.cancel_uuid(uuid)
    first = sandbox.document(uuid)["evidence_sha256"]
    sandbox.cancel_uuid(uuid)

    told = [call["evidence_sha256"] for call in sandbox.calls()]

    assert told == [None, first, sandbox.document(uuid)["evidence_sha256"]]
    assert first != told[2]


def test_the_record_of_calls_is_bounded(sandbox):
    for number in range(60):
        sandbox.cancel_uuid(sandbox_uuid(204, number))

    page = sandbox.http.get(f"{sandbox.url}/sandbox/calls?since=0&limit=5").json()

    assert (page["total"], page["forgotten"], page["next"]) == (60, 10, 15)
    assert [call["index"] for call in page["calls"]] == [10, 11, 12, 13, 14]


def test_no_password_and_no_token_is_told_anywhere(sandbox):
    sandbox.cancel_uuid(sandbox_uuid(200), password="my-own-secret")
    sandbox.cancel_bpe(sandbox_chbpe(135), token="my-own-token")
    sandbox.cancel_uuid(sandbox_uuid(200))
    sandbox.cancel_bpe(sandbox_chbpe(135))

    told = [
        sandbox.http.get(sandbox.url + path).text
        for path in (
            "/sandbox",
            "/sandbox/calls",
            "/sandbox/accounts",
            "/sandbox/faults",
            f"/sandbox/documents/{sandbox_uuid(200)}",
        )
    ]

    assert not [secret for secret in ("my-own", PASSWORD, TOKEN) if any(secret in text for text in told)]


def test_a_document_can_be_registered_with_a_behaviour(sandbox):
    sandbox.put(FOREIGN.format(1), "500", first_calls=1)

    answers = [sandbox.cancel_uuid(FOREIGN.format(1)).text for _ in range(2)]

    assert ">500<" in answers[0]
    assert ">200<" in answers[1]


def test_many_documents_are_registered_by_prefix_and_range(sandbox):
    sandbox.put_rule("solucion-factible", "204", prefix="00000000-")
    sandbox.put_rule("solucion-factible", "213", **{"from": FOREIGN.format(10), "to": FOREIGN.format(12)})

    answers = [sandbox.cancel_uuid(FOREIGN.format(number)).text for number in (9, 10, 12, 13)]

    assert [">213<" in answer for answer in answers] == [False, True, True, False]
    assert ">204<" in answers[0]


def test_an_account_can_be_made_to_fail_while_it_runs(sandbox):
    sandbox.set_account(token_label(TOKEN), "403")
    refused = sandbox.cancel_bpe(sandbox_chbpe(135)).status_code
    sandbox.set_account(token_label(TOKEN), None)

    assert refused == 403
    assert sandbox.cancel_bpe(sandbox_chbpe(135)).status_code == 200


@pytest.mark.parametrize(
    "method, path, body",
    [
        ("PUT", "/sandbox/documents/nonsense", '{"behaviour": "200"}'),
        ("PUT", f"/sandbox/documents/{sandbox_uuid(200)}", '{"behaviour": "no such"}'),
        ("PUT", f"/sandbox/documents/{sandbox_uuid(200)}", "{"),
        ("PUT", "/sandbox/documents", '{"behaviour": "200"}'),
        ("POST", "/sandbox/faults", '{"fault": "no such"}'),
        ("POST", "/sandbox/faults", '{"fault": "empty", "probability": 2}'),
        ("POST", "/sandbox/faults", b"\xff"),
        ("PUT", f"/sandbox/accounts/{USER}", '{"answer": "7"}'),
        ("GET", "/sandbox/calls?since=x", ""),
    ],
)
def test_a_wrong_setting_is_refused_with_the_reason(sandbox, method, path, body):
    reply = sandbox.http.request(method, sandbox.url + path, content=body)

    assert reply.status_code == 400
    assert reply.json()["errors"]


def test_an_unknown_document_is_404(sandbox):
    assert sandbox.http.get(f"{sandbox.url}/sandbox/documents/{FOREIGN.format(7)}").status_code == 404


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_process_cleanly_even_while_a_call_hangs(number):
    with sandbox_process() as (sandbox, process):
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(
                f"{sandbox.url}/v1/bpe/cancel",
                json={"chBPe": sandbox_chbpe("hang"), "tpAmb": 2},
                headers={"x-auth-token": TOKEN},
                timeout=0.3,
                trust_env=False,
            )

        process.send_signal(number)

        assert process.wait(10) == 0


def test_a_taken_port_is_an_error_at_once(sandbox):
    port = httpx.URL(sandbox.url).port
    assert port

    with pytest.raises(OSError):
        serve(SandboxOptions(port=port))
