"""What a test needs of each provider: an account, a request, and the recorded answers (`tests/answers`)."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from config.accounts import Account, NsBpeAccount, SolucionFactibleAccount
from worker.answer import Reaction
from worker.providers import adapter_for
from worker.providers.base import Adapter, Credentials
from worker.request import NsBpeRequest, Request, SolucionFactibleRequest
from worker.sender import Sender

ANSWERS = Path(__file__).parents[1] / "answers"
SECRET = "s3cret-of-the-tests"
UUID = "11111111-2222-4333-8444-555555555555"
CHBPE = "43180207364617000135630000000000311000000089"
_ACCOUNT: TypeAdapter[Account] = TypeAdapter(Account)


@dataclass(frozen=True)
class Kit:
    """One provider; `expected` says how it means the recorded answers on which providers differ."""

    provider: str
    suffix: str
    content_type: str
    settings: dict[str, object]
    request: Request
    expected: dict[str, Reaction]

    def account(self, **settings: object) -> Account:
        account = {"name": "test", "provider": self.provider, "environment": "test", **self.settings, **settings}
        return _ACCOUNT.validate_python(account)

    def adapter(self, sender: Sender, **settings: object) -> Adapter:
        return adapter_for(self.account(**settings), sender)

    def answer(self, name: str) -> bytes:
        """A recorded answer's body."""
        return self.path(f"{name}{self.suffix}").read_bytes()

    def path(self, file: str) -> Path:
        """Where a recorded answer is."""
        return ANSWERS / self.provider / file


SOLUCION_FACTIBLE = Kit(
    provider="solucion-factible",
    suffix=".xml",
    content_type="application/soap+xml; charset=utf-8",
    settings={"username": "erp@example.com", "password_env": "PASSWORD"},
    request=SolucionFactibleRequest(provider="solucion-factible", uuid=UUID),
    expected={"not-yet": Reaction.IN_PROCESS},
)
NS_BPE = Kit(
    provider="ns-bpe",
    suffix=".json",
    content_type="application/json",
    settings={"token_env": "TOKEN", "utc_offset": "-03:00"},
    request=NsBpeRequest(
        provider="ns-bpe",
        chBPe=CHBPE,
        nProt="443170000037618",
        xJust="Cancelamento pedido pelo passageiro, não viajará",
        dhEvento="2018-02-21T14:58:40-03:00",
    ),
    expected={"not-yet": Reaction.TRANSIENT},
)
KITS = (SOLUCION_FACTIBLE, NS_BPE)


def credentials(*, secret: str = SECRET, may_send: bool = True) -> Credentials:
    return Credentials(secret, lambda: may_send)


def sf_account(**settings: object) -> SolucionFactibleAccount:
    account = SOLUCION_FACTIBLE.account(**settings)
    assert isinstance(account, SolucionFactibleAccount)
    return account


def bpe_account(**settings: object) -> NsBpeAccount:
    account = NS_BPE.account(**settings)
    assert isinstance(account, NsBpeAccount)
    return account
