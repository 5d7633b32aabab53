"""How many answers a second the provider's stub can give at all: what is near it says nothing about the caller."""

import asyncio
import time
from urllib.parse import urlsplit

from tests.bench.peers.measuring import provider
from worker.sandbox.numbers import sandbox_chbpe

CONNECTIONS, SECONDS = 50, 2.0


def limit() -> float:
    """Answers a second without any latency."""
    with provider(0.0) as url:
        return asyncio.run(_answers(url)) / SECONDS


async def _answers(url: str) -> int:
    host, port = urlsplit(url).hostname, urlsplit(url).port
    body = f'{{"chBPe": "{sandbox_chbpe(135, 7)}"}}'.encode()
    request = f"POST /v1/bpe/cancel HTTP/1.1\r\nHost: stub\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    end_at = time.monotonic() + SECONDS

    async def ask() -> int:
        reader, writer = await asyncio.open_connection(host, port)
        answers = 0
        while time.monotonic() < end_at:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.rpartition(b"Content-Length: ")[2].split()[0]))
            answers += 1
        writer.close()
        return answers

    return sum(await asyncio.gather(*(ask() for _ in range(CONNECTIONS))))
