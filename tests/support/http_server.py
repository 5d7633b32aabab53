"""A scripted HTTP server on raw sockets: it answers, cuts, drips and keeps silent as a test tells it."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

CERTIFICATE = Path(__file__).with_name("tls") / "loopback.pem"
"""Self-signed, for 127.0.0.1; also the CA file that trusts it."""
DRIP_S = 0.05
PATIENCE_S = 20.0


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass
class Talk:
    """One request's connection in the hands of its script."""

    connection: socket.socket
    over: threading.Event

    def send(self, content: bytes) -> None:
        self.connection.sendall(content)

    def wait(self, seconds: float) -> bool:
        """Wait; true once the server is being closed."""
        return self.over.wait(seconds)

    def wait_until_gone(self) -> None:
        """Wait until the client hangs up."""
        self.connection.settimeout(PATIENCE_S)
        while self.connection.recv(65_536):
            pass


Script = Callable[[Talk], bool]
"""Plays one answer; true if the connection stays open for the next request."""


def reply(body: bytes = b"", *, status: int = 200, headers: dict[str, str] | None = None) -> Script:
    """A whole answer."""

    def play(talk: Talk) -> bool:
        talk.send(_head(status, {"Content-Length": str(len(body)), **(headers or {})}) + body)
        return True

    return play


def raw(content: bytes) -> Script:
    """These bytes, then the end."""

    def play(talk: Talk) -> bool:
        talk.send(content)
        return False

    return play


def cut() -> Script:
    """The end, after the request was read."""
    return raw(b"")


def cut_in_the_body(body: bytes) -> Script:
    """Half of an answer, then the end."""
    return raw(_head(200, {"Content-Length": str(len(body))}) + body[: len(body) // 2])


def silence() -> Script:
    """No answer, until the client gives up."""

    def play(talk: Talk) -> bool:
        talk.wait_until_gone()
        return False

    return play


def drip(content: bytes) -> Script:
    """`content` one byte at a time, endlessly, each within any reasonable limit."""

    def play(talk: Talk) -> bool:
        for byte in _endlessly(content):
            if talk.wait(DRIP_S):
                break
            talk.send(byte)
        return False

    return play


def drip_body() -> Script:
    """Headers at once, then a body that never ends."""

    def play(talk: Talk) -> bool:
        talk.send(_head(200, {"Content-Length": "1000000"}))
        return drip(b" ")(talk)

    return play


def flood(megabytes: int, taken: list[int], headers: dict[str, str]) -> Script:
    """A body of this length for as long as somebody takes it; `taken` grows by 1 with each megabyte."""

    def play(talk: Talk) -> bool:
        talk.send(_head(200, headers))
        for number in range(megabytes):
            talk.send(b"a" * 1_000_000)
            taken.append(number)
        return False

    return play


def drip_headers() -> Script:
    """Headers that never end."""
    return drip(b"HTTP/1.1 200 OK\r\nX-Header: ")


def _endlessly(content: bytes) -> Iterator[bytes]:
    for byte in content:
        yield bytes([byte])
    while True:
        yield b"a"


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass
class HttpServer:
    """Plays its scripts one after the other, the last one again and again, and remembers what it was sent."""

    listener: socket.socket
    tls: ssl.SSLContext | None = None
    script: Sequence[Script] = (reply(),)
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    hung_up: int = 0
    at_once: Script | None = None
    """Played on a new connection, before anything is read."""
    _played: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)
    _open: set[socket.socket] = field(default_factory=set)

    @property
    def url(self) -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://127.0.0.1:{self.listener.getsockname()[1]}"

    def will(self, *script: Script) -> None:
        """Play these from now on."""
        with self._lock:
            self.script, self._played = script, 0

    def start(self) -> None:
        self._start(self._accept)

    def close(self) -> None:
        self._over.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            _hang_up(connection)
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, connection, self.connections)

    def _serve(self, connection: socket.socket, number: int) -> None:
        with suppress(OSError), connection:  # the client left, as some tests want it to
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection:
                with self._lock:
                    self._open.add(connection)
                self._talk(connection, number)
                with self._lock:
                    self._open.discard(connection)

    def _talk(self, connection: socket.socket, number: int) -> None:
        if self.at_once:
            self.at_once(Talk(connection, self._over))
            return
        with connection.makefile("rb") as incoming:
            while not self._over.is_set():
                method, path, headers = _read_head(incoming.readline)
                if not method:
                    return
                body = incoming.read(int(headers.get("content-length", "0")))
                with self._lock:
                    self.seen.append(Seen(method, path, headers, body, number))
                    play = self.script[min(self._played, len(self.script) - 1)]
                    self._played += 1
                if not play(Talk(connection, self._over)):
                    _hang_up(connection)
                    self.hung_up += 1
                    return


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        connection.shutdown(socket.SHUT_RDWR)


def _read_head(readline: Callable[[], bytes]) -> tuple[str, str, dict[str, str]]:
    method, path, *_ = [*readline().decode("latin-1").split(" "), "", ""]
    headers = {}
    while line := readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return method, path, headers


@contextmanager
def running_server(*script: Script, tls: bool = False) -> Iterator[HttpServer]:
    """A server on a free port of this machine."""
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
    server = HttpServer(socket.create_server(("127.0.0.1", 0)), tls=context, script=script or (reply(),))
    server.start()
    try:
        yield server
    finally:
        server.close()


def closed_address() -> str:
    """An address on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}"
