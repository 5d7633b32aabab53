"""docs/install.md and the README start what Procfile and Makefile start."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROCFILE = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("line", PROCFILE)
def test_the_installation_page_has_the_command_lines_of_the_procfile(line):
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")

    assert f"$ {line.partition(': ')[2]}\n" in page


def test_every_make_target_of_the_readme_is_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"\bmake ([a-z-]+)", README))

    assert {"redis", "sandbox", "worker", "demo"} <= targets
    assert {target for target in targets if not re.search(rf"^{target}:.*##", makefile, re.MULTILINE)} == set()


def test_anula_is_called_by_name_only_after_the_environment_is_activated():
    section = README.partition("## Your first cancellation")[2].partition("\n## ")[0]

    assert section.index(". .venv/bin/activate") < section.index("$ anula ")
