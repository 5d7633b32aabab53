"""A long file checked by two processes gives what one gives, whatever becomes of the second."""

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path

import pytest

from tests.support.processes import heeding_ctrl_c, only_with_two_cores, state_of
from tests.support.requests import accounts, chbpe
from tests.support.site import ROOT
from tests.support.waiting import wait_until
from worker.csv_file.check_process import BLOCK, LONG, checked_rows
from worker.csv_file.checking import Checked, RowCheck
from worker.csv_file.problem import Unreadable
from worker.csv_file.reading import LONGEST_CELL, CsvFile

pytestmark = [
    only_with_two_cores,
    # The tests on all cores have a thread in each of their processes; the command line has none at that time
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

HEADER = "chave;protocolo;motivo;referencia"
PADDING = [" " * (LONGEST_CELL - 1)] * (LONG // LONGEST_CELL + 1)
"""Makes a file of few rows a long one: empty lines are left out."""
EDGES = (1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK - 1, 2 * BLOCK, 2 * BLOCK + 1, 2 * BLOCK + BLOCK // 2)


def row(number, *, reason="Passageiro desistiu da viagem", reference="r1"):
    return f"{chbpe(number)};143260000012345;{reason};{reference}"


MESS = {
    "invalid": lambda _: "1;2;short;order-7",
    "too many cells": lambda number: f"{row(number)};more",
    "of several lines": lambda number: row(number, reason='"Passageiro\r\ndesistiu da\nviagem"'),
    "blank lines": lambda number: f"\n ; ;;\n{row(number)}\n",
    "quotes that do not fit": lambda number: row(number, reason='"Passageiro" desistiu'),
    "a quote that is closed lines later": lambda number: row(number, reference=f'"r\n{row(number)}\n"'),
}


@pytest.fixture
def a_file(tmp_path):
    def write(*rows, **options):
        path = tmp_path / "in.csv"
        path.write_bytes("\n".join([HEADER, *rows, *PADDING, ""]).encode(errors="surrogateescape"))
        return CsvFile(opened.enter_context(path.open("rb")), **options)

    with ExitStack() as opened:
        yield write


class Stamp(RowCheck):
    """Says which process has looked at a row."""

    def __init__(self):
        self.first = os.getpid()

    def check(self, row):
        return Checked(row.line, str(os.getpid()), None, None, None, None, "", "", ())


class Failing(Stamp):
    """Goes wrong in the second process."""

    def check(self, row):
        if os.getpid() != self.first:
            raise ZeroDivisionError
        return super().check(row)


def open_files():
    return sorted(place.name for place in Path("/proc/self/fd").iterdir())


def second_process():
    [process] = multiprocessing.active_children()
    return process


def a_check(file):
    return RowCheck(file, accounts(), defaults={})


def told(checked, file):
    """The rows in their order, why there are no more, and how many could not be made out."""
    rows, why = [], ""
    try:
        rows.extend(checked)
    except Unreadable as problem:
        why = str(problem)
    return rows, why, file.unreadable


def told_by_one(file, check):
    return told(map(check.check, file.rows()), file)


def told_by_two(file, check):
    with checked_rows(file, check) as checked:
        assert second_process()
        return told(checked, file)


# The same as one process gives


@pytest.mark.parametrize("count", [0, *EDGES])
def test_two_processes_give_what_one_gives(a_file, count):
    file = a_file(*map(row, range(count)))
    check = a_check(file)

    assert told_by_two(file, check) == told_by_one(file, check)


@pytest.mark.parametrize("mess", MESS)
def test_whatever_stands_at_the_edge_of_a_block_is_the_same(a_file, mess):
    at_an_edge = {edge + off for edge in EDGES for off in (-2, -1, 0)}
    file = a_file(*((MESS[mess] if number in at_an_edge else row)(number) for number in range(EDGES[-1])))
    check = a_check(file)

    assert told_by_two(file, check) == told_by_one(file, check)


@pytest.mark.parametrize("place", [BLOCK - 1, BLOCK, 2 * BLOCK])
def test_a_quote_that_is_never_closed_is_the_last_row_of_both(a_file, place):
    rows = [row(number) for number in range(3 * BLOCK)]
    rows[place] = row(place, reason='"Passageiro')
    file = a_file(*rows)
    check = a_check(file)

    checked, _, unreadable = alone = told_by_one(file, check)

    assert (len(checked), unreadable) == (place + 1, 1)
    assert told_by_two(file, check) == alone


@pytest.mark.parametrize("place", [BLOCK + BLOCK // 2, 2 * BLOCK + BLOCK // 2])
def test_a_wrong_encoding_is_met_after_the_same_rows(a_file, place):
    rows = [row(number) for number in range(3 * BLOCK)]
    rows[place] = row(place, reason="Passageiro n\udce3o viajou")
    file = a_file(*rows, encoding="utf-8")
    check = a_check(file)

    checked, why, _ = alone = told_by_one(file, check)

    assert len(checked) > place // BLOCK * BLOCK
    assert "it is not all UTF-8" in why
    assert told_by_two(file, check) == alone


def test_the_second_process_checks_every_other_block(a_file):
    file = a_file(*map(row, range(3 * BLOCK + 1)))

    with checked_rows(file, Stamp()) as checked:
        first, second = str(os.getpid()), str(second_process().pid)
        assert [one.job for one in checked] == [*[first] * BLOCK, *[second] * BLOCK, *[first] * BLOCK, second]


def test_a_file_without_a_name_is_read_by_both():
    with tempfile.TemporaryFile() as opened:
        opened.write("\n".join([HEADER, *map(row, range(BLOCK + 1)), *PADDING]).encode())
        file = CsvFile(opened)

        with checked_rows(file, Stamp()) as checked:
            assert len({one.job for one in checked}) == 2


def test_a_short_file_has_no_second_process(csv_file, tmp_path):
    path = tmp_path / "short.csv"
    path.write_text(f"{HEADER}\n{row(1)}\n")

    with path.open("rb") as opened:
        for file in (CsvFile(opened), csv_file(path.read_text())):
            with checked_rows(file, a_check(file)) as checked:
                assert not multiprocessing.active_children()
                assert [one.line for one in checked] == [2]


def test_no_line_is_given_twice_where_the_file_is_changed_meanwhile(a_file):
    rows = [row(number) for number in range(3 * BLOCK)]
    file = a_file(*rows)
    with checked_rows(file, a_check(file)) as checked:
        lines = [next(checked).line]
        wait_until(lambda: state_of(second_process().pid) == "S", what="a block that waits to be taken")

        a_file(*[""] * 100 * BLOCK, *rows)  # whoever reads on finds the rows far below those that were sent
        lines += [one.line for one in checked]

    assert lines == sorted(set(lines))
    assert lines[-1] > 50 * BLOCK
    assert file.has_changed()


# The second process is lost


def test_a_second_process_that_is_killed_at_once_is_not_missed(a_file):
    file = a_file(*map(row, range(3 * BLOCK)))

    with checked_rows(file, Stamp()) as checked:
        second_process().kill()
        wait_until(lambda: not multiprocessing.active_children())

        assert [one.job for one in checked] == [str(os.getpid())] * 3 * BLOCK


def test_a_second_process_that_is_killed_while_it_sends_is_not_missed(a_file):
    file = a_file(*map(row, range(5 * BLOCK)))
    check = a_check(file)

    with checked_rows(file, check) as checked:
        rows = [next(checked) for _ in range(2 * BLOCK)]
        wait_until(lambda: state_of(second_process().pid) == "S", what="a block of which a part is sent")
        second_process().kill()
        wait_until(lambda: not multiprocessing.active_children())
        rows.extend(checked)

    assert rows == told_by_one(file, check)[0]


def test_ctrl_c_is_for_the_first_process_alone(a_file):
    file = a_file(*map(row, range(20 * BLOCK)))

    with heeding_ctrl_c(), checked_rows(file, Stamp()) as checked:
        second = second_process().pid
        wait_until(lambda: state_of(second) == "S", what="more blocks than can be sent before one is taken")
        os.kill(second, signal.SIGINT)

        assert [one.job for one in checked].count(str(second)) == 10 * BLOCK


def test_an_error_in_the_second_process_is_not_missed_and_told_by_the_first_alone(a_file, capfd):
    file = a_file(*map(row, range(3 * BLOCK)))

    with checked_rows(file, Failing()) as checked:
        assert [one.job for one in checked] == [str(os.getpid())] * 3 * BLOCK

    assert capfd.readouterr() == ("", "")


@contextmanager
def room_for_files(count):
    """So many can be opened."""
    free = [os.dup(1) for _ in range(count + 1)]
    for one in free:
        os.close(one)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free[-1], hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_second_process_that_cannot_be_started_is_not_missed(a_file):
    file = a_file(*map(row, range(3 * BLOCK)))

    with ExitStack() as stack:
        with room_for_files(2):
            checked = stack.enter_context(checked_rows(file, Stamp()))

        assert not multiprocessing.active_children()
        assert [one.job for one in checked] == [str(os.getpid())] * 3 * BLOCK


# The end


@pytest.mark.parametrize("how_many", [0, 1, BLOCK + 1, 5 * BLOCK])
def test_nothing_is_left_wherever_the_check_ends(a_file, how_many):
    file = a_file(*map(row, range(5 * BLOCK)))
    before = open_files()

    with suppress(ZeroDivisionError), checked_rows(file, a_check(file)) as checked:
        pid = second_process().pid
        assert len(list(islice(checked, how_many))) == how_many
        raise ZeroDivisionError

    assert not Path(f"/proc/{pid}").exists()
    assert open_files() == before


PROGRAM = """
import multiprocessing, signal, sys
from tests.support.requests import accounts
from worker.csv_file.check_process import checked_rows
from worker.csv_file.checking import RowCheck
from worker.csv_file.reading import CsvFile
file = CsvFile(open(sys.argv[1], "rb"))
with checked_rows(file, RowCheck(file, accounts(), defaults={})):
    print(multiprocessing.active_children()[0].pid, flush=True)
    signal.pause()
"""


@contextmanager
def a_program(path):
    command = [sys.executable, "-c", PROGRAM, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_second_process_ends_when_the_first_is_killed(a_file, tmp_path):
    a_file(*map(row, range(5 * BLOCK)))
    with a_program(tmp_path / "in.csv") as process:
        second = int(process.stdout.readline())
        wait_until(lambda: state_of(second) == "S", what="a block that waits to be taken")

        process.kill()

        wait_until(lambda: not state_of(second), what="the second process's end")
