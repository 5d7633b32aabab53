"""`anula jobs`: a list of jobs."""

import sys
from itertools import islice
from typing import Annotated, Any

import typer

from worker.cli.options import JsonList, OfAccount, OfCode, State
from worker.cli.problems import complain
from worker.cli.screen import instant_json, json_list, moment, table
from worker.cli.session import account_named
from worker.client import Client
from worker.ledger.listing import ALL_STATES, Listed, Wanted
from worker.unavailable import place

app = typer.Typer(add_completion=False)

_HEADERS = ("job", "state", "account", "run", "attempts", "code", "submitted", "next attempt or end")


@app.command()
def jobs(
    *,
    state: Annotated[
        list[State] | None, typer.Option(help="Only jobs in this state; may be given several times.")
    ] = None,
    account: OfAccount = None,
    code: OfCode = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    json: JsonList = False,
) -> None:
    """List jobs, oldest first: open ones by their submission, ended ones by their end."""
    client = Client()
    wanted = Wanted(states=tuple(state or ALL_STATES), account=account_named(client, account), code=code)
    found = islice(client.jobs(wanted), limit and min(limit, sys.maxsize))
    if json:
        json_list(map(_json, found))
    elif not table(_HEADERS, map(_row, found)):
        which = "no jobs" if wanted == Wanted() else "no such jobs"
        complain(f"{which} in the namespace {client.settings.namespace} at {place(client.settings.redis_url)}")


def _row(one: Listed) -> tuple[object, ...]:
    at = moment(one.due_at or one.finished_at) if one.state != "running" else None
    return one.job, one.state, one.account, one.run, one.attempts, one.code, moment(one.submitted_at), at


def _json(one: Listed) -> dict[str, Any]:
    return {
        "job": one.job,
        "state": one.state,
        "account": one.account,
        "run": one.run,
        "attempts": one.attempts,
        "code": one.code,
        "reason": one.reason,
        "submitted_at": instant_json(one.submitted_at),
        "next_attempt_at": instant_json(one.due_at) if one.state != "running" else None,
        "finished_at": instant_json(one.finished_at),
    }
