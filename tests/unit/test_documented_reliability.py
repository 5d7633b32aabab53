"""Every test that docs/reliability.md calls to witness is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_exists():
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert named
    assert named - there == set()


def test_every_file_that_the_page_names_exists():
    named = set(re.findall(r"`((?:tests|worker|config)/[\w/.]+)`", PAGE)) | set(
        re.findall(r"\]\(([\w/.-]+\.md)\)", PAGE)
    )

    assert [name for name in sorted(named) if not ((ROOT / name).exists() or (ROOT / "docs" / name).exists())] == []


def test_every_known_failure_has_its_line():
    assert re.findall(r"^\| (F\d+) \|", PAGE, re.MULTILINE) == [f"F{number}" for number in range(1, 19)]
