"""Which characters some bytes are, whatever their label says."""

import codecs

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.providers.decoding import bare, decoded

TEXT = '<?xml version="1.0"?><a>Rejeição – “não” €</a>'
WIDE = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", *WIDE])
@pytest.mark.parametrize(
    "label", [None, "utf-8", "iso-8859-1", "us-ascii", "utf-16", "no such encoding", "", "\0", "é"]
)
def test_a_wrong_label_gives_way_to_what_the_bytes_are(encoding, label):
    assert decoded(TEXT.encode(encoding), label) == TEXT


@pytest.mark.parametrize("charset", ["iso-8859-15", "ISO8859_15", " iso-8859-15 "])
def test_the_declared_encoding_counts_where_the_bytes_are_no_utf_8(charset):
    assert decoded("não: 5 €".encode("iso-8859-15"), charset) == "não: 5 €"


def test_an_xml_declaration_counts_where_no_header_declares_an_encoding():
    text = '<?xml version="1.0" encoding="ISO-8859-15"?><a>5 € não</a>'

    assert decoded(text.encode("iso-8859-15")) == text
    assert decoded(b"\r\n" + text.encode("iso-8859-15")) == text
    assert decoded(text.encode()) == text


@pytest.mark.parametrize(
    "charset", ["utf-7", "unicode_escape", "raw_unicode_escape", "idna", "punycode", "rot13", "hex", "zlib", "cp037"]
)
def test_an_encoding_that_makes_other_text_of_ascii_is_not_followed(charset):
    assert decoded(rb"\u0041 +AGE- xn--a \xe9".replace(rb"\xe9", b"\xe9"), charset) == r"\u0041 +AGE- xn--a é"


def test_one_broken_letter_spoils_no_other():
    assert decoded("não canç".encode()[:-1] + b"!") == "não canÃ!"


@pytest.mark.parametrize(
    "before", [b"", b"\r\n\t ", b"\0\0", codecs.BOM_UTF8, codecs.BOM_UTF8 * 2, b" \0" + codecs.BOM_UTF8]
)
@pytest.mark.parametrize("after", [b"", b"\r\n", b"\0" * 40, b"\x1a", codecs.BOM_UTF8])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_blanks_marks_and_nuls_around_a_document_are_passed_over(before, after, encoding):
    assert decoded(before + TEXT.encode(encoding) + after) == TEXT


@pytest.mark.parametrize("encoding", WIDE)
def test_the_same_around_wide_letters(encoding):
    padding = b"\0" * 8

    assert decoded(padding + ("\r\n" + TEXT + "\r\n").encode(encoding) + padding) == TEXT


@pytest.mark.parametrize("mark", [codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_a_mark_of_another_encoding_is_passed_over(mark):
    assert decoded(mark + TEXT.encode("cp1252")) == TEXT


def test_text_is_bared_of_the_same():
    assert bare("\ufeff\0 \n<a>\xa0</a>\r\n\0") == "<a>\xa0</a>"
    assert bare(" \0") == ""


@given(st.binary(), st.none() | st.text())
@example(b"\0", None)
@example(b"<\0", None)
def test_nothing_fails(content, charset):
    decoded(content, charset).encode("utf-8")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_utf_8_is_read_as_it_is(text):
    assert decoded(text.encode(), "iso-8859-1") == bare(text)
