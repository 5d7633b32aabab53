"""`anula revoke`: ends open jobs."""

from typing import Annotated

import typer

from worker.cli.problems import Failed, complain
from worker.cli.screen import say
from worker.cli.session import jobs_named, operator
from worker.client import Client, NotPossible
from worker.verdicts import revoked

app = typer.Typer(add_completion=False)

_REFUSED = {
    "in call": "is in a call right now: try again in a moment",
    "cancelled": "is cancelled, only its evidence is still being fetched: nothing to revoke",
}


@app.command()
def revoke(
    jobs: Annotated[list[str], typer.Argument(metavar="JOB", help="Job ids or bare documents.")],
) -> None:
    """End open jobs that are not in a call right now; the outcome tells where the document may still be cancelled."""
    names, client, by = jobs_named(jobs), Client(), operator()
    problems = [problem for job in names if (problem := _revoke(client, job, by))]
    if problems:
        raise Failed(*problems)


def _revoke(client: Client, job: str, by: str) -> str | None:
    """End one job; or why not."""
    while True:
        try:
            record = client.status(job)
        except NotPossible as problem:
            return str(problem)
        if record is None:
            return f"{job} is unknown: never submitted, or ended longer ago than outcomes are kept"
        if not record.is_open:
            return f"{job} is {record.state} already: nothing to revoke"
        verdict = revoked(record)
        reply = client.ask(lambda ledger: ledger.revoke(record, verdict, by=by), once=True)  # noqa: B023 - called at once
        if reply == "ended":
            say(f"{job} revoked")
            for warning in verdict.warnings:
                complain(f"{job}: {warning}")
            return None
        if reply in _REFUSED:
            return f"{job} {_REFUSED[reply]}"
