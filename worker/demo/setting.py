"""What the demo's processes find in their environment: its own accounts file, made-up secrets, short waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config import accounts as accounts_file
from config.accounts import Accounts
from config.settings import Settings
from worker.sandbox.accounts import PASSWORD, TOKEN, USER, USER_CODES

USERS: Mapping[str, str] = {
    "norte": USER,
    "sur": USER.replace("@", "-2@"),
    "oeste": USER.replace("@", "-3@"),
    **{f"sf-{code}": f"{code}@{USER.partition('@')[2]}" for code in USER_CODES},
}
"""Solución Factible's accounts and their users; those named like a code are always answered so (docs/sandbox.md).

No account has ten documents that fail at first: in a row, they would open its circuit.
"""
TOKENS: Mapping[str, str] = {
    "rodoviaria": TOKEN,
    "bpe-transient": f"{TOKEN}-1",
    "bpe-unknown": f"{TOKEN}-2",
    "bpe-look-up": f"{TOKEN}-3",
    "bpe-http": f"{TOKEN}-4",
    "bpe-busy": f"{TOKEN}-5",
    "bpe-109": f"{TOKEN}-109",
    "bpe-656": f"{TOKEN}-656",
    "bpe-678": f"{TOKEN}-678",
    "bpe-401": f"{TOKEN}:401",
    "bpe-403": f"{TOKEN}:403",
    "bpe-minus-401": f"{TOKEN}:-401",
}
"""NS BP-e's accounts and their tokens, likewise."""
IN_PROCESS_S = 3.0
"""How long "in process" lasts at the demo's sandbox."""
_SHORT_WAITS: Mapping[str, object] = {
    "connect_timeout_s": 2,
    "read_timeout_s": 3,
    "total_timeout_s": 5,
    "transient_first_s": 0.5,
    "transient_cap_s": 1,
    "transient_total_s": 2,
    "unknown_first_s": 1,
    "unknown_cap_s": 2,
    "unknown_total_s": 2.5,
    "in_process_first_s": 1,
    "in_process_cap_s": 2,
    "in_process_total_s": 8,
    "evidence_total_s": 10,
    "abuse_pause_s": 3,
    "log_format": "text",
}
"""Settings of this demo alone: an hour becomes a second (docs/settings.md has the real ones)."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What every part of one demo shares."""

    settings: Settings
    accounts: Accounts
    environment: Mapping[str, str]


def prepare(directory: Path, redis_url: str, sandbox_url: str, *, outside: Mapping[str, str]) -> Setting:
    """Write the accounts file to `directory`; `outside` are the variables that the demo itself was started with."""
    file = directory / "accounts.toml"
    file.write_text(_accounts_file(sandbox_url), encoding="utf-8")
    chosen = {"redis_url": redis_url, "accounts": file, **_SHORT_WAITS}
    variables = {f"ANULA_{name.upper()}": str(value) for name, value in chosen.items()}
    return Setting(
        settings=Settings.model_validate(chosen | _defaults_beside(chosen)),
        accounts=accounts_file.load(file),
        environment=without_settings(outside) | variables | _secrets(),
    )


def without_settings(outside: Mapping[str, str]) -> dict[str, str]:
    """The variables that have nothing to do with Anula: settings made for real work stay out of the demo."""
    return {name: value for name, value in outside.items() if not name.upper().startswith("ANULA_")}


def _defaults_beside(chosen: Mapping[str, object]) -> dict[str, object]:
    return {name: field.default for name, field in Settings.model_fields.items() if name not in chosen}


def _secrets() -> dict[str, str]:
    passwords = {_variable(name): PASSWORD for name in USERS}
    return passwords | {_variable(name): token for name, token in TOKENS.items()}


def _variable(account: str) -> str:
    return f"DEMO_{account.upper().replace('-', '_')}"


def _accounts_file(sandbox_url: str) -> str:
    tables = [
        f'[accounts.{name}]\nprovider = "solucion-factible"\nenvironment = "test"\nusername = "{user}"\n'
        f'password_env = "{_variable(name)}"\nendpoint = "{sandbox_url}/ws/services/Cancelacion"\n'
        for name, user in USERS.items()
    ]
    tables += [
        f'[accounts.{name}]\nprovider = "ns-bpe"\nenvironment = "test"\nutc_offset = "-03:00"\n'
        f'token_env = "{_variable(name)}"\nendpoint = "{sandbox_url}"\n'
        for name in TOKENS
    ]
    return "\n".join(tables)
