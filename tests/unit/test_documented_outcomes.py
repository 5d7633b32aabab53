"""docs/outcomes.md names every field, status and reason, and has an example of each."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.support import outcome_examples
from tests.support.outcome_examples import EXAMPLES
from worker import outcome
from worker.answer import Evidence, Reason
from worker.outcome import Outcome, Status

PAGE = (Path(__file__).parents[2] / "docs" / "outcomes.md").read_text(encoding="utf-8")
TEXTS = outcome_examples.LINES.read_text(encoding="utf-8").splitlines()
FIELDS, _, REASONS = PAGE.partition("## Fields")[2].partition("## Status and reason")


def test_every_field_of_an_outcome_is_documented_and_no_other():
    assert set(_first_cells(FIELDS)) == set(Outcome.model_fields)


def test_every_reason_is_documented_and_no_other():
    assert set(_first_cells(REASONS)) == set(Reason)


def test_every_status_has_its_section():
    assert re.findall(r"^### (\w+):", REASONS, flags=re.MULTILINE) == list(Status)


def test_every_row_of_the_reasons_has_its_example_in_the_same_order():
    sections = re.split(r"^### (\w+):", REASONS, flags=re.MULTILINE)[1:]
    rows = [
        (status, reason)
        for status, text in zip(sections[::2], sections[1::2], strict=True)
        for reason in _first_cells(text)
    ]

    assert [(one["status"], one["reason"]) for one in map(json.loads, TEXTS)] == rows
    assert [one.pair for one in EXAMPLES] == rows
    assert re.findall(r"\(outcome-examples\.md#([\w-]+)\)", REASONS) == [
        f"{status}-{reason}" for status, reason in rows
    ]


def test_the_page_of_examples_shows_them_as_they_were_made():
    assert outcome_examples.PAGE.read_text(encoding="utf-8") == outcome_examples.page(TEXTS)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: json.loads(text)["reason"])
def test_an_example_fits_the_schema_and_its_evidence_its_digest(text):
    example = json.loads(text)

    Draft202012Validator(outcome.schema()).validate(example)
    if example["evidence"]:
        assert Evidence.from_json(example["evidence"]).as_json() == example["evidence"]


def _first_cells(text: str) -> list[str]:
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return [name for cell in rows for name in re.findall(r"`([\w-]+)`", cell)]
