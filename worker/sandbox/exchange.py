"""One provider call from arrival to its end: counted, recorded, with the fault that befalls it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from worker.sandbox import breakage
from worker.sandbox.accounts import SandboxAccounts
from worker.sandbox.calls import Call, CallLog, Kind
from worker.sandbox.connection import Connection
from worker.sandbox.documents import Document, Documents
from worker.sandbox.faults import FaultRequest, Faults
from worker.sandbox.options import SandboxOptions
from worker.sandbox.reply import Reply

_LONGEST_NUMBER = 64


@dataclass(frozen=True, slots=True)
class State:
    """Everything that one running sandbox knows."""

    options: SandboxOptions
    documents: Documents
    accounts: SandboxAccounts
    faults: Faults
    calls: CallLog


@dataclass(frozen=True, slots=True)
class Turn:
    """What an answer depends on beside the request.

    Attributes:
        document: None where the sandbox has none of that number.
        number: Which cancellation request for the document this is.
        now: Seconds since 1970.
    """

    document: Document | None
    number: int
    now: float


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for what; `account` is a label, never a secret."""

    kind: Kind
    account: str
    document: str


async def exchange(state: State, connection: Connection, asked: Asked, answer: Callable[[Turn], Reply]) -> None:
    """Carry out one call; `answer` decides and changes the document in one go, without waiting in between."""
    number = asked.document[:_LONGEST_NUMBER].upper()
    now = time.time()
    document = state.documents.find(number, now)
    count = document.enter(asked.kind, now) if document else 0
    call = state.calls.begin(asked.kind, asked.account, document.id if document else number)
    connection.on_leaving = lambda: _end(call, document)
    fault = state.faults.choose(asked.kind, number) or _own_fault(document, asked.kind, count)

    def act() -> Reply:
        reply = answer(Turn(document, count, time.time()))
        call.code = reply.code
        call.evidence_sha256 = document.evidence_sha256 if document else None
        return reply

    try:
        if state.options.latency_s:
            await connection.wait(state.options.latency_s)
        if fault:
            call.fault = fault.fault.value
            await breakage.play(fault, act, connection)
        else:
            await connection.reply(act())
    finally:
        _end(call, document)


def _end(call: Call, document: Document | None) -> None:
    """The call is over for the client: it has its answer, was cut off, or has left."""
    if call.ended is None:
        call.ended = time.monotonic()
        if document:
            document.in_flight -= 1


def _own_fault(document: Document | None, kind: Kind, count: int) -> FaultRequest | None:
    """The fault that stands in the document's number; it befalls cancellation requests only."""
    if document is None or kind is not Kind.CANCEL:
        return None
    fault = document.behaviour_at(count).fault
    return FaultRequest(fault=fault) if fault else None
