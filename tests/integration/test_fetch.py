"""`anula evidence --fetch`: the provider is asked once more, as gently as by a worker, and the job stays as it is."""

import hashlib

import pytest

from config import accounts as accounts_file
from config.settings import Settings
from tests.support.hand_driven import Deployment, a_uuid, cancelled, cfdi
from tests.support.sandbox import N_PROT, X_JUST, running_sandbox
from worker.answer import Answer, Reaction
from worker.bootstrap import build
from worker.decision import effects_of
from worker.fetch import NotFetched, fetch_evidence
from worker.ledger.not_possible import NotPossible
from worker.sandbox.accounts import PASSWORD, TOKEN, USER
from worker.sandbox.numbers import sandbox_chbpe
from worker.situation import AbuseRule, Call

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


def the_ended(deployment, number=7):
    job = a_bpe(deployment, sandbox_chbpe(135, number))
    deployment.end(job, cancelled(evidence=None))
    return job


def changed(parts, **fields):
    """The account, as the ledger has it, with these fields."""
    parts.ledger.redis.hset(parts.ledger.key("account", "rodoviaria"), mapping=fields)


LATER_MS = 4_000_000_000_000


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"circuit": 1}, "open circuit"),
        ({"hold_until": LATER_MS}, "paused until 2096-"),
        ({"max_per_minute": 0}, "calls of this minute"),
        ({"slow_until": LATER_MS, "slow_per_minute": 0}, "calls of this minute"),
        ({"max_in_flight": 0}, "all its calls"),
    ],
)
def test_what_holds_the_jobs_of_an_account_holds_a_fetch(sandbox, parts, deployment, fields, words):
    job = the_ended(deployment)
    changed(parts, proven=1, **fields)

    with pytest.raises(NotFetched, match=words):
        fetch_evidence(job, parts)

    assert sandbox.calls() == []


def test_an_account_that_is_not_proven_makes_one_call_at_a_time(sandbox, parts, deployment):
    job = the_ended(deployment)
    parts.ledger.enroll(parts.accounts.by_name["rodoviaria"], inquires=True)
    assert parts.ledger.release(1, slots=1, begin_within_s=15, lost_wait_s=15).released == []
    under_way = a_bpe(deployment, sandbox_chbpe(135, 8))
    [released] = parts.ledger.release(1, slots=1, begin_within_s=15, lost_wait_s=15).released
    assert released.job == under_way

    with pytest.raises(NotFetched, match="one call at a time"):
        fetch_evidence(job, parts)

    assert sandbox.calls() == []


def test_a_fetch_counts_among_the_calls_of_its_minute(sandbox, parts, deployment):
    key = sandbox_chbpe(135, 9)
    job = a_bpe(deployment, key)
    sandbox.cancel_bpe(key)
    deployment.end(job, cancelled(evidence=None))
    changed(parts, proven=1, max_per_minute=1)

    assert fetch_evidence(job, parts)

    with pytest.raises(NotFetched, match="calls of this minute"):
        fetch_evidence(job, parts)


def test_a_repeated_visit_is_counted_once(parts, deployment):
    the_ended(deployment)
    changed(parts, proven=1, max_per_minute=1)

    assert parts.ledger.visit("rodoviaria", "nonce") == parts.ledger.visit("rodoviaria", "nonce")

    with pytest.raises(NotPossible, match="calls of this minute"):
        parts.ledger.visit("rodoviaria", "another")


def test_refused_credentials_suspend_the_account(sandbox, parts, deployment):
    job = the_ended(deployment)
    parts.environment["RODOVIARIA_TOKEN"] = "wrong"

    with pytest.raises(NotFetched, match="no evidence"):
        fetch_evidence(job, parts)

    [state] = [one for one in parts.ledger.account_states() if one.name == "rodoviaria"]
    assert state.suspended_at
    assert state.suspended_job == job


def test_the_authority_s_abuse_code_pauses_the_account_once(parts, deployment):
    job = the_ended(deployment)
    generation = parts.ledger.visit("rodoviaria", "nonce")
    abuse = effects_of(Answer(reaction=Reaction.ABUSE, code="678"), Call.EVIDENCE, AbuseRule(3600, 86_400, 8))

    for _ in range(2):
        parts.ledger.heed("rodoviaria", "nonce", abuse, job=job, generation=generation)

    [state] = [one for one in parts.ledger.account_states() if one.name == "rodoviaria"]
    assert "678" in (state.pause_reason or "")
    assert [entry["what"] for entry in state.history] == ["paused"]


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
