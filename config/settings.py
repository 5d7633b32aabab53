"""The settings, read once from the environment and from a `.env` file."""

import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import Field, FilePath, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.problem import ConfigurationProblem

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
described = partial(Field, validate_default=True)
_NOT_UTF8 = "the .env file in this directory is not UTF-8 text: save it as such, or remove it"
_HOST = r"[^/?#,@:]+(:\d{1,5})?"
_SENTINELS = rf"([^/?#]*@)?{_HOST}(,{_HOST})*/[^/?#]+(/\d+)?/?"
_SENTINEL_URL = re.compile(rf"sentinel://{_SENTINELS}|sentinels://{_SENTINELS}(\?ssl_cert_reqs=none)?")
_SCHEMES = ("redis://", "rediss://", "sentinel://", "sentinels://")


class Settings(BaseSettings):
    """Every setting; the environment variable is the name in upper case behind `ANULA_`."""

    model_config = SettingsConfigDict(env_prefix="ANULA_", env_file=".env", extra="ignore", frozen=True)

    redis_url: str = described(
        "redis://127.0.0.1:6379/0",
        repr=False,
        description="Redis or Valkey, 6.2 or newer: `redis://`, `rediss://`, or `sentinel://h1:p,h2:p/MASTER/DB`, "
        "with TLS `sentinels://…`",
    )
    redis_ca_file: FilePath | None = described(
        None,
        description="`rediss://`, `sentinels://`: PEM file of authorities to trust besides the usual ones",
    )
    sentinel_username: str | None = described(None, description="the Sentinels' own user, if they ask")
    sentinel_password: SecretStr | None = described(
        None, description="the Sentinels' own password; Redis' stands in the URL"
    )
    replica_timeout_s: Seconds = described(
        1, description="under Sentinel: how long a replica may take to confirm what was written"
    )
    accounts: Path = described(Path("accounts.toml"), description="the accounts file")
    namespace: str = described(
        "anula", pattern=r"^[a-z][a-z0-9_-]{0,31}$", description="prefix of keys, queues, stream and channel"
    )
    outcome_retention_days: Annotated[float, Field(gt=0, le=36_525, allow_inf_nan=False)] = described(
        30, description="how long outcomes and ended jobs are kept"
    )
    redis_timeout_s: Seconds = described(5, description="limit of one exchange with Redis")
    connect_timeout_s: Seconds = described(10, description="limit for connecting to a provider, TLS included")
    read_timeout_s: Seconds = described(120, description="longest silence of a provider within a call")
    total_timeout_s: Seconds = described(150, description="hard limit of one call, from the first byte to the last")
    lease_margin_s: Seconds = described(30, description="how much longer than `total_timeout_s` a call's lease lasts")
    begin_within_s: Seconds = described(15, description="how long a released job may take to begin its call")
    tick_s: Seconds = described(0.1, description="pause of the dispatcher when there is nothing to do")
    transient_first_s: Seconds = described(0.5, description="TRANSIENT: first wait, doubling")
    transient_cap_s: Seconds = described(900, description="TRANSIENT: longest wait")
    transient_total_s: Seconds = described(86_400, description="TRANSIENT: sum of the waits before giving up")
    unknown_first_s: Seconds = described(15, description="UNKNOWN: first wait, doubling; also the least")
    unknown_cap_s: Seconds = described(900, description="UNKNOWN: longest wait")
    unknown_total_s: Seconds = described(86_400, description="UNKNOWN: sum of the waits before giving up")
    look_up_counts_after_s: Seconds = described(
        300, description='how long after a request that may have acted a look-up\'s "not cancelled" disproves it'
    )
    in_process_first_s: Seconds | None = described(
        None, description="IN_PROCESS: first wait, doubling; left out: 60, in the test environment 20"
    )
    in_process_cap_s: Seconds | None = described(
        None, description="IN_PROCESS: longest wait; left out: 3600, in the test environment 300"
    )
    in_process_total_s: Seconds = described(604_800, description="IN_PROCESS: sum of the waits before giving up")
    evidence_first_s: Seconds = described(0.5, description="download of evidence: first wait, doubling")
    evidence_cap_s: Seconds = described(60, description="download of evidence: longest wait")
    evidence_total_s: Seconds = described(
        600, description="download of evidence: after this the outcome goes without it"
    )
    abuse_pause_s: Seconds = described(3_600, description="how long an account pauses after the authority's abuse code")
    abuse_slow_s: Seconds = described(86_400, description="how long it then goes on slowly")
    abuse_per_minute: Annotated[int, Field(gt=0)] = described(8, description="calls a minute while it goes slowly")
    log_level: str = described("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="least level that is logged")
    log_format: str = described("text", pattern="^(text|json)$", description="`text` for people, `json` for machines")

    @property
    def call_lease_s(self) -> float:
        """How long one call holds its job: always longer than the call can last."""
        return self.total_timeout_s + self.lease_margin_s

    @field_validator("redis_url")
    @classmethod
    def _known_scheme(cls, url: str) -> str:
        if not url.startswith(_SCHEMES):
            message = f"must begin with {', '.join(_SCHEMES)}"
            raise ValueError(message)
        if not url.startswith("sentinel"):
            _only_host_and_database(url)
        elif not _SENTINEL_URL.fullmatch(url):
            message = "must be sentinel[s]://[USER:PASSWORD@]HOST:PORT,HOST:PORT/MASTER/DB"
            raise ValueError(message)
        return url


def _only_host_and_database(url: str) -> None:
    """Another database would be another ledger, so that nothing in the address may be ignored."""
    parts = urlsplit(url)
    _ = parts.port  # raises ValueError where it is none
    if parts.query not in {"", "ssl_cert_reqs=none"} or parts.fragment or not re.fullmatch(r"/?[0-9]{0,5}", parts.path):
        message = "must be redis://[USER:PASSWORD@]HOST[:PORT][/NUMBER OF THE DATABASE]"
        raise ValueError(message)


def load() -> Settings:
    """The settings of this process.

    Raises:
        ConfigurationProblem: a value cannot be used; it names the variable and never the value.
    """
    try:
        return Settings()
    except ValidationError as invalid:
        lines = [
            f"ANULA_{str(error['loc'][0]).upper()}: {error['msg'].removeprefix('Value error, ')}"
            for error in invalid.errors()
        ]
        raise ConfigurationProblem("; ".join(lines)) from None
    except UnicodeDecodeError:
        raise ConfigurationProblem(_NOT_UTF8) from None


def wants_json() -> bool:
    """Whether log lines shall be JSON; also where the other settings cannot be used."""
    try:
        found = environment()
    except ConfigurationProblem:
        found = os.environ
    return {name.upper(): value for name, value in found.items()}.get("ANULA_LOG_FORMAT") == "json"


def environment() -> Mapping[str, str]:
    """All variables of the environment and the `.env` file; the environment wins. Secrets are looked up here."""
    try:
        from_file = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    except UnicodeDecodeError:
        raise ConfigurationProblem(_NOT_UTF8) from None
    return {**from_file, **os.environ}
