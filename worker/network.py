"""Sockets whose every wait ends within the limits of the exchange that they serve."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any

import httpcore
import httpx


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request and its answer: how long it may still take, and how far it came.

    Attributes:
        ends_at: Hard end of everything, on the monotonic clock.
        connect_by: End of connecting, TLS included, on the same clock.
        silence_s: Longest wait for the next byte.
        before_first_byte: Called once, right before the request's first byte; what it raises stops the exchange.
        has_left: The request's first byte was handed to the network.
        was_cut: The server closed its side.
    """

    ends_at: float
    connect_by: float
    silence_s: float
    before_first_byte: Callable[[], None]
    has_left: bool = False
    was_cut: bool = False

    def connecting_s(self) -> float:
        """Seconds left for connecting."""
        return _left_s(min(self.connect_by, self.ends_at))

    def waiting_s(self) -> float:
        """Seconds that the next read or write may take."""
        return min(self.silence_s, _left_s(self.ends_at))

    def leave(self) -> None:
        """Note that the request is leaving; the first time it may still be stopped."""
        if not self.has_left:
            self.before_first_byte()
            self.has_left = True


def _left_s(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time limit of the call is reached")
    return left


class LimitedNetwork(httpcore.NetworkBackend):
    """The network of one thread's client: it takes every limit from the exchange under way, not from the caller.

    httpx limits each wait by itself, so that a server which sends one byte a minute could hold a call for ever.
    """

    def __init__(self) -> None:
        self._sockets = httpcore.SyncBackend()
        self.exchange: Exchange | None = None

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the exchange has its own
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to `host`.

        Raises:
            httpcore.ConnectError, httpcore.TimeoutException: not connected.
        """
        limit_s = self.under_way().connecting_s()
        with _no_such_name():
            stream = self._sockets.connect_tcp(host, port, limit_s, local_address, socket_options)
        return _LimitedStream(stream, self)

    def under_way(self) -> Exchange:
        """The exchange that is served now."""
        if self.exchange is None:
            raise RuntimeError("the network is used outside an exchange")
        return self.exchange


class _LimitedStream(httpcore.NetworkStream):
    """A connection; it outlives the exchange, so it asks for the present one each time."""

    def __init__(self, stream: httpcore.NetworkStream, network: LimitedNetwork) -> None:
        self._stream = stream
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the exchange has its own
        exchange = self._network.under_way()
        received = self._stream.read(max_bytes, exchange.waiting_s())
        exchange.was_cut = not received
        return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the exchange has its own
        exchange = self._network.under_way()
        limit_s = exchange.waiting_s()
        exchange.leave()
        self._stream.write(buffer, limit_s)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the exchange has its own
    ) -> httpcore.NetworkStream:
        limit_s = self._network.under_way().connecting_s()
        with _no_such_name():
            return _LimitedStream(self._stream.start_tls(ssl_context, server_hostname, limit_s), self._network)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@contextmanager
def _no_such_name() -> Iterator[None]:
    """Python refuses some host names with a ValueError (an overlong label, a leading dot); httpcore awaits OSError."""
    try:
        yield
    except ValueError:
        raise httpcore.ConnectError("not a host name") from None


class LimitedTransport(httpx.BaseTransport):
    """One connection at a time over a limited network, for which httpx's own transport has no parameter."""

    def __init__(self, context: SSLContext, network: LimitedNetwork, *, keep_alive_s: float) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=1,
            keepalive_expiry=keep_alive_s,
            network_backend=network,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer to `request`, its body not read yet.

        Raises:
            httpcore's own exceptions, not httpx's.
        """
        url = request.url
        response = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            response.status, headers=response.headers, stream=_Body(response), extensions=dict(response.extensions)
        )

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self._response.iter_stream()

    def close(self) -> None:
        self._response.close()
