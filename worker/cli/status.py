"""`anula status`: where jobs stand, and what happened to them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any

import typer

from config import retries
from worker.cli.outlook import held_up_by, tried_until
from worker.cli.problems import Failed
from worker.cli.screen import instant_json, json_list, moment, say, table
from worker.cli.session import jobs_named
from worker.client import Client, NotPossible
from worker.ledger.records import UNREADABLE, AccountState, Record, instant
from worker.retry import Policies

app = typer.Typer(add_completion=False)

_HISTORY = ("time", "what", "reaction", "code", "wait", "who and why")


@dataclass(frozen=True, slots=True)
class _Standing:
    """A job, and what it has to expect."""

    record: Record
    held_up_by: tuple[str, ...]
    tried_until: datetime | None


@app.command()
def status(
    jobs: Annotated[list[str], typer.Argument(metavar="JOB...", help="Job ids or bare documents.")],
    json: Annotated[bool, typer.Option("--json", help="A JSON array, one object for each job.")] = False,
) -> None:
    """Show where jobs stand, and what happened to them: the last 20 calls, and who retried or revoked."""
    client, known, problems = Client(), list[Record](), list[str]()
    for job in jobs_named(jobs):
        try:
            record = client.status(job)
        except NotPossible as problem:
            problems.append(str(problem))
            continue
        if record:
            known.append(record)
        else:
            problems.append(f"{job} is unknown: never submitted, or ended longer ago than outcomes are kept")
    standing = _all_standing(client, known)
    if json:
        json_list(map(as_json, standing))
    else:
        for one in standing:
            _show(one)
    if problems:
        raise Failed(*problems)


def _all_standing(client: Client, records: list[Record]) -> list[_Standing]:
    policies = Policies(retries.policies(client.settings, client.accounts.environment))

    @cache
    def account(name: str) -> AccountState:
        return client.ask(lambda ledger: ledger.account_state(name))

    return [_standing(record, account(record.account), policies) for record in records]


def _standing(record: Record, account: AccountState, policies: Policies) -> _Standing:
    try:
        until = tried_until(record, account, policies)
    except UNREADABLE:  # somebody else has written to the record
        until = None
    return _Standing(record, tuple(held_up_by(account)) if record.is_open else (), until)


def as_json(one: _Standing) -> dict[str, Any]:
    """A job as `--json` prints it."""
    record = one.record
    return {
        "job": record.job,
        "state": record.state,
        "run": record.run,
        "account": record.account,
        "priority": record.lane,
        "references": list(record.references),
        "attempts": record.attempts,
        "calls": record.calls,
        "code": record.code,
        "message": record.last_answer.get("message"),
        "reason": record.reason if record.finished_at else None,
        "submitted_at": instant_json(record.submitted_at),
        "next_call": record.next_call if _waits(record) else None,
        "next_attempt_at": instant_json(record.due_at) if _waits(record) else None,
        "held_up_by": list(one.held_up_by),
        "tried_until": instant_json(one.tried_until),
        "deadline": instant_json(record.deadline_at),
        "finished_at": record.finished_at,
        "may_have_acted": record.may_have_acted,
        "in_process": record.in_process,
        "warnings": list(record.warnings),
        "outcome_id": record.outcome_id,
        "history": [_entry_json(entry) for entry in record.history],
    }


def _entry_json(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**entry, "at": instant_json(instant(entry["at"]))}


def _waits(record: Record) -> bool:
    return record.state in {"queued", "waiting"}


def _show(one: _Standing) -> None:
    record = one.record
    say(record.job)
    for name, value in _facts(one):
        if value not in (None, ""):
            say(f"  {name:<14}{value}")
    if record.history:
        say("  history")
        table(("   ", *_HISTORY), (("", *_line(entry)) for entry in record.history))


def _facts(one: _Standing) -> Iterator[tuple[str, object]]:
    record = one.record
    reason = f" ({record.reason})" if record.finished_at and record.reason else ""
    yield "state", f"{record.state}{reason}"
    for obstacle in one.held_up_by:
        yield "held up", obstacle
    yield "run", record.run
    yield "account", record.account
    yield "priority", record.lane
    yield "submitted", moment(record.submitted_at)
    yield "attempts", f"{record.attempts} (calls: {record.calls})"
    yield "last code", record.code
    yield "provider says", record.last_answer.get("message")
    if _waits(record):
        yield "next call", f"{record.next_call}, not before {moment(record.due_at)}"
    yield "deadline", moment(record.deadline_at)
    if one.tried_until:
        yield "tried until", f"{moment(one.tried_until)} at the latest, where it is answered as before"
    yield "finished", record.finished_at
    if record.is_open and (record.may_have_acted or record.in_process):
        yield "note", "it was asked for already: the document may be cancelled"
    yield "references", ", ".join(record.references)
    for warning in record.warnings:
        yield "warning", warning


def _line(entry: Mapping[str, Any]) -> tuple[object, ...]:
    """A line of the history, in the order of its headers."""
    what = entry.get("call") or entry.get("what")
    wait = f"{entry['wait_s']:g} s" if entry.get("wait_s") is not None else None
    by = f"by {entry['by']}" if entry.get("by") else None
    words = (by, *map(entry.get, ("reason", "answer", "message", "note", "excerpt")))
    why = ", ".join(str(part) for part in words if part)
    return moment(instant(entry["at"])), what, entry.get("reaction"), entry.get("code"), wait, why
