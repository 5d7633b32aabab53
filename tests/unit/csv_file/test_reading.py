"""Bytes as rows: encodings, delimiters, quotes, line numbers."""

import io

import pytest

from worker.csv_file.columns import VARIANTS
from worker.csv_file.problem import Unreadable
from worker.csv_file.reading import LONGEST_CELL, CsvFile

TEXT = "Chave de Acesso;Protocolo;Justificativa\n4318;1432;Não viajou: perdeu o ônibus às três\n"


def cells(file):
    return [list(row.cells) for row in file.rows()]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "cp850", "mac_roman"]
)
def test_an_encoding_of_spreadsheets_is_found_out(csv_file, encoding):
    file = csv_file(TEXT, encoding=encoding)

    assert file.columns.header == ("Chave de Acesso", "Protocolo", "Justificativa")
    assert cells(file) == [["4318", "1432", "Não viajou: perdeu o ônibus às três"]]


def test_the_letters_that_tell_an_encoding_may_stand_far_back(csv_file):
    text = "uuid;referencia\n" + "a;b\n" * 100_000 + "a;última\n"

    assert cells(csv_file(text, encoding="cp1252"))[-1] == ["a", "última"]


@pytest.mark.parametrize("name", ["cp1252", "cp850", "mac_roman"])
@pytest.mark.parametrize(
    "words",
    [
        "NÃO VIAJOU NESTE DIA",
        "DECISÃO DO CLIENTE",
        "Foi à rodoviária",
        "SERÁ REEMITIDO",
        "Conforme art. 5 §2 da lei",
        "AVÔ DOENTE",
        "JOSé VIAJOU ONTEM",
        "PÂNICO",
        "1º assento",
    ],
)
def test_letters_are_read_as_they_were_written_or_the_file_is_refused(csv_file, name, words):
    try:
        read = cells(csv_file(f"uuid;reference\na;{words}\n", encoding=name))
    except Unreadable as refused:
        read = str(refused)

    assert read == [["a", words]] or "it may be" in read


@pytest.mark.parametrize("words", ["José pediu", "Foi à rodoviária", "NÃO VIAJOU", "PREÇO ERRADO", "NãO VIAJOU", "§ 2"])
def test_windows_1252_is_found_out_by_few_letters(csv_file, words):
    file = csv_file(f"uuid;reference\na;{words}\n", encoding="cp1252")

    assert (file.text.name, cells(file)) == ("Windows-1252", [["a", words]])
    assert set(file.text.words) <= set(words.split())


def test_what_cannot_be_told_apart_is_shown_in_both_readings(csv_file):
    with pytest.raises(Unreadable, match=r"it may be cp850 \(AVÔ\) or Windows-1252 \(AVâ\): give --encoding"):
        csv_file("uuid;reference\na;AVÔ DOENTE\n", encoding="cp850")


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"])
def test_a_workbook_is_refused_as_such(csv_file, start):
    with pytest.raises(Unreadable, match="workbook"):
        csv_file(start + bytes(range(256)))


def test_a_file_in_two_encodings_is_refused(csv_file):
    with pytest.raises(Unreadable, match="partly UTF-8"):
        csv_file(b"uuid;referencia\na;" + "não\n".encode() + "b;não\n".encode("cp1252"))


def test_a_given_encoding_is_taken(csv_file):
    file = CsvFile(io.BytesIO("uuid,reference\nx,ñ\n".encode("cp1252")), encoding="windows-1252")

    assert cells(file) == [["x", "ñ"]]


@pytest.mark.parametrize("name", ["klingon", "base64", "rot13", ""])
def test_what_is_no_encoding_of_text_is_refused(name):
    with pytest.raises(Unreadable, match="encoding"):
        CsvFile(io.BytesIO("uuid\n\xff".encode("latin-1")), encoding=name or "no such")


def test_bytes_that_do_not_fit_the_given_encoding_are_told(csv_file):
    with pytest.raises(Unreadable, match="--encoding"):
        list(CsvFile(io.BytesIO(b"uuid\nabc\n\xe9\xe9\n"), encoding="utf-8").rows())


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_the_one_that_makes_columns(csv_file, delimiter):
    file = csv_file(f"uuid{delimiter}reference\nx{delimiter}y\n")

    assert (file.delimiter, cells(file)) == (delimiter, [["x", "y"]])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_where_every_cell_stands_in_quotes(csv_file, delimiter):
    file = csv_file(f'"uuid"{delimiter}"reference"\r\n"x"{delimiter}"y, z; 1"\r\n')

    assert (file.delimiter, cells(file)) == (delimiter, [["x", "y, z; 1"]])


def test_a_line_that_tells_the_delimiter_is_passed_over(csv_file):
    file = csv_file("sep=;\r\nuuid;reference\r\nx;y,z\r\n")

    assert [(row.line, list(row.cells)) for row in file.rows()] == [(3, ["x", "y,z"])]


