"""What a document of the sandbox is, over time."""

import pytest

from config.accounts import ProviderName
from worker.sandbox.calls import Kind
from worker.sandbox.documents import Documents, Plan, Rule
from worker.sandbox.numbers import BEHAVIOURS, sandbox_chbpe, sandbox_uuid

NOW = 1_800_000_000.0
SF = BEHAVIOURS[ProviderName.SOLUCION_FACTIBLE]
FOREIGN = "00000000-0000-4000-8000-{:012d}"


@pytest.fixture
def documents():
    return Documents(in_process_s=300)


def test_in_process_ends_by_itself_and_counts_from_the_first_request(documents):
    document = documents.find(sandbox_uuid(211), NOW)
    documents.start_process(document, NOW)
    documents.start_process(document, NOW + 200)

    before = documents.find(document.id, NOW + 299).cancelled_at
    after = documents.find(document.id, NOW + 400).cancelled_at

    assert before is None
    assert after == NOW + 300


def test_in_process_that_ends_in_a_rejection_cancels_nothing(documents):
    document = documents.find(sandbox_uuid("211-then-213"), NOW)
    documents.start_process(document, NOW)

    assert documents.find(document.id, NOW + 10_000).cancelled_at is None


def test_a_document_can_have_its_own_time_in_process(documents):
    document = documents.put(sandbox_uuid(211), ProviderName.SOLUCION_FACTIBLE, Plan(SF["211"], in_process_s=5), NOW)
    documents.start_process(document, NOW)

    assert documents.process_ended_at(document, NOW + 4) is None
    assert documents.process_ended_at(document, NOW + 6) == NOW + 5


def test_a_behaviour_for_the_first_calls_gives_way_to_the_ordinary_one(documents):
    document = documents.find(sandbox_uuid(500, first_calls=2), NOW)

    met = [document.behaviour_at(document.enter(Kind.CANCEL, NOW)).name for _ in range(3)]

    assert met == ["500", "500", "200"]


def test_a_rule_covers_a_range_without_an_entry_per_document(documents):
    rule = Rule(ProviderName.SOLUCION_FACTIBLE, Plan(SF["204"]), first=FOREIGN.format(10), last=FOREIGN.format(20))
    documents.put_rule(rule)

    found = [documents.find(FOREIGN.format(number), NOW) for number in (9, 10, 20, 21)]

    assert [document.plan.behaviour.name if document else None for document in found] == [None, "204", "204", None]


def test_the_newest_rule_wins(documents):
    for name in ("204", "213"):
        documents.put_rule(Rule(ProviderName.SOLUCION_FACTIBLE, Plan(SF[name])))

    assert documents.find(FOREIGN.format(1), NOW).plan.behaviour.name == "213"


def test_the_highest_number_of_simultaneous_calls_is_kept(documents):
    document = documents.find(sandbox_chbpe(135), NOW)
    document.enter(Kind.CANCEL, NOW)
    document.enter(Kind.LOOK_UP, NOW)
    document.in_flight -= 2
    document.enter(Kind.DOWNLOAD, NOW)

    told = document.as_json()

    assert (told["asked"], told["looked_up"], told["downloaded"], told["in_flight_max"]) == (1, 1, 1, 2)


def test_a_document_cancelled_elsewhere_has_a_protocol_from_the_start(documents):
    document = documents.find(sandbox_chbpe(631), NOW)

    assert document.cancelled_at is not None
    assert len(document.protocol) == 15
