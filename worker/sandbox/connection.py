"""One client's connection, down to TCP: what a fault needs to cut, to drip, or to wait for the client to leave.

uvicorn hands an application no transport, and ASGI has no word for cutting a connection. A subclass of its own
HTTP/1.1 protocol puts the transport into the scope's state: everything else stays uvicorn's, which a server of our
own on raw sockets would have to do again (keep-alive, limits, chunked bodies).
"""

import asyncio
import socket
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Final

from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from worker.sandbox.reply import Reply

MAX_REQUEST_BYTES: Final = 1024 * 1024
_TRANSPORT: Final = "sandbox.transport"


class SandboxProtocol(H11Protocol):
    """uvicorn's protocol, whose scopes carry the connection's transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the transport beside what uvicorn does.

        asyncio switches Nagle's algorithm off only for sockets it made itself; with it, an answer whose head and body
        are written apart waits 40 ms for the client's delayed acknowledgement.
        """
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, _TRANSPORT: transport}


class RequestTooLong(Exception):
    """The body is over `MAX_REQUEST_BYTES`."""


class ClientGone(Exception):
    """The client left before its request was whole."""


class Connection:
    """One exchange with one client.

    Attributes:
        is_gone: The client is known to have left, or was cut off.
        on_leaving: Called once when that happens.
    """

    __slots__ = ("_receive", "_send", "_transport", "is_gone", "on_leaving")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._transport: asyncio.Transport = scope["state"][_TRANSPORT]
        self.is_gone = False
        self.on_leaving: Callable[[], None] = lambda: None

    async def read(self) -> bytes:
        """The whole body of the request.

        Raises:
            RequestTooLong: there is more of it than the sandbox takes.
            ClientGone: it ended too soon.
        """
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            more = message.get("more_body", False)
            if size > MAX_REQUEST_BYTES:
                raise RequestTooLong
        return b"".join(parts)

    async def reply(self, reply: Reply) -> None:
        """Send an answer as it should be."""
        await self._send(_start(reply))
        await self._send({"type": "http.response.body", "body": reply.body})

    async def wait(self, seconds: float) -> bool:
        """Wait, or until the client leaves; gives whether it is still there."""
        if not self.is_gone:
            try:
                async with asyncio.timeout(seconds):
                    await self._until_gone()
            except TimeoutError:
                pass
        return not self.is_gone

    async def cut(self) -> None:
        """Close the TCP connection at once; what was not sent yet is lost."""
        self._transport.abort()
        await self._until_gone()

    async def send_raw(self, pieces: Iterable[bytes], *, pause_s: float = 0.0) -> None:
        """Send bytes past uvicorn, with a pause after each piece, then close the TCP connection."""
        for piece in pieces:
            if self._transport.is_closing():
                break
            self._transport.write(piece)
            if pause_s and not await self.wait(pause_s):
                break
        self._transport.close()
        await self._until_gone()

    async def send_body_in(self, reply: Reply, pieces: Iterable[bytes], *, pause_s: float = 0.0) -> None:
        """Send an answer whose body comes in pieces, with a pause after each."""
        await self._send(_start(reply))
        for piece in pieces:
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
            if pause_s and not await self.wait(pause_s):
                return
        await self._send({"type": "http.response.body", "body": b""})

    async def _until_gone(self) -> None:
        while not self.is_gone:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.is_gone = True
                self.on_leaving()


def _start(reply: Reply) -> Message:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.all_headers()]
    return {"type": "http.response.start", "status": reply.status, "headers": headers}


def raw_head(reply: Reply) -> bytes:
    """Status line and headers as they go over the wire."""
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in reply.all_headers()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
