"""NS BP-e: what is sent where."""

import json

import pytest

from tests.support.fake_sender import FakeSender
from tests.support.provider_kits import CHBPE, NS_BPE, SECRET, bpe_account, credentials
from worker.providers.ns_bpe.adapter import NsBpe
from worker.request import NsBpeRequest

REQUEST = NS_BPE.request


@pytest.mark.parametrize(("environment", "tpAmb"), [("test", 2), ("production", 1)])
@pytest.mark.parametrize(
    ("call", "path", "more"),
    [
        (
            "cancel",
            "/v1/bpe/cancel",
            {
                "dhEvento": "2018-02-21T14:58:40-03:00",
                "nProt": "443170000037618",
                "xJust": "Cancelamento pedido pelo passageiro, não viajará",
            },
        ),
        ("look_up", "/v1/bpe/status", {}),
        ("evidence", "/v1/bpe/get/event", {"tpDown": "X", "tpEvento": "CANC", "nSeqEvento": "1"}),
    ],
)
def test_each_call_posts_its_body_with_the_token_in_the_header_alone(environment, tpAmb, call, path, more):
    sender = FakeSender()

    getattr(NsBpe(bpe_account(environment=environment), sender), call)(REQUEST, credentials())

    (sent,) = sender.sent
    assert sent.url == "https://bpe.ns.eti.br" + path
    assert json.loads(sent.content) == {"chBPe": CHBPE, "tpAmb": tpAmb, **more}
    assert sent.headers == {"Content-Type": "application/json", "X-AUTH-TOKEN": SECRET}
    assert SECRET not in sent.url + sent.content.decode()


def test_the_same_request_has_the_same_bytes_each_time():
    sender = FakeSender()

    for _ in range(2):
        NsBpe(bpe_account(), sender).cancel(NsBpeRequest.model_validate_json(REQUEST.model_dump_json()), credentials())

    first, second = sender.sent
    assert first.content == second.content
    assert first.content.isascii()


@pytest.mark.parametrize("base", ["http://127.0.0.1:8090", "http://127.0.0.1:8090/", "http://127.0.0.1:8090/ns/"])
def test_the_endpoint_of_an_account_is_a_base_address(base):
    sender = FakeSender()

    NsBpe(bpe_account(endpoint=base), sender).cancel(REQUEST, credentials())

    assert sender.sent[0].url == base.rstrip("/") + "/v1/bpe/cancel"


def test_an_event_time_that_was_not_fixed_is_a_bug():
    assert isinstance(REQUEST, NsBpeRequest)
    adapter = NsBpe(bpe_account(), FakeSender())

    with pytest.raises(ValueError, match="event time"):
        adapter.cancel(REQUEST.model_copy(update={"dhEvento": None}), credentials())
