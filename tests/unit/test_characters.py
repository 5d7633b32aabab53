"""Characters that deceive are named so that a person can find them."""

import pytest

from worker.characters import MOST, deceives, in_windows_1252, is_latin_1, named, strange


@pytest.mark.parametrize(
    ("letter", "said"),
    [
        ("\u2011", "U+2011 NON-BREAKING HYPHEN, which is not '-': write '-'"),
        ("\u2212", "U+2212 MINUS SIGN, which is not '-': write '-'"),
        ("\u2014", "U+2014 EM DASH, which is not '-': write '-'"),
        ("\u201d", "U+201D RIGHT DOUBLE QUOTATION MARK, which is not '\"': write '\"'"),
        ("\u2019", 'U+2019 RIGHT SINGLE QUOTATION MARK, which is not "\'": write "\'"'),
        ("\u2026", "U+2026 HORIZONTAL ELLIPSIS, which is not '...': write '...'"),
        ("\uff11", "U+FF11 FULLWIDTH DIGIT ONE, which is not '1': write '1'"),
        ("\u0661", "U+0661 ARABIC-INDIC DIGIT ONE, which is not '1': write '1'"),
        ("\u0410", "U+0410 CYRILLIC CAPITAL LETTER A, which is not 'A': write 'A'"),
        ("\u0391", "U+0391 GREEK CAPITAL LETTER ALPHA, which is not 'A': write 'A'"),
        ("\u200b", "U+200B ZERO WIDTH SPACE, which is invisible: remove it"),
        ("\u200e", "U+200E LEFT-TO-RIGHT MARK, which is invisible: remove it"),
        ("\u202a", "U+202A LEFT-TO-RIGHT EMBEDDING, which is invisible: remove it"),
        ("\ufeff", "U+FEFF ZERO WIDTH NO-BREAK SPACE, which is invisible: remove it"),
        ("\ufe0f", "U+FE0F VARIATION SELECTOR-16, which is invisible: remove it"),
        ("\u3164", "U+3164 HANGUL FILLER, which is invisible: remove it"),
        ("\xad", "U+00AD SOFT HYPHEN, which is invisible: remove it"),
        ("\xa0", "U+00A0 NO-BREAK SPACE, a non-breaking space: remove it"),
        ("\u2009", "U+2009 THIN SPACE, not a plain blank: remove it"),
        ("\u3000", "U+3000 IDEOGRAPHIC SPACE, not a plain blank: remove it"),
        ("\u2028", "U+2028 LINE SEPARATOR, which is invisible: remove it"),
        ("\x00", "U+0000, a control character: remove it"),
        ("\x7f", "U+007F, a control character: remove it"),
        ("\x81", "U+0081, a control character: remove it"),
        ("\x96", "U+0096, a control character: the text is windows-1252, where it is U+2013 EN DASH"),
    ],
)
def test_what_deceives_is_named_with_what_to_do(letter, said):
    assert deceives(letter)
    assert f"character 3 is {said}" in (strange(f"12{letter}4", lambda one: one in "124") or "")


@pytest.mark.parametrize("letter", ["a", "0", "-", " ", "ñ", "ç", "ã", "¿", "\U0001f600", "中"])
def test_what_can_be_seen_for_what_it_is_does_not_deceive(letter):
    assert not deceives(letter)


def test_a_letter_that_is_only_foreign_is_named_without_advice():
    assert strange("a 😀", is_latin_1) == "character 3 is U+1F600 GRINNING FACE"


def test_a_character_without_a_name_has_its_code():
    assert named("\ud800") == "U+D800"


def test_each_character_is_told_once_and_not_all_of_many():
    told = strange("‐‑‒–—‐‑", str.isalnum) or ""

    assert told.count("character ") == MOST
    assert told.endswith("and 2 more")


def test_nothing_is_said_of_a_text_that_is_fine():
    assert strange("Não viajou", is_latin_1) is None


def test_only_what_windows_1252_has_in_place_of_control_characters_was_a_letter():
    found = {letter for letter in map(chr, range(256)) if in_windows_1252(letter)}

    assert found == set(map(chr, range(0x80, 0xA0))) - {"\x81", "\x8d", "\x8f", "\x90", "\x9d"}
