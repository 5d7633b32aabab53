"""The settings, as values; `load` reads them from the environment and from a `.env` file."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FilePath, SecretStr, ValidationError, field_validator

from config import accounts, env_file, redis_url
from config.names import PREFIX, unknown_in_env_file, unknown_in_environment
from config.problem import ConfigurationProblem

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
described = partial(Field, validate_default=True)
ENV_FILE = Path(".env")


class Settings(BaseModel):
    """Every setting; the environment variable is the name in upper case behind `ANULA_`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

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
    def _can_be_taken_apart(cls, url: str) -> str:
        redis_url.read(url)
        return url


_VARIABLES = {name: f"{PREFIX}{name.upper()}" for name in Settings.model_fields}


def load() -> Settings:
    """The settings of this process.

    Raises:
        ConfigurationProblem: a value cannot be used, a name is not known, or `.env` cannot be read; it names the
            variable and never the value.
    """
    from_file = env_file.read(ENV_FILE)
    variables = _all(from_file)
    named = {name: variables[variable] for name, variable in _VARIABLES.items() if variable in variables}
    try:
        settings = Settings.model_validate(named)
    except ValidationError as invalid:
        lines = [
            f"{_VARIABLES[str(error['loc'][0])]}: {error['msg'].removeprefix('Value error, ')}"
            for error in invalid.errors()
        ]
        raise ConfigurationProblem("; ".join(lines)) from None
    known = variables_of(settings)
    unknown = [*unknown_in_env_file(from_file, known, ENV_FILE), *unknown_in_environment(os.environ, known)]
    if unknown:
        raise ConfigurationProblem("; ".join(unknown))
    return settings


def variables_of(settings: Settings) -> frozenset[str]:
    """The names of all variables that are read: those of the settings, and those that the accounts file names."""
    return accounts.variables(settings.accounts).union(_VARIABLES.values())


def wants_json() -> bool:
    """Whether log lines shall be JSON; also where the other settings cannot be used."""
    try:
        found = environment()
    except ConfigurationProblem:
        found = os.environ
    return {name.upper(): value for name, value in found.items()}.get("ANULA_LOG_FORMAT") == "json"


def environment() -> Mapping[str, str]:
    """All variables of the environment and the `.env` file; the environment wins. Secrets are looked up here.

    Raises:
        ConfigurationProblem: `.env` cannot be read.
    """
    return _all(env_file.read(ENV_FILE))


def _all(from_file: Mapping[str, env_file.Variable]) -> Mapping[str, str]:
    return {**{name: variable.value for name, variable in from_file.items()}, **os.environ}
