"""`anula submit`: one cancellation, or many as JSON lines."""

import re
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from worker.cli.problems import FAILED, Failed, InvalidInput, complain, error_line
from worker.cli.screen import json_line, say
from worker.cli.waiting import Wait, WaitingCommand, WaitingGroup, follow
from worker.client import BATCH, Client, LedgerFull, NotPossible, Submission, Unavailable
from worker.invalid import InvalidRequest
from worker.request import MAX_BODY_BYTES, Admissible, read

_LONGEST = MAX_BODY_BYTES + 2
"""Of a line with its end."""
_WITHIN_REACH = 1_000_000
"""How much of a longer line is looked through for its end, in bytes."""

app = typer.Typer(cls=WaitingGroup, invoke_without_command=True, add_completion=False)

Json = Annotated[bool, typer.Option("--json", help="One JSON object for each submission, and for each outcome.")]


def _submission_id(text: str | None) -> str | None:
    if text is None or re.fullmatch(r"[!-~]{1,128}", text):
        return text
    raise typer.BadParameter("must be the id that the error told")


Repeated = Annotated[
    str | None,
    typer.Option(
        "--submission",
        metavar="ID",
        callback=_submission_id,
        help="Repeat a submission whose end was lost, under the id that the error told: nothing is admitted twice.",
    ),
]
AccountName = Annotated[
    str | None,
    typer.Option(help="The account, by its name in the accounts file. Needed where the provider has several."),
]
Reference = Annotated[str | None, typer.Option(help="Your own id, given back in the outcome; up to 128 characters.")]
Priority = Annotated[str | None, typer.Option(metavar="interactive|bulk", help="The lane to wait in.")]
Deadline = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="No cancellation request is sent at or after it: 2026-01-31T18:00:00-03:00."),
]


@app.callback()
def submit(
    ctx: typer.Context,
    *,
    from_json: Annotated[
        str | None,
        typer.Option(
            "--from-json",
            metavar="FILE",
            help="A file with one request (JSON object) in each line; - reads standard input.",
        ),
    ] = None,
    wait: Wait = None,
    json: Json = False,
    submission: Repeated = None,
) -> None:
    """Submit a cancellation, or many as JSON lines.

    Prints the job id of each. With --from-json every line is checked first; nothing is submitted on any error. A
    document whose job is open joins it; one that is cancelled already gets its earlier outcome again.
    """
    if ctx.invoked_subcommand is not None:
        if from_json is not None:
            raise typer.BadParameter(f"either --from-json or {ctx.invoked_subcommand}, not both")
        return
    if from_json is None:
        raise typer.BadParameter("what to submit? solucion-factible UUID, ns-bpe CHBPE, or --from-json FILE")
    client = Client()
    checked = _read(from_json, client)
    if not checked:
        complain("nothing in it to submit")
    _submit(client, checked, wait=wait, json=json, submission=submission)


@app.command("solucion-factible", cls=WaitingCommand)
def solucion_factible(
    ctx: typer.Context,
    uuid: Annotated[str, typer.Argument(metavar="UUID", help="The CFDI: 8-4-4-4-12 hex digits.")],
    *,
    account: AccountName = None,
    reference: Reference = None,
    priority: Priority = None,
    deadline: Deadline = None,
    wait: Wait = None,
    json: Json = False,
    submission: Repeated = None,
) -> None:
    """Submit the cancellation of a CFDI at Solución Factible."""
    request = {"provider": "solucion-factible", "uuid": uuid}
    run = {"account": account, "reference": reference, "priority": priority, "deadline": deadline}
    _submit_one(ctx, request | run, wait=wait, json=json, submission=submission)


@app.command("ns-bpe", cls=WaitingCommand)
def ns_bpe(
    ctx: typer.Context,
    chbpe: Annotated[str, typer.Argument(metavar="CHBPE", help="The access key of the BP-e: 44 characters.")],
    *,
    nprot: Annotated[str | None, typer.Option(help="The authorisation protocol: 15 digits. Needed.")] = None,
    xjust: Annotated[str | None, typer.Option(help="The reason: 15 to 255 characters. Needed.")] = None,
    dh_evento: Annotated[
        str | None,
        typer.Option("--dh-evento", metavar="TIME", help="The event's time, YYYY-MM-DDTHH:MM:SS±HH:00; left out: now."),
    ] = None,
    account: AccountName = None,
    reference: Reference = None,
    priority: Priority = None,
    deadline: Deadline = None,
    wait: Wait = None,
    json: Json = False,
    submission: Repeated = None,
) -> None:
    """Submit the cancellation of a BP-e at NS Tecnologia."""
    request = {"provider": "ns-bpe", "chBPe": chbpe, "nProt": nprot, "xJust": xjust, "dhEvento": dh_evento}
    run = {"account": account, "reference": reference, "priority": priority, "deadline": deadline}
    _submit_one(ctx, request | run, wait=wait, json=json, submission=submission)


