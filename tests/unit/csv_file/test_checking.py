"""Rows as requests, and what is wrong with them by line and column."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.requests import CHBPE, UUID, accounts, bpe, chbpe, uuid
from worker.csv_file.checking import RowCheck
from worker.csv_file.reading import CsvFile

HEADER = "chave;protocolo;motivo;referencia"
GOOD = f"{CHBPE};143260000012345;Passageiro desistiu da viagem;r1"


def problems(rows):
    return [(one.line, one.column, one.problem) for row in rows for one in row.problems]


def test_a_row_is_the_same_as_the_request_made_elsewhere(checked):
    [row] = checked(f"{HEADER}\n{GOOD}\n")

    assert row.job == f"ns-bpe:{CHBPE}"
    assert (row.account, row.lane, row.reference) == ("rodoviaria", "bulk", "r1")
    assert row.text.startswith('-180\n["r1"]\n')
    assert json.loads(row.text.rpartition("\n")[2]) == {
        "account": "rodoviaria",
        "provider": "ns-bpe",
        "chBPe": CHBPE,
        "nProt": "143260000012345",
        "xJust": "Passageiro desistiu da viagem",
    }


def test_rows_for_both_providers_stand_in_one_file(checked):
    rows = checked(
        "provider,uuid,chbpe,nprot,xjust,priority\n"
        f"solucion-factible,{UUID},,,,interactive\n"
        f"ns-bpe,,{CHBPE},143260000012345,Passageiro desistiu da viagem,\n"
    )

    assert [row.lane for row in rows] == ["interactive", "bulk"]
    assert [row.job.partition(":")[0] for row in rows] == ["solucion-factible", "ns-bpe"]


def test_a_default_stands_where_the_row_is_empty(checked):
    rows = checked(f"uuid,account\n{uuid(1)},\n{uuid(2)},nobody\n", defaults={"account": "norte"})

    assert rows[0].account == "norte"
    assert problems(rows) == [(3, "account", "no such account of solucion-factible is configured")]


def test_without_a_provider_the_row_says_so(checked):
    rows = checked(f"uuid,chave\n{UUID},{CHBPE}\n")

    assert problems(rows) == [(2, "provider", "is missing: must be solucion-factible or ns-bpe")]


def test_a_row_with_one_document_tells_its_provider_in_a_file_with_both(checked):
    rows = checked(f"uuid,chave,nprot,xjust\n{UUID},,,\n,{CHBPE},143260000012345,Passageiro desistiu da viagem\n")

    assert [row.job for row in rows] == [f"solucion-factible:{UUID}", f"ns-bpe:{CHBPE}"]


def test_a_row_in_which_something_is_wrong_keeps_its_reference(checked):
    [row] = checked(f"{HEADER}\n1;2;short;order-7\n")

    assert row.reference == "order-7"


def test_every_problem_of_every_row_is_told(checked):
    rows = checked(f"{HEADER}\n1;2;short;\n{GOOD}\n{CHBPE};;;\n")

    assert [(line, column) for line, column, _ in problems(rows)] == [
        (2, "chave"),
        (2, "protocolo"),
        (2, "motivo"),
        (4, "protocolo"),
        (4, "motivo"),
    ]
    assert [row.text is None for row in rows] == [True, False, True]


def test_a_row_with_too_many_cells_is_told(checked):
    [row] = checked(f"{HEADER}\n{GOOD};more\n")

    assert row.text is None
    assert "more cells than columns" in row.problems[0].problem


def test_a_cell_in_a_column_without_a_name_is_told_unless_extra_columns_are_ignored(checked):
    text = f"uuid; ;reference;\n{UUID};2026;r1;\n{uuid(1)};;r2;\n"

    assert problems(checked(text)) == [(2, "", "its column has no name: name it, or give --extra-columns ignore")]
    assert not problems(checked(text, ignore_extra=True))


def test_a_field_of_the_other_provider_is_refused_unless_ignored(checked):
    text = f"uuid,motivo\n{UUID},02\n"

    [(_, _, problem)] = problems(checked(text))
    assert "--extra-columns ignore" in problem
    assert not problems(checked(text, ignore_extra=True))


@pytest.mark.parametrize("motive", ["01", "02", "2", "03 - No se llevó a cabo la operación", "04"])
def test_a_motive_of_the_sat_is_explained(checked, motive):
    [(_, column, problem)] = problems(checked(f"uuid,motivo\n{UUID},{motive}\n"))

    assert column == "motivo"
    assert "a motive of the SAT's list, and this method takes no motive" in problem


@pytest.mark.parametrize(
    "cell",
    [
        ' "Passageiro desistiu"',
        '\t"Passageiro desistiu"',
        '"Passageiro desistiu" ',
        ' "Passageiro desistiu"\t',
        '"""Passageiro desistiu"""',
        '" ""Passageiro desistiu"" "',
        "“Passageiro desistiu”",
        "„Passageiro desistiu“",
        "“Passageiro desistiu“",
        '""""" Passageiro desistiu """""',
        ' "“Passageiro desistiu”"',
    ],
)
def test_quotation_marks_around_a_whole_cell_are_left_out(checked, cell):
    [row] = checked(f"{HEADER}\n{CHBPE};143260000012345;{cell};{cell}\n")

    assert not row.problems
    assert row.reference == "Passageiro desistiu"
    assert json.loads(row.text.rpartition("\n")[2])["xJust"] == "Passageiro desistiu"


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('"""A"" e ""B"" desistiram"', '"A" e "B" desistiram'),
        ('"""Sim"", disse o ""passageiro"""', '"Sim", disse o "passageiro"'),
        ('"disse ""não"" ao embarque"', 'disse "não" ao embarque'),
        (' "disse ""não""; desistiu"', 'disse "não"; desistiu'),
        ('\xa0"disse; desistiu hoje"\xa0', "disse; desistiu hoje"),
        ('"""disse ""não"" ao embarque"""', 'disse "não" ao embarque'),
        ('"""monitor 24"" quebrado"""', 'monitor 24" quebrado'),
    ],
)
def test_quotation_marks_within_a_cell_stay(checked, cell, value):
    [row] = checked(f"{HEADER}\n{CHBPE};143260000012345;{cell};\n")

    assert not row.problems
    assert json.loads(row.text.rpartition("\n")[2])["xJust"] == value


