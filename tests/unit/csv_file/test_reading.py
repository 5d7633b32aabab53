"""Bytes as rows: encodings, delimiters, quotes, line numbers."""

import io

import pytest

from tests.support.requests import chbpe, uuid
from worker.csv_file.columns import VARIANTS
from worker.csv_file.encoding import CHUNK
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


HINTS = [
    *("sep=;", "SEP=;", "sep= ;", "sep =;", "sep=;;", "sep=;;;", '"sep=;"', '"sep=;";', 'sep=";"', "'sep=;'", "sep="),
    *("sep=,", "sep=|", "\ufeffsep=;", "\ufeff\ufeffsep=;", "\r\nsep=;", "sep=;\r\n", ";\r\nsep=;"),
]


@pytest.mark.parametrize("hint", HINTS)
def test_a_line_that_tells_the_delimiter_may_be_written_in_any_way(csv_file, hint):
    file = csv_file(f"{hint}\r\nuuid;reference\r\nx;y,z\r\n")

    assert [(row.line, list(row.cells)) for row in file.rows()] == [(3 + hint.count("\n"), ["x", "y,z"])]


@pytest.mark.parametrize("hint", ["sep=\t", "SEP=\t", "sep= \t", '"sep=\t"', "sep=\t\t", "sep=\\t", "sep=tab"])
def test_a_line_that_tells_tabs_is_understood(csv_file, hint):
    file = csv_file(f"{hint}\r\nuuid\treference\r\nx\ty,z\r\n")

    assert (file.delimiter, cells(file)) == ("\t", [["x", "y,z"]])


def test_the_delimiter_that_is_told_decides_where_the_names_do_not(csv_file):
    assert [csv_file(f"sep={one}\nuuid\nx\n").delimiter for one in ",;\t"] == [",", ";", "\t"]


