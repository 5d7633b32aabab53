"""A provider for load: it answers each call after a set time with whole evidence, and does nothing else.

It runs as a process of its own, so that it shares no interpreter with whoever is measured:
`python -m tests.bench.peers.stub LATENCY_S [SHARE_OF_FAILURES]` prints its address and serves until it is ended.
"""

import asyncio
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass

from config.accounts import ProviderName
from worker.sandbox.acuse import acuse
from worker.sandbox.behaviours import Form
from worker.sandbox.bpe_behaviours import BPE_BEHAVIOURS
from worker.sandbox.documents import Document, Event, Plan
from worker.sandbox.event_xml import event_xml
from worker.sandbox.numbers import sandbox_chbpe, sandbox_uuid
from worker.sandbox.soap import SoapVersion, answer

A_TIME = 1_767_225_600.0
"""2026-01-01T00:00:00Z."""
PROTOCOL = "143260000000001"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_DOCUMENT = re.compile(rb'"chBPe": ?"([0-9A-Z]{44})"|uuid>([0-9A-Fa-f-]{36})<')
_IN_PROCESS = b"-A211-"
_FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno"


@dataclass(frozen=True)
class Template:
    """A whole HTTP answer about one document, to be given about any other: their numbers are equally long."""

    answer: bytes
    document: bytes

    @classmethod
    def of(cls, body: bytes, media_type: str, document: str) -> "Template":
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        return cls(head.encode() + body, document.encode())

    def about(self, document: bytes) -> bytes:
        return self.answer.replace(self.document, document)


def bpe() -> Template:
    """A cancelled BP-e, with its event XML."""
    key = sandbox_chbpe(135, 1)
    document = Document(key, ProviderName.NS_BPE, Plan(BPE_BEHAVIOURS["135"], 0))
    document.cancelled_at, document.protocol = A_TIME, PROTOCOL
    document.event = Event("2026-01-01T12:00:00-03:00", "143260000012345", "Passageiro desistiu da viagem")
    event = {
        "cStat": 135,
        "xMotivo": "Evento registrado e vinculado a BP-e",
        "chBPe": key,
        "dhRegEvento": "2026-01-01T12:00:01-03:00",
        "nProt": PROTOCOL,
        "xml": event_xml(document, cstat=135, tp_amb="2"),
    }
    body = {"status": 200, "motivo": "Processamento de evento realizado com sucesso", "retEvento": event}
    return Template.of(json.dumps(body).encode(), "application/json", key)


def soap(status: int) -> Template:
    """A CFDI, cancelled with its acuse or in process. The acuse is base64, so it names the document in the clear."""
    uuid = sandbox_uuid(200, 1)
    content = acuse(uuid, estatus=201, now=A_TIME, form=Form.PLAIN).decode() if status == 200 else None
    body = answer(SoapVersion.V11, status=status, mensaje="ok", acuse=content, form=Form.PLAIN)
    return Template.of(body, "text/xml; charset=utf-8", uuid)


class Provider(asyncio.Protocol):
    """One connection; requests on it come one after the other."""

    def __init__(self, latency_s: float, reply_to: Callable[[bytes], bytes]) -> None:
        self._latency_s = latency_s
        self._reply_to = reply_to
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or (length and len(body) < int(length[1])):
            return
        self._received = b""
        asyncio.get_running_loop().call_later(self._latency_s, self._transport.write, self._reply_to(body))


class Replies:
    """What each request is answered: the n-th failure in so many calls is spread evenly."""

    def __init__(self, failures: float) -> None:
        self._bpe, self._cancelled, self._in_process = bpe(), soap(200), soap(211)
        self._failures, self._owed = failures, 0.0

    def to(self, body: bytes) -> bytes:
        self._owed += self._failures
        if self._owed >= 1:
            self._owed -= 1
            return _FAILED
        found = _DOCUMENT.search(body)
        if not found:
            return _FAILED
        if found[1]:
            return self._bpe.about(found[1])
        return (self._in_process if _IN_PROCESS in found[2] else self._cancelled).about(found[2])


async def serve(latency_s: float, failures: float) -> None:
    """Serve until the process is ended; the address is the first line on standard output."""
    replies = Replies(failures)
    server = await asyncio.get_running_loop().create_server(
        lambda: Provider(latency_s, replies.to), "127.0.0.1", 0, backlog=4096
    )
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0))
