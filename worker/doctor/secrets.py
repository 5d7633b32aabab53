"""Passwords, tokens and variables: there, read, and nobody else's to read."""

from collections.abc import Iterator, Mapping

from config.accounts import Account
from config.names import strange
from config.redaction import LONG_ENOUGH
from config.secrets import SecretMissing, is_open_to_others
from config.settings import ENV_FILE, Settings, variables_of
from worker.check import Check, failed, ok, warning


def checks(account: Account, environment: Mapping[str, str]) -> Iterator[Check]:
    """Whether an account's secret can be read, who else can, and whether it is long enough to be hidden in logs."""
    about, source = f"secret {account.name}", account.secret_source
    try:
        secret = source.read(environment)
    except SecretMissing as missing:
        yield failed(about, str(missing), "put it there; a changed variable needs a restart of the worker")
        return
    is_short = len(secret) < LONG_ENOUGH
    if is_short:
        found = f"shorter than {LONG_ENOUGH} characters: logs and messages hide it only where it is a whole word"
        yield warning(about, found, "have the provider give you a longer one")
    if source.is_readable_by_others:
        yield warning(about, f"{source.file} can be read by others", f"chmod 600 {source.file}")
    elif not is_short:
        yield ok(about, str(source.file) if source.file else f"environment variable {source.variable}")


def variables(settings: Settings, environment: Mapping[str, str]) -> Iterator[Check]:
    """Names that look like settings; those that are nearly the name of one are refused before."""
    if unread := strange(environment, variables_of(settings)):
        found = f"nothing reads {', '.join(sorted(unread))}"
        yield warning("variables", found, "write the name as docs/settings.md does, or take it away")


def env_file() -> Iterator[Check]:
    """The `.env` file may hold secrets, and the password of Redis."""
    if not ENV_FILE.is_file():
        return
    if is_open_to_others(ENV_FILE):
        yield warning("env file", f"{ENV_FILE} can be read by others", f"chmod 600 {ENV_FILE}")
    else:
        yield ok("env file", f"{ENV_FILE} is read")
