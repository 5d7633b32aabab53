"""What the demo plays on: Valkey, the sandbox and a worker, each a process of its own, gone when it is over."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from worker.client import Client
from worker.demo import processes, setting
from worker.demo.embedded_server import EmbeddedServer
from worker.demo.interruption import Interruption
from worker.demo.processes import Child
from worker.demo.setting import Setting

UP_WITHIN_S = 20.0
_ANULA = (sys.executable, "-c", "from worker.cli.main import main; main()")
_WORKER = (sys.executable, "-m", "celery", "--app", "worker.app", "worker", "--without-mingle", "--without-gossip")
_ADDRESS = re.compile(r"http://\S+")


class Stage:
    """Everything runs while the context lasts; `outside` are the variables that the demo was started with."""

    def __init__(self, interruption: Interruption, outside: Mapping[str, str]) -> None:
        self._interruption = interruption
        self._outside = outside
        self._at_the_end = ExitStack()
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        try:
            self._build()
        except BaseException:
            self._clear()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()

    def _build(self) -> None:
        with self._interruption.held():
            self._directory = Path(tempfile.mkdtemp(prefix="anula-demo-"))
            self._at_the_end.callback(shutil.rmtree, self._directory, ignore_errors=True)
        redis_url = self._start_server()
        self.setting = setting.prepare(self._directory, redis_url, self._start_sandbox(), outside=self._outside)
        self.client = Client(self.setting.settings, self.setting.accounts)
        self._at_the_end.callback(self.client.close)
        self._start_worker(self.setting)

    def _start_server(self) -> str:
        server = EmbeddedServer(self._directory / "server")
        self._at_the_end.callback(server.stop)
        with self._interruption.held():
            return server.start()

    def _start_sandbox(self) -> str:
        options = ("--port", "0", "--in-process-seconds", str(setting.IN_PROCESS_S))
        sandbox = self._start("sandbox", (*_ANULA, "sandbox", *options), setting.without_settings(self._outside))

        def address() -> str | None:
            found = _ADDRESS.search(sandbox.log.read_text())
            return found[0] if found else None

        processes.wait_for(sandbox, address, limit_s=UP_WITHIN_S)
        return address() or ""

    def _start_worker(self, prepared: Setting) -> None:
        worker = self._start("worker", _WORKER, prepared.environment)
        names = set(prepared.accounts.by_name)

        def has_enrolled_all() -> bool:
            return names <= {state.name for state in self.client.ask(lambda ledger: ledger.account_states())}

        processes.wait_for(worker, has_enrolled_all, limit_s=UP_WITHIN_S)

    def _start(self, name: str, command: tuple[str, ...], environment: Mapping[str, str]) -> Child:
        with self._interruption.held():
            child = processes.start(name, command, directory=self._directory, environment=environment)
            self._children.append(child)
        return child

    def make_sure(self) -> None:
        """Make sure that sandbox and worker still run.

        Raises:
            NotUp: one has ended.
        """
        processes.make_sure_of(self._children)

    def run(self, *arguments: str, output: IO[str]) -> None:
        """Run one `anula` command as an operator of this stage; what it prints goes to `output`.

        Raises:
            NotUp: it failed.
        """
        ended = subprocess.run(  # noqa: S603 - the demo's own commands
            [*_ANULA, *arguments],
            cwd=self._directory,
            env=dict(self.setting.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
        if ended.returncode:
            raise processes.NotUp(f"anula {arguments[0]} ended with status {ended.returncode}")

    def _clear(self) -> None:
        """Take everything away, whatever signal comes meanwhile."""
        with self._interruption.held(), self._at_the_end:
            for child in self._children:
                child.ask_to_leave()
            for child in self._children:
                child.wait_or_kill()
