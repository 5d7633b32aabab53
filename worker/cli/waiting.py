"""`--wait [SECONDS]`: follows what was submitted until its outcomes are there."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from worker.cli.problems import NOT_ALL_CANCELLED, complain
from worker.cli.progress import progress
from worker.cli.screen import json_line, say
from worker.client import Client, Published, Submission

_NUMBER = re.compile(r"\d+(\.\d+)?|inf")
_WITHOUT_LIMIT = "inf"

Wait = Annotated[
    float | None,
    typer.Option(
        "--wait",
        metavar="[SECONDS]",
        min=0,
        help="Follow to the outcome: for so many seconds, or without a limit where no number stands behind it.",
    ),
]


def spelled_out(arguments: Sequence[str]) -> list[str]:
    """The arguments with a value behind every `--wait`, because an option here takes a value always or never."""
    before, separator, behind = _parted(arguments)
    spelled = list[str]()
    for place, argument in enumerate(before):
        has_value = place + 1 < len(before) and _NUMBER.fullmatch(before[place + 1])
        spelled.append(f"--wait={_WITHOUT_LIMIT}" if argument == "--wait" and not has_value else argument)
    return [*spelled, *separator, *behind]


def _parted(arguments: Sequence[str]) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    if "--" not in arguments:
        return arguments, (), ()
    place = arguments.index("--")
    return arguments[:place], arguments[place : place + 1], arguments[place + 1 :]


class WaitingCommand(TyperCommand):
    """A command with `--wait [SECONDS]`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments."""
        return super().parse_args(ctx, spelled_out(args))


class WaitingGroup(TyperGroup):
    """A group of commands with `--wait [SECONDS]`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments."""
        return super().parse_args(ctx, spelled_out(args))


def seconds_of(limit_s: float) -> float | None:
    """The limit that `--wait` gave; None where it gave none."""
    return None if limit_s == float(_WITHOUT_LIMIT) else limit_s


def follow(
    client: Client,
    submissions: Sequence[Submission],
    *,
    since: str,
    limit_s: float,
    show: Callable[[Published], None] | None = None,
    json: bool = False,
) -> None:
    """Print each outcome as it comes, or hand it to `show`; `since` is the stream's end before the submissions.

    Raises:
        Exit: with status 3, when at the end one is not cancelled or still open.
    """
    show = show or (json_line if json else _show)
    runs = {(one.job, one.run) for one in submissions}
    seconds = seconds_of(limit_s)
    seen = failed = 0
    with progress("waiting for outcomes", len(runs)) as done:
        for outcome in client.outcomes_of(submissions, since=since, limit_s=seconds):
            seen += 1
            failed += outcome["status"] != "cancelled"
            show(outcome)
            done(seen)
    if failed or seen < len(runs):
        complain(f"of {len(runs)}: {failed} not cancelled, {len(runs) - seen} still open")
        raise typer.Exit(NOT_ALL_CANCELLED)


def _show(outcome: Mapping[str, Any]) -> None:
    words = [outcome["job"], outcome["status"], f"({outcome['reason']})"]
    if outcome["code"]:
        words.append(f"code {outcome['code']}")
    if outcome["replayed"]:
        words.append("replayed")
    said = f": {outcome['message']}" if outcome["message"] else ""
    say(" ".join(words) + said)