def _submit_one(
    ctx: typer.Context, request: Mapping[str, Any], *, wait: float | None, json: bool, submission: str | None
) -> None:
    """One request; what stands before the provider's name on the command line counts as well."""
    before = ctx.parent.params if ctx.parent else {}
    client = Client()
    checked = [client.check({name: value for name, value in request.items() if value is not None})]
    _submit(
        client,
        checked,
        wait=wait if wait is not None else before.get("wait"),
        json=json or bool(before.get("json")),
        submission=submission or before.get("submission"),
    )


def _read(source: str, client: Client) -> list[Admissible]:
    """The requests of a file, in its order; blank lines are skipped.

    Raises:
        InvalidInput: with every error of every line.
    """
    checked, errors = list[Admissible](), list[str]()
    now = datetime.now(UTC)
    try:
        for number, line in enumerate(_lines(source), start=1):
            errors += [f"line {number}: {problem}" for problem in _problems(line, client, now, checked)]
    except OSError as problem:
        raise typer.BadParameter(f"--from-json: {source} cannot be read ({problem.strerror})") from None
    if errors:
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        raise InvalidInput([*errors, f"nothing was submitted: {count}; each line must be one JSON object"])
    return checked


def _problems(line: bytes | None, client: Client, now: datetime, checked: list[Admissible]) -> Iterable[str]:
    """What is wrong with one line; a request with nothing wrong is added to `checked`."""
    if line is None:
        return [f"longer than {MAX_BODY_BYTES} bytes"]
    if text := line.strip():
        try:
            checked.append(read(text, client.accounts, now=now))
        except InvalidRequest as invalid:
            return [error_line(error.field, error.problem) for error in invalid.errors]
    return []


def _lines(source: str) -> Iterator[bytes | None]:
    """The lines of a file, the line break included; None stands for one that is too long to be a request.

    Reading stops in the middle of a line that does not end within reach: /dev/zero has no other.
    """
    with _opened(source) as file:
        start = file.readline(_LONGEST).removeprefix(b"\xef\xbb\xbf")
        while start:
            is_whole = len(start) < _LONGEST or start.endswith(b"\n")
            yield start if is_whole else None
            if not is_whole and not _skips_to_its_end(file):
                return
            start = file.readline(_LONGEST)


def _skips_to_its_end(file: BinaryIO) -> bool:
    rest = file.readline(_WITHIN_REACH)
    return rest.endswith(b"\n") or not rest


def _opened(source: str) -> AbstractContextManager[BinaryIO]:
    if source == "-":
        if sys.stdin is None:
            raise typer.BadParameter("--from-json: standard input is closed")
        return nullcontext(sys.stdin.buffer)
    return Path(source).open("rb")


def _submit(
    client: Client, checked: list[Admissible], *, wait: float | None, json: bool, submission: str | None
) -> None:
    since = client.last_id()
    submission = submission or uuid.uuid4().hex
    done, refused = list[Submission](), 0
    for first in range(0, len(checked), BATCH):
        batch = checked[first : first + BATCH]
        try:
            admitted = client.admit(batch, submission, first=first)
        except (Unavailable, LedgerFull) as problem:
            raise _broken_off(problem, len(done), len(checked), submission) from problem
        for one in admitted:
            if isinstance(one, NotPossible):
                complain(str(one))
                refused += 1
            else:
                _show(one, json=json)
                done.append(one)
    if refused:
        complain(f"{refused} of {len(checked)} not submitted, for the reasons above")
    if wait is not None:
        follow(client, done, since=since, limit_s=wait, json=json)
    if refused:
        raise typer.Exit(FAILED)


def _broken_off(problem: Exception, done: int, total: int, submission: str) -> Failed:
    again = f"run the command again with --submission {submission}, so that nothing is admitted twice"
    words = f"{problem}: {problem.remedy}" if isinstance(problem, Unavailable) else str(problem)
    return Failed(f"{words}; {done} of {total} were submitted: {again}")


def _show(one: Submission, *, json: bool) -> None:
    if json:
        json_line({"job": one.job, "run": one.run, "joined": one.joined, "replayed": one.replayed})
        return
    say(one.job)
    if one.joined:
        complain(f"{one.job} was open already: joined")
    if one.replayed:
        complain(f"{one.job} was cancelled already: its outcome is published again")
