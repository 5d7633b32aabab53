"""Asks a provider once more for the evidence of an ended job, on an operator's word; nothing in the ledger changes."""

from worker.answer import Answer
from worker.bootstrap import Parts, parts
from worker.ledger.records import AccountState, Record
from worker.providers.base import Credentials, Inquirer
from worker.request import stored
from worker.unavailable import translated


class NotFetched(Exception):
    """There is no evidence to be had; the message says why and what to do."""


def fetch_evidence(job: str, built: Parts | None = None) -> bytes:
    """The evidence of an ended job, byte for byte as the provider has it now; with this process's parts or others.

    Raises:
        NotFetched: unknown or open job, suspended or paused account, a provider without a download, or no evidence.
        SecretMissing: the account's secret cannot be read.
        Unavailable: Redis is away.
        ConfigurationProblem: settings or accounts cannot be used, or the namespace is of the other environment.
    """
    built = built or parts()
    with translated(built.settings.redis_url):
        built.ledger.agree_environment(built.accounts.environment)
        record = _ended(built, job)
        _check_free(record.account, built.ledger.account_states())
    answer = _download(built, record)
    if answer.evidence is None:
        said = " ".join(part for part in (answer.code, answer.message) if part) or str(answer.reaction)
        raise NotFetched(f"the provider has no evidence of {job} now ({said})")
    return answer.evidence.content


def _ended(built: Parts, job: str) -> Record:
    record = built.ledger.record(job)
    if record is None:
        raise NotFetched(f"{job} is unknown: never submitted, or ended longer ago than outcomes are kept")
    if record.is_open:
        raise NotFetched(f"{job} is still open ({record.state}): wait for its outcome")
    return record


def _check_free(name: str, states: list[AccountState]) -> None:
    """No call is made on a suspended or paused account, not even a download."""
    for state in states:
        if state.name == name and state.suspended_at:
            raise NotFetched(f"account {name} is suspended ({state.suspended_reason}): anula accounts resume {name}")
        if state.name == name and state.paused_until:
            raise NotFetched(f"account {name} is paused until {state.paused_until:%Y-%m-%dT%H:%M:%SZ}: try again then")


def _download(built: Parts, record: Record) -> Answer:
    account = built.accounts.by_name.get(record.account)
    if account is None:
        raise NotFetched(f"account {record.account} is not in the accounts file")
    adapter = built.adapter(account)
    if not isinstance(adapter, Inquirer):
        raise NotFetched(f"{account.provider} has no way to ask for evidence again: the outcome holds all there is")
    secret = account.secret_source.read(built.environment)
    return adapter.evidence(stored(record.request), Credentials(secret, lambda: True))
