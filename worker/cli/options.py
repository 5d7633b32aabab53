"""Options that several commands have."""

from enum import StrEnum
from typing import Annotated

import typer


class State(StrEnum):
    """The public states of a job (docs/requests.md)."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    UNRESOLVED = "unresolved"
    REVOKED = "revoked"


class RetriedState(StrEnum):
    """The states from which there is a new run."""

    REJECTED = "rejected"
    UNRESOLVED = "unresolved"
    REVOKED = "revoked"


OfAccount = Annotated[str | None, typer.Option("--account", metavar="NAME", help="Only jobs of this account.")]
OfCode = Annotated[str | None, typer.Option("--code", help="Only jobs whose last code is this one.")]
JsonList = Annotated[bool, typer.Option("--json", help="A JSON array.")]
