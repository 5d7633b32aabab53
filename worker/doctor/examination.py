"""Everything in its order: what stands on something that failed is not looked at."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from config import accounts as accounts_file
from config.accounts import Account, Accounts
from config.problem import ConfigurationProblem
from config.redis_access import Sentinels
from config.settings import Settings
from worker.check import Check, failed, ok
from worker.doctor import groups, network, secrets, server
from worker.ledger.connect import DAY_S, ledger_for
from worker.ledger.ledger import Ledger
from worker.ledger.records import text
from worker.providers import endpoint_of, examine_provider, has_wsdl
from worker.providers import save_wsdl as save_provider_wsdl
from worker.sender import Limits, Sender
from worker.unavailable import Unavailable, place, translated


def examine(settings: Settings, environment: Mapping[str, str]) -> Iterator[Check]:
    """Every check, as it is made; nothing is changed, and no provider is asked for more than its WSDL."""
    accounts = None
    try:
        accounts = accounts_file.load(settings.accounts)
        names = [f"{name} (default)" if account.default else name for name, account in accounts.by_name.items()]
        yield ok("accounts", f"{settings.accounts}: {', '.join(names)} ({accounts.environment})")
    except ConfigurationProblem as problem:
        yield failed("accounts", str(problem), "mend the file, or set ANULA_ACCOUNTS")
    yield from secrets.env_file()
    yield from secrets.variables(settings, environment)
    yield from _redis(settings, accounts)
    if accounts:
        yield from _accounts(settings, accounts, environment)


def _redis(settings: Settings, accounts: Accounts | None) -> Iterator[Check]:
    ledger = ledger_for(settings)
    try:
        with translated(settings.redis_url):
            ledger.redis.ping()
            yield ok("redis", f"{place(settings.redis_url)} answers")
            yield from server.checks(server.read(ledger.redis), is_under_sentinel=Sentinels.named(settings) is not None)
            yield from _environment(ledger, accounts)
            yield from groups.checks(ledger.redis, ledger.key("outcomes"), settings.outcome_retention_days * DAY_S)
    except Unavailable as problem:
        yield failed("redis", str(problem), problem.remedy)
    finally:
        ledger.redis.close()


def _environment(ledger: Ledger, accounts: Accounts | None) -> Iterator[Check]:
    if accounts is None:
        return
    found = ledger.redis.hget(ledger.key("meta"), "environment")
    recorded = text(found) if found else None
    if recorded is None:
        yield ok("environment", f"{accounts.environment}; namespace {ledger.namespace} is still of none")
    elif recorded == accounts.environment:
        yield ok("environment", f"{recorded}, as namespace {ledger.namespace}")
    else:
        found_text = f"the accounts are of {accounts.environment}, namespace {ledger.namespace} is of {recorded}"
        yield failed("environment", found_text, "set ANULA_NAMESPACE, ANULA_REDIS_URL or ANULA_ACCOUNTS to match")


def save_wsdl(settings: Settings, file: Path, *, account: str | None) -> Check:
    """Write the provider's own WSDL to `file`, as this account is served it; None: any, where all have one endpoint.

    Raises:
        ConfigurationProblem: the accounts file cannot be used, or does not tell which WSDL is meant.
    """
    accounts = accounts_file.load(settings.accounts)
    found = [one for one in accounts.by_name.values() if has_wsdl(one) and account in (None, one.name)]
    if not found:
        raise ConfigurationProblem(f"{settings.accounts}: no account {account or ''} whose provider has a WSDL")
    if len({(endpoint_of(one), one.ca_file) for one in found}) > 1:
        names = ", ".join(one.name for one in found)
        raise ConfigurationProblem(f"the accounts {names} have different endpoints: name one with --account")
    sender = _sender(settings)
    try:
        return save_provider_wsdl(found[0], sender, file)
    finally:
        sender.close()


def _sender(settings: Settings) -> Sender:
    return Sender(Limits(settings.connect_timeout_s, settings.read_timeout_s, settings.total_timeout_s))


def _accounts(settings: Settings, accounts: Accounts, environment: Mapping[str, str]) -> Iterator[Check]:
    sender = _sender(settings)
    try:
        for account in accounts.by_name.values():
            yield from secrets.checks(account, environment)
            yield _endpoint(account, settings.connect_timeout_s)
            yield from examine_provider(account, sender)
    finally:
        sender.close()


def _endpoint(account: Account, timeout_s: float) -> Check:
    address = endpoint_of(account)
    why = network.why_not_reached(address, ca_file=account.ca_file, timeout_s=timeout_s)
    about = f"endpoint {account.name}"
    if why is None:
        return ok(about, f"{address} can be reached")
    return failed(about, f"{address} cannot be reached: {why}", "see firewall, name server, endpoint and ca_file")
