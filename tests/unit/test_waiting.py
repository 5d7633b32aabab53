import pytest

from tests.support.waiting import wait_until


def test_waiting_gives_the_first_true_answer():
    answers = iter([None, 0, "ready", "too late"])

    assert wait_until(lambda: next(answers)) == "ready"


def test_waiting_in_vain_says_for_what_and_what_came_last():
    with pytest.raises(AssertionError, match=r"0.05 s in vain for: the worker; the last answer was \[\]"):
        wait_until(list, limit_s=0.05, what="the worker")


def test_the_condition_is_asked_once_even_without_time():
    assert wait_until(lambda: True, limit_s=0)
