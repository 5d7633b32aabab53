"""A TCP proxy that loses replies: the server has acted, and whoever asked never hears of it."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class LossyProxy:
    """Stands in front of a server on the loopback interface."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.lost = 0
        self._marker = b""
        self._to_lose = 0
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []

    @property
    def url(self) -> str:
        """Where it is, for a Redis client."""
        return f"redis://127.0.0.1:{self.port}/0"

    def lose_replies(self, times: int, *, to: bytes) -> None:
        """Cut the connection instead of passing on the reply to the next commands that contain `to`."""
        with self._lock:
            self._marker, self._to_lose = to, times

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
                cut = threading.Event()
                threading.Thread(target=self._requests, args=(client, server, cut), daemon=True).start()
                threading.Thread(target=self._replies, args=(server, client, cut), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while sent := client.recv(65_536):
                with self._lock:
                    if self._to_lose and self._marker in sent:
                        self._to_lose -= 1
                        cut.set()
                server.sendall(sent)
        _close(server)

    def _replies(self, server: socket.socket, client: socket.socket, cut: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while reply := server.recv(65_536):
                if cut.is_set():
                    self.lost += 1
                    break
                client.sendall(reply)
        _close(client)
        _close(server)


def _close(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def lossy_proxy(port: int) -> Iterator[LossyProxy]:
    """A proxy in front of the server at `port`, for the length of the block."""
    proxy = LossyProxy(port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
