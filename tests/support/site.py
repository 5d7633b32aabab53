"""A whole site for tests: accounts file, environment, and real worker processes on a real Valkey and the sandbox."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config import accounts as accounts_file
from config.accounts import Accounts
from config.settings import Settings
from tests.support.waiting import wait_until
from worker.client import Client
from worker.ledger.connect import ledger_for
from worker.ledger.ledger import Ledger
from worker.sandbox.accounts import PASSWORD, TOKEN, USER

ROOT = Path(__file__).parents[2]
SECRETS = {"NORTE_PASSWORD": PASSWORD, "RODOVIARIA_TOKEN": TOKEN}
_QUICK = {
    "ANULA_TRANSIENT_FIRST_S": "0.2",
    "ANULA_UNKNOWN_FIRST_S": "0.3",
    "ANULA_IN_PROCESS_FIRST_S": "0.3",
    "ANULA_IN_PROCESS_CAP_S": "1",
    "ANULA_TICK_S": "0.05",
}


@dataclass
class Site:
    """Where everything is, and the worker processes that run."""

    directory: Path
    redis_url: str
    namespace: str
    sandbox_url: str
    extra: Mapping[str, str] = field(default_factory=dict)
    workers: list["Worker"] = field(default_factory=list)

    def write_accounts(self, more: str = "") -> None:
        """The accounts `norte` and `rodoviaria` of docs/settings.md, at the sandbox; `more` is appended."""
        (self.directory / "accounts.toml").write_text(
            f"""
[accounts.norte]
provider = "solucion-factible"
environment = "test"
username = "{USER}"
password_env = "NORTE_PASSWORD"
endpoint = "{self.sandbox_url}/ws/services/Cancelacion"

[accounts.rodoviaria]
provider = "ns-bpe"
environment = "test"
token_env = "RODOVIARIA_TOKEN"
utc_offset = "-03:00"
endpoint = "{self.sandbox_url}"
{more}"""
        )

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its processes."""
        return {
            **os.environ,
            **SECRETS,
            **_QUICK,
            "ANULA_REDIS_URL": self.redis_url,
            "ANULA_ACCOUNTS": str(self.directory / "accounts.toml"),
            "ANULA_NAMESPACE": self.namespace,
            **self.extra,
        }

    @property
    def settings(self) -> Settings:
        """The settings of its processes."""
        found = {name: value for name, value in self.environment.items() if name.startswith("ANULA_")}
        values: dict[str, Any] = {name.removeprefix("ANULA_").lower(): value for name, value in found.items()}
        return Settings(**values)

    @property
    def accounts(self) -> Accounts:
        """Its accounts."""
        return accounts_file.load(self.directory / "accounts.toml")

    @property
    def client(self) -> Client:
        """A producer."""
        return Client(self.settings, self.accounts)

    @property
    def ledger(self) -> Ledger:
        """Its ledger, to look into."""
        return ledger_for(self.settings)

    def outcomes(self, job: str | None = None) -> list[dict[str, Any]]:
        """Every outcome published so far, oldest first; those of one job where it is named."""
        entries: Any = self.ledger.redis.xrange(f"{self.namespace}:outcomes")
        found = [json.loads(entry[b"outcome"]) for _, entry in entries]
        return [one for one in found if job is None or one["job"] == job]

    def outcome(self, job: str, *, limit_s: float = 20.0) -> dict[str, Any]:
        """The first outcome of a job, once it is there."""
        wait_until(lambda: self.outcomes(job), limit_s=limit_s)
        return self.outcomes(job)[0]

    def start_worker(self, *options: str, until_ready: bool = True) -> "Worker":
        """Start one more Celery worker process; returns once it is ready."""
        worker = Worker(self, len(self.workers), options)
        self.workers.append(worker)
        worker.start(until_ready=until_ready)
        return worker


class Worker:
    """One Celery worker process, as the Procfile starts it."""

    def __init__(self, site: Site, number: int, options: tuple[str, ...]) -> None:
        self._site = site
        self._options = options
        self.name = f"w{number}@{site.namespace}"
        self.log = site.directory / f"worker-{number}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, until_ready: bool = True) -> None:
        """Start it and wait until it is ready."""
        command = [sys.executable, "-m", "celery", "--app", "worker.app", "worker", "--hostname", self.name]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._options], cwd=ROOT, env=self._site.environment, stdout=log, stderr=log
            )
        if not until_ready:
            return
        wait_until(lambda: self.is_ready or not self.is_running, limit_s=60)
        assert self.is_running, self.log.read_text()[-3000:]

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def is_ready(self) -> bool:
        """Whether it has said that it is."""
        return f"{self.name} ready" in self.log.read_text()

    def kill(self) -> None:
        """End it as a crash does."""
        self.signal(signal.SIGKILL)
        self.wait()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def wait(self, limit_s: float = 30.0) -> int:
        """Wait for its end; the exit status."""
        assert self._process is not None
        return self._process.wait(limit_s)

    def stop(self) -> None:
        """End it, gently first."""
        if not self.is_running:
            return
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(25)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)


@contextmanager
def running_site(
    directory: Path, *, redis_url: str, namespace: str, sandbox_url: str, extra: Mapping[str, str] | None = None
) -> Iterator[Site]:
    """A site without workers yet; those that are started end with the block."""
    site = Site(directory, redis_url, namespace, sandbox_url, extra or {})
    site.write_accounts()
    try:
        yield site
    finally:
        for worker in site.workers:
            worker.stop()
