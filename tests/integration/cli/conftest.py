"""`anula` as a user runs it: its arguments, standard input, output and exit status, against a real Valkey."""

import io
import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.hand_driven import a_deployment
from worker.cli.main import main


@dataclass(frozen=True)
class Ran:
    """What one command left behind."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def errors(self) -> list[str]:
        return self.err.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def json_lines(self) -> list[Any]:
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def deployment(tmp_path, redis_url, namespace, monkeypatch):
    """A deployment that the environment points to."""
    made = a_deployment(tmp_path, redis_url, namespace)
    monkeypatch.chdir(tmp_path)
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def anula(deployment, monkeypatch, capsysbinary):
    """Runs one command in this process."""

    def run(*arguments: str, stdin: str | bytes = b"") -> Ran:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        capsysbinary.readouterr()
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        out, err = capsysbinary.readouterr()
        return Ran(int(left.value.code or 0), out.decode(), err.decode())

    return run
