"""Accounts, documents and requests for tests; nobody's real ones."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from config.accounts import Account, Accounts, Environment, NsBpeAccount, SolucionFactibleAccount
from worker.documents import check_digit
from worker.request import Admissible, check

NORTE = SolucionFactibleAccount(
    name="norte",
    provider="solucion-factible",
    environment=Environment.TEST,
    username="erp@example.com",
    password_env="NORTE_PASSWORD",
)
SUR = NORTE.model_copy(update={"name": "sur"})
RODOVIARIA = NsBpeAccount(
    name="rodoviaria",
    provider="ns-bpe",
    environment=Environment.TEST,
    token_env="RODOVIARIA_TOKEN",
    utc_offset="-03:00",
)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
UUID = "0D62B12C-BC6C-4626-E211-FC8FE727A5BC"
CHBPE = "43180207364617000135630000000000301000000081"


def accounts(*configured: Account) -> Accounts:
    """These accounts; one of each provider where none is given."""
    chosen = configured or (NORTE, RODOVIARIA)
    return Accounts({account.name: account for account in chosen}, chosen[0].environment)


def uuid(number: int) -> str:
    """A document of Solución Factible."""
    return f"{number:08X}-0000-4000-8000-000000000000"


def chbpe(number: int) -> str:
    """A BP-e access key."""
    first = f"4318020736461700013563000{number:09d}100000008"[:43]
    return first + check_digit(first)


def sf(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A request to Solución Factible."""
    return {"provider": "solucion-factible", "uuid": uuid(number)} | fields


def bpe(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A request to NS Tecnologia BP-e."""
    return {
        "provider": "ns-bpe",
        "chBPe": chbpe(number),
        "nProt": "143180000000001",
        "xJust": "Passageiro desistiu da viagem",
    } | fields


def admissible(request: Mapping[str, Any], configured: Accounts | None = None) -> Admissible:
    """A request, checked."""
    return check(request, configured or accounts(NORTE, RODOVIARIA), now=datetime.now(UTC))
