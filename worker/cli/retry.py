"""`anula retry`: a new run of jobs that ended without a cancellation."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Annotated

import typer

from worker.cli.options import OfAccount, OfCode, RetriedState
from worker.cli.problems import Failed, complain
from worker.cli.screen import say
from worker.cli.session import account_named, jobs_named, operator
from worker.client import Client, LedgerFull, Unavailable
from worker.ledger.listing import Wanted
from worker.ledger.not_possible import NotPossible

BATCH = 100
"""Jobs in one exchange: they are few milliseconds of Redis' time, in which it serves nobody else."""

app = typer.Typer(add_completion=False)


@app.command()
def retry(
    jobs: Annotated[list[str] | None, typer.Argument(metavar="JOB", help="Job ids or bare documents.")] = None,
    state: Annotated[RetriedState | None, typer.Option(help="All jobs in this state, instead of naming them.")] = None,
    account: OfAccount = None,
    code: OfCode = None,
) -> None:
    """Start a new run of jobs that ended without a cancellation, with the same body and references.

    Refused where the job is open or cancelled, or its deadline has passed.
    """
    if bool(jobs) == (state is not None):
        raise typer.BadParameter("name the jobs, or give --state for all that are in it: one of the two")
    if jobs and (account or code):
        raise typer.BadParameter("--account and --code go with --state")
    named = jobs_named(jobs or [])
    client = Client()
    if state is None:
        _retry(client, named)
    else:
        wanted = Wanted(states=(state,), account=account_named(client, account), code=code)
        _retry(client, (one.job for one in client.jobs(wanted)))


def _retry(client: Client, jobs: Iterable[str]) -> None:
    left, by, refused, retried = iter(jobs), operator(), 0, 0
    while batch := list(islice(left, BATCH)):
        for job, result in zip(batch, _retried(client, batch, by), strict=True):
            if isinstance(result, NotPossible):
                complain(str(result))
                refused += 1
            else:
                say(f"{job} run {result}")
                retried += 1
    if refused:
        raise Failed(f"{refused} of {refused + retried} not retried, for the reasons above")
    if not retried:
        complain("there is no such job: nothing to retry")


def _retried(client: Client, jobs: Sequence[str], by: str) -> Sequence[int | NotPossible]:
    ledger = client.ledger
    try:
        return client.ask(lambda _: ledger.retry_many(jobs, by=by), once=True)
    except (Unavailable, LedgerFull):
        some = jobs[0] if len(jobs) == 1 else f"{jobs[0]} and the {len(jobs) - 1} after it"
        complain(f"{some} may be retried or not: give the same command again, what is open then is not retried twice")
        raise
