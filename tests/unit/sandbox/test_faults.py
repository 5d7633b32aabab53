"""Which call a fault befalls."""

from worker.sandbox.behaviours import FaultKind
from worker.sandbox.calls import Kind
from worker.sandbox.faults import FaultRequest, Faults
from worker.sandbox.numbers import sandbox_uuid

ONE = sandbox_uuid(200, 1)
OTHER = sandbox_uuid(200, 2)


def test_a_fault_for_the_next_calls_befalls_that_many():
    faults = Faults()
    faults.switch_on(FaultRequest(fault=FaultKind.EMPTY, calls=2))

    befallen = [faults.choose(Kind.CANCEL, ONE) is not None for _ in range(4)]

    assert befallen == [True, True, False, False]
    assert faults.as_json() == []


def test_a_fault_for_one_document_leaves_the_others_alone():
    faults = Faults()
    faults.switch_on(FaultRequest(fault=FaultKind.EMPTY, document=ONE.lower()))

    assert faults.choose(Kind.CANCEL, ONE) is not None
    assert faults.choose(Kind.CANCEL, OTHER) is None


def test_a_fault_for_look_ups_leaves_cancellations_alone():
    faults = Faults()
    faults.switch_on(FaultRequest(fault=FaultKind.EMPTY, kinds=frozenset({Kind.LOOK_UP})))

    assert faults.choose(Kind.CANCEL, ONE) is None
    assert faults.choose(Kind.LOOK_UP, ONE) is not None


def test_a_seed_makes_chance_repeatable():
    def befallen():
        faults = Faults()
        faults.switch_on(FaultRequest(fault=FaultKind.EMPTY, probability=0.5, seed=7))
        return [faults.choose(Kind.CANCEL, ONE) is not None for _ in range(200)]

    first = befallen()

    assert first == befallen()
    assert 60 < sum(first) < 140


def test_one_fault_can_be_switched_off_among_others():
    faults = Faults()
    first = faults.switch_on(FaultRequest(fault=FaultKind.EMPTY))
    faults.switch_on(FaultRequest(fault=FaultKind.HALF))

    assert faults.switch_off(first.id) == 1

    chosen = faults.choose(Kind.CANCEL, ONE)
    assert chosen is not None
    assert chosen.fault is FaultKind.HALF
