"""Who is measured: programs of the peers' own environment, and Anula as its Procfile starts it."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from config import accounts as accounts_file
from config.settings import Settings
from tests.support.site import ROOT, SECRETS
from worker.client import Client
from worker.sandbox.accounts import USER
from worker.sandbox.numbers import sandbox_chbpe, sandbox_uuid

PROGRAMS = Path(__file__).parent / "programs"
PEERS = ROOT / ".venv-peers" / "bin"
FIXED = {"nProt": "143260000012345", "xJust": "Passageiro desistiu da viagem"}
ACCOUNTS = """
[accounts.norte]
provider = "solucion-factible"
environment = "test"
username = "{user}"
password_env = "NORTE_PASSWORD"
endpoint = "{url}/ws/services/Cancelacion"
max_in_flight = {most}

[accounts.rodoviaria]
provider = "ns-bpe"
environment = "test"
token_env = "RODOVIARIA_TOKEN"
utc_offset = "-03:00"
endpoint = "{url}"
max_in_flight = {most}
"""
Process = subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a round takes place.

    Attributes:
        slots: Calls at a time, of one process.
        jobs: How many there are to do.
    """

    directory: Path
    redis_url: str
    provider_url: str
    slots: int
    jobs: int


class Contender(Protocol):
    """A queue and its workers; `outcomes` is the stream where each finished job leaves its outcome."""

    @property
    def name(self) -> str: ...

    @property
    def outcomes(self) -> str: ...

    def fill(self, setting: Setting) -> None:
        """Hand in the jobs, before any worker runs."""

    def start(self, setting: Setting) -> list[Process]:
        """Start the workers."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another task queue.

    Attributes:
        worker: The command line; `{slots}` and `{jobs}` are put in.
        program: The module whose `enqueue` hands jobs in; empty where the worker has its jobs in memory.
    """

    name: str
    worker: str
    program: str = ""
    outcomes: str = "outcomes"

    def fill(self, setting: Setting) -> None:
        """Hand in the jobs."""
        if self.program:
            code = f"import {self.program}; {self.program}.enqueue({setting.jobs})"
            command = [str(PEERS / "python"), "-c", code]
            subprocess.run(command, cwd=PROGRAMS, env=self._environment(setting), check=True)

    def start(self, setting: Setting) -> list[Process]:
        """Start one worker process."""
        name, *arguments = shlex.split(self.worker.format(slots=setting.slots, jobs=setting.jobs))
        return [started([str(PEERS / name), *arguments], setting, self._environment(setting), cwd=PROGRAMS)]

    def _environment(self, setting: Setting) -> dict[str, str]:
        return {
            **os.environ,
            "PEER_REDIS_URL": setting.redis_url,
            "PEER_PROVIDER_URL": setting.provider_url,
            "PEER_SLOTS": str(setting.slots),
        }


@dataclass(frozen=True, slots=True)
class Anula:
    """Anula, with the options of the Procfile but for the number of threads.

    Attributes:
        in_process_every: Every so many documents, one is "in process"; 0: none.
    """

    name: str = "Anula"
    processes: int = 1
    provider: str = "ns-bpe"
    in_process_every: int = 0
    options: tuple[str, ...] = ()
    more: Mapping[str, str] = field(default_factory=dict)
    outcomes: str = "anula:outcomes"

    def fill(self, setting: Setting) -> None:
        """Submit the jobs."""
        most = 2 * setting.slots * self.processes
        accounts = setting.directory / "accounts.toml"
        accounts.write_text(ACCOUNTS.format(url=setting.provider_url, user=USER, most=most))
        settings = Settings(redis_url=setting.redis_url, accounts=accounts)
        with Client(settings, accounts_file.load(accounts)) as client:
            client.submit_many(self._request(number) for number in range(setting.jobs))

    def start(self, setting: Setting) -> list[Process]:
        """Start the workers."""
        line = next(line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("worker:"))
        name, *arguments = shlex.split(line.partition(":")[2])
        arguments[arguments.index("--concurrency") + 1] = str(setting.slots)
        command = [str(ROOT / ".venv" / "bin" / name), *arguments, *self.options]
        environment = self._environment(setting)
        return [
            started([*command, "--hostname", f"w{number}@bench"], setting, environment, cwd=ROOT)
            for number in range(self.processes)
        ]

    def _request(self, number: int) -> dict[str, str]:
        if self.provider == "ns-bpe":
            return {"provider": self.provider, "chBPe": sandbox_chbpe(135, number), **FIXED}
        is_in_process = self.in_process_every and number % self.in_process_every == 0
        return {"provider": self.provider, "uuid": sandbox_uuid(211 if is_in_process else 200, number)}

    def _environment(self, setting: Setting) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANULA_")},
            **SECRETS,
            "ANULA_REDIS_URL": setting.redis_url,
            "ANULA_ACCOUNTS": str(setting.directory / "accounts.toml"),
            **self.more,
        }


def started(command: list[str], setting: Setting, environment: Mapping[str, str], *, cwd: Path) -> Process:
    """A process whose words go to a file of the round."""
    log = setting.directory / f"{Path(command[0]).name}-{len(list(setting.directory.glob('*.log')))}.log"
    with log.open("wb") as output:
        return subprocess.Popen(command, cwd=cwd, env=dict(environment), stdout=output, stderr=output)


CELERY = "celery --app celery_peer worker --pool threads --concurrency {slots} --loglevel INFO --without-gossip --without-mingle"
FLOOR = Peer("floor: bare threads", "python floor.py {jobs}")
PLAIN = Peer("Celery, threads", CELERY, "celery_peer")
WITH_EVENTS = Peer("Celery, with events", f"{CELERY} --task-events", "celery_peer")
DRAMATIQ = Peer("dramatiq", "dramatiq --processes 1 --threads {slots} dramatiq_peer", "dramatiq_peer")
SAME = Peer("dramatiq, same guarantees", "dramatiq --processes 1 --threads {slots} dramatiq_same", "dramatiq_same")
HUEY = Peer("huey", "huey_consumer huey_peer.huey --worker-type thread --workers {slots}", "huey_peer")
PEERS_OF_THE_TABLE = (PLAIN, WITH_EVENTS, DRAMATIQ, HUEY, SAME)
