"""What every provider's adapter gives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from worker.answer import Answer
from worker.request import Request


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What one call needs beside the request; lives only as long as the call and has no readable `repr`.

    Attributes:
        secret: Password or token.
        may_send: Asked right before the first byte: False once the lease or the deadline would be overstepped.
    """

    secret: str
    may_send: Callable[[], bool]


class Adapter(Protocol):
    """One account at one provider. Every method makes exactly one call and gives a value; it raises only for bugs,
    and `worker.sender.TooLate` where `may_send` said no.
    """

    def cancel(self, request: Request, credentials: Credentials) -> Answer:
        """Ask for the cancellation."""
        ...


@runtime_checkable
class Inquirer(Adapter, Protocol):
    """An adapter whose provider can also say what became of a document."""

    def look_up(self, request: Request, credentials: Credentials) -> Answer:
        """Ask whether the document stands cancelled: CANCELLED, NOT_CANCELLED, REJECTED, or why there is no telling."""
        ...

    def evidence(self, request: Request, credentials: Credentials) -> Answer:
        """Download the evidence: CANCELLED with evidence, or an answer without."""
        ...
