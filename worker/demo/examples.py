"""The examples: requests as JSON lines, and what is expected to become of each."""

import json
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import worker
from config.problem import ConfigurationProblem

REQUESTS = ("solucion-factible.jsonl", "ns-bpe.jsonl")
EXPECTED = "expected.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What becomes of one document.

    Attributes:
        shows: Codes and other signs that its answers have to bring, whatever the outcome's own code is.
        waits: It never ends by itself here: it waits until it is revoked.
    """

    document: str
    status: str
    reason: str
    evidence: bool
    shows: Sequence[str] = ()
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Examples:
    """The requests in the order of the files, and the expectations by document."""

    requests: Sequence[Mapping[str, Any]]
    expected: Mapping[str, Expected]


def folder() -> Path:
    """Where the examples are: beside the code in a checkout, else where the installation has put them.

    Raises:
        ConfigurationProblem: nowhere.
    """
    checkout = Path(worker.__file__).parents[1] / "examples"
    installed = Path(sysconfig.get_path("data"), "share", "anula", "examples")
    for place in (checkout, installed):
        if (place / EXPECTED).is_file():
            return place
    raise ConfigurationProblem(f"the examples are missing: neither in {checkout} nor in {installed}")


def read(place: Path) -> Examples:
    """The examples of a folder.

    Raises:
        ConfigurationProblem: a file is missing or cannot be read.
    """
    requests = [request for name in REQUESTS for request in _lines(place / name)]
    try:
        expected = [Expected(**line) for line in _lines(place / EXPECTED)]
    except TypeError as wrong:
        raise ConfigurationProblem(f"{place / EXPECTED}: {wrong}") from None
    return Examples(requests, {one.document: one for one in expected})


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        yield from (json.loads(line) for line in lines if line)
    except (OSError, ValueError) as failure:
        raise ConfigurationProblem(f"the examples in {file} cannot be read: {failure}") from None
