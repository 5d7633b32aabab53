"""The accounts file: who may cancel where, and where the secrets are found (docs/settings.md)."""

import ipaddress
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from config.problem import ConfigurationProblem
from config.secrets import SecretSource

ACCOUNT_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
AccountName = Annotated[str, Field(pattern=ACCOUNT_NAME)]
VariableName = Annotated[str, Field(min_length=1)]


def _named(file: object) -> object:
    """Refuse the empty name, which would be the directory that a process stands in."""
    if file == "":
        message = "must not be empty"
        raise ValueError(message)
    return file


FileName = Annotated[Path, Field(strict=False), BeforeValidator(_named)]


class ProviderName(StrEnum):
    """The providers, as requests and the accounts file name them."""

    SOLUCION_FACTIBLE = "solucion-factible"
    NS_BPE = "ns-bpe"


class Environment(StrEnum):
    """Where a cancellation counts."""

    TEST = "test"
    PRODUCTION = "production"


def _secure_address(address: str | None) -> str | None:
    """Refuse plain `http://` to anywhere but this machine. What is wrong is said without the address."""
    if address is None:
        return None
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises ValueError where it is none
    except ValueError:  # quotes the address, which may have a password in it
        message = "must be an address that can be read: https://HOST[:PORT]/PATH"
        raise ValueError(message) from None
    if "@" in parts.netloc:
        message = "must not carry a user or a password"
        raise ValueError(message)
    if parts.scheme == "https" and parts.hostname:
        return address
    if parts.scheme == "http" and parts.hostname and _is_loopback(parts.hostname):
        return address
    message = "must be an https:// address (http:// only for a loopback address)"
    raise ValueError(message)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Account(BaseModel):
    """What both providers' accounts have."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: AccountName
    environment: Annotated[Environment, Field(strict=False)]
    default: bool = False
    endpoint: str | None = None
    ca_file: FileName | None = None
    max_in_flight: Annotated[int, Field(ge=1, le=1_000)] = 8
    max_per_minute: Annotated[int, Field(ge=1, le=100_000)] | None = None

    @field_validator("endpoint")
    @classmethod
    def _endpoint_is_secure(cls, address: str | None) -> str | None:
        return _secure_address(address)


class SolucionFactibleAccount(_Account):
    """One issuer at Solución Factible."""

    provider: Literal["solucion-factible"]
    username: Annotated[str, Field(min_length=1)]
    password_env: VariableName | None = None
    password_file: FileName | None = None
    wsdl: Annotated[str, Field(min_length=1)] | None = None
    soap_version: Literal["1.1", "1.2"] = "1.2"

    @field_validator("wsdl")
    @classmethod
    def _wsdl_is_file_or_secure(cls, wsdl: str | None) -> str | None:
        return _secure_address(wsdl) if wsdl and "://" in wsdl else wsdl

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        _exactly_one("password_env", self.password_env, "password_file", self.password_file)
        return self

    @property
    def secret_source(self) -> SecretSource:
        """Where the password is found."""
        return SecretSource(variable=self.password_env, file=self.password_file)


class NsBpeAccount(_Account):
    """One issuer at NS Tecnologia BP-e."""

    provider: Literal["ns-bpe"]
    token_env: VariableName | None = None
    token_file: FileName | None = None
    utc_offset: Annotated[str, Field(pattern=r"^(-(0[0-9]|1[01])|\+(0[0-9]|1[0-2])):00$")]

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        _exactly_one("token_env", self.token_env, "token_file", self.token_file)
        return self

    @property
    def secret_source(self) -> SecretSource:
        """Where the token is found."""
        return SecretSource(variable=self.token_env, file=self.token_file)

    @property
    def utc_offset_minutes(self) -> int:
        """The offset of this account's local time, in minutes east of UTC."""
        return int(self.utc_offset[:3]) * 60


def _exactly_one(first: str, first_value: object, second: str, second_value: object) -> None:
    if (first_value is None) == (second_value is None):
        message = f"exactly one of {first} and {second} is needed"
        raise ValueError(message)


Account = SolucionFactibleAccount | NsBpeAccount
_ACCOUNT: TypeAdapter[Account] = TypeAdapter(Annotated[Account, Field(discriminator="provider")])


