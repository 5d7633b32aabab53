"""A proxy in front of a Redis that answers commands with a refusal of one's choice, in the order of the others' answers."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

SET_UP = frozenset({b"AUTH", b"CLIENT", b"HELLO", b"INFO", b"PING", b"PSUBSCRIBE", b"SELECT", b"SUBSCRIBE"})
"""What a server answers that only takes no writes."""


class RefusingProxy:
    """Stands in front of a server on the loopback interface.

    A command that is refused is replaced by a script that answers with the refusal, so that each answer is in its place.
    """

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self._listener.getsockname()[1])
        self._words = b""
        self._passing: frozenset[bytes] = frozenset()
        self._open: list[socket.socket] = []

    @property
    def url(self) -> str:
        """Where it is, for a Redis client."""
        return f"redis://127.0.0.1:{self.port}/0"

    def refuse(self, words: str, *, but: frozenset[bytes] = SET_UP) -> None:
        """Answer every command with these words, but those named."""
        self._passing, self._words = but, words.encode()

    def let_pass(self) -> None:
        """Refuse nothing any more."""
        self._words = b""

    def start(self) -> None:
        """Accept connections."""
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Close everything."""
        for one in (self._listener, *self._open):
            _close(one)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self._open += [client, server]
                threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
                threading.Thread(target=_pass_on, args=(server, client), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            stream = client.makefile("rb")
            while command := _command(stream):
                words = self._words
                is_refused = words and command[0].upper() not in self._passing
                refusal = [b"EVAL", b"return redis.error_reply(ARGV[1])", b"0", words]
                server.sendall(_packed(refusal if is_refused else command))
        _close(server)


def _command(stream: BinaryIO) -> list[bytes]:
    """The next command; empty at the end."""
    count = stream.readline()
    if not count:
        return []
    parts = []
    for _ in range(int(count[1:])):
        length = int(stream.readline()[1:])
        parts.append(stream.read(length + 2)[:-2])
    return parts


def _packed(command: list[bytes]) -> bytes:
    return b"*%d\r\n" % len(command) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in command)


def _pass_on(server: socket.socket, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while reply := server.recv(65_536):
            client.sendall(reply)
    _close(client)
    _close(server)


def _close(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def refusing_proxy(port: int) -> Iterator[RefusingProxy]:
    """A proxy in front of the server at `port`, for the length of the block."""
    proxy = RefusingProxy(port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
