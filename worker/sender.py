"""The one way out to the providers: an HTTP exchange within limits, whose end is a value whatever the weather."""

import http.cookiejar
import os
import re
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import httpcore
import httpx

from worker.network import Exchange, LimitedNetwork, LimitedTransport

MAX_BODY_BYTES = 5 * 1024 * 1024
"""An answer longer than this is not read to its end; the longest known is a few kilobytes."""
KEEP_ALIVE_S = 3.0
"""How long an idle connection is used again: less than the shortest common server's patience (Apache: 5 s)."""
_HEADER_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")
_KEPT_HEADERS = ("content-encoding", "content-type", "retry-after")
_DETAIL_LENGTH = 200


class TooLate(Exception):
    """`may_send` said no: nothing of the request has left."""


class Failing(StrEnum):
    """How far an exchange came that gave no answer."""

    NOT_SENT = "not sent"
    """No byte has left: name, connection or TLS failed."""
    NO_ANSWER = "no answer"
    """Bytes have left, then silence or a cut."""
    UNREADABLE = "unreadable"
    """Something came back that is no HTTP answer, or is too long."""
    MISCONFIGURED = "misconfigured"
    """Address, CA file or a header cannot be used; no byte has left."""


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds: connecting with TLS, the longest silence, and everything together."""

    connect_s: float
    read_s: float
    total_s: float


@dataclass(frozen=True, slots=True, repr=False)
class Received:
    """An answer as it came.

    Attributes:
        headers: Only those that somebody reads, under lower-case names.
        body: Not unpacked, although it may come compressed.
        reason: The words beside the status.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    reason: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class NotReceived:
    """Why there is no answer; `detail` is for people and holds no secret.

    Attributes:
        begun: What had come of it.
    """

    kind: Failing
    detail: str
    begun: Received | None = field(default=None, compare=False)


