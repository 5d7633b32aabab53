"""`anula evidence`: the acuse or event XML, byte for byte."""

import hashlib
import sys
from typing import Annotated

import typer

from worker.answer import Evidence
from worker.cli.problems import Failed
from worker.cli.session import jobs_named
from worker.client import Client

app = typer.Typer(add_completion=False)


@app.command()
def evidence(
    job: Annotated[str, typer.Argument(metavar="JOB", help="A job id or a bare document.")],
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Ask the provider for it again, where that is possible (BP-e).")
    ] = False,
) -> None:
    """Print the acuse or event XML of a job, byte for byte as the provider sent it."""
    name = jobs_named([job])[0]
    content = _fetched(name) if fetch else _kept(Client(), name)
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
    content = Evidence.from_json(outcome["evidence"]).content
    if hashlib.sha256(content).hexdigest() != outcome["evidence"]["sha256"]:
        raise Failed(f"the evidence of {job} does not fit its own sha256: it was changed on the way; try --fetch")
    return content


def _fetched(job: str) -> bytes:
    from worker.fetch import NotFetched, fetch_evidence

    try:
        return fetch_evidence(job)
    except NotFetched as problem:
        raise Failed(str(problem)) from None
