"""The examples of docs/outcome-examples.md are what a worker makes of them today."""

import json

import pytest

from tests.support import outcome_examples
from tests.support.outcome_examples import EXAMPLES, SHORT_WAITS, comparable, make
from tests.support.sandbox import running_sandbox
from tests.support.site import running_site

pytestmark = pytest.mark.integration


def test_the_documented_outcomes_are_made_again(tmp_path, redis_url, namespace):
    places = {"redis_url": redis_url, "namespace": namespace}
    with (
        running_sandbox() as sandbox,
        running_site(tmp_path, sandbox_url=sandbox.url, extra=SHORT_WAITS, **places) as site,
    ):
        made = [json.loads(text) for text in make(site)]

    kept = [json.loads(text) for text in outcome_examples.LINES.read_text(encoding="utf-8").splitlines()]
    for example, new, old in zip(EXAMPLES, made, kept, strict=True):
        assert comparable(example, new) == comparable(example, old), example.pair
