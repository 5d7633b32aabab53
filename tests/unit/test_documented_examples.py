"""The examples for ERPs: every language has its page, every page leads to its files, and the messages shown are right."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.support.languages import LANGUAGES
from worker.celery_message import read

ROOT = Path(__file__).parents[2]
EXAMPLES, PAGES = ROOT / "examples", ROOT / "docs" / "erp"
FOLDERS = sorted(file.name for file in EXAMPLES.iterdir() if file.is_dir())
MADE_BY_TOOLS = {
    *("node_modules", "package-lock.json", "composer.lock", "vendor", "target", "bin", "obj"),
    *("__pycache__", ".mypy_cache", "evidence"),
}


def files_of(language: str) -> list[Path]:
    found = (EXAMPLES / language).rglob("*")
    return [file for file in found if file.is_file() and not MADE_BY_TOOLS & set(file.relative_to(ROOT).parts)]


def test_every_language_has_a_page_and_every_language_s_page_an_example():
    pages = {page.stem for page in PAGES.glob("*.md")} - {"README", "messages", "consumer"}

    assert pages == set(FOLDERS)


@pytest.mark.parametrize("language", FOLDERS)
def test_a_page_links_to_every_file_of_its_example(language):
    page = (PAGES / f"{language}.md").read_text(encoding="utf-8")

    unlinked = [file.name for file in files_of(language) if f"](../../{file.relative_to(ROOT)})" not in page]
    assert unlinked == []


@pytest.mark.parametrize("language", FOLDERS)
def test_an_example_names_no_place_to_download_from(language):
    place = re.compile(r"https?://(?!maven\.apache\.org/POM/4\.0\.0)")

    assert [file.name for file in files_of(language) if place.search(file.read_text(encoding="utf-8"))] == []


def test_every_language_that_the_tests_run_is_there():
    assert {language.name for language in LANGUAGES} <= set(FOLDERS)


def test_what_is_installed_of_the_examples_are_files():
    """A folder among them would break the building of a wheel."""
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    patterns = setup["data-files"]["share/anula/examples"]

    matched = [file for pattern in patterns for file in ROOT.glob(pattern)]
    assert {"expected.jsonl", "accounts.toml"} <= {file.name for file in matched}
    assert all(file.is_file() for file in matched)


def test_the_celery_message_that_is_shown_is_read():
    page = (PAGES / "messages.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```json\n(.*?)```", page, flags=re.DOTALL)

    message = read(shown.encode())

    assert message.request == {"provider": "solucion-factible", "uuid": "5F2C9B3E-1D4A-4C6B-9E8F-7A6B5C4D3E2F"}
    assert message.id == json.loads(shown)["headers"]["id"]