def test_a_key_in_quotation_marks_is_the_key(checked):
    rows = checked(f'uuid\n“{uuid(1)}”\n"""{uuid(2)}"""\n "{uuid(3)}" \n')

    assert [row.job for row in rows] == [f"solucion-factible:{uuid(number)}" for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"uuid;reference\nuuid;reference\n{UUID};r1\n", "a second header line"),
        (f"uuid;reference\nFolio fiscal;Pedido\n{UUID};r1\n", "a second header line"),
        (f"uuid;reference\n\ufeffUUID;Reference\n{UUID};r1\n", "a second header line"),
        (f'uuid;reference\n"{uuid(1)};r"\n{UUID};r1\n', "the whole row is in one cell"),
        (f'uuid,reference\n"{uuid(1)},""r"""\n{UUID},r1\n', "the whole row is in one cell"),
        (f"uuid;reference\n{uuid(1)},r\n{UUID};r1\n", "divided by commas, and the first line by semicolons"),
    ],
)
def test_a_line_that_is_no_row_is_told_in_one_word_and_blocks_no_other(checked, text, words):
    rows = checked(text)

    [(line, _, problem)] = problems(rows)
    assert line == 2
    assert words in problem
    assert rows[1].job == f"solucion-factible:{UUID}"


def test_the_line_of_the_first_file_is_kept(checked):
    rows = checked(f"uuid;anula line;anula problem\n{uuid(1)};17;x\n1;18;y\n")

    assert [row.original_line for row in rows] == ["17", "18"]


