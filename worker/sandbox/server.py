"""The running sandbox: the application, and uvicorn around it."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from worker.sandbox.accounts import SandboxAccounts
from worker.sandbox.admin import Admin
from worker.sandbox.calls import CallLog
from worker.sandbox.connection import SandboxProtocol
from worker.sandbox.documents import Documents
from worker.sandbox.exchange import State
from worker.sandbox.faults import Faults
from worker.sandbox.ns_bpe import PATHS, NsBpeService
from worker.sandbox.options import SandboxOptions
from worker.sandbox.solucion_factible import PATH, SolucionFactibleService

KEEP_ALIVE_S = 75
STOP_WITHIN_S = 1
_BACKLOG = 4096


def application(options: SandboxOptions) -> Starlette:
    """Both providers and the endpoints about the sandbox itself, with nothing known yet."""
    state = State(
        options=options,
        documents=Documents(options.in_process_s),
        accounts=SandboxAccounts(),
        faults=Faults(),
        calls=CallLog(options.max_calls_kept),
    )
    soap = SolucionFactibleService(state)
    routes = [Route(path, NsBpeService(state, kind), methods=["POST"]) for path, kind in PATHS.items()]
    # Axis2 answers under the service's name and under "<service>.<port>/"
    routes += [Route(path, soap, methods=["GET", "POST"]) for path in (PATH, PATH + ".{port}", PATH + ".{port}/")]
    return Starlette(routes=[*routes, *Admin(state).routes()])


class _Server(uvicorn.Server):
    """uvicorn, told to stop by us: its own signal handling would end the process by the signal again."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut whoever is still being kept waiting, as a provider does that stops."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


def _server(options: SandboxOptions) -> _Server:
    return _Server(
        uvicorn.Config(
            application(options),
            http=SandboxProtocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=STOP_WITHIN_S,
        )
    )


def _listen(options: SandboxOptions) -> socket.socket:
    """A listening socket, so that the port is known, and taken, before the server runs."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    return socket.create_server((options.host, options.port), family=family, backlog=_BACKLOG)


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(options: SandboxOptions, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `announce` is given the address once connections are taken.

    Raises:
        OSError: the port is taken or the host is none of this machine's.
    """
    listening = _listen(options)
    announce(_address(listening))
    asyncio.run(_run(_server(options), listening))


async def _run(server: _Server, listening: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)  # noqa: FBT003 - setattr's own order
    await server.serve(sockets=[listening])


@contextlib.contextmanager
def run_in_thread(options: SandboxOptions) -> Iterator[str]:
    """A sandbox in a thread of this process for as long as the context lasts; gives its address."""
    listening = _listen(options)
    server = _server(options)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="sandbox", daemon=True)
    thread.start()
    try:
        yield _address(listening)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
