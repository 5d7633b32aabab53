"""docs/settings.md says what config/settings.py and config/accounts.py do."""

import re
from pathlib import Path

import pytest

from config import env_file
from config.accounts import NsBpeAccount, SolucionFactibleAccount
from config.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_is_that_of_the_settings():
    rows = [
        f"| `ANULA_{name.upper()}` | {'' if field.default is None else f'`{field.default}`'} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]

    assert [line for line in PAGE.splitlines() if line.startswith("| `ANULA_")] == rows


def test_every_field_of_an_account_is_documented_and_no_other():
    table = PAGE.partition("## The accounts file")[2]
    documented = {
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }

    fields = {*SolucionFactibleAccount.model_fields, *NsBpeAccount.model_fields} - {"name"}

    assert documented == fields


def test_the_example_of_an_env_file_is_read_as_the_page_says(tmp_path):
    [example] = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
    file = tmp_path / ".env"
    file.write_text(example, encoding="utf-8")

    found = {name: variable.value for name, variable in env_file.read(file).items()}

    assert found == {
        "ANULA_NAMESPACE": "anula",
        "NORTE_PASSWORD": "pa$$w${o}rd#1",
        "RODOVIARIA_TOKEN": " a # b \\ c ",
    }


@pytest.mark.parametrize("row", re.findall(r"^\| `(ANULA_\w+)` \| (.*?) \|", README, flags=re.MULTILINE))
def test_the_readme_gives_the_same_defaults(row):
    name, default = row
    field = Settings.model_fields[name.removeprefix("ANULA_").lower()]

    assert default == ("" if field.default is None else f"`{field.default}`")
