"""`anula outcomes`: what became of the cancellations, as JSON lines."""

import os
import select
import stat
import sys
from threading import Thread
from typing import Annotated

import typer

from worker.cli.problems import FAILED
from worker.cli.screen import json_line
from worker.cli.since import place_of
from worker.client import TAKE_OVER_AFTER_S, Client

_A_MONTH_S = 31 * 86_400.0

app = typer.Typer(add_completion=False)


@app.command()
def outcomes(
    *,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="ID|TIME",
            help="Only those after this id (see --ids), from this day or time on, or of the last 2h or 3d; "
            "$ stands for now. Left out: all that are kept.",
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for further outcomes, without end.")] = False,
    group: Annotated[str | None, typer.Option(help="Share the outcomes out among the consumers of this group.")] = None,
    consumer: Annotated[
        str | None, typer.Option(help="This consumer's name in the group; keep it across restarts.")
    ] = None,
    take_over_after: Annotated[
        float,
        typer.Option(
            min=0.1,
            max=_A_MONTH_S,
            metavar="SECONDS",
            help="In a group: take over what another consumer has left unhandled for so long.",
        ),
    ] = TAKE_OVER_AFTER_S,
    ids: Annotated[
        bool, typer.Option("--ids", help='Print {"id": ..., "outcome": {...}}: the id to go on from with --since.')
    ] = False,
) -> None:
    """Print outcomes as JSON lines, oldest first.

    In a group an outcome counts as handled once its line was written; one that could not be written is given again.
    """
    place = since if since == "$" else place_of(since)
    if follow:
        _end_with_the_reader()
    try:
        found = Client().outcomes(
            since=place, follow=follow, group=group, consumer=consumer, take_over_after_s=take_over_after
        )
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong)) from None
    for outcome in found:
        json_line({"id": outcome.id, "outcome": outcome} if ids else outcome)


def _end_with_the_reader() -> None:
    """Leave when nobody reads the pipe any more: without a further outcome no write would find that out."""
    if stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode):
        Thread(target=_watch, args=(sys.stdout.fileno(),), daemon=True).start()


def _watch(pipe: int) -> None:
    hangup = select.poll()
    hangup.register(pipe, 0)  # an error is always reported, and that the reader has gone is one
    hangup.poll()
    os._exit(FAILED)  # quietly, as any command whose reader goes; an outcome not acknowledged is given again
