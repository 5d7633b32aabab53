"""Document numbers say how a document behaves, and docs/sandbox.md says the same."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from config.accounts import ProviderName
from worker.documents import check_digit
from worker.sandbox.numbers import (
    BEHAVIOURS,
    WELL_KNOWN,
    markdown_table,
    provider_of,
    read_number,
    rows,
    sandbox_chbpe,
    sandbox_uuid,
)

DOCS = Path(__file__).parents[3] / "docs" / "sandbox.md"


def first_calls(number):
    placed = read_number(number)
    assert placed is not None
    return placed.first_calls


@pytest.mark.parametrize("row", [*rows()], ids=lambda row: f"{row.provider}-{row.behaviour}-{row.document[-6:]}")
def test_every_document_of_the_table_is_read_back_as_its_behaviour(row):
    placed = read_number(row.document)

    assert placed is not None
    assert placed.behaviour.name == row.behaviour
    assert provider_of(row.document) is row.provider


def test_a_number_carries_code_and_count_where_a_reader_finds_them():
    assert sandbox_uuid(213, 7) == "5A5A5A5A-0000-4000-A213-000000000007"
    assert sandbox_uuid("cut-after", 7, first_calls=2) == "5A5A5A5A-F004-4002-A200-000000000007"
    assert sandbox_chbpe(220, 7, first_calls=3)[22:43] == "003" + "000000007" + "1" + "00000220"
    assert sandbox_chbpe(-400) == sandbox_chbpe("status-400")


def test_the_number_of_calls_in_a_number_is_read_back():
    assert first_calls(sandbox_uuid(500, 1, first_calls=2)) == 2
    assert first_calls(sandbox_chbpe(108, 1, first_calls=999)) == 999


def test_a_behaviour_of_a_single_call_needs_no_count_in_the_number():
    assert first_calls(sandbox_chbpe("look-up-101")) == 1


@pytest.mark.parametrize("n", [0, 1, 999_999_999])
def test_access_keys_have_a_valid_check_digit_and_model_63(n):
    key = sandbox_chbpe(135, n)

    assert re.fullmatch(r"[0-9]{6}[A-Z0-9]{12}[0-9]{26}", key)
    assert key[20:22] == "63"
    assert check_digit(key[:43]) == key[43]


@pytest.mark.parametrize("make, wrong", [(sandbox_uuid, 10**12), (sandbox_uuid, -1), (sandbox_chbpe, 10**9)])
def test_a_count_that_does_not_fit_is_refused(make, wrong):
    with pytest.raises(ValueError):
        make(200 if make is sandbox_uuid else 135, wrong)


def test_every_code_that_solucion_factible_documents_has_a_document():
    documented = {
        "200",
        "204",
        "211",
        "213",
        "500",
        "501",
        "601",
        "602",
        "603",
        "604",
        "605",
        "611",
        "620",
        "621",
        "623",
        "633",
    }

    assert documented <= BEHAVIOURS[ProviderName.SOLUCION_FACTIBLE].keys()


def test_every_code_of_the_facts_about_bpe_has_a_document():
    cstats = "135 155 136 134 101 631 218 108 109 997 286 296 635 996 999 678 656 220 217 222 224 504 203 236 216 600 252 226"
    cstats += " 215 630 627 628 629 632 633 634 636 637"
    statuses = (
        "status-2 status-3 status-6 status-400 status-401 status-500 status-999 http-400 http-401 http-403 http-500"
    )

    assert {*cstats.split(), *statuses.split()} <= BEHAVIOURS[ProviderName.NS_BPE].keys()


def test_the_ten_test_uuids_of_the_documentation_behave_as_documented():
    codes = [name for document, name in WELL_KNOWN.items() if provider_of(document) is ProviderName.SOLUCION_FACTIBLE]

    assert codes == ["204"] * 5 + ["211"] * 5
    assert all(document[20:23] == name for document, name in WELL_KNOWN.items() if len(document) == 36)


@pytest.mark.parametrize(
    "foreign",
    ["", "x", "5A5A5A5A-0000-4000-A998-000000000001", "43180207364617000135630000000000311000000088", "00000000-0000-4000-8000-000000000000"],
)  # fmt: skip
def test_any_other_number_says_nothing(foreign):
    assert read_number(foreign) is None


def test_the_table_in_the_docs_is_the_table_of_the_code():
    assert markdown_table() in DOCS.read_text(encoding="utf-8"), (
        "write it anew: python -c 'from worker.sandbox.numbers import markdown_table; print(markdown_table())'"
    )


def test_numbers_and_options_load_no_web_server_and_no_xml():
    code = (
        "import sys; import worker.sandbox, worker.sandbox.numbers\n"
        "print(*{'starlette', 'uvicorn', 'lxml', 'httpx', 'zeep'} & sys.modules.keys())"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=DOCS.parents[1]
    )

    assert loaded.stdout.strip() == ""
