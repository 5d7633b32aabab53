"""What `anula import` says of a file: what it is, what is wrong with its rows, and what to type next."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from worker.cli.problems import InvalidInput, complain
from worker.csv_file.columns import field_named, names_shown
from worker.csv_file.output import OutputFile
from worker.csv_file.problem import shortened
from worker.csv_file.reading import CsvFile
from worker.csv_file.staging import Staging
from worker.csv_file.start import NAMES
from worker.csv_file.writing import write_errors

_SHOWN_REFERENCES = 3


@dataclass(frozen=True, slots=True)
class Typed:
    """An import as it was typed.

    Attributes:
        file: Its name; - where standard input is read.
        options: Those that hold for the rows of `--errors` too.
        encoding: What was given for the file itself.
    """

    file: str
    options: Sequence[str]
    encoding: str | None

    @property
    def shown(self) -> str:
        """The file, by a name for people."""
        return "standard input" if self.file == "-" else self.file

    def of_the_file(self, *more: str) -> str:
        """The command for the same file, with these options."""
        encoding = ["--encoding", self.encoding] if self.encoding else []
        return shlex.join(["anula", "import", self.file, *self.options, *encoding, *more])

    def of_the_corrected(self, path: Path) -> str:
        """The command for the file of `--errors`, which is always UTF-8."""
        return shlex.join(["anula", "import", str(path), *self.options])


def tell_what_it_is(csv_file: CsvFile, typed: Typed) -> None:
    """Say how the file was read, so that a person sees where that is wrong."""
    text, columns = csv_file.text, csv_file.columns
    words = f" (as in {', '.join(map(shortened, text.words))})" if text.words else ""
    passed_over = f"; columns passed over: {len(columns.extra)} ({names_shown(columns.extra)})" if columns.extra else ""
    name = columns.name_of("reference")
    is_guessed = "reference" in columns.fields and field_named(name) != "reference"
    reference = f"; {shortened(name)} is taken as the reference" if is_guessed else ""
    complain(f"{typed.shown}: {text.name}{words}, cells divided by {NAMES[csv_file.delimiter]}{reference}{passed_over}")
    if columns.doubtful_references:
        names = " and ".join(columns.doubtful_references)
        complain(f"warning: no reference is taken, because {names} could be it: call one of them referencia")


def judge(
    csv_file: CsvFile, staging: Staging, errors: OutputFile | None, *, typed: Typed, skip_invalid: bool, dry_run: bool
) -> int:
    """Tell every problem; how many rows are skipped.

    Raises:
        InvalidInput: rows are invalid, and are not to be skipped or must not be.
    """
    valid, bad = staging.count()
    if not valid and not bad:
        complain("there is no row in it")
    for problem in staging.problems():
        complain(str(problem))
    _warn_of_references(csv_file, staging)
    if errors:
        write_errors(errors.opened, csv_file, staging.problems())
        errors.take_its_place()
    if not bad:
        return 0
    if errors:
        then = f": correct them there, then: {typed.of_the_corrected(errors.path)}" if skip_invalid else ""
        complain(f"the invalid rows are in {errors.path}{then}")
    if csv_file.unreadable:
        raise InvalidInput(_correct_the_quotes(valid, bad, typed=typed, skip_invalid=skip_invalid))
    if not skip_invalid:
        raise InvalidInput(_nothing_submitted(valid, bad, errors=errors, typed=typed, dry_run=dry_run))
    complain(f"{bad} of {valid + bad} rows are invalid and skipped")
    return bad


def _warn_of_references(csv_file: CsvFile, staging: Staging) -> None:
    column = csv_file.columns.name_of("reference")
    repeated = staging.frequent_references()
    for reference, rows, line in islice(repeated, _SHOWN_REFERENCES):
        complain(
            f"warning: line {line}, {column}, {shortened(reference)!r}: it is the reference of {rows} rows; "
            "make sure that the column was not rounded or filled down"
        )
    if any(repeated):
        complain(f"warning: {column}: more references are on several rows each")


def _correct_the_quotes(valid: int, bad: int, *, typed: Typed, skip_invalid: bool) -> list[str]:
    verdict = f"{bad} of {valid + bad} rows are invalid"
    if skip_invalid:
        verdict = "rows whose quotes do not fit may hide others, and are not skipped"
    return [
        f"correct the quotes in {typed.shown} itself, in the lines told above, and import it again",
        f"nothing was submitted: {verdict}",
    ]


def _nothing_submitted(valid: int, bad: int, *, errors: OutputFile | None, typed: Typed, dry_run: bool) -> list[str]:
    """The last lines: what was not submitted, and what to type for the valid and for the invalid rows."""
    verdict = f"nothing was submitted: {bad} of {valid + bad} rows are invalid"
    if errors:
        were = "was" if valid == 1 else "were"
        submit = f"{_rows(valid, 'valid')} {were} NOT submitted; to submit: {typed.of_the_file('--skip-invalid')}"
        correct = f"{_rows(bad, 'invalid')}: correct {errors.path}, then: {typed.of_the_corrected(errors.path)}"
        return [verdict, submit, correct] if valid else [correct, verdict]
    if dry_run or not valid:
        return [verdict]
    command = typed.of_the_file("--skip-invalid", "--errors", "OUT.csv")
    return [f"{_rows(valid, 'valid')} could be submitted: {command}", verdict]


def _rows(count: int, kind: str) -> str:
    return f"{count} {kind} row{'' if count == 1 else 's'}"
