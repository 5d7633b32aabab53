"""A TCP link whose weather changes: slow, cut, half-open (bytes are swallowed, nothing is reset), replies lost."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_CHUNK = 65_536
Tap = Callable[[bytes], None]


class Link:
    """Stands in front of a server on the loopback interface.

    Attributes:
        delay_s: Added to every chunk in either direction.
        lost: Replies that did not arrive, though the server had acted.
    """

    def __init__(self, port: int, tap: Tap = lambda _: None) -> None:
        self._server_port = port
        self._tap = tap
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self._listener.getsockname()[1])
        self.delay_s = 0.0
        self.lost = 0
        self._to_lose, self._every, self._replies_seen = 0, 1, 0
        self._is_down = False
        self._is_clear = threading.Event()
        self._is_clear.set()
        self._lock = threading.Lock()
        self._pairs: set[_Pair] = set()

    @property
    def redis_url(self) -> str:
        """Where it is, for a Redis client."""
        return f"redis://127.0.0.1:{self.port}/0"

    def cut(self) -> None:
        """Reset every connection there is."""
        for pair in self._all():
            pair.close()

    def go_down(self) -> None:
        """Cut, and let nobody in until `clear`."""
        self._is_down = True
        self.cut()

    def swallow(self) -> None:
        """Half-open until `clear`: whoever writes hears nothing and is not told; what is open now stays so for good."""
        self._is_clear.clear()
        for pair in self._all():
            pair.is_black = True

    def lose_replies(self, times: int, *, every: int = 1) -> None:
        """Cut instead of passing on every `every`-th reply, so many times: the server has acted all the same."""
        with self._lock:
            self._to_lose, self._every, self._replies_seen = times, every, 0

    def clear(self) -> None:
        """Fine weather for connections from now on."""
        self.delay_s = 0.0
        self._is_down = False
        self._is_clear.set()
        self.lose_replies(0)

    def start(self) -> None:
        """Accept connections."""
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Close everything."""
        self._is_clear.set()
        _close(self._listener)
        self.cut()

    def _all(self) -> "list[_Pair]":
        with self._lock:
            return list(self._pairs)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._pass_on(client)

    def _pass_on(self, client: socket.socket) -> None:
        if self._is_down:
            _close(client)
            return
        try:
            server = socket.create_connection(("127.0.0.1", self._server_port), 5.0)
        except OSError:
            _close(client)
            return
        server.settimeout(None)
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = _Pair(client, server, is_black=not self._is_clear.is_set())
        with self._lock:
            self._pairs.add(pair)
        threading.Thread(target=self._requests, args=(pair,), daemon=True).start()
        threading.Thread(target=self._replies, args=(pair,), daemon=True).start()

    def _requests(self, pair: "_Pair") -> None:
        with contextlib.suppress(OSError):
            while sent := pair.client.recv(_CHUNK):
                if pair.is_black:
                    continue
                self._tap(sent)
                self._wait()
                pair.server.sendall(sent)
        if pair.is_black:
            self._is_clear.wait()  # the other side of a dead link does not hear of this end either
        self._end(pair)

    def _replies(self, pair: "_Pair") -> None:
        with contextlib.suppress(OSError):
            while reply := pair.server.recv(_CHUNK):
                if pair.is_black:
                    continue
                if self._loses():
                    break
                self._wait()
                pair.client.sendall(reply)
        self._end(pair)

    def _wait(self) -> None:
        if self.delay_s:
            time.sleep(self.delay_s)

    def _loses(self) -> bool:
        with self._lock:
            self._replies_seen += 1
            loses = self._to_lose > 0 and self._replies_seen % self._every == 0
            self._to_lose -= loses
            self.lost += loses
            return loses

    def _end(self, pair: "_Pair") -> None:
        pair.close()
        with self._lock:
            self._pairs.discard(pair)


class _Pair:
    """One connection on its both sides."""

    def __init__(self, client: socket.socket, server: socket.socket, *, is_black: bool) -> None:
        self.client = client
        self.server = server
        self.is_black = is_black

    def close(self) -> None:
        _close(self.client)
        _close(self.server)


def _close(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def running_link(port: int, tap: Tap = lambda _: None) -> Iterator[Link]:
    """A link to the server at `port`, for the length of the block."""
    link = Link(port, tap)
    link.start()
    try:
        yield link
    finally:
        link.stop()
