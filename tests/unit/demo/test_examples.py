"""The examples are valid, and show every code that is documented."""

from datetime import UTC, datetime

import pytest

from config.accounts import load
from worker.answer import Reason
from worker.demo import examples, setting
from worker.providers.ns_bpe import codes as bpe
from worker.providers.solucion_factible import codes as sf
from worker.request import check
from worker.sandbox.numbers import WELL_KNOWN

FOUND = examples.read(examples.folder())
SHOWN = {word for one in FOUND.expected.values() for word in one.shows}


def test_every_request_is_valid_and_expected_once(tmp_path):
    accounts = setting.prepare(tmp_path, "redis://127.0.0.1:1/0", "http://127.0.0.1:1", outside={}).accounts

    documents = [check(request, accounts, now=datetime.now(UTC)).request.document for request in FOUND.requests]

    assert sorted(documents) == sorted(FOUND.expected)


def test_the_documents_of_the_providers_own_pages_are_among_them():
    assert set(WELL_KNOWN) <= set(FOUND.expected)


@pytest.mark.parametrize(
    "table",
    [sf.STATUS, sf.ESTATUS_UUID, bpe.CANCEL, bpe.STATUS, bpe.LOOK_UP],
    ids=["status", "EstatusUUID", "cStat", "bpe status", "look-up"],
)
def test_every_code_of_a_table_is_shown(table):
    assert set(table) - SHOWN == set()


def test_every_http_status_that_has_a_meaning_is_shown():
    assert {f"HTTP {status}" for status in (400, 403, 404, 405, 429, 500, 502, 503, 504)} <= SHOWN


def test_every_reason_but_those_of_bad_requests_and_bugs_is_shown():
    reasons = {one.reason for one in FOUND.expected.values()}

    assert set(Reason) - reasons == {Reason.INVALID_REQUEST, Reason.INTERNAL_ERROR}


def test_the_accounts_file_to_copy_can_be_used():
    accounts = load(examples.folder() / "accounts.toml")

    assert sorted(accounts.by_name) == ["norte", "rodoviaria"]
