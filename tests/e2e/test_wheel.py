"""The wheel in an empty environment, without the lock and without the checkout, started from another directory.

The tests go on in this order with one environment: first with what every installation has, then with the extras.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.support.sandbox import running_sandbox
from tests.support.site import ROOT, SECRETS, Site
from tests.support.valkey import running_valkey
from tests.support.waiting import wait_until
from worker.cli.commands import COMMANDS
from worker.sandbox.numbers import sandbox_uuid

pytestmark = pytest.mark.wheel

PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines())
NOT_BUILT_FROM = (".git", ".venv", "*.egg-info", "build", "dist", "__pycache__", ".*_cache", ".hypothesis", ".valkey")


@dataclass
class Installation:
    """An environment of its own, and a directory elsewhere in which its programs are started."""

    wheel: Path
    environment: Path
    directory: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def program(self, name: str) -> str:
        return str(self.environment / "bin" / name)

    @property
    def all_variables(self) -> dict[str, str]:
        return {**os.environ, "PATH": f"{self.environment / 'bin'}:{os.environ['PATH']}", **self.variables}

    def install(self, *extras: str) -> None:
        wanted = f"{self.wheel}[{','.join(extras)}]" if extras else str(self.wheel)
        self.run("python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wanted)

    def run(self, program: str, *arguments: str, status: int = 0) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [self.program(program), *arguments],
            cwd=self.directory,
            env=self.all_variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == status, f"{program} {arguments}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done

    @contextmanager
    def started(self, command: str, sign: str) -> Iterator[None]:
        """A command line of the docs, until the end of the block; `sign` is what it writes when it is ready."""
        log = self.directory / f"{uuid.uuid4().hex}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"],
                cwd=self.directory,
                env=self.all_variables,
                stdout=output,
                stderr=output,
            )
        try:
            wait_until(lambda: sign in log.read_text() or process.poll() is not None, limit_s=60)
            assert sign in log.read_text(), log.read_text()[-4000:]
            yield
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel with what it depends on itself, and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    _refuse_without_an_index(folder)
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*NOT_BUILT_FROM))
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, *build, str(source)], check=True)
    subprocess.run([sys.executable, "-m", "venv", folder / "environment"], check=True)
    (folder / "elsewhere").mkdir()
    (wheel,) = folder.glob("anula-*.whl")
    made = Installation(wheel, folder / "environment", folder / "elsewhere")
    made.install()
    return made


def _refuse_without_an_index(folder: Path) -> None:
    """Skip where no package can be fetched at all: that says nothing about the wheel."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), "tenacity"]
    tried = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if tried.returncode:
        last = (tried.stderr.strip().splitlines() or ["no reason given"])[-1]
        pytest.skip(f"the package index cannot be reached: {re.sub(r'https?://[^ ]+', '…', last)}")


@pytest.fixture(scope="module")
def running(bare: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The worker as the docs start it, at the sandbox of the tests."""
    valkey = running_valkey(tmp_path_factory.mktemp("valkey"), appendonly=True)
    with running_sandbox() as sandbox, valkey as server:
        Site(bare.directory, server.url, "wheel", sandbox.url).write_accounts()
        bare.variables = {"ANULA_REDIS_URL": server.url, "ANULA_NAMESPACE": "wheel", **SECRETS}
        with bare.started(PROCFILE["worker"], " ready."):
            yield bare


def test_what_is_installed_fits_together(bare):
    bare.run("python", "-m", "pip", "check")


def test_every_command_is_there(bare):
    listed = bare.run("anula", "--help").stdout
    for name in COMMANDS:
        if name in listed:
            bare.run("anula", name, "--help")


@pytest.mark.parametrize("command, extra", [("sandbox", "sandbox"), ("demo", "embedded")])
def test_a_command_whose_extra_is_missing_says_which(bare, command, extra):
    said = bare.run("anula", command, status=1).stderr

    assert len(said.splitlines()) == 1
    assert f"anula[{extra}" in said


def test_the_worker_works_and_every_command_with_it(running):
    document, other = sandbox_uuid(200, 1), sandbox_uuid(200, 2)
    (running.directory / "rows.csv").write_text(f"provider,uuid\nsolucion-factible,{other}\n")

    assert "cancelled" in running.run("anula", "submit", "solucion-factible", document, "--wait", "60").stdout
    running.run("anula", "import", "rows.csv", "--wait", "60")
    for command in (
        ["status", document],
        ["jobs"],
        ["outcomes"],
        ["accounts"],
        ["schema", "request"],
        ["evidence", "--all", "evidence"],
        ["retry", "--state", "unresolved"],
    ):
        running.run("anula", *command)
    running.run("anula", "evidence", document)
    running.run("anula", "revoke", document, status=1)
    checks = {one["check"]: one["result"] for one in json.loads(running.run("anula", "doctor", "--json").stdout)}
    assert checks["wsdl norte"] == "ok"


@pytest.fixture(scope="module")
def complete(running: Installation) -> Installation:
    """The same environment with all extras for running."""
    running.install("embedded", "sandbox", "monitor")
    return running


def test_flower_shows_the_workers(complete):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    with complete.started(f"{PROCFILE['flower']} --port={port}", "Visit me"):
        page = httpx.get(f"http://127.0.0.1:{port}/healthcheck", trust_env=False, timeout=20)

    assert page.is_success


def test_the_demo_finds_its_examples(complete):
    assert "each as expected" in complete.run("anula", "demo").stdout


def test_the_sandbox_runs(complete):
    with complete.started("anula sandbox --port 0", "sandbox at http://"):
        pass
