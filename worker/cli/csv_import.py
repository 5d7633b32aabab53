"""`anula import`: the cancellations in a CSV file."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from config.accounts import ProviderName
from worker.cli.csv_files import keep_apart, opened_file, output_file
from worker.cli.csv_verdict import Typed, judge, tell_what_it_is
from worker.cli.problems import FAILED, NOT_ALL_CANCELLED, Failed, InvalidInput, complain
from worker.cli.progress import progress
from worker.cli.screen import say
from worker.cli.waiting import Wait, WaitingCommand, seconds_of
from worker.client import Client, LedgerFull, Unavailable
from worker.csv_file.check_process import checked_rows
from worker.csv_file.checking import RowCheck
from worker.csv_file.columns import DOCUMENTS
from worker.csv_file.handing_in import follow, hand_in, submission_id
from worker.csv_file.output import OutputFile
from worker.csv_file.problem import Unreadable
from worker.csv_file.reading import CsvFile
from worker.csv_file.results import RowOutcomes, results_of
from worker.csv_file.staging import NoRoom, Staging
from worker.csv_file.writing import write_results

app = typer.Typer(add_completion=False)

_HOW = {
    "joined": "joined an open job",
    "replayed": "cancelled already: their outcome is published again",
    "repeated": "known already, from an earlier import of this file or from before a lost connection: "
    "nothing was done (anula retry starts a new run)",
}
_FOLLOW_ON = "they are submitted: import the same file again with the same options to follow on"


class ExtraColumns(StrEnum):
    """What to do with columns that are no field of a request."""

    REFUSE = "refuse"
    IGNORE = "ignore"


@app.command(cls=WaitingCommand)
def csv_import(
    file: Annotated[str, typer.Argument(metavar="FILE.csv", help="The file; - reads standard input.")],
    *,
    provider: Annotated[ProviderName | None, typer.Option(help="The provider of rows that do not tell it.")] = None,
    account: Annotated[str | None, typer.Option(help="The account of rows that do not tell it.")] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="The file's encoding, such as windows-1252; left out: found out.")
    ] = None,
    extra_columns: Annotated[
        ExtraColumns, typer.Option(help="What to do with columns that are no field of a request.")
    ] = ExtraColumns.REFUSE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row, and submit none.")] = False,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Submit the valid rows although others are not.")
    ] = False,
    errors: Annotated[
        Path | None, typer.Option(metavar="OUT.csv", help="Write the invalid rows there, to correct and import.")
    ] = None,
    wait: Wait = None,
    results: Annotated[
        Path | None, typer.Option(metavar="OUT.csv", help="With --wait: write the outcome of each row there.")
    ] = None,
) -> None:
    """Submit the cancellations in a CSV file.

    Every row is checked before the first is submitted; where one is invalid, none is. The same file may be imported
    again, after an interruption for instance: what was submitted once is not submitted twice.
    """
    if results and wait is None:
        raise typer.BadParameter("--results goes with --wait")
    if dry_run and wait is not None:
        raise typer.BadParameter("--dry-run submits nothing that --wait could wait for")
    keep_apart(file, errors, results)
    client = Client()
    _make_sure_of(account, client)
    defaults = {name: str(value) for name, value in (("provider", provider), ("account", account)) if value}
    ignores_extra = extra_columns is ExtraColumns.IGNORE
    options = [part for name, value in defaults.items() for part in (f"--{name}", value)]
    typed = Typed(file, [*options, *(["--extra-columns", "ignore"] if ignores_extra else [])], encoding)
    with (
        opened_file(file) as opened,
        output_file(errors) as errors_file,
        output_file(results) as results_file,
        _as_problems(typed),
        Staging() as staging,
    ):
        csv_file = CsvFile(opened, encoding=encoding, ignore_extra=ignores_extra)
        tell_what_it_is(csv_file, typed)
        check = RowCheck(csv_file, client.accounts, defaults=defaults, ignore_extra=ignores_extra)
        with _nothing_submitted_yet():
            _check(csv_file, check, staging)
            skipped = judge(csv_file, staging, errors_file, typed=typed, skip_invalid=skip_invalid, dry_run=dry_run)
        if dry_run:
            say(f"{staging.count()[0]} can be submitted; nothing was")
            return
        submission = submission_id(csv_file.text, defaults)
        if wait is None:
            refused = _submit(client, staging, submission, is_followed=False)
        else:
            since = client.last_id()
            refused = _submit(client, staging, submission, is_followed=True)
            with _results(results_file, staging, csv_file):
                _follow(client, staging, since=since, limit_s=seconds_of(wait), skipped=skipped)
        if refused:
            raise typer.Exit(FAILED)


def _make_sure_of(account: str | None, client: Client) -> None:
    known = client.accounts.by_name
    if account is not None and account not in known:
        raise typer.BadParameter(f"--account: there is no account {account} (configured: {', '.join(sorted(known))})")


@contextmanager
def _as_problems(typed: Typed) -> Iterator[None]:
    try:
        yield
    except Unreadable as problem:
        raise InvalidInput([f"{typed.shown}: {problem}"]) from None
    except NoRoom as problem:
        raise Failed(str(problem)) from problem


# Checking


@contextmanager
def _nothing_submitted_yet() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        complain("interrupted: nothing was submitted")
        raise


def _check(csv_file: CsvFile, check: RowCheck, staging: Staging) -> None:
    with (
        checked_rows(csv_file, check) as checked,  # before the bar: it starts a thread
        progress("checking", csv_file.size(), in_lines=True) as done,
    ):
        for _ in staging.take(checked):
            done(csv_file.place())
    if csv_file.has_changed():
        raise Failed("the file was changed while it was read: import it again when it is complete")
    staging.refuse_repeats({provider: csv_file.columns.name_of(field) for field, provider in DOCUMENTS.items()})


# Submitting


def _submit(client: Client, staging: Staging, submission: str, *, is_followed: bool) -> int:
    """How many rows the ledger could not take in; why is told."""
    total, _ = staging.count()
    became: Counter[str] = Counter()
    try:
        with progress("submitting", total, in_lines=True) as done:
            for became in hand_in(client, staging, submission, is_followed=is_followed):
                done(became.total())
    except Unavailable as problem:
        raise _broken_off(f"{problem}: {problem.remedy}", became, total) from problem
    except LedgerFull as problem:
        raise _broken_off(str(problem), became, total) from problem
    except KeyboardInterrupt:
        complain(str(_broken_off("interrupted", became, total)))
        raise
    say(f"{became['new'] + became['joined']} submitted")
    for word, meaning in _HOW.items():
        if became[word]:
            complain(f"{became[word]} {meaning}")
    _tell_who_stands_still(client, staging)
    for one in staging.refused():
        complain(str(one))
    if became["refused"]:
        complain(
            f"{became['refused']} not submitted, for the reasons above: put these right, then import the file again"
        )
    return became["refused"]


def _tell_who_stands_still(client: Client, staging: Staging) -> None:
    accounts = staging.accounts()
    try:
        states = client.ask(lambda ledger: ledger.account_states())
    except Unavailable:  # all is submitted; whoever waits for outcomes is told of it there
        return
    for state in states:
        if state.suspended_at and state.name in accounts:
            complain(
                f"account {state.name} is suspended ({state.suspended_reason}): "
                f"its jobs wait for anula accounts resume {state.name}"
            )


def _broken_off(why: str, became: Counter[str], total: int) -> Failed:
    done = became.total() - became["refused"]
    again = "to go on, import the same file again with the same options: nothing is submitted twice"
    return Failed(f"{why}; {done} of {total} or some more were submitted; {again}")


# Following


@contextmanager
def _results(results: OutputFile | None, staging: Staging, csv_file: CsvFile) -> Iterator[None]:
    """Written at the end, also of a wait that was broken off."""
    try:
        yield
    finally:
        if results:
            write_results(results.opened, csv_file, results_of(staging.db))
            results.take_its_place()


def _follow(client: Client, staging: Staging, *, since: str, limit_s: float | None, skipped: int) -> None:
    rows = RowOutcomes(staging.db)
    total, count = len(rows), Counter[str]()
    try:
        with progress("waiting for outcomes", total, in_lines=True) as done:
            for status in follow(client, rows, since=since, limit_s=limit_s):
                count[status] += 1
                done(count.total())
    except Unavailable as problem:
        raise Failed(f"{problem}: {problem.remedy}; {_FOLLOW_ON}") from problem
    except KeyboardInterrupt:
        complain(f"interrupted; {_FOLLOW_ON}")
        raise
    for status, number in sorted(count.items()):
        say(f"{number} {status}")
    cancelled = count["cancelled"]
    if cancelled < total:
        complain(f"of {total}: {count.total() - cancelled} not cancelled, {total - count.total()} still open")
    if skipped:
        complain(f"invalid rows, skipped and not cancelled: {skipped}")
    if skipped or cancelled < total:
        raise typer.Exit(NOT_ALL_CANCELLED)
