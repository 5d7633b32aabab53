"""docs/outcomes.md names every field, status and reason."""

import re
from pathlib import Path

from worker.answer import Reason
from worker.outcome import Outcome, Status

PAGE = (Path(__file__).parents[2] / "docs" / "outcomes.md").read_text(encoding="utf-8")
FIELDS, _, REASONS = PAGE.partition("## Fields")[2].partition("## Status and reason")


def test_every_field_of_an_outcome_is_documented_and_no_other():
    assert set(_first_cells(FIELDS)) == set(Outcome.model_fields)


def test_every_reason_is_documented_and_no_other():
    assert set(_first_cells(REASONS)) == set(Reason)


def test_every_status_has_its_section():
    assert re.findall(r"^### (\w+):", REASONS, flags=re.MULTILINE) == list(Status)


def _first_cells(text: str) -> list[str]:
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return [name for cell in rows for name in re.findall(r"`([\w-]+)`", cell)]
