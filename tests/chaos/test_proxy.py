"""The link of the chaos suite: each kind of weather is what it says."""

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.chaos.proxy import Link, running_link


@pytest.fixture
def link() -> Iterator[Link]:
    """In front of a server that sends back what it gets."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve(one: socket.socket) -> None:
        with one:
            while got := one.recv(1_000):
                one.sendall(got)

    def accept() -> None:
        while True:
            try:
                one, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(one,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with running_link(server.getsockname()[1]) as one:
        yield one
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def connected(link: Link) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), timeout=5.0)


def echo(one: socket.socket, text: bytes = b"hello") -> bytes:
    one.sendall(text)
    return one.recv(1_000)


def test_in_fine_weather_everything_passes(link):
    with connected(link) as one:
        assert echo(one) == b"hello"


def test_a_cut_is_heard_of_and_a_new_connection_works(link):
    with connected(link) as one, connected(link) as other:
        assert echo(one) == b"hello"
        link.cut()
        assert one.recv(1_000) == b""
        with connected(link) as later:
            assert echo(later) == b"hello"
        assert other is not one


def test_nobody_gets_in_while_the_link_is_down(link):
    link.go_down()
    with connected(link) as one:
        assert one.recv(1_000) == b""

    link.clear()
    with connected(link) as one:
        assert echo(one) == b"hello"


def test_a_half_open_link_swallows_and_never_says_so(link):
    with connected(link) as one:
        assert echo(one) == b"hello"
        link.swallow()
        one.settimeout(0.2)
        with pytest.raises(TimeoutError):
            echo(one)
        link.clear()
        with pytest.raises(TimeoutError):
            echo(one)
    with connected(link) as later:
        assert echo(later) == b"hello"


def test_a_lost_reply_is_a_cut_after_the_server_has_acted(link):
    link.lose_replies(1)
    with connected(link) as one:
        assert echo(one) == b""
    with connected(link) as later:
        assert echo(later) == b"hello"
    assert link.lost == 1


def test_not_only_the_first_reply_of_a_connection_gets_lost(link):
    link.lose_replies(2, every=3)
    for _ in range(2):
        with connected(link) as one:
            assert [echo(one) for _ in range(3)] == [b"hello", b"hello", b""]
    with connected(link) as later:
        assert [echo(later) for _ in range(3)] == [b"hello"] * 3
