"""`anula evidence --all`: the evidence of every outcome that is kept, one file each.

The stream of outcomes is read, and not the jobs: page by page it tells of every run, where a job knows only its last.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from worker.answer import Evidence
from worker.cli.archive import Archive, Kept
from worker.cli.problems import NO_ROOM, Failed, complain
from worker.cli.screen import say
from worker.documents import job_named
from worker.ledger.outcome_stream import Published
from worker.outcome import Status

_EXTENSIONS = {"application/xml": ".xml", "text/xml": ".xml", "text/plain": ".txt"}
_OTHER_EXTENSION = ".bin"


class Unusable(Exception):
    """Evidence that must not be written; the message says why."""


@dataclass
class Tally:
    """What became of the outcomes so far.

    Attributes:
        missing: Documents that are cancelled, without any evidence.
        refused: Evidence that could not be written under its name.
        last_id: The last outcome that was looked at.
    """

    kept: dict[Kept, int] = field(default_factory=lambda: dict.fromkeys(Kept, 0))
    missing: int = 0
    refused: int = 0
    last_id: str | None = None

    def __str__(self) -> str:
        written, there = self.kept[Kept.WRITTEN], self.kept[Kept.THERE]
        return f"{written} written, {there} there already, {self.missing} cancelled without evidence"


def write_all(outcomes: Iterable[Published], folder: Path, *, account: str | None) -> None:
    """Write the evidence of these outcomes, those of `account` where one is named, and say what became of them.

    Raises:
        Failed: the folder cannot be used, or some evidence was not written; the others are.
    """
    tally = Tally()
    try:
        _fill(folder, (one for one in outcomes if account in (None, one.get("account"))), tally)
    finally:
        say(tally)
    if tally.refused:
        raise Failed(f"{tally.refused} not written, for the reasons above; run it again when they are settled")
    if tally.last_id:
        say(f"the next time, --since {tally.last_id} goes on from here")


def _fill(folder: Path, outcomes: Iterable[Published], tally: Tally) -> None:
    try:
        archive = Archive(folder)
        for outcome in outcomes:
            _write(archive, outcome, tally)
            tally.last_id = outcome.id
        archive.settle()
    except OSError as problem:
        if problem.errno in NO_ROOM:
            raise
        raise Failed(f"{folder} cannot be written to ({problem.strerror}): name a folder of your own") from None


def _write(archive: Archive, outcome: Published, tally: Tally) -> None:
    try:
        if outcome["evidence"]:
            name, content = _name(outcome, outcome["evidence"]["media_type"]), content_of(outcome["evidence"])
            kept = archive.keep(name, content)
            tally.kept[kept] += 1
            if kept is Kept.DIFFERS:
                raise Unusable(f"{archive.folder / name} is there with another content: compare both, and move it away")
        elif outcome["status"] == Status.CANCELLED:
            _look_for(archive, outcome, tally)
    except Unusable as problem:
        complain(f"{outcome.get('job')}: {problem}")
        tally.refused += 1
    except (KeyError, ValueError, TypeError):
        complain(f"entry {outcome.id} of the outcome stream is no outcome of ours: left out")
        tally.refused += 1


def _look_for(archive: Archive, outcome: Published, tally: Tally) -> None:
    """What an outcome lacks may have been put there by hand."""
    if archive.has(_name(outcome, "application/xml")):
        tally.kept[Kept.THERE] += 1
        return
    complain(f"{outcome['job']} is cancelled without evidence: try anula evidence --fetch where the provider has it")
    tally.missing += 1


def content_of(evidence: Mapping[str, str]) -> bytes:
    """The original bytes of an outcome's evidence.

    Raises:
        Unusable: they do not fit their sha256.
    """
    content = Evidence.from_json(evidence).content
    if hashlib.sha256(content).hexdigest() != evidence["sha256"]:
        raise Unusable("the evidence does not fit its own sha256: it was changed on the way")
    return content


def _name(outcome: Mapping[str, Any], media_type: str) -> str:
    """The document alone stands for a cancellation; what came with another status must not be taken for one.

    Raises:
        ValueError: the outcome is none of ours, and no file is named by what it says.
    """
    document = str(outcome["document"])
    job = job_named(document)
    if job is None or job != outcome["job"] or not job.endswith(f":{document}"):
        raise ValueError(document)
    status = Status(outcome["status"])
    run = "" if status is Status.CANCELLED else f"-run-{int(outcome['run'])}-{status}"
    return f"{document}{run}{_EXTENSIONS.get(media_type, _OTHER_EXTENSION)}"
