"""docs/csv.md says what the code does, and its templates can be imported."""

import re
from pathlib import Path

import pytest

from tests.support.requests import accounts
from worker.csv_file.checking import RowCheck
from worker.csv_file.columns import OF_THE_ERRORS_FILE, VARIANTS, recognised
from worker.csv_file.reading import CsvFile
from worker.csv_file.results import KEPT

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "csv.md").read_text()


def test_the_table_of_names_is_that_of_the_code():
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", TEXT, re.MULTILINE))

    assert {field: tuple(names.split(", ")) for field, names in rows.items()} == VARIANTS


def test_the_names_of_an_orders_number_are_understood():
    [names] = re.findall(r"the command says so: (.*?)\. Where two", TEXT, re.DOTALL)

    not_understood = [
        name for name in re.split(r",\s+", names) if recognised(["uuid", name]).fields != ("uuid", "reference")
    ]
    assert not_understood == []


def test_every_field_of_a_result_is_documented():
    section = TEXT.split("## Results", 1)[1].split("\n## ", 1)[0]

    names = (*KEPT, OF_THE_ERRORS_FILE[0], "warnings", "evidence_sha256", "problem")
    assert [name for name in names if f"`{name}`" not in section] == []


@pytest.mark.parametrize("name", ["solucion-factible.csv", "ns-bpe.csv"])
def test_a_template_is_valid(name):
    with (ROOT / "examples" / name).open("rb") as opened:
        file = CsvFile(opened)
        check = RowCheck(file, accounts(), defaults={})
        rows = [check.check(row) for row in file.rows()]

    assert rows
    assert not [row.problems for row in rows if row.problems]
    assert {(row.job or "").partition(":")[0] for row in rows} == {name.removesuffix(".csv")}
