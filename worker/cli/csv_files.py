"""The files that `anula import` reads and writes, as they are named on the command line."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import typer

from worker.csv_file.output import OutputFile


@contextmanager
def opened_file(name: str) -> Iterator[BinaryIO]:
    """The file, or a copy of what comes only once."""
    try:
        opened: BinaryIO = sys.stdin.buffer if name == "-" else Path(name).open("rb")  # noqa: SIM115 - closed below
    except OSError as problem:
        raise typer.BadParameter(f"{name} cannot be read ({problem.strerror})") from None
    with opened:
        if name != "-" and opened.seekable():
            yield opened
            return
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(opened, copy)
            copy.flush()
            yield copy


@contextmanager
def output_file(path: Path | None) -> Iterator[OutputFile | None]:
    """A file to write; none where none is wanted."""
    if path is None:
        yield None
        return
    try:
        output = OutputFile(path)
    except OSError as problem:
        raise typer.BadParameter(f"{path} cannot be written ({problem.strerror})") from None
    with output:
        yield output


def keep_apart(file: str, *written: Path | None) -> None:
    """What is written must not be the file that is read, nor both the same."""
    paths = [os.path.realpath(path) for path in (file, *written) if path]
    if len(set(paths)) < len(paths):
        raise typer.BadParameter("FILE.csv, --errors and --results must be different files")
