"""One namespace on a real Valkey, whose runs are driven by hand: no worker, no provider."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config import accounts as accounts_file
from config.accounts import Accounts
from config.settings import Settings
from worker.answer import Answer, Evidence, Reaction, Reason
from worker.client import Client
from worker.documents import check_digit
from worker.ledger.ledger import Ledger
from worker.ledger.records import Begun
from worker.ledger.steps import Effects, Finish, Park
from worker.outcome import Status, Verdict

ACCOUNTS = """
[accounts.norte]
provider = "solucion-factible"
environment = "test"
username = "erp@example.com"
password_env = "NORTE_PASSWORD"

[accounts.rodoviaria]
provider = "ns-bpe"
environment = "test"
token_env = "RODOVIARIA_TOKEN"
utc_offset = "-03:00"
"""
ACUSE = '<?xml version="1.0" encoding="UTF-8"?>\r\n<Acuse Fecha="2026-01-31T10:00:00">Cancelación</Acuse>\n'.encode()
A_UUID = "5F2C9B3E-1D4A-4C6B-9E8F-7A6B5C4D3E2F"
"""A document for parameters of tests, which must be the same in every process."""
REASON = "Passagem emitida com dados incorretos"


def a_uuid() -> str:
    """The document of a CFDI that no other test uses."""
    return str(uuid.uuid4()).upper()


def an_access_key(number: int = 123) -> str:
    """The access key of a BP-e."""
    first = f"352601{'123456780001'}95{'63'}001{number:09d}112345678"
    return first + check_digit(first)


def cfdi(document: str | None = None, **more: Any) -> dict[str, Any]:
    """A request to cancel a CFDI."""
    return {"provider": "solucion-factible", "uuid": document or a_uuid(), **more}


def bpe(document: str | None = None, **more: Any) -> dict[str, Any]:
    """A request to cancel a BP-e."""
    document = document or an_access_key()
    return {"provider": "ns-bpe", "chBPe": document, "nProt": "335260000012345", "xJust": REASON, **more}


def cancelled(evidence: bytes | None = ACUSE, message: str = "UUID cancelado") -> Verdict:
    """The end of a run whose document is cancelled."""
    answer = Answer(
        reaction=Reaction.CANCELLED,
        reason=Reason.CANCELLED,
        code="200",
        message=message,
        provider_status={"status": "200"},
        evidence=Evidence(evidence) if evidence else None,
    )
    return Verdict(status=Status.CANCELLED, reason=Reason.CANCELLED, answer=answer)


def not_cancelled(
    status: Status = Status.REJECTED,
    reason: Reason = Reason.NOT_CANCELLABLE,
    *,
    code: str = "204",
    message: str = "No cancelable",
) -> Verdict:
    """The end of a run whose document is not cancelled."""
    answer = Answer(reaction=Reaction.REJECTED, code=code, message=message, provider_status={"status": code})
    return Verdict(status=status, reason=reason, answer=answer)


@dataclass
class Deployment:
    """A namespace, and a hand that plays the worker."""

    settings: Settings
    accounts: Accounts
    accounts_path: Path
    ledger: Ledger
    _handed: dict[str, int] = field(default_factory=dict)

    def client(self, **changed: Any) -> Client:
        """A client of this deployment, with some settings changed."""
        return Client(self.settings.model_copy(update=changed), self.accounts)

    def environment(self) -> Mapping[str, str]:
        """The variables that make a process use this deployment."""
        return {
            "ANULA_REDIS_URL": self.settings.redis_url,
            "ANULA_NAMESPACE": self.settings.namespace,
            "ANULA_ACCOUNTS": str(self.accounts_path),
        }

    def begin(self, job: str) -> tuple[Begun, int, str]:
        """Begin a call of a job."""
        token = self._token(job)
        nonce = uuid.uuid4().hex
        begun = self.ledger.begin(job, token, nonce, lease_s=60)
        assert isinstance(begun, Begun), begun
        return begun, token, nonce

    def end(self, job: str, verdict: Verdict) -> None:
        """Make the one call of a job, and end its run."""
        begun, token, nonce = self.begin(job)
        step = Finish(verdict=verdict, entry={"call": "cancel", "reaction": "cancelled"}, effects=Effects())
        assert self.ledger.finish(begun, token, nonce, step) == "ended"

    def park(
        self, job: str, *, wait_s: float, code: str = "211", told: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        """Make a call of a job whose answer has it asked again; `told` is more for its line of the history."""
        begun, token, nonce = self.begin(job)
        entry = {"call": "cancel", "reaction": "in_process", "code": code, "wait_s": wait_s, "answer": f"status={code}"}
        plain: dict[str, Any] = {"least_wait_s": 0, "next_call": "cancel", "retry": {}, "effects": Effects()}
        step = Park(wait_s=wait_s, code=code, **(plain | {"entry": {**entry, **(told or {})}} | more))
        assert self.ledger.park(begun, token, nonce, step) == "parked"

    def enroll(self) -> None:
        """What a worker does as it starts, and an answer that proves the credentials."""
        for account in self.accounts.by_name.values():
            self.ledger.enroll(account, inquires=account.provider == "ns-bpe")
        self.ledger.register("hand", dict.fromkeys(self.accounts.by_name.values(), True))

    def records(self) -> dict[str, Any]:
        """Everything that jobs have left in Redis, for "nothing was changed"."""
        keys = [key.decode() for key in self.ledger.redis.scan_iter(f"{self.settings.namespace}:*")]
        return {key: self.ledger.redis.type(key) for key in keys if key != self.ledger.key("meta")}

    def _token(self, job: str) -> int:
        for name in self.accounts.by_name:
            self.ledger.redis.hset(self.ledger.key("account", name), mapping={"proven": 1, "max_in_flight": 1000})
        released = self.ledger.release(1000, slots=2000, begin_within_s=60, lost_wait_s=1).released
        self._handed |= {one.job: one.token for one in released}
        return self._handed.pop(job)


def a_deployment(folder: Path, redis_url: str, namespace: str, **more: Any) -> Deployment:
    """A deployment of two test accounts; `more` settings by their names."""
    path = folder / "accounts.toml"
    path.write_text(ACCOUNTS)
    settings = Settings(redis_url=redis_url, namespace=namespace, accounts=path, **more)
    client = Client(settings)
    return Deployment(settings, accounts_file.load(path), path, client.ledger)
