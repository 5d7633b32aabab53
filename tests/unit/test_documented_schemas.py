"""The JSON Schemas in docs/schemas are those that `anula schema` prints."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from worker import outcome, request

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
REFRESH = "for one in request outcome; do anula schema $one >docs/schemas/$one.schema.json; done"


@pytest.mark.parametrize("subject, printed", [("request", request.schema()), ("outcome", outcome.schema())])
def test_a_schema_file_is_what_the_command_prints(subject, printed):
    kept = (SCHEMAS / f"{subject}.schema.json").read_text(encoding="utf-8")

    assert kept == json.dumps(printed, indent=2) + "\n", f"refresh it: {REFRESH}"
    Draft202012Validator.check_schema(json.loads(kept))


def test_how_to_refresh_them_is_documented():
    assert REFRESH in (SCHEMAS.parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
