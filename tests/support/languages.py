"""The examples for each language, ready to run: what an ERP developer copies, started as they would start it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
INSTALL_LIMIT_S, COMMAND_LIMIT_S = 180.0, 120.0


class CannotRunError(Exception):
    """A language's programs or its Redis client cannot be had on this machine; says which and why."""


@dataclass(frozen=True, slots=True)
class Language:
    """The programs of one language.

    Attributes:
        submit: For each way in, the command before the request's arguments.
        outcomes: The command before the way of reading and its arguments.
        prepare: Makes the folder from which they run, in a temporary one; raises CannotRunError.
    """

    name: str
    submit: Mapping[str, list[str]]
    outcomes: list[str]
    prepare: Callable[[Path], Path]


@dataclass(frozen=True, slots=True)
class Programs:
    """One language's programs in a folder of their own, with an environment.

    Attributes:
        evidence: Where they save it.
    """

    language: Language
    folder: Path
    environment: Mapping[str, str]
    evidence: Path

    def submit(self, way: str, *arguments: str, limit_s: float = COMMAND_LIMIT_S) -> str:
        """Hand in; gives what is printed: the submission's id."""
        done = self.try_to_submit(way, *arguments, limit_s=limit_s)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout.strip()

    def try_to_submit(
        self, way: str, *arguments: str, limit_s: float = COMMAND_LIMIT_S, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Hand in, whatever comes of it; `environment` is added."""
        return subprocess.run(
            [*self.language.submit[way], *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=limit_s,
            check=False,
        )

    @contextmanager
    def reading(self, *arguments: str, **environment: str) -> Iterator["Reader"]:
        """A program that reads outcomes; it is killed at the end of the block, as by a power cut."""
        log = self.evidence.parent / f"reader-{len(list(self.evidence.parent.glob('reader-*')))}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*self.language.outcomes, *arguments],
                cwd=self.folder,
                env={**self.environment, "EVIDENCE_DIR": str(self.evidence), **environment},
                stdout=output,
                stderr=output,
            )
            try:
                yield Reader(log, process)
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait(10)


@dataclass(frozen=True, slots=True)
class Reader:
    """A running program that reads outcomes, and what it has said so far."""

    log: Path
    process: "subprocess.Popen[bytes]"

    @property
    def lines(self) -> list[str]:
        """What it has said, errors included; a line that is not complete yet is left out."""
        complete, _, _ = self.log.read_bytes().rpartition(b"\n")
        return complete.decode().splitlines()

    def told(self, document: str, *, limit_s: float = 30.0) -> str:
        """The line about a document, once it is there."""
        return wait_until(
            lambda: next((line for line in self.lines if document in line), ""),
            limit_s=limit_s,
            what=lambda: f"a line with {document}; there was {self.lines}",
        )


def programs(language: Language, folder: Path, scratch: Path, environment: Mapping[str, str]) -> Programs:
    """The programs in `folder`, prepared before; their files are left in `scratch`. Arguments are UTF-8."""
    scratch.mkdir(parents=True, exist_ok=True)
    whole = {**environment, "LC_ALL": "C.UTF-8"}
    return Programs(language, folder, whole, scratch / "evidence")


def _in_place(_: Path) -> Path:
    return EXAMPLES / "python"


def _with_npm(scratch: Path) -> Path:
    """npm's own configuration decides where packages come from."""
    _needs("node", "npm")
    folder = _copied("node", scratch)
    bare = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    _run(
        ["npm", "install", *bare, "--fetch-retries=0", "--loglevel=error"],
        folder,
        "npm cannot install the Redis client",
    )
    return folder


def _with_phpredis(scratch: Path) -> Path:
    _needs("php")
    _run(["php", "-r", 'exit(extension_loaded("redis") ? 0 : 1);'], scratch, "PHP has no extension `redis`")
    return _copied("php", scratch)


def _with_javac(scratch: Path) -> Path:
    """Maven is left out: what it needs for itself is more than the example needs."""
    _needs("java", "javac")
    jars = os.environ.get("TEST_JAVA_CLASSPATH")
    if not jars:
        raise CannotRunError("TEST_JAVA_CLASSPATH does not name the jars of Jedis and Jackson")
    folder = _copied("java", scratch)
    sources = [str(file) for file in folder.rglob("*.java")]
    _run(
        ["javac", "-Xlint:all", "-Werror", "-proc:none", "-encoding", "UTF-8", "-cp", jars, "-d", ".", *sources],
        folder,
        "does not compile",
    )
    return folder


def _copied(name: str, scratch: Path) -> Path:
    leave_out = shutil.ignore_patterns("node_modules", "vendor", "target", "bin", "obj", "*.lock", "package-lock.json")
    return Path(shutil.copytree(EXAMPLES / name, scratch / name, ignore=leave_out))


def _needs(*names: str) -> None:
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise CannotRunError(f"{' and '.join(missing)} not found")


def _run(command: list[str], folder: Path, otherwise: str) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        raise CannotRunError(f"{otherwise} (no end after {INSTALL_LIMIT_S:g} s)") from None
    if done.returncode:
        raise CannotRunError(f"{otherwise}: {(done.stderr or done.stdout).strip()[:300]}")


_JAVA = ["java", "-cp", f"{os.environ.get('TEST_JAVA_CLASSPATH', '')}{os.pathsep}."]
LANGUAGES = (
    Language(
        "python",
        {"stream": [sys.executable, "submit_to_stream.py"], "queue": [sys.executable, "submit_to_queue.py"]},
        [sys.executable, "read_outcomes.py"],
        _in_place,
    ),
    Language(
        "node",
        {way: ["node", "submit.js", way] for way in ("stream", "queue")},
        ["node", "outcomes.js"],
        _with_npm,
    ),
    Language(
        "php",
        {way: ["php", "submit.php", way] for way in ("stream", "queue")},
        ["php", "outcomes.php"],
        _with_phpredis,
    ),
    Language(
        "java",
        {way: [*_JAVA, "erp.Submit", way] for way in ("stream", "queue")},
        [*_JAVA, "erp.Outcomes"],
        _with_javac,
    ),
)
"""Those that are run in the tests, where the machine has what they need."""
WITH_CLIENT = Language(
    "python-client",
    {"client": [sys.executable, "submit_with_client.py"]},
    [sys.executable, "read_with_client.py"],
    _in_place,
)
"""Python's programs that import Anula."""
