"""The code tables of docs/providers are those of the code."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from worker.answer import Disproves
from worker.providers.ns_bpe import codes as bpe
from worker.providers.rule import Rule
from worker.providers.solucion_factible import codes as sf
from worker.providers.transport_answers import BEFORE_THE_SERVICE

DOCS = Path(__file__).parents[3] / "docs" / "providers"
HEAD = "| code | meaning | reaction | reason | also |\n|---|---|---|---|---|\n"


def table(rules: Mapping[object, Rule]) -> str:
    rows = [
        f"| `{code}` | {rule.meaning} | {rule.reaction} | {rule.reason or ''} | {also(rule)} |\n"
        for code, rule in rules.items()
    ]
    return HEAD + "".join(rows)


def also(rule: Rule) -> str:
    said = {
        "may have acted": rule.may_have_acted,
        "disproves earlier calls": rule.disproves is Disproves.EVERY_RUN,
        "disproves earlier calls of this run": rule.disproves is Disproves.THIS_RUN,
        f"not before {rule.least_wait_s:g} s": rule.least_wait_s,
        f"holds the account for {rule.hold_account_s:g} s": rule.hold_account_s,
        "warns": rule.warning,
    }
    return ", ".join(words for words, is_so in said.items() if is_so)


@pytest.mark.parametrize(
    ("page", "rules"),
    [
        ("solucion-factible.md", sf.STATUS),
        ("solucion-factible.md", sf.ESTATUS_UUID),
        ("ns-bpe.md", bpe.CANCEL),
        ("ns-bpe.md", bpe.STATUS),
        ("ns-bpe.md", bpe.HTTP),
        ("ns-bpe.md", bpe.LOOK_UP),
    ],
)
def test_the_page_holds_the_table(page, rules):
    assert table(rules) in (DOCS / page).read_text(encoding="utf-8")


def test_the_statuses_from_before_the_service_are_documented():
    row = ", ".join(map(str, sorted(map(int, BEFORE_THE_SERVICE))))

    assert f"\n| {row} | TRANSIENT, not acted on" in (DOCS.parent / "architecture.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["solucion-factible.md", "ns-bpe.md"])
def test_every_file_that_a_page_names_exists(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    named = [part.partition(")")[0].partition("#")[0] for part in text.split("](")[1:]]

    assert named
    assert [name for name in named if not name.startswith("https://") and not (DOCS / name).exists()] == []
