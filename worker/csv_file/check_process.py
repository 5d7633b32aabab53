"""The check of a long file by two processes: a second one checks every other block of rows."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing.connection import Connection

from worker.csv_file.checking import Checked, RowCheck
from worker.csv_file.reading import CsvFile

BLOCK = 1_000
LONG = 1024 * 1024
"""Bytes from which on a second process is worth its start."""


@contextmanager
def checked_rows(file: CsvFile, check: RowCheck) -> Iterator[Iterator[Checked]]:
    """Gives every row of a file, checked, in file order.

    For a long file a second process is forked, where there is a core for it: begin before anything starts a thread.
    """
    if file.size() < LONG or not _can_be_two():
        yield map(check.check, file.rows())
        return
    with _second_process(file, check) as blocks:
        yield _by_two(file, check, blocks)


def _can_be_two() -> bool:
    return sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1


def _by_two(file: CsvFile, check: RowCheck, blocks: Connection) -> Iterator[Checked]:
    """Every row, of the second block, the fourth and so on as the second process has checked it.

    The rows are those read here: what the second process does not give, or of another line, is checked here.
    """
    checked: Mapping[int, Checked] = {}
    for number, row in enumerate(file.rows()):
        if number % BLOCK == 0:
            checked = _received(blocks) if number // BLOCK % 2 else {}
        yield checked.get(row.line) or check.check(row)


def _received(blocks: Connection) -> Mapping[int, Checked]:
    """The next block by its lines; empty where the second process is lost, or could not read on."""
    try:
        return {one[0]: Checked._make(one) for one in blocks.recv()}
    except (EOFError, OSError):
        return {}


@contextmanager
def _second_process(file: CsvFile, check: RowCheck) -> Iterator[Connection]:
    """Gives where its blocks come from; none come where it cannot be started."""
    context = multiprocessing.get_context("fork")
    reading, writing = context.Pipe(duplex=False)
    ends = {"reading": reading, "writing": writing}
    process = context.Process(target=_work, args=(file, check), kwargs=ends, daemon=True)
    with reading:
        try:
            with writing, suppress(OSError), _ctrl_c_held_back():
                process.start()
            yield reading
        finally:
            if process.pid:
                process.kill()
                process.join()


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """What is started meanwhile never gets it, and ends with whoever has started it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(file: CsvFile, check: RowCheck, *, reading: Connection, writing: Connection) -> None:
    """What the second process does, until the file ends or nobody reads any more.

    Whatever goes wrong ends it without a word: the first process checks the same rows then, and meets the same.
    """
    reading.close()
    with suppress(Exception):
        file.reopen()
        rows = file.rows()
        _pass_over_a_block(rows)
        while block := [tuple(check.check(row)) for row in islice(rows, BLOCK)]:  # pickled in a fifth of the time
            writing.send(block)
            _pass_over_a_block(rows)


def _pass_over_a_block(rows: Iterator[object]) -> None:
    for _ in islice(rows, BLOCK):
        pass
