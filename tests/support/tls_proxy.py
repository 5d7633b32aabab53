"""TLS in front of a server that speaks none: the Valkey of the tests is built without it."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.http_server import CERTIFICATE


class TlsProxy:
    """Takes TLS connections under a certificate for this machine, and passes on what is in them.

    Attributes:
        accepted: Connections whose handshake went well.
    """

    def __init__(self, port: int, host: str, *, server_host: str, at_port: int, renamed: tuple[str, str]) -> None:
        self._server = server_host, port
        self._renamed = renamed[0].encode(), renamed[1].encode()
        self.host = host
        self.port = at_port
        self.accepted = 0

    def url(self, host: str | None = None, login: str = "") -> str:
        """Where it is, for a Redis client."""
        return f"rediss://{login}{host or self.host}:{self.port}/0"

    async def listen(self) -> asyncio.Server:
        """Begin to take connections."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        server = await asyncio.start_server(self._serve, self.host, self.port, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        writers = [writer]
        try:
            inner_reader, inner_writer = await asyncio.open_connection(*self._server)
            writers.append(inner_writer)
            await asyncio.gather(_pass_on(reader, inner_writer), _pass_on(inner_reader, writer, self._renamed))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for one in writers:
                one.transport.abort()


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, renamed: tuple[bytes, bytes] = (b"", b"")
) -> None:
    old, new = renamed
    with contextlib.suppress(OSError):
        while read := await reader.read(65_536):
            writer.write(read.replace(old, new) if old else read)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


@contextmanager
def tls_proxy(
    port: int,
    host: str = "127.0.0.1",
    *,
    server_host: str = "127.0.0.1",
    at_port: int = 0,
    renamed: tuple[str, str] = ("", ""),
) -> Iterator[TlsProxy]:
    """A proxy in front of the server at `port`, for the length of the block.

    `at_port` is where it listens itself. What the server says of the first name of `renamed` is told of the second one,
    of the same length: a Sentinel then names servers as they are reached through proxies of their own.
    """
    proxy = TlsProxy(port, host, server_host=server_host, at_port=at_port, renamed=renamed)
    loop, listening = asyncio.new_event_loop(), threading.Event()
    over = asyncio.Event()

    async def run() -> None:
        server = await proxy.listen()
        listening.set()
        await over.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    try:
        assert listening.wait(10)
        yield proxy
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