def test_a_line_break_in_quotes_belongs_to_the_cell_and_counts_as_a_line(csv_file):
    file = csv_file('uuid,reference\nx,"one\ntwo"\n\ny,"a ""b"" c"\n')

    assert [(row.line, list(row.cells)) for row in file.rows()] == [(2, ["x", "one\ntwo"]), (5, ["y", 'a "b" c'])]


def test_a_short_row_is_filled_up_and_an_empty_one_left_out(csv_file):
    assert cells(csv_file("uuid,reference\nx\n,\n\ny,z\n")) == [["x", ""], ["y", "z"]]


@pytest.mark.parametrize("text", ['x,"open', 'x,"a"b', 'x,"' + "a" * (LONGEST_CELL + 1) + '"'])
def test_quotes_that_do_not_fit_are_a_problem_of_their_row(csv_file, text):
    rows = list(csv_file(f"uuid,reference\nw,1\n{text}\n").rows())

    assert [row.line for row in rows] == [2, 3]
    assert "quote" in rows[1].problem


def test_the_lines_that_an_open_quote_swallows_are_told(csv_file):
    rows = list(csv_file('uuid,reference\nv,"open\nw,2\nx,"3"\ny,4\n').rows())

    assert [(row.line, list(row.cells)) for row in rows] == [(2, []), (5, ["y", "4"])]
    assert "lines 2 to 4 were read as one row" in rows[0].problem


def test_rows_that_a_cell_swallows_are_told_although_its_quote_is_closed_in_the_end(csv_file):
    text = 'uuid,notes,reference\nv,"urgent,1\nw,,2\nx,seat 12",3\ny,,4\n'

    rows = list(csv_file(text, ignore_extra=True).rows())

    assert [(row.line, bool(row.problem)) for row in rows] == [(2, True), (5, False)]
    assert "lines 2 to 4 were read as one row" in rows[0].problem


def test_a_quote_that_is_never_closed_ends_the_reading(csv_file):
    file = csv_file('uuid,reference\nw,1\nx,"' + "a b\n" * LONGEST_CELL + "y,2\n")

    found = list(file.rows())

    assert [row.line for row in found] == [2, 3]
    assert "nothing behind it was read" in found[1].problem
    assert file.unreadable == 1


def test_a_row_of_blanks_is_left_out(csv_file):
    assert cells(csv_file("uuid,reference\n  ,\t\nx,1\n")) == [["x", "1"]]


def test_the_row_after_one_that_cannot_be_read_is_read(csv_file):
    rows = list(csv_file('uuid,reference\nx,"a"b\ny,2\n').rows())

    assert list(rows[-1].cells) == ["y", "2"]


def test_a_file_that_grows_after_its_digest_was_taken_is_noticed(tmp_path):
    path = tmp_path / "growing.csv"
    path.write_text("uuid\nx\n")
    with path.open("rb") as opened, path.open("a") as writer:
        file = CsvFile(opened)
        assert not file.has_changed()

        writer.write("y\n")
        writer.flush()

        assert file.has_changed()


# Columns


@pytest.mark.parametrize("name", [name for names in VARIANTS.values() for name in names])
def test_a_variant_may_be_written_in_capitals_and_without_accents(csv_file, name):
    field = next(field for field, names in VARIANTS.items() if name in names)
    header = name.upper().replace("Ã", "A").replace("Ç", "C").replace("Ú", "U").replace(" ", "_")
    document = "" if field in ("uuid", "chBPe") else "uuid;"

    assert field in csv_file(f"{document}{header}\nx\n").columns.fields


def test_no_variant_means_two_fields():
    from worker.csv_file.columns import plain

    names = [(plain(name), field) for field, names in VARIANTS.items() for name in (field, *names)]

    assert len({name for name, _ in set(names)}) == len(set(names))


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "empty"),
        ("a,b\n1,2\n", "uuid"),
        ("uuid,folio fiscal\n", "several columns are uuid: uuid and folio fiscal"),
        ("uuid,colour\n", "colour"),
        ('"uuid\n', "quote"),
    ],
)
def test_a_file_of_which_no_request_can_be_made_is_refused(csv_file, text, words):
    with pytest.raises(Unreadable, match=words):
        csv_file(text)


def test_extra_columns_by_the_thousand_are_passed_over_if_told_so(csv_file):
    header = ",".join(["uuid", *(f"extra {n}" for n in range(3_000)), "reference"])

    file = csv_file(f"{header}\nx{',1' * 3_000},y\n", ignore_extra=True)

    assert [field for _, field in file.columns.known] == ["uuid", "reference"]
    assert len(file.columns.extra) == 3_000
