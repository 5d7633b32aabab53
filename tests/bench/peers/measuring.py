"""One contender on one load: rate, CPU and memory, counted between a tenth and nine tenths of the jobs."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from tests.bench.peers.contenders import Contender, Process, Setting
from tests.bench.peers.processes import cpu_s, rss_mib
from tests.support.site import ROOT
from tests.support.valkey import LocalValkey, Settings, running_valkey

LIMIT_S = 300.0
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Load:
    """What there is to do.

    Attributes:
        latency_s: How long the provider takes.
        failures: Share of its answers that are HTTP 500.
        expected: Outcomes to wait for; 0: one for each job.
    """

    slots: int = 100
    latency_s: float = 0.1
    jobs: int = 4_000
    failures: float = 0.0
    expected: int = 0
    redis: Settings | None = None

    @property
    def limit(self) -> float:
        """Jobs a second that the slots of one process could do if nothing but the call took time."""
        return self.slots / self.latency_s


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one contender in one round: jobs a second, CPU in milliseconds a job, memory in MiB."""

    rate: float
    cpu_ms: float
    redis_cpu_ms: float
    rss_mib: float


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    done: int
    cpu: float
    redis_cpu: float


def measured(contender: Contender, load: Load) -> Figures:
    """Its figures, on a fresh server and a fresh provider."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        (directory / "redis").mkdir()
        with (
            running_valkey(directory / "redis", settings=load.redis or {"save": ""}) as server,
            provider(load.latency_s, load.failures) as provider_url,
        ):
            setting = Setting(directory, server.url, provider_url, load.slots, load.jobs)
            contender.fill(setting)
            processes = contender.start(setting)
            try:
                return _drained(contender, load, server, processes)
            finally:
                _end(processes)


def _drained(contender: Contender, load: Load, server: LocalValkey, processes: list[Process]) -> Figures:
    expected = load.expected or load.jobs
    with Redis.from_url(server.url) as redis:

        def sample(at_least: int) -> _Sample:
            give_up_at = time.monotonic() + LIMIT_S
            while (done := int(redis.xlen(contender.outcomes))) < at_least:
                if time.monotonic() > give_up_at or all(one.poll() is not None for one in processes):
                    raise AssertionError(f"{contender.name}: {done} of {expected} jobs done")
                time.sleep(POLL_S)
            return _Sample(time.monotonic(), done, sum(cpu_s(one.pid) for one in processes), cpu_s(pid_of(server)))

        first = sample(expected // 10)
        last = sample(expected * 9 // 10)
    jobs = last.done - first.done
    return Figures(
        rate=jobs / (last.at - first.at),
        cpu_ms=(last.cpu - first.cpu) / jobs * 1000,
        redis_cpu_ms=(last.redis_cpu - first.redis_cpu) / jobs * 1000,
        rss_mib=sum(rss_mib(one.pid) for one in processes),
    )


def pid_of(server: LocalValkey) -> int:
    """The process of a server that runs."""
    with Redis.from_url(server.url) as redis:
        return int(redis.info("server")["process_id"])


@contextmanager
def provider(latency_s: float, failures: float = 0.0) -> Iterator[str]:
    """The stub, as a process; gives its address."""
    command = [sys.executable, "-m", "tests.bench.peers.stub", str(latency_s), str(failures)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _end(processes: list[Process]) -> None:
    for one in processes:
        if one.poll() is None:
            one.send_signal(signal.SIGTERM)
    for one in processes:
        try:
            one.wait(30)
        except subprocess.TimeoutExpired:
            one.kill()
            one.wait(5)
