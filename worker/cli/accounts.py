"""`anula accounts`: what the accounts hold, and why one stands still."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from worker.cli.options import JsonList
from worker.cli.screen import instant_json, json_list, moment, say, table
from worker.cli.session import operator
from worker.client import Client
from worker.ledger.records import AccountState, instant

app = typer.Typer(invoke_without_command=True, add_completion=False)

_NOT_STARTED = "no worker has started with it"
_NOT_SERVED = "no worker serves it"
_HEADERS = ("account", "provider", "state", "waiting", "in flight", "why")
Name = Annotated[str, typer.Argument(metavar="NAME", help="The account, by its name in the accounts file.")]


@app.callback()
def accounts(ctx: typer.Context, json: JsonList = False) -> None:
    """Show the accounts: what they hold, why they stand still, and which job caused it."""
    if ctx.invoked_subcommand is not None:
        return
    client = Client()
    states = {state.name: state for state in client.ask(lambda ledger: ledger.account_states())}
    names = sorted({*states, *client.accounts.by_name})
    if json:
        json_list(_json(client, name, states.get(name)) for name in names)
    else:
        table(_HEADERS, (_row(client, name, states.get(name)) for name in names))


@app.command()
def suspend(
    name: Name, reason: Annotated[str, typer.Option(help="Why, for those who will see it standing still.")]
) -> None:
    """Suspend an account: no call is made for it until somebody resumes it; its jobs wait."""
    if not reason.strip():
        raise typer.BadParameter("--reason must say something")
    is_new = Client().ask(lambda ledger: ledger.suspend(name, reason, by=operator()), once=True)
    say(f"{name} suspended" if is_new else f"{name} was suspended before; its reason stays as it was")


@app.command()
def resume(name: Name) -> None:
    """Let a suspended account go on, with one call at a time until an answer proves that it works."""
    was_suspended = Client().ask(lambda ledger: ledger.resume(name, by=operator()), once=True)
    say(f"{name} resumed" if was_suspended else f"{name} was not suspended")


def _row(client: Client, name: str, state: AccountState | None) -> tuple[object, ...]:
    if state is None:
        return name, client.accounts.by_name[name].provider, _NOT_STARTED, 0, 0, None
    flight = f"{state.in_flight} of {state.max_in_flight}"
    waiting = f"{state.waiting}, {state.failing} failing" if state.failing else state.waiting
    return name, _provider(client, state), ", ".join(_standing(client, state)), waiting, flight, _why(state)


def _standing(client: Client, state: AccountState) -> Iterable[str]:
    """What keeps an account from calling at its own pace; `ready` where nothing does."""
    facts = []
    if not state.has_started:
        facts.append(_NOT_STARTED)
    elif not state.workers:
        facts.append(_NOT_SERVED)
    if state.suspended_at:
        facts.append(f"suspended since {moment(state.suspended_at)}")
    if state.paused_until:
        facts.append(f"paused until {moment(state.paused_until)}")
    if state.circuit_open_since:
        facts.append(f"circuit open since {moment(state.circuit_open_since)}")
    if state.slow_until:
        facts.append(f"slow until {moment(state.slow_until)}")
    if state.name not in client.accounts.by_name:
        facts.append("not in this accounts file")
    return facts or ["ready"]


def _why(state: AccountState) -> str:
    job = f"job {state.suspended_job}" if state.suspended_job else None
    by = f"by {state.suspended_by}" if state.suspended_by else None
    return ", ".join(part for part in (state.suspended_reason, job, by, state.pause_reason) if part)


def _provider(client: Client, state: AccountState) -> str:
    configured = client.accounts.by_name.get(state.name)
    return configured.provider if configured else state.provider


def _json(client: Client, name: str, state: AccountState | None) -> dict[str, Any]:
    configured = client.accounts.by_name.get(name)
    known: dict[str, Any] = {
        "account": name,
        "provider": configured.provider if configured else state.provider if state else None,
        "environment": client.accounts.environment,
        "is_configured": configured is not None,
        "has_started": state is not None and state.has_started,
    }
    return known | (_state_json(state) if state else {})


def _state_json(state: AccountState) -> dict[str, Any]:
    return {
        "suspended_at": instant_json(state.suspended_at),
        "suspended_reason": state.suspended_reason,
        "suspended_job": state.suspended_job,
        "suspended_by": state.suspended_by,
        "paused_until": instant_json(state.paused_until),
        "pause_reason": state.pause_reason,
        "circuit_open_since": instant_json(state.circuit_open_since),
        "slow_until": instant_json(state.slow_until),
        "workers": state.workers,
        "waiting": state.waiting,
        "failing": state.failing,
        "in_flight": state.in_flight,
        "max_in_flight": state.max_in_flight,
        "history": [{**entry, "at": instant_json(instant(entry["at"]))} for entry in state.history],
    }
