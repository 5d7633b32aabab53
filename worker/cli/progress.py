"""How far a long command has come: a bar on a terminal, lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from worker.cli.problems import complain

_STEP = 10
"""Per cent between two lines."""


@contextmanager
def progress(label: str, total: int, *, in_lines: bool = False) -> Iterator[Callable[[int], None]]:
    """Gives what is told how many of `total` are done; `in_lines`: without a terminal, a line for each tenth."""
    if not sys.stderr.isatty():
        yield _lines(label, total) if in_lines else lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(label), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty(), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)


def _lines(label: str, total: int) -> Callable[[int], None]:
    told = 0

    def show(done: int) -> None:
        nonlocal told
        percent = min(100, done * 100 // total) if total else 100
        if percent // _STEP > told // _STEP:
            told = percent
            complain(f"{label}: {percent // _STEP * _STEP} %")

    return show
