"""What an examination finds out: one thing that has to be right, and whether it is."""

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """How it stands."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `anula doctor`.

    Attributes:
        about: What was looked at, and whose it is where there are several: `secret norte`.
        remedy: What to do; None where nothing is to be done.
    """

    about: str
    result: Result
    found: str
    remedy: str | None = None


def ok(about: str, found: str) -> Check:
    """It is right."""
    return Check(about, Result.OK, found)


def warning(about: str, found: str, remedy: str) -> Check:
    """It works, and may stop doing so."""
    return Check(about, Result.WARNING, found, remedy)


def failed(about: str, found: str, remedy: str) -> Check:
    """It does not work, or must not be so."""
    return Check(about, Result.FAILED, found, remedy)
