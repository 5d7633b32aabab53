"""`anula evidence --fetch`: the provider is asked once more, and nothing in the ledger changes."""

import hashlib

import pytest

from config import accounts as accounts_file
from config.settings import Settings
from tests.support.hand_driven import Deployment, a_uuid, cancelled, cfdi
from tests.support.sandbox import N_PROT, X_JUST, running_sandbox
from worker.bootstrap import build
from worker.fetch import NotFetched, fetch_evidence
from worker.sandbox.accounts import PASSWORD, TOKEN, USER
from worker.sandbox.numbers import sandbox_chbpe

pytestmark = pytest.mark.integration

ACCOUNTS = """
[accounts.norte]
provider = "solucion-factible"
environment = "test"
username = "{user}"
password_env = "NORTE_PASSWORD"
endpoint = "{url}/ws/services/Cancelacion"

[accounts.rodoviaria]
provider = "ns-bpe"
environment = "test"
token_env = "RODOVIARIA_TOKEN"
utc_offset = "-03:00"
endpoint = "{url}"
"""


@pytest.fixture
def sandbox():
    with running_sandbox() as one:
        yield one


@pytest.fixture
def parts(sandbox, tmp_path, redis_url, namespace):
    path = tmp_path / "accounts.toml"
    path.write_text(ACCOUNTS.format(url=sandbox.url, user=USER))
    settings = Settings(redis_url=redis_url, namespace=namespace, accounts=path)
    secrets = {"NORTE_PASSWORD": PASSWORD, "RODOVIARIA_TOKEN": TOKEN}
    return build(settings, accounts_file.load(path), secrets)


@pytest.fixture
def deployment(parts):
    return Deployment(parts.settings, parts.accounts, parts.settings.accounts, parts.ledger)


def a_bpe(deployment, key):
    return deployment.client().submit({"provider": "ns-bpe", "chBPe": key, "nProt": N_PROT, "xJust": X_JUST}).job


def test_evidence_that_was_missing_is_fetched_byte_for_byte(sandbox, parts, deployment):
    key = sandbox_chbpe(135, 1)
    job = a_bpe(deployment, key)
    sandbox.cancel_bpe(key)
    deployment.end(job, cancelled(evidence=None))
    before = parts.ledger.record(job)

    content = fetch_evidence(job, parts)

    assert hashlib.sha256(content).hexdigest() == sandbox.document(key)["evidence_sha256"]
    assert parts.ledger.record(job) == before
    assert sandbox.document(key)["asked"] == 1


def test_nothing_is_asked_on_a_suspended_account(sandbox, parts, deployment):
    key = sandbox_chbpe(135, 2)
    job = a_bpe(deployment, key)
    deployment.end(job, cancelled(evidence=None))
    parts.ledger.suspend("rodoviaria", "audit", by="someone@here")

    with pytest.raises(NotFetched, match="suspended"):
        fetch_evidence(job, parts)

    assert sandbox.calls() == []


def test_what_has_no_evidence_to_fetch_says_why(sandbox, parts, deployment):
    is_open = a_bpe(deployment, sandbox_chbpe(135, 3))
    of_sf = deployment.client().submit(cfdi()).job
    deployment.end(of_sf, cancelled(evidence=None))
    not_cancelled = a_bpe(deployment, sandbox_chbpe(135, 4))
    deployment.end(not_cancelled, cancelled(evidence=None))

    said = {
        is_open: "still open",
        of_sf: "no way to ask",
        not_cancelled: "no evidence",
        f"solucion-factible:{a_uuid()}": "unknown",
    }
    for job, words in said.items():
        with pytest.raises(NotFetched, match=words):
            fetch_evidence(job, parts)
