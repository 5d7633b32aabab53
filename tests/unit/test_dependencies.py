"""pyproject.toml names every library that the code imports, and no other."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("config", "tasks", "worker")
PARTS_WITH_AN_EXTRA = {"worker/sandbox": "sandbox", "worker/demo": "embedded"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_every_library_that_is_imported_is_declared_and_no_other():
    imported = {library for folder in OURS for library in libraries(folder)}

    assert imported - set(declared("sandbox", "embedded")) == set()
    assert set(declared("sandbox", "embedded")) - imported == set()


def test_what_an_extra_brings_is_imported_by_its_part_alone():
    parts = tuple(PARTS_WITH_AN_EXTRA)
    elsewhere = {library for folder in OURS for library in libraries(folder, leaving_out=parts)}

    assert elsewhere <= set(declared())


def declared(*extras: str) -> list[str]:
    lines = PROJECT["dependencies"] + [line for extra in extras for line in PROJECT["optional-dependencies"][extra]]
    return [normal(re.split(r"[^\w.-]", line)[0]) for line in lines]


def libraries(folder: str, *, leaving_out: tuple[str, ...] = ()) -> set[str]:
    """The distributions that the modules of a folder import, at their top or later."""
    distributions = packages_distributions()
    files = [one for one in (ROOT / folder).rglob("*.py") if not str(one.relative_to(ROOT)).startswith(leaving_out)]
    assert files
    names = {name for file in files for name in imports(ast.parse(file.read_text(encoding="utf-8")))}
    outside = names - set(OURS) - sys.stdlib_module_names
    return {normal(distribution) for name in outside for distribution in distributions[name]}


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def normal(name: str) -> str:
    """The spelling by which package indexes compare names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