@dataclass(frozen=True, slots=True)
class Accounts:
    """All configured accounts, by name; all of one environment."""

    by_name: Mapping[str, Account]
    environment: Environment
    _by_provider: Mapping[str, tuple[Account, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort them by provider once: every request asks."""
        found: dict[str, tuple[Account, ...]] = {}
        for account in self.by_name.values():
            found[account.provider] = (*found.get(account.provider, ()), account)
        object.__setattr__(self, "_by_provider", found)

    def of_provider(self, provider: str) -> tuple[Account, ...]:
        """The accounts of `provider`, in file order."""
        return self._by_provider.get(provider, ())

    def default_of(self, provider: str) -> Account | None:
        """The account of requests that name none: the provider's only one, or its default; None where neither is."""
        found = self.of_provider(provider)
        return found[0] if len(found) == 1 else next((one for one in found if one.default), None)


def load(path: Path) -> Accounts:
    """Read the accounts file.

    Raises:
        ConfigurationProblem: missing, not TOML, or wrong; names file, line, account and field of every error.
    """
    text = _read(path)
    try:
        tables = tomllib.loads(text).get("accounts")
    except tomllib.TOMLDecodeError as wrong:
        raise ConfigurationProblem(f"{path}: not valid TOML: {wrong}") from None
    if not isinstance(tables, dict) or not tables:
        raise ConfigurationProblem(f"{path}: no [accounts.NAME] table in it")
    problems: list[str] = []
    accounts: dict[str, Account] = {}
    for name, table in tables.items():
        try:
            accounts[name] = _ACCOUNT.validate_python({**table, "name": name} if isinstance(table, dict) else table)
        except ValidationError as invalid:
            problems += [_describe(path, text, name, error["loc"], _words(error)) for error in invalid.errors()]
    problems += _second_defaults(path, text, accounts)
    if problems:
        raise ConfigurationProblem("; ".join(problems))
    return Accounts(accounts, _the_environment(path, accounts))


def variables(path: Path) -> frozenset[str]:
    """The variables that an accounts file names as places of secrets; none where it cannot be read."""
    try:
        tables = tomllib.loads(_read(path)).get("accounts")
    except (ConfigurationProblem, tomllib.TOMLDecodeError):
        return frozenset()
    accounts = tables.values() if isinstance(tables, dict) else ()
    named = [table.get(key) for table in accounts if isinstance(table, dict) for key in ("password_env", "token_env")]
    return frozenset(name for name in named if isinstance(name, str))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        message = f"accounts file {path} not found: create it (see the README) or set ANULA_ACCOUNTS"
        raise ConfigurationProblem(message) from None
    except (OSError, UnicodeDecodeError) as failure:
        raise ConfigurationProblem(f"accounts file {path} cannot be read ({type(failure).__name__})") from None


def _the_environment(path: Path, accounts: Mapping[str, Account]) -> Environment:
    """A document cancelled in the test environment must never count as cancelled in production."""
    found = {account.environment: name for name, account in accounts.items()}
    if len(found) > 1:
        test, production = found[Environment.TEST], found[Environment.PRODUCTION]
        raise ConfigurationProblem(
            f"{path}: account {test} is of the test and {production} of the production environment; "
            "use a deployment (ANULA_NAMESPACE and accounts file) for each"
        )
    return next(iter(found))


def _second_defaults(path: Path, text: str, accounts: Mapping[str, Account]) -> list[str]:
    """A request that names no account must not depend on the order of the file."""
    first: dict[str, str] = {}
    problems = list[str]()
    for name, account in accounts.items():
        before = first.setdefault(account.provider, name) if account.default else name
        if before != name:
            problem = f"{before} is the default of {account.provider} already; only one account can be"
            problems.append(_describe(path, text, name, ("default",), problem))
    return problems


def _words(error: Mapping[str, Any]) -> str:
    if str(error["type"]).startswith("union_tag"):
        return f"provider must be {' or '.join(ProviderName)}"
    return str(error["msg"])


def _describe(path: Path, text: str, name: str, loc: tuple[int | str, ...], problem: str) -> str:
    """One error with its line: the field's, or the table's where the field is missing."""
    field = next((str(part) for part in reversed(loc) if part not in tuple(ProviderName)), "")
    line = _line_of(text, name, field)
    where = f"{path}, line {line}" if line else str(path)
    return f"{where}: account {name}{', ' + field if field else ''}: {problem.removeprefix('Value error, ')}"


def _line_of(text: str, name: str, field: str) -> int | None:
    header = re.compile(rf"^\s*\[\s*accounts\s*\.\s*[\"']?{re.escape(name)}[\"']?\s*\]")
    found = None
    for number, line in enumerate(text.splitlines(), start=1):
        if header.match(line):
            found = number
        elif found and line.lstrip().startswith("["):
            break
        elif found and field and re.match(rf"\s*[\"']?{re.escape(field)}[\"']?\s*=", line):
            return number
    return found
