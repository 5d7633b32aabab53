"""Asks a provider once more for the evidence of an ended job, on an operator's word; the job stays as it is."""

import uuid

from worker.answer import Answer
from worker.bootstrap import Parts, parts
from worker.decision import effects_of
from worker.ledger.not_possible import NotPossible
from worker.ledger.records import Record
from worker.providers.base import Credentials, Inquirer
from worker.request import stored
from worker.situation import AbuseRule, Call
from worker.unavailable import translated


class NotFetched(Exception):
    """There is no evidence to be had; the message says why and what to do."""


def fetch_evidence(job: str, built: Parts | None = None) -> bytes:
    """The evidence of an ended job, byte for byte as the provider has it now; with this process's parts or others.

    Raises:
        NotFetched: unknown or open job, an account that makes no call now, a provider without a download, or no
            evidence.
        SecretMissing: the account's secret cannot be read.
        Unavailable: Redis is away.
        ConfigurationProblem: settings or accounts cannot be used, or the namespace is of the other environment.
    """
    built = built or parts()
    with translated(built.settings.redis_url):
        built.ledger.agree_environment(built.accounts.environment)
        record = _ended(built, job)
    answer = _download(built, record)
    if answer.evidence is None:
        words = (answer.code, answer.message, *answer.warnings, answer.excerpt)
        said = " ".join(part for part in words if part) or str(answer.reaction)
        raise NotFetched(f"the provider has no evidence of {job} now ({said})")
    return answer.evidence.content


def _ended(built: Parts, job: str) -> Record:
    record = built.ledger.record(job)
    if record is None:
        raise NotFetched(f"{job} is unknown: never submitted, or ended longer ago than outcomes are kept")
    if record.is_open:
        raise NotFetched(f"{job} is still open ({record.state}): wait for its outcome")
    return record


def _download(built: Parts, record: Record) -> Answer:
    """One call, under the rules that every call of the account is under; what the answer means for it takes effect."""
    account = built.accounts.by_name.get(record.account)
    if account is None:
        raise NotFetched(f"account {record.account} is not in the accounts file")
    adapter = built.adapter(account)
    if not isinstance(adapter, Inquirer):
        raise NotFetched(f"{account.provider} has no way to ask for evidence again: the outcome holds all there is")
    secret = account.secret_source.read(built.environment)
    nonce = uuid.uuid4().hex
    generation = _begun(built, record.account, nonce)
    answer = adapter.evidence(stored(record.request), Credentials(secret, lambda: True))
    settings = built.settings
    abuse = AbuseRule(settings.abuse_pause_s, settings.abuse_slow_s, settings.abuse_per_minute)
    effects = effects_of(answer, Call.EVIDENCE, abuse)
    if effects.suspend or effects.hold_s:
        with translated(settings.redis_url):
            built.ledger.heed(record.account, nonce, effects, job=record.job, generation=generation)
    return answer


def _begun(built: Parts, account: str, nonce: str) -> int:
    try:
        with translated(built.settings.redis_url):
            return built.ledger.visit(account, nonce)
    except NotPossible as problem:
        raise NotFetched(str(problem)) from None