class Sender:
    """Sends for all threads of a process: one connection per thread and CA file, one TLS context per CA file."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._mine = threading.local()
        self._contexts: dict[Path | None, ssl.SSLContext] = {}
        self._clients: weakref.WeakSet[_Client] = weakref.WeakSet()

    def post(
        self,
        url: str,
        *,
        content: bytes,
        headers: Mapping[str, str],
        ca_file: Path | None,
        may_send: Callable[[], bool],
    ) -> Received | NotReceived:
        """POST `content`; `may_send` is asked once the connection stands, right before the first byte.

        Raises:
            TooLate: `may_send` said no.
        """
        request = _Request("POST", url, headers, content)
        return self._send(request, self._limits, ca_file=ca_file, may_send=may_send)

    def get(self, url: str, *, ca_file: Path | None, total_s: float | None = None) -> Received | NotReceived:
        """GET `url`, within `total_s` if that is shorter than the sender's own limit."""
        total_s = min(total_s or self._limits.total_s, self._limits.total_s)
        limits = Limits(self._limits.connect_s, self._limits.read_s, total_s)
        return self._send(_Request("GET", url), limits, ca_file=ca_file, may_send=lambda: True)

    def close(self) -> None:
        """Close every thread's connections; a later call opens new ones."""
        with self._lock:
            clients = list(self._clients)
        self._mine = threading.local()
        for client in clients:
            client.close()

    def _send(
        self, request: "_Request", limits: Limits, *, ca_file: Path | None, may_send: Callable[[], bool]
    ) -> Received | NotReceived:
        for name, value in request.headers.items():
            if not _HEADER_VALUE.fullmatch(value):
                return NotReceived(Failing.MISCONFIGURED, f"header {name} has characters that cannot be sent")
        try:
            client = self._client(ca_file)
        except OSError as failure:
            return NotReceived(Failing.MISCONFIGURED, f"CA file {ca_file} cannot be used ({type(failure).__name__})")
        return client.send(request, limits, may_send)

    def _client(self, ca_file: Path | None) -> "_Client":
        if self._process != os.getpid():
            self._start()  # a forked child must not share sockets (nor a lock held at the fork) with its parent
        mine: dict[Path | None, _Client] | None = getattr(self._mine, "clients", None)
        if mine is None:
            mine = self._mine.clients = {}
        if ca_file not in mine:
            mine[ca_file] = self._new_client(ca_file)
        return mine[ca_file]

    def _new_client(self, ca_file: Path | None) -> "_Client":
        with self._lock:
            if ca_file not in self._contexts:
                self._contexts[ca_file] = tls_context(ca_file)
            client = _Client(self._contexts[ca_file])
            self._clients.add(client)
        return client


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates are always verified: against `ca_file` alone, or the usual authorities."""
    if ca_file is None:
        return httpx.create_ssl_context(trust_env=False)
    return ssl.create_default_context(cafile=str(ca_file))


@dataclass(frozen=True, slots=True, repr=False)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None


class _Client:
    """One thread's connection under one TLS context."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._network = LimitedNetwork()
        self._http = httpx.Client(
            transport=LimitedTransport(context, self._network, keep_alive_s=KEEP_ALIVE_S),
            headers={"Accept-Encoding": "identity", "User-Agent": "anula"},
            cookies=http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
            timeout=httpx.Timeout(None, pool=1.0),
        )
        self.close = weakref.finalize(self, _close, self._http, os.getpid())
        """Also called when the thread has ended."""

    def send(self, request: _Request, limits: Limits, may_send: Callable[[], bool]) -> Received | NotReceived:
        exchange = _exchange(limits, may_send)
        self._network.exchange = exchange
        incoming = _Incoming()
        try:
            return self._receive(request, incoming)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpcore.UnsupportedProtocol):
            return NotReceived(Failing.MISCONFIGURED, "the address cannot be called")
        except (httpcore.TimeoutException, httpcore.NetworkError) as failure:
            return _failed(exchange, failure, incoming)
        except (httpcore.RemoteProtocolError, httpx.RemoteProtocolError) as failure:
            if exchange.was_cut:
                return _failed(exchange, failure, incoming)
            return NotReceived(Failing.UNREADABLE, "the answer is not HTTP", incoming.so_far())
        finally:
            self._network.exchange = None

    def _receive(self, request: _Request, incoming: "_Incoming") -> Received | NotReceived:
        with self._http.stream(
            request.method, request.url, headers=dict(request.headers), content=request.content
        ) as response:
            incoming.head = response
            for part in response.iter_raw():
                incoming.body += part
                if len(incoming.body) > MAX_BODY_BYTES:
                    detail = f"the answer is longer than {MAX_BODY_BYTES} bytes"
                    return NotReceived(Failing.UNREADABLE, detail, incoming.so_far())
            return incoming.received(response)


@dataclass(slots=True)
class _Incoming:
    """An answer on its way in."""

    head: httpx.Response | None = None
    body: bytearray = field(default_factory=bytearray)

    def received(self, head: httpx.Response) -> Received:
        headers = {name: head.headers[name] for name in _KEPT_HEADERS if name in head.headers}
        reason = head.extensions.get("reason_phrase", b"").decode("latin-1")
        return Received(head.status_code, headers, bytes(self.body), reason)

    def so_far(self) -> Received | None:
        return self.received(self.head) if self.head is not None else None


def _close(client: httpx.Client, process: int) -> None:
    """A forked child leaves its parent's clients alone: their locks may have been held at the fork."""
    if process == os.getpid():
        client.close()


def _exchange(limits: Limits, may_send: Callable[[], bool]) -> Exchange:
    def stop_if_too_late() -> None:
        if not may_send():
            raise TooLate

    now = time.monotonic()
    return Exchange(
        ends_at=now + limits.total_s,
        connect_by=now + limits.connect_s,
        silence_s=limits.read_s,
        before_first_byte=stop_if_too_late,
    )


def _failed(exchange: Exchange, failure: Exception, incoming: _Incoming) -> NotReceived:
    """In doubt the request has arrived: only what failed before its first byte is surely not acted on."""
    if not exchange.has_left:
        return NotReceived(Failing.NOT_SENT, (str(failure) or type(failure).__name__)[:_DETAIL_LENGTH])
    if isinstance(failure, httpcore.TimeoutException):
        return NotReceived(Failing.NO_ANSWER, "no whole answer within the time limits", incoming.so_far())
    return NotReceived(Failing.NO_ANSWER, "the connection was cut", incoming.so_far())