def test_a_long_value_is_shortened(checked):
    [row] = checked(f"uuid\n{'x' * 500}\n")

    assert len(row.problems[0].value) == 60


def test_a_neutralised_cell_is_what_it_was(checked):
    [row] = checked(f"uuid,reference\n{UUID},'=7+1\n")

    assert row.reference == "=7+1"


@pytest.mark.parametrize(
    "field, cell, words",
    [
        ("chBPe", "4,31802E+43", "rounded"),
        ("chBPe", "4.31802073646170E+43", "rounded"),
        ("chBPe", CHBPE[:15] + "0" * 29, "zeros"),
        ("chBPe", CHBPE[1:], "43 digits instead of 44"),
        ("chBPe", f"'{CHBPE}", "apostrophe"),
        ("chBPe", f"{CHBPE}\xa0", "non-breaking"),
        ("chBPe", f'="{CHBPE}"', "formula"),
        ("nProt", "1,4326E+14", "rounded"),
        ("nProt", "43260000012345", "14 digits instead of 15"),
        ("nProt", "143.260.000.012.345", "grouped"),
        ("chBPe", " ".join(CHBPE[place : place + 4] for place in range(0, 44, 4)), "grouped"),
        ("chBPe", "#N/D", "no value"),
        ("nProt", "nan", "no value"),
        ("nProt", "143260000012345,00", "decimals"),
        ("nProt", "143260000012345.0", "decimals"),
        ("xJust", "NÃ£o viajou porque adoeceu", "Não viajou porque adoeceu"),
        ("xJust", "Não viajou: perdeu o Ã´nibus", "Não viajou: perdeu o ônibus"),
        ("xJust", "Foi Ã\xa0 rodoviária às três", "Foi à rodoviária às três"),
        ("xJust", "Poltrona do 1Âº ônibus", "Poltrona do 1º ônibus"),
        ("dhEvento", "31/01/2026 18:00", "rewritten the date"),
        ("deadline", "2026-01-31 18:00", "rewritten the date"),
    ],
)
def test_the_damage_of_spreadsheets_is_explained(checked, field, cell, words):
    request = bpe(**{field: cell})
    text = io.StringIO()
    writer = csv.DictWriter(text, request)
    writer.writeheader()
    writer.writerow(request)

    [row] = checked(text.getvalue())

    assert row.text is None
    assert words in row.problems[0].problem


def test_letters_that_only_look_garbled_pass(checked):
    words = "AÇÃO JUDICIAL: É «AMANH\xc3\xbb, AMANHÃ\xa0CEDO"
    rows = checked(
        f"{HEADER}\n{CHBPE};143260000012345;Ação judicial: é São João, às três;r1\n{CHBPE};143260000012345;{words};r2\n"
    )

    assert not problems(rows)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "chBPe": st.one_of(st.integers(0, 99).map(chbpe), st.text(max_size=50)),
                "nProt": st.one_of(st.just("143260000012345"), st.text(max_size=20)),
                "xJust": st.one_of(st.just("Passageiro desistiu da viagem"), st.text(max_size=300)),
                "reference": st.text(max_size=130),
            }
        ),
        max_size=8,
    ),
    st.sampled_from([",", ";", "\t"]),
)
def test_every_row_becomes_a_request_or_problems(rows, delimiter):
    text = io.StringIO()
    writer = csv.DictWriter(text, ["chBPe", "nProt", "xJust", "reference"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    raw = text.getvalue().encode("utf-8", "replace")

    file = CsvFile(io.BytesIO(raw))
    check = RowCheck(file, accounts(), defaults={})
    found = [check.check(row) for row in file.rows()]

    assert all((row.text is None) == bool(row.problems) for row in found)
    for row in found:
        if row.job and row.text:
            assert json.loads(row.text.rpartition("\n")[2])["chBPe"] == row.job.partition(":")[2]
