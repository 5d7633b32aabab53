"""How long to wait and when to give up, as tables and properties."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import retries
from config.accounts import Environment
from config.settings import Settings
from worker.retry import JITTER, Kind, Policies, Waits, until_taken

NUMBERS = {
    Kind.TRANSIENT: (0.5, 900.0, 86_400.0),
    Kind.UNKNOWN: (15.0, 900.0, 86_400.0),
    Kind.IN_PROCESS: (60.0, 3_600.0, 604_800.0),
    Kind.EVIDENCE: (0.5, 60.0, 600.0),
}
POLICIES = Policies(retries.policies(Settings(), Environment.PRODUCTION))
FRESH = Waits.from_json({})


def policies(first_s: float, cap_s: float, total_s: float) -> Policies:
    one = retries.Policy(first_s, cap_s, total_s)
    return Policies(
        retries.Policies(transient=one, unknown=one, in_process=one, evidence=one, look_up_counts_after_s=300.0)
    )


def course(kind: Kind, asked_of: Policies = POLICIES) -> list[float]:
    """The waits of a job that is always answered the same, each waited out."""
    found: list[float] = []
    state = FRESH
    while True:
        wait_s, state = asked_of.next_wait(kind, state)
        if wait_s is None:
            return found
        found.append(wait_s)
        state = Waits.from_json(json.loads(json.dumps(state.as_json()))).after(wait_s)
        assert len(found) < 10_000


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_its_policy(kind):
    first_s, cap_s, total_s = NUMBERS[kind]

    waited = course(kind)

    assert first_s <= waited[0] <= first_s * JITTER
    assert all(first_s <= wait_s <= cap_s for wait_s in waited)
    assert total_s <= sum(waited) < total_s + cap_s


@pytest.mark.parametrize("kind", list(Kind))
def test_waits_double_up_to_the_cap(kind):
    first_s, cap_s, _ = NUMBERS[kind]

    for place, wait_s in enumerate(course(kind)):
        plain = min(first_s * 2**place, cap_s / JITTER)
        assert plain <= wait_s <= min(plain * JITTER, cap_s)


def test_waits_are_jittered_at_the_cap_as_well():
    assert len({wait_s for wait_s in course(Kind.TRANSIENT) if wait_s > 700}) > 50


@pytest.mark.parametrize(("first_s", "cap_s"), [(5.0, 1.0), (5.0, 5.0), (5.0, 5.5)])
def test_a_cap_below_the_first_wait_does_not_shorten_it(first_s, cap_s):
    assert all(
        first_s <= wait_s <= max(first_s, cap_s) for wait_s in course(Kind.TRANSIENT, policies(first_s, cap_s, 60))
    )


def test_only_what_really_passed_counts_towards_the_end():
    wait_s, state = POLICIES.next_wait(Kind.TRANSIENT, FRESH, least_s=100)

    assert state.after(3).age_s == {"transient": 3}
    assert state.after(0).age_s == {"transient": 0}
    assert wait_s == 100


def test_an_outage_of_ours_does_not_count_towards_the_end():
    _, state = POLICIES.next_wait(Kind.TRANSIENT, FRESH, least_s=100)

    assert state.after(1_000_000).age_s == {"transient": 100}


def test_a_wait_counts_once():
    _, state = POLICIES.next_wait(Kind.TRANSIENT, FRESH, least_s=100)

    assert state.after(100).after(100).age_s == {"transient": 100}


def test_each_kind_has_its_own_count_and_age():
    _, state = POLICIES.next_wait(Kind.TRANSIENT, FRESH, least_s=10)
    _, state = POLICIES.next_wait(Kind.IN_PROCESS, state.after(10), least_s=100)
    state = state.after(100)

    assert state.asked == {"transient": 1, "in_process": 1}
    assert state.age_s == {"transient": 10, "in_process": 100}
    assert state.turned_to(Kind.IN_PROCESS) == Waits({"in_process": 1}, {"in_process": 100})
    assert state.turned_to(Kind.UNKNOWN) == Waits({"in_process": 1}, {"in_process": 100}, None, 10)


def test_transient_and_unknown_share_a_total_of_twice_the_longer_policy():
    spent, nearly = (Waits({}, {}, None, in_turn_s) for in_turn_s in (172_800.0, 172_799.0))

    for kind in (Kind.TRANSIENT, Kind.UNKNOWN):
        assert POLICIES.next_wait(kind, spent)[0] is None
        assert POLICIES.next_wait(kind, nearly)[0] is not None
    for kind in (Kind.IN_PROCESS, Kind.EVIDENCE):
        assert POLICIES.next_wait(kind, spent)[0] is not None


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_answered_the_same_each_time_is_given_up_within_what_is_left(kind):
    _, cap_s, total_s = NUMBERS[kind]
    assert POLICIES.left_s(FRESH) is None
    waited, state = 0.0, FRESH
    while True:
        wait_s, state = POLICIES.next_wait(kind, state)
        if wait_s is None:
            break
        left_s = POLICIES.left_s(state)
        assert left_s is not None
        assert left_s == pytest.approx(max(total_s - waited, 0) + cap_s)
        assert wait_s <= left_s
        waited += wait_s
        state = state.after(wait_s)

    assert waited <= total_s + cap_s


@pytest.mark.parametrize("age_s", [86_400.0, 1e12])
def test_at_its_total_a_policy_gives_up(age_s):
    assert POLICIES.next_wait(Kind.TRANSIENT, Waits({}, {"transient": age_s}))[0] is None
    assert POLICIES.next_wait(Kind.UNKNOWN, Waits({}, {"transient": age_s}))[0] is not None


SETTINGS = st.tuples(st.floats(0.001, 100), st.floats(0.001, 10_000), st.floats(0.001, 1_000_000))
KINDS = st.sampled_from(Kind)


@given(numbers=SETTINGS, kind=KINDS, asked=st.integers(0, 10_000), least_s=st.floats(0, 3_600), seed=st.integers())
def test_a_wait_is_bounded_and_never_below_retry_after(numbers, kind, asked, least_s, seed):
    random.seed(seed)
    first_s, cap_s, _ = numbers

    wait_s, state = policies(*numbers).next_wait(kind, Waits({kind: asked}, {}), least_s=least_s)

    assert wait_s is not None
    assert max(first_s, least_s) <= wait_s <= max(first_s, cap_s, least_s)
    assert state.last == (kind, wait_s)
    assert state.asked[kind] == asked + 1


WAITS = st.builds(
    Waits,
    st.dictionaries(KINDS.map(str), st.integers(0, 1_000)),
    st.dictionaries(KINDS.map(str), st.floats(0, 1e7)),
    st.none() | st.tuples(KINDS.map(str), st.floats(0, 1e5)),
    st.floats(0, 1e7),
)


@given(state=WAITS)
def test_the_state_survives_the_ledger(state):
    assert Waits.from_json(json.loads(json.dumps(state.as_json()))) == state


@given(steps=st.lists(st.tuples(KINDS, st.floats(0, 1e6))))
def test_no_age_grows_by_more_than_was_ordered_and_passed(steps):
    state, bound = FRESH, dict.fromkeys(Kind, 0.0)
    for kind, passed_s in steps:
        wait_s, state = POLICIES.next_wait(kind, state)
        bound[kind] += min(wait_s or 0.0, passed_s)
        state = state.after(passed_s)

    for kind, age_s in state.age_s.items():
        assert age_s == pytest.approx(bound[Kind(kind)])


def test_an_answer_is_handed_in_until_it_is_taken():
    failures = iter([ConnectionError(), ConnectionError(), None])

    def hand_in() -> str:
        failure = next(failures)
        if failure:
            raise failure
        return "taken"

    assert until_taken(hand_in, is_outage=lambda error: isinstance(error, ConnectionError), cap_s=0.001) == "taken"


def test_what_is_no_outage_is_not_tried_again():
    calls = []

    def hand_in() -> None:
        calls.append(1)
        raise KeyError

    with pytest.raises(KeyError):
        until_taken(hand_in, is_outage=lambda error: isinstance(error, ConnectionError))
    assert len(calls) == 1
