"""What reaches the terminal."""

import json
import sys
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


def test_a_table_in_a_pipe_has_one_line_for_each_row_however_many(capsys):
    table(("job", "message"), ((f"job {number}", "long " * 60) for number in range(1_200)))

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["job", "message"]
    assert [line.partition("long")[0].strip() for line in lines[1:]] == [f"job {number}" for number in range(1_200)]


def test_a_table_on_a_terminal_folds_what_is_too_long(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")

    table(("job", "message"), [("A", "[red]" + "no " * 30), ("B", None)])

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 3
    assert all(len(line) <= 40 for line in lines[1:])
    assert ("message" in lines[0], lines[-1].split()) == (True, ["B"])
    assert "[red]no" in lines[1]


def test_no_rows_are_no_table(capsys):
    table(("job", "message"), [])

    assert capsys.readouterr().out == ""
