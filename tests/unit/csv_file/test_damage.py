"""What spreadsheets and programs leave in cells that may hold anything is recognised; what people write passes."""

import csv
import io

import pytest

from tests.support.requests import bpe, sf, uuid
from worker.csv_file.damage import TELLING, damage

ROUNDED = ["1,23457E+17", "1.23457E+12", "1.2345678901234568e+17", "1,23457E17", "1E+17", "-1,2E+05", "1,23457E-05"]
NOTHING = [
    *("nan", "NaN", "None", "NULL", "null", "NaT", "<NA>", "undefined", "(null)", "\\N", "[object Object]"),
    *("#N/D", "#N/A", "#NA", "#REF!", "#¡REF!", "#VALUE!", "#VALOR!", "#¡VALOR!", "#NAME?", "#NOME?", "#¿NOMBRE?"),
    *("#DIV/0!", "#¡DIV/0!", "#NUM!", "#NÚM!", "#¡NUM!", "#NULL!", "#NULO!", "#¡NULO!", "#SPILL!", "#CALC!"),
    *("#GETTING_DATA", "#¡DESBORDAMIENTO!", "#DESPEJAR!", "Err:502", "########"),
]
FORMULAS = ['="0012345"', "=“0012345”", "=A1&B1", "=$B$2", "=CONCATENAR(A1;B1)"]
DAMAGED = [
    *((text, "rounded the number") for text in ROUNDED),
    *((text, "where it has no value") for text in NOTHING),
    *((text, "formula") for text in FORMULAS),
    *((text, "apostrophe") for text in ("'0012345", "’0012345", "‘0012345", "`0012345", "´0012345")),
    *((text, "write 1234567 alone") for text in ("1234567.0", "1234567,0", "1234567,00", "1234567.000000")),
    ("12345678901234500000", "made the others zeros"),
    ('"pedido 7', "never closed"),
]
FINE = [
    *("pedido 7", "7", "0012345", "123456789012345678", "A-12", "N-7", "nota 7", "Nulo", "Nancy", "E-5", "Err"),
    *("5E2024", "12E4", "1.000", "1.234.567", "12,5", "#12/2026", "#7", "n/a", "N/A", "-", "+55 11 9999", "-7"),
    *("=1+1", "@SUM(A1)", '24" monitor', "(urgente)", "<7>", "única", "nº 7", "5 x 105"),
]


def written(request):
    text = io.StringIO()
    writer = csv.DictWriter(text, request)
    writer.writeheader()
    writer.writerow(request)
    return text.getvalue()


@pytest.mark.parametrize(("text", "words"), DAMAGED)
def test_a_damaged_reference_is_told(checked, text, words):
    [row] = checked(written(sf(reference=text)))

    [problem] = row.problems
    assert (row.text, problem.column) == (None, "reference")
    assert words in problem.problem


@pytest.mark.parametrize("text", FINE)
def test_what_people_write_as_a_reference_passes(checked, text):
    [row] = checked(written(sf(reference=text)))

    assert (row.problems, row.reference) == ((), text)


@pytest.mark.parametrize("text", [text for text, _ in DAMAGED])
def test_what_is_damaged_begins_as_the_quick_test_expects(text):
    assert damage(text)
    assert text[0] in TELLING


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("'Passageiro desistiu da viagem", "apostrophe"),
        ("'Passageiro desistiu da viagem'", "apostrophe"),
        ('="Passageiro desistiu da viagem"', "formula"),
        ("1,23456789012346E+17", "rounded"),
        ("nan", "no value"),
        ("#¡VALOR!", "no value"),
        ("02", "in words"),
        ('"Passageiro desistiu da viagem', "never closed"),
        ("Passageiro de\xadsistiu da viagem", "U+00AD SOFT HYPHEN"),
        ("\xa0Passageiro desistiu da viagem", "U+00A0 NO-BREAK SPACE"),
        ("Passageiro desistiu – estorno", "U+2013 EN DASH"),
        ("Passageiro desistiu\u200b da viagem", "U+200B ZERO WIDTH SPACE"),
        ("Passageiro desistiu\nda viagem", "a line break"),
    ],
)
def test_a_damaged_reason_is_told(checked, text, words):
    [row] = checked(written(bpe(xJust=text)))

    [problem] = row.problems
    assert (row.text, problem.column) == (None, "xJust")
    assert words in problem.problem


