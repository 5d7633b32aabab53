"""What reaches the terminal."""

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from worker.cli.screen import as_json, clean, json_list, table

text = st.text(st.characters(codec="utf-8"))


@given(text)
def test_a_cleaned_text_has_no_control_characters_and_no_line_breaks(written):
    shown = clean(written)

    assert not [char for char in shown if unicodedata.category(char) in {"Cc", "Zl", "Zp"}]
    assert len(shown.splitlines()) <= 1


@given(text)
def test_json_says_the_same_without_control_characters(written):
    shown = as_json({"message": written})

    assert json.loads(shown) == {"message": written}
    assert not [char for char in shown if unicodedata.category(char) == "Cc"]


def test_a_list_is_one_json_array_however_long(capsys):
    for count in (0, 1, 3):
        json_list({"number": number} for number in range(count))

        assert json.loads(capsys.readouterr().out) == [{"number": number} for number in range(count)]


def test_a_table_shows_markup_as_it_was_written(capsys):
    table(("job", "message"), [("A", "[red]no[/red]"), ("B", None), ("C", "\x1b[31m" + "long " * 60)])

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert "[red]no[/red]" in lines[1]
    assert "\x1b" not in "".join(lines)
