"""The documents lead nowhere that is not there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").rglob("*.md")
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))

    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_every_document_that_the_code_names_is_there():
    code = [file for folder in ("config", "worker", "tasks") for file in (ROOT / folder).rglob("*.py")]
    named = {name for file in code for name in re.findall(r"docs/[\w/.-]+\.md", file.read_text(encoding="utf-8"))}

    assert {name for name in named if not (ROOT / name).is_file()} == set()


def test_every_page_of_the_docs_is_reached_from_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    reached = set(re.findall(r"\]\((docs/[^)#\s]*)", readme))

    pages = {str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md")}

    assert {page for page in pages if not any(page.startswith(link) for link in reached)} == set()
