"""Every command has a help, says the same wherever it is described, and stands in the docs."""

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer

from worker.cli.commands import COMMANDS
from worker.cli.options import RetriedState, State
from worker.ledger.listing import ALL_STATES

DOCS = Path(__file__).parents[3] / "docs" / "cli.md"
THERE = {name: module for name, (module, _) in COMMANDS.items() if find_spec(f"worker.cli.{module}")}


def command(name):
    return typer.main.get_command(import_module(f"worker.cli.{THERE[name]}").app)


def leaves(name, found):
    """A command, or the commands of a family, with what is typed to call them."""
    subcommands = getattr(found, "commands", {})
    return [(name, found), *(leaf for sub, one in subcommands.items() for leaf in leaves(f"{name} {sub}", one))]


EVERY = [leaf for name in THERE for leaf in leaves(name, command(name))]


@pytest.mark.parametrize("name, found", EVERY, ids=[name for name, _ in EVERY])
def test_a_command_and_each_of_its_options_has_a_help(name, found):
    assert found.help
    assert found.help.strip()[0].isupper()
    for parameter in found.params:
        if parameter.name != "help":
            assert parameter.help, f"{name}: {parameter.name}"


@pytest.mark.parametrize("name", THERE)
def test_the_list_of_commands_says_something_about_each(name):
    sentence = COMMANDS[name][1]

    assert re.fullmatch(r"[A-Z][^.]*\.", sentence)


@pytest.mark.parametrize("name, found", EVERY, ids=[name for name, _ in EVERY])
def test_a_command_and_each_of_its_options_is_documented(name, found):
    text = DOCS.read_text()

    assert f"anula {name}" in text
    section = text.split(f"## anula {name.split()[0]}\n", 1)[1].split("\n## ", 1)[0]
    for parameter in found.params:
        for option in parameter.opts:
            if option.startswith("--") and option != "--help":
                assert f"`{option}" in section, f"{name}: {option}"


def test_no_section_documents_a_command_that_is_not_there():
    sections = re.findall(r"^## anula ([a-z-]+)$", DOCS.read_text(), re.MULTILINE)

    assert set(sections) <= set(COMMANDS)


def test_the_states_are_the_ledgers():
    assert {*State} == set(ALL_STATES)
    assert {*RetriedState} < {*State}