@pytest.mark.parametrize(
    "text",
    [
        "'Urgente' pediu o passageiro hoje",
        '"Passageiro" desistiu da viagem',
        "1º passageiro desistiu da viagem",
        "Passageiro desistiu\xa0da viagem",
        "No viajó por enfermedad",
    ],
)
def test_what_people_write_as_a_reason_passes(checked, text):
    [row] = checked(written(bpe(xJust=text)))

    assert not row.problems


@pytest.mark.parametrize("field", ["account", "priority", "provider", "deadline"])
@pytest.mark.parametrize("text", ["nan", "#N/D", "#¡REF!", "'norte"])
def test_damage_is_told_in_every_other_field_too(checked, field, text):
    [row] = checked(written(sf(**{field: text})))

    said = " ".join(f"{one.column}: {one.problem}" for one in row.problems)
    assert f"{field}: it " in said
    assert "no value" in said or "apostrophe" in said


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("uuid", uuid(1).replace("-", "\u2011"), "character 9 is U+2011 NON-BREAKING HYPHEN"),
        ("uuid", f"\u200b{uuid(1)}", "character 1 is U+200B ZERO WIDTH SPACE"),
        ("uuid", f"{uuid(1)}\u200e", "character 37 is U+200E LEFT-TO-RIGHT MARK"),
        ("uuid", f"{uuid(1)}\u2009", "U+2009 THIN SPACE"),
        ("uuid", uuid(10).replace("A", "\u0410"), "U+0410 CYRILLIC CAPITAL LETTER A"),
        ("uuid", uuid(1).replace("1", "\uff11"), "U+FF11 FULLWIDTH DIGIT ONE"),
        ("uuid", uuid(1).replace("0", "O", 1), "character 1 is the letter O: write the digit 0"),
        ("uuid", f"{{{uuid(1)}}}", "nothing around"),
        ("uuid", uuid(1).replace("-", ""), "with hyphens"),
        ("uuid", uuid(1)[:-1], "31 hex digits instead of 32"),
        ("uuid", "1,2E+31", "rounded"),
        ("account", "norte\u200b", "U+200B ZERO WIDTH SPACE"),
        ("priority", "bulk\xa0", "U+00A0 NO-BREAK SPACE"),
        ("reference", "pedido\u200e7", "U+200E LEFT-TO-RIGHT MARK"),
        ("deadline", "2026-01-31T18:00:00\u221203:00", "U+2212 MINUS SIGN"),
        ("deadline", "2026-01-31T18:00:00", "has no offset from UTC"),
        ("deadline", "2026-01-31 18:00:00", "without its offset from UTC"),
        ("deadline", "46053,75", "rewritten the date"),
        ("deadline", "31-ene-2026 18:00", "rewritten the date"),
    ],
)
def test_what_is_wrong_with_a_cell_is_named(checked, field, text, words):
    [row] = checked(written(sf(**{field: text})))

    [problem] = row.problems
    assert words in problem.problem


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("dhEvento", "2026-01-31T18:00:00", "has no offset from UTC"),
        ("dhEvento", "2026-01-31T18:00:00Z", "must be YYYY-MM-DDTHH:MM:SS±HH:00"),
        ("dhEvento", "2999-01-31T18:00:00-03:00", "more than 5 minutes ahead"),
        ("nProt", "14326000001234O", "character 15 is the letter O"),
        ("nProt", "1432600000123456", "16 digits instead of 15"),
        ("chBPe", "BPe43180207364617000135630000000000301000000081", "begins with BPe"),
    ],
)
def test_what_is_wrong_with_a_cell_of_a_bpe_is_named(checked, field, text, words):
    [row] = checked(written(bpe(**{field: text})))

    [problem] = row.problems
    assert words in problem.problem


@pytest.mark.parametrize(
    ("encoding", "remedy"), [("latin-1", "give --encoding windows-1252"), ("utf-8", "save the file anew")]
)
def test_control_characters_of_windows_1252_are_told_with_the_remedy(checked, encoding, remedy):
    text = written(bpe(xJust="Passageiro desistiu \x96 estorno"))

    [row] = checked(text, encoding=encoding, given=encoding)

    assert "U+0096, a control character" in row.problems[0].problem
    assert remedy in row.problems[0].problem
