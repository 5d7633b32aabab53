"""`anula evidence`: the acuse or event XML, byte for byte."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.evidence_archive import Unusable, content_of, write_all
from worker.cli.options import OfAccount
from worker.cli.problems import Failed
from worker.cli.session import account_named, jobs_named
from worker.cli.since import place_of
from worker.client import Client

app = typer.Typer(add_completion=False)


@app.command()
def evidence(
    job: Annotated[str | None, typer.Argument(metavar="JOB", help="A job id or a bare document.")] = None,
    *,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Ask the provider for it again, where that is possible (BP-e).")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option("--all", metavar="DIR", help="Write the evidence of all outcomes that are kept, one file each."),
    ] = None,
    account: OfAccount = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="ID|TIME",
            help="With --all: only outcomes after this id, from this day or time on, or of the last 2h or 3d.",
        ),
    ] = None,
) -> None:
    """Print the acuse or event XML of a job, byte for byte as the provider sent it; or write all of them to files."""
    if (job is None) == (folder is None):
        raise typer.BadParameter("name a job, or give --all with a folder: one of the two")
    if folder is not None:
        if fetch:
            raise typer.BadParameter("--fetch asks the provider about one job: name it, without --all")
        _write_all(folder, account, since)
    elif account is not None or since is not None:
        raise typer.BadParameter("--account and --since go with --all")
    else:
        _print(jobs_named([job or ""])[0], fetch=fetch)


def _write_all(folder: Path, account: str | None, since: str | None) -> None:
    place = place_of(since)
    client = Client(needs_accounts=False)
    name = account_named(client, account)
    write_all(client.outcomes(since=place), folder, account=name)


def _print(job: str, *, fetch: bool) -> None:
    content = _fetched(job) if fetch else _kept(Client(needs_accounts=False), job)
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _kept(client: Client, job: str) -> bytes:
    record = client.status(job)
    if record is None:
        raise Failed(f"{job} is unknown: never submitted, or ended longer ago than outcomes are kept")
    if record.is_open:
        raise Failed(f"{job} is still open ({record.state}): wait for its outcome")
    outcome = client.last_outcome(job)
    if outcome is None:
        raise Failed(f"the outcome of {job} is no longer kept: try --fetch")
    if not outcome["evidence"]:
        raise Failed(f"{job} is {record.state} and its outcome has no evidence: try --fetch where the provider has it")
    try:
        return content_of(outcome["evidence"])
    except Unusable as problem:
        raise Failed(f"{job}: {problem}; try --fetch") from None


def _fetched(job: str) -> bytes:
    from worker.fetch import NotFetched, fetch_evidence

    try:
        return fetch_evidence(job)
    except NotFetched as problem:
        raise Failed(str(problem)) from None