@pytest.mark.parametrize(
    "start", ["\ufeff", "\ufeff\ufeff", "ï»¿", "\ufeffï»¿", "\n", "\r\n\r\n", ";;\n", " \n,\n", '"";""\n']
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_marks_and_blank_lines_at_the_beginning_are_passed_over(csv_file, start, encoding):
    file = csv_file(f'{start}"uuid";"reference"\nx;"y;z"\n', encoding=encoding)

    assert [(row.line, list(row.cells)) for row in file.rows()] == [(2 + start.count("\n"), ["x", "y;z"])]


LEFT_BEHIND = [b"\x1a", b"\0", b"\x1a\x1a", b"\x1a\0\0\0", b"\0\0\0\0\x1a", b"\0" * 5_000]


@pytest.mark.parametrize("junk", LEFT_BEHIND)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("end", ["", "\r\n"])
def test_what_is_left_behind_at_the_end_is_passed_over(csv_file, junk, encoding, end):
    file = csv_file(f"uuid;referencia\r\na;última{end}".encode(encoding) + junk)

    assert cells(file) == [["a", "última"]]


@pytest.mark.parametrize("junk", ["\x1a\r\n", "\r\n\x1a\r\n\r\n", "\0\0\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16", "utf-16-le"])
def test_line_breaks_behind_what_is_left_behind_are_passed_over_too(csv_file, junk, encoding):
    assert cells(csv_file(f"uuid;referencia\r\na;última{junk}", encoding=encoding)) == [["a", "última"]]


def test_what_is_left_behind_may_be_longer_than_what_is_read_at_a_time(csv_file):
    file = csv_file(b"uuid;reference\na;b\n" + bytes(CHUNK + 7))

    assert cells(file) == [["a", "b"]]


def test_a_nul_in_the_middle_is_kept_because_something_may_be_lost_there(csv_file):
    assert cells(csv_file("uuid;reference\na;b\n\0\0\0\nc;d\n")) == [["a", "b"], ["\0\0\0", ""], ["c", "d"]]


def test_a_line_break_in_quotes_belongs_to_the_cell_and_counts_as_a_line(csv_file):
    file = csv_file('uuid,reference\nx,"one\ntwo"\n\ny,"a ""b"" c"\n')

    assert [(row.line, list(row.cells)) for row in file.rows()] == [(2, ["x", "one\ntwo"]), (5, ["y", 'a "b" c'])]


@pytest.mark.parametrize(
    "note",
    [
        "Calle 5, local 2\nCol. Centro, Monterrey, NL",
        "a,b,c\r\nd,e,f\r\n",
        "one\rtwo,three,four",
        f"Relacionados:\n{uuid(8)}\n{uuid(9)}",
        f"Sustituye a {uuid(8)},\ny a {uuid(9)}, según correo",
        "nota\n\n, , ,\n",
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_line_within_a_cell_is_no_row_unless_it_looks_like_one(csv_file, note, place):
    names, row = ["uuid", "reference"], [uuid(1), "r1"]
    names.insert(place, "notes")
    row.insert(place, f'"{note}"')

    file = csv_file(f"{','.join(names)}\n{','.join(row)}\n", ignore_extra=True)

    [read] = file.rows()
    assert (read.problem, read.cells[place], file.unreadable) == (None, note, 0)


@pytest.mark.parametrize("document", [uuid(2), uuid(2).lower(), "4,31802E+43", f"'{chbpe(1)}", f'""{chbpe(1)}""'])
def test_a_line_within_a_cell_is_a_row_if_a_document_is_in_its_place(csv_file, document):
    file = csv_file(f'chave;notes;reference\n{chbpe(2)};"a\n{document};b;r2\nc";r3\n', ignore_extra=True)

    [read] = file.rows()
    assert "lines 2 to 4 were read as one row" in (read.problem or "")
    assert file.unreadable == 1


@pytest.mark.parametrize(
    ("row", "values"),
    [
        (f'{uuid(1)}; "x; y";r', [uuid(1), "x; y", "r"]),
        (f'{uuid(1)};"x; y" ;r', [uuid(1), "x; y", "r"]),
        (f'{uuid(1)};\t"x; y"\t; "r" ', [uuid(1), "x; y", "r"]),
        (f'{uuid(1)};\xa0"x ""; y"\xa0;r', [uuid(1), 'x "; y', "r"]),
        (f'{uuid(1)}; "x\ny" ;r', [uuid(1), "x\ny", "r"]),
        (f'{uuid(1)}; "El Norte" SA;r', [uuid(1), ' "El Norte" SA', "r"]),
        (f'{uuid(1)};24" LG;r', [uuid(1), '24" LG', "r"]),
        (f'{uuid(1)};"{"x" * (LONGEST_CELL + 1)}";r', [uuid(1), "x" * (LONGEST_CELL + 1), "r"]),
    ],
)
def test_cells_with_blanks_beside_their_quotes_are_understood(csv_file, row, values):
    file = csv_file(f"uuid;cliente;reference\n{row}\n{uuid(2)};;\n", ignore_extra=True)

    rows = list(file.rows())
    assert [(one.problem, list(one.cells)) for one in rows] == [(None, values), (None, [uuid(2), "", ""])]


@pytest.mark.parametrize(
    "cell", ['"El Norte" SA de CV', '"El "Norte""', 'SA "El Norte"', '"24" tv "LG"', '"El Norte" "SA"', '"A"B"']
)
@pytest.mark.parametrize("place", [1, 2])
def test_a_name_partly_in_quotes_is_told_and_hides_no_other_row(csv_file, cell, place):
    names, row = ["uuid", "reference"], [uuid(1), "r1"]
    names.insert(place, "cliente")
    row.insert(place, cell)
    file = csv_file(f"{';'.join(names)}\n{';'.join(row)}\n{uuid(2)};b;c\n", ignore_extra=True)

    rows = list(file.rows())

    assert file.unreadable == 0
    assert [one.line for one in rows] == [2, 3]
    assert list(rows[1].cells) == [uuid(2), "b", "c"]
    if cell.startswith('"'):
        assert (rows[0].column, rows[0].value) == ("cliente", cell)
        assert "its quotes do not fit" in rows[0].problem
        assert rows[0].text == f"{';'.join(row)}\n"
    else:
        assert rows[0].problem is None


def test_a_quote_too_many_in_a_last_cell_that_goes_on_makes_its_borders_uncertain(csv_file):
    text = f'uuid;reference;nota\n{uuid(1)};r1;"TV 24" por\n{uuid(2)}\n{uuid(3)}"\n'

    file = csv_file(text, ignore_extra=True)
    rows = list(file.rows())

    assert rows[0].problem
    assert file.unreadable


def test_blank_lines_behind_a_broken_last_cell_leave_its_borders_certain(csv_file):
    file = csv_file(f'uuid;nota\n{uuid(1)};"TV 24" LG\n\n;\n{uuid(2)};x\n\n', ignore_extra=True)

    assert [bool(row.problem) for row in file.rows()] == [True, False]
    assert file.unreadable == 0


def test_a_quote_that_is_open_in_the_last_line_hides_nothing(csv_file):
    file = csv_file(f'uuid;cliente;reference\n{uuid(1)};a;b\n{uuid(2)};"a;b', ignore_extra=True)

    rows = list(file.rows())

    assert [(one.line, bool(one.problem), one.column) for one in rows] == [(2, False, ""), (3, True, "cliente")]
    assert file.unreadable == 0


def test_where_a_quote_was_opened_is_told(csv_file):
    rows = list(csv_file('uuid;cliente;reference\nx;"El Norte;1\ny;;2\n', ignore_extra=True).rows())

    assert [(one.column, one.value) for one in rows] == [("cliente", '"El Norte')]


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
    text = f'uuid,notes,reference\n{uuid(1)},"urgent,1\n{uuid(2)},,2\n{uuid(3)},seat 12",3\n{uuid(4)},,4\n'

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
        ("\n;;\n \n", "empty"),
        ('"uuid;reference"\n"x;y"\n', "a single cell, uuid;reference: each line was put in quotes as a whole"),
        ('"uuid,""reference"""\n"x,""y"""\n', "a single cell"),
        ("uuid|reference\nx|y\n", r"divided by \|: save it again with commas, semicolons or tabs"),
        ("Cancelaciones;;\n\nuuid;reference\nx;y\n", "line 3 names the columns, and the header must be the first line"),
        ("Documento;Cliente\nFolio fiscal;Pedido\nx;y\n", "line 2 names the columns"),
        (f"{uuid(1)};r1\n{uuid(2)};r2\n", "no header line"),
        ('"Folio" fiscal;reference\nx;y\n', 'the name "Folio" fiscal is partly in quotes'),
        ('uuid;"Mi" cliente;"x"\nx;y;z\n', 'the name "Mi" cliente is partly in quotes'),
        (
            "uuid;folio\n",
            "folio: call it folio fiscal where it holds the UUID, referencia where it holds your own number",
        ),
        ("uuid;clave motivo;UUID sustitución\n", "takes no motive.*takes no substitute"),
        ("uuid;p\u0435dido\n", "character 2 is U\\+0435 CYRILLIC SMALL LETTER IE"),
        ("uuid;pedido;orden\n", "call one of pedido and orden referencia"),
    ],
)
def test_a_file_of_which_no_request_can_be_made_is_refused(csv_file, text, words):
    with pytest.raises(Unreadable, match=words):
        csv_file(text)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "pedido",
            "Nº Pedido",
            "N° PEDIDO",
            "pedido n°",
            "Pedido Nº",
            "No. de Pedido",
            "número de pedido",
            "num_pedido",
        ),
        *("ID do pedido", "Pedido ID", "código do pedido", "# pedido", "orden", "Nro. de orden", "orden de compra"),
        *("ordem", "nº da ordem", "ordem de serviço", "order", "Order No.", "order_id", "Order Number"),
        *("folio interno", "número interno", "pedido interno", "folio de pedido", "Ref.", "nº de referencia"),
    ],
)
def test_an_orders_number_is_the_reference_where_there_is_no_other(csv_file, name):
    assert csv_file(f"uuid;{name}\n").columns.fields == ("uuid", "reference")
    assert csv_file(f"uuid;{name};referencia\n", ignore_extra=True).columns.fields == ("uuid", None, "reference")


@pytest.mark.parametrize(
    "name",
    ["folio", "serie", "nº", "número", "id", "cliente", "data do pedido", "valor do pedido", "estado del pedido"],
)
def test_what_may_be_something_else_is_no_reference(csv_file, name):
    assert csv_file(f"uuid;{name}\n", ignore_extra=True).columns.fields == ("uuid", None)


def test_of_two_numbers_none_is_the_reference(csv_file):
    columns = csv_file("uuid;pedido;orden\n", ignore_extra=True).columns

    assert (columns.fields, columns.doubtful_references) == (("uuid", None, None), ("pedido", "orden"))


def test_extra_columns_by_the_thousand_are_passed_over_if_told_so(csv_file):
    header = ",".join(["uuid", *(f"extra {n}" for n in range(3_000)), "reference"])

    file = csv_file(f"{header}\nx{',1' * 3_000},y\n", ignore_extra=True)

    assert [field for _, field in file.columns.known] == ["uuid", "reference"]
    assert len(file.columns.extra) == 3_000
