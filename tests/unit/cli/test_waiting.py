"""How `--wait [SECONDS]` is read."""

import pytest

from worker.cli.waiting import spelled_out


@pytest.mark.parametrize(
    "given, read",
    [
        ([], []),
        (["X"], ["X"]),
        (["--wait"], ["--wait=inf"]),
        (["--wait", "30"], ["--wait", "30"]),
        (["--wait", "0.5", "X"], ["--wait", "0.5", "X"]),
        (["--wait", "X"], ["--wait=inf", "X"]),
        (["--wait", "--json"], ["--wait=inf", "--json"]),
        (["--wait=30"], ["--wait=30"]),
        (["--", "--wait"], ["--", "--wait"]),
    ],
)
def test_wait_gets_a_value_where_it_has_none(given, read):
    assert spelled_out(given) == read


def test_spelling_out_twice_is_spelling_out_once():
    once = spelled_out(["--wait", "X", "--wait"])

    assert spelled_out(once) == once
