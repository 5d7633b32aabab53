"""What producers may say, rule by rule (docs/requests.md)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.requests import CHBPE, NORTE, NOW, RODOVIARIA, SUR, UUID, accounts, bpe, sf
from worker import request as rules
from worker.documents import check_digit, job_named
from worker.invalid import FieldError, InvalidRequest
from worker.request import Priority, check, read, stored

BOTH = accounts()
VALID_KEYS = [
    "43180207364617000135630000000000301000000081",
    "43180207364617000135630000000000311000000089",
    "43220507364617000135630600000000071963550061",
    "43220507364617000135630600000000101813509436",
    "43180107364617000135630000000000101000000085",
    "43221007364617000135630050000030302223853846",
    "43221007364617000135630050000030312988464429",
]


def errors_of(value: object, configured=BOTH) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as refused:
        check(value, configured, now=NOW)
    found = [(error.field, error.problem) for error in refused.value.errors]
    assert len(dict(found)) == len(found), "one line for each field"
    return dict(found)


def accepted(**fields: Any):
    return check(bpe(**fields) if "provider" not in fields else fields, BOTH, now=NOW)


def test_a_length_is_told_in_our_words():
    assert errors_of(bpe(xJust="short")) == {"xJust": "must have 15 characters or more"}
    assert errors_of(bpe(reference="x" * 129)) == {"reference": "must have 128 characters or fewer"}
    assert errors_of(bpe(reference="")) == {"reference": "must not be empty"}


# Documents


@pytest.mark.parametrize("text", [UUID, UUID.lower(), "51D8A114-2BA6-40B8-C204-B9721791863B"])
def test_a_uuid_of_any_case_and_variant_names_the_job_in_upper_case(text):
    assert check(sf(uuid=text), BOTH, now=NOW).job == f"solucion-factible:{text.upper()}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        UUID[:-1],
        UUID + "0",
        UUID + "\n",
        " " + UUID,
        "{" + UUID + "}",
        UUID.replace("-", ""),
        UUID.replace("A", "G"),
        UUID.replace("0", "\u0660"),
        UUID.replace("0", "\uff10"),
        UUID[:-1] + "\x00",
    ],
)
def test_anything_else_is_no_uuid(text):
    assert errors_of(sf(uuid=text)) == {"uuid": "must be 8-4-4-4-12 hex digits"}


@pytest.mark.parametrize("key", VALID_KEYS)
def test_a_known_access_key_is_valid(key):
    assert check(bpe(chBPe=key), BOTH, now=NOW).job == f"ns-bpe:{key}"


def test_a_cnpj_may_hold_letters():
    first = "432607AB1CD2EF300135630000000000301000000080"[:43]
    key = first + check_digit(first)

    assert check(bpe(chBPe=key), BOTH, now=NOW).job == f"ns-bpe:{key}"


@pytest.mark.parametrize(
    "key",
    ["43170507364617000135580000000003481000033457", "43190307364617000135550000000130621004621863"],
)
def test_a_key_of_another_model_is_refused(key):
    assert errors_of(bpe(chBPe=key))["chBPe"].startswith("model (characters 21 and 22) must be 63")


@pytest.mark.parametrize("key", VALID_KEYS)
def test_every_wrong_check_digit_is_refused(key):
    for digit in "0123456789":
        if digit != key[-1]:
            assert "check digit" in errors_of(bpe(chBPe=key[:-1] + digit))["chBPe"]


@pytest.mark.parametrize(
    "key",
    ["", CHBPE[:-1], CHBPE + "1", CHBPE + "\n", CHBPE.replace("7", "\u0667"), CHBPE[:6] + "abcdefghijkl" + CHBPE[18:]],
)
def test_anything_else_is_no_key(key):
    assert errors_of(bpe(chBPe=key))["chBPe"].startswith("must be 44 characters")


@pytest.mark.parametrize("text", ["14318000000000", "1431800000000011", "14318000000000x", "", "143180000000001\n"])
def test_a_protocol_has_15_digits(text):
    assert errors_of(bpe(nProt=text)) == {"nProt": "must be 15 digits"}


def test_a_job_is_named_by_its_id_or_its_document():
    assert job_named(f" {UUID.lower()} ") == f"solucion-factible:{UUID}"
    assert job_named(f"solucion-factible:{UUID}") == f"solucion-factible:{UUID}"
    assert job_named(CHBPE) == job_named(f"ns-bpe:{CHBPE}") == f"ns-bpe:{CHBPE}"


@pytest.mark.parametrize(
    "text", ["", ":", f"ns-bpe:{UUID}", f"solucion-factible:{CHBPE}", f":{UUID}", "nonsense", f"{UUID}\n{UUID}"]
)
def test_anything_else_names_no_job(text):
    assert job_named(text) is None


# Text that goes to the authority


@pytest.mark.parametrize(
    "text",
    [
        "x" * 15,
        "x" * 255,
        "!" + "x" * 13 + "\u00ff",
        "\u00ff" * 15,
        "com espaco  no meio",
        "a" + " " * 13 + "b",
        "Desist\u00eancia do passageiro, 100% & <ok>",
    ],
)
def test_a_justification_within_the_borders_is_kept_as_it_is(text):
    assert json.loads(accepted(xJust=text).body)["xJust"] == text


@pytest.mark.parametrize(
    "text",
    [
        "x" * 14,
        "x" * 256,
        "",
        " " + "x" * 15,
        "x" * 15 + " ",
        "x" * 15 + "\n",
        "\tx" + "x" * 15,
        "x" * 8 + "\t" + "x" * 8,
        "x" * 8 + "\n" + "x" * 8,
        "x" * 8 + "\x00" + "x" * 8,
        "x" * 15 + "\u0100",
        "\u201ccurly quotes\u201d here",
        "an en dash \u2013 in it",
        "a smile \U0001f600 in the text",
        "x" * 15 + "\ud800",
        "x" * 15 + "\x7f" + "x",
        "x" * 15 + "\x80",
        "\x9f" + "x" * 15,
    ],
)
def test_a_justification_beyond_the_borders_is_refused(text):
    assert list(errors_of(bpe(xJust=text))) == ["xJust"]


def test_what_is_wrong_with_a_justification_is_named_by_code_and_name():
    problem = errors_of(bpe(xJust="Passageiro desistiu \u2013 \u201cestorno\u201d\u200b"))["xJust"]

    assert "character 21 is U+2013 EN DASH, which is not '-': write '-'" in problem
    assert "U+201C LEFT DOUBLE QUOTATION MARK" in problem
    assert problem.endswith("; and 1 more")
    assert "estorno" not in problem


def test_a_control_character_that_was_a_letter_of_windows_1252_is_told_as_that():
    problem = errors_of(bpe(xJust="Passageiro desistiu \x96 estorno"))["xJust"]

    assert "U+0096, a control character" in problem
    assert "the text is windows-1252, where it is U+2013 EN DASH, but was read as ISO-8859-1" in problem


def test_a_job_that_was_admitted_with_a_control_character_is_still_read_from_the_ledger():
    body = json.dumps(bpe(account="rodoviaria", xJust="Passageiro desistiu \x96 estorno"))

    assert stored(body).model_dump()["xJust"] == "Passageiro desistiu \x96 estorno"


def test_a_justification_is_composed_before_it_is_measured_and_kept():
    decomposed = "Desiste" + "e\u0302" * 8

    assert json.loads(accepted(xJust=decomposed).body)["xJust"] == "Desiste" + "\u00ea" * 8
    assert list(errors_of(bpe(xJust="e\u0302" * 14))) == ["xJust"]


# Times


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("2026-03-01T09:05:00-03:00", True),
        ("2026-03-01T09:05:01-03:00", False),
        ("2026-03-02T00:05:00+12:00", True),
        ("2026-03-01T01:05:01-11:00", False),
        ("2020-01-01T00:00:00+00:00", True),
    ],
)
def test_an_event_lies_at_most_five_minutes_ahead(text, fits):
    if fits:
        assert json.loads(accepted(dhEvento=text).body)["dhEvento"] == text
    else:
        assert errors_of(bpe(dhEvento=text)) == {"dhEvento": "more than 5 minutes ahead"}


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T09:05:00Z",
        "2026-03-01T09:05:00",
        "2026-03-01T09:05:00.000-03:00",
        "2026-03-01 09:05:00-03:00",
        "2026-03-01T09:05-03:00",
        "2026-03-01T09:05:00-03:30",
        "2026-03-01T09:05:00-12:00",
        "2026-03-01T09:05:00+13:00",
        "2026-02-29T09:05:00-03:00",
        "2026-03-01T24:00:00-03:00",
        "2026-03-01T09:60:00-03:00",
        "0000-03-01T09:05:00-03:00",
        "0001-01-01T00:00:00+12:00",
        "2026-03-01T09:05:00-03:00\n",
        "\u0662026-03-01T09:05:00-03:00",
    ],
)
def test_an_event_time_has_one_form(text):
    assert list(errors_of(bpe(dhEvento=text))) == ["dhEvento"]


@pytest.mark.parametrize(
    "text", ["2026-03-01T18:00:00", "2026-03-01T18:00", "2026-03-01 18:00:00", "2026-03-01t18:00:00.5"]
)
def test_a_time_without_offset_is_told_as_that(text):
    assert errors_of(bpe(dhEvento=text))["dhEvento"].startswith("has no offset from UTC")
    assert errors_of(sf(deadline=text))["deadline"].startswith("has no offset from UTC")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-01T18:00:00-03:00", datetime(2026, 3, 1, 21, tzinfo=UTC)),
        ("2026-03-01T18:00:00Z", datetime(2026, 3, 1, 18, tzinfo=UTC)),
        ("2026-03-01t18:00:00z", datetime(2026, 3, 1, 18, tzinfo=UTC)),
        ("2026-03-01T18:00:00.25+05:30", datetime(2026, 3, 1, 12, 30, 0, 250_000, tzinfo=UTC)),
        ("2026-03-01T18:00:00.123456789Z", datetime(2026, 3, 1, 18, 0, 0, 123_456, tzinfo=UTC)),
        ("1999-12-31T23:59:59+00:00", datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_deadline_counts_with_its_offset_and_may_be_past(text, at):
    assert check(sf(deadline=text), BOTH, now=NOW).request.deadline_at == at


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T18:00:00",
        "2026-03-01",
        "tomorrow",
        "",
        "2026-13-01T18:00:00Z",
        "2026-03-01T18:00:00+24:00",
        "1767225600",
    ],
)
def test_a_deadline_without_offset_or_sense_is_refused(text):
    assert list(errors_of(sf(deadline=text))) == ["deadline"]


# The rest


def test_what_is_left_out_has_its_default():
    request = check(sf(), BOTH, now=NOW).request

    assert (request.priority, request.reference, request.deadline_at) == (Priority.INTERACTIVE, None, None)


@pytest.mark.parametrize("text", ["x", "x" * 128, "\u00f1and\u00fa 42/7 \u2713"])
def test_a_reference_is_given_back_as_it_came(text):
    assert check(sf(reference=text), BOTH, now=NOW).request.reference == text


@pytest.mark.parametrize("text", ["", "x" * 129, "a\nb", "a\x00b", "\ud800", "\u200e"])
def test_a_reference_is_short_and_printable(text):
    assert list(errors_of(sf(reference=text))) == ["reference"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pedido\u200b7", "character 7 is U+200B ZERO WIDTH SPACE, which is invisible: remove it"),
        ("pedido\xa07", "character 7 is U+00A0 NO-BREAK SPACE, a non-breaking space: remove it"),
        ("pedido\n7", "character 7 is U+000A, a line break: remove it"),
    ],
)
def test_what_cannot_be_printed_in_a_reference_is_named(text, name):
    assert name in errors_of(sf(reference=text))["reference"]


@pytest.mark.parametrize("priority", ["urgent", "", "BULK", 1, ["bulk"]])
def test_there_are_two_priorities(priority):
    assert errors_of(sf(priority=priority)) == {"priority": "must be interactive or bulk"}


NOT_TEXT: list[Any] = [1, 1.5, True, None, [], {}, ["x"], 10**400]


@pytest.mark.parametrize("field", ["uuid", "account", "reference", "deadline"])
@pytest.mark.parametrize("value", [value for value in NOT_TEXT if value is not None])
def test_numbers_and_such_are_not_text(field, value):
    assert errors_of(sf(**{field: value})) == {field: "must be text"}


@pytest.mark.parametrize("field", ["chBPe", "nProt", "xJust"])
@pytest.mark.parametrize("value", NOT_TEXT)
def test_no_field_of_the_provider_may_be_anything_but_text(field, value):
    assert errors_of(bpe(**{field: value})) == {field: "must be text"}


@pytest.mark.parametrize("provider", ["", "SOLUCION-FACTIBLE", "nsbpe", 1, None, [], {}, ["ns-bpe"], "\ud800"])
def test_there_are_two_providers(provider):
    assert list(errors_of({"provider": provider})) == ["provider"]


def test_a_missing_provider_is_named():
    assert errors_of({"uuid": UUID})["provider"].startswith("is missing")


@pytest.mark.parametrize("value", [None, [], "text", 1, True, [sf()]])
def test_a_request_is_an_object(value):
    assert errors_of(value) == {"": "must be a JSON object"}


@pytest.mark.parametrize("name", ["chBPe", "nProt", "xJust", "dhEvento"])
def test_a_field_of_the_other_provider_is_unknown(name):
    assert errors_of({**sf(), name: "143180000000001"}) == {name: "is not a field of this request"}
    assert errors_of(bpe(uuid=UUID)) == {"uuid": "is not a field of this request"}


@pytest.mark.parametrize(
    "base, wrong, right",
    [
        (sf, "UUID", "uuid"),
        (sf, "Uuid", "uuid"),
        (sf, "uuids", "uuid"),
        (bpe, "nprot", "nProt"),
        (bpe, "NPROT", "nProt"),
        (bpe, "chbpe", "chBPe"),
        (bpe, "ch_bpe", "chBPe"),
        (bpe, "xjust", "xJust"),
        (bpe, "dhevento", "dhEvento"),
        (sf, "referencia", "reference"),
        (sf, "Referência", "reference"),
        (sf, "Reference", "reference"),
        (sf, "refrence", "reference"),
        (sf, "Priority", "priority"),
        (sf, "deadLine", "deadline"),
        (sf, "acount", "account"),
        (sf, "Provider", "provider"),
    ],
)
def test_a_name_that_is_nearly_right_is_told_with_the_right_one(base, wrong, right):
    request = base()
    value = request.pop(right, "bulk")

    errors = errors_of({**request, wrong: value})

    assert errors[wrong] == f"is not a field of this request: did you mean `{right}`?"


@pytest.mark.parametrize("name", ["id", "pedido", "chave", "motivo", "serie", "total", "note"])
def test_a_name_that_is_like_no_field_is_told_without_a_guess(name):
    assert errors_of({**sf(), name: "1"}) == {name: "is not a field of this request"}


@pytest.mark.parametrize(
    "wrong", [{"Reference": "order-7"}, {"referencia": "order-7"}, {"reference": "order-7", "colour": "red"}]
)
def test_an_invalid_request_is_given_back_with_its_reference(wrong):
    with pytest.raises(InvalidRequest) as invalid:
        check(sf(**wrong), BOTH, now=NOW)

    assert invalid.value.body["reference"] == "order-7"


def test_an_invalid_request_is_given_back_with_its_document():
    with pytest.raises(InvalidRequest) as invalid:
        check({"provider": "solucion-factible", "UUID": UUID}, BOTH, now=NOW)

    assert invalid.value.body["uuid"] == UUID


def test_a_wrong_name_never_replaces_a_right_one():
    with pytest.raises(InvalidRequest) as invalid:
        check(sf(reference="order-7", Reference="order-8"), BOTH, now=NOW)

    assert invalid.value.body["reference"] == "order-7"


@pytest.mark.parametrize("name", ["", "with blank", "x" * 65, "a\nb"])
def test_a_strange_field_name_is_not_repeated(name):
    assert errors_of(sf(**{name: 1})) == {"(another field)": "is not a field of this request"}


def test_a_field_name_that_is_no_text_is_refused_as_well():
    for name in (7, None, "\ud800", ("a", "b")):
        body: dict[Any, Any] = {**sf(), name: 1}

        assert errors_of(body)


# Accounts


def test_the_only_account_of_a_provider_may_be_left_out():
    assert check(sf(), BOTH, now=NOW).account == "norte"


def test_of_two_accounts_one_has_to_be_named():
    two = accounts(NORTE, SUR)

    problem = "needed: 2 accounts of solucion-factible are configured, and none of them is the default"
    assert errors_of(sf(), two) == {"account": problem}
    assert check(sf(account="sur"), two, now=NOW).account == "sur"


def test_of_two_accounts_the_default_is_that_of_requests_that_name_none():
    two = accounts(NORTE, SUR.model_copy(update={"default": True}), RODOVIARIA)

    assert check(sf(), two, now=NOW).account == "sur"
    assert check(sf(account="norte"), two, now=NOW).account == "norte"
    assert check(bpe(), two, now=NOW).account == "rodoviaria"


@pytest.mark.parametrize("name", ["rodoviaria", "nobody", "NORTE", "norte "])
def test_only_an_account_of_the_provider_is_taken(name):
    assert list(errors_of(sf(account=name))) == ["account"]


def test_without_any_account_of_the_provider_nothing_is_taken():
    assert list(errors_of(sf(), accounts(RODOVIARIA))) == ["account"]


# Errors


def test_every_error_is_listed_and_no_value():
    everything_wrong = {
        "provider": "ns-bpe",
        "chBPe": "SECRETKEY",
        "nProt": "SECRETPROT",
        "xJust": "SECRET\u2013",
        "dhEvento": "SECRETTIME",
        "reference": "SECRETREF\n",
        "priority": "SECRETPRIORITY",
        "deadline": "SECRETDEADLINE",
        "account": "SECRETACCOUNT",
        "extra": "SECRETEXTRA",
    }

    errors = errors_of(everything_wrong)

    assert set(errors) == set(everything_wrong) - {"provider"}
    assert "SECRET" not in str(errors)


def test_an_event_too_far_ahead_is_listed_beside_other_errors():
    assert set(errors_of(bpe(dhEvento="2027-01-01T00:00:00-03:00", nProt="1", account="nobody"))) == {
        "dhEvento",
        "nProt",
        "account",
    }


def test_the_model_of_a_refused_key_is_not_repeated():
    assert "58" not in errors_of(bpe(chBPe="43170507364617000135580000000003481000033457"))["chBPe"]


def test_the_message_of_a_refusal_is_its_errors():
    with pytest.raises(InvalidRequest, match=r"^nProt: must be 15 digits$"):
        check(bpe(nProt="1"), BOTH, now=NOW)


# JSON text


def padded_to(length: int) -> bytes:
    text = json.dumps(sf()).encode()
    return text[:-1] + b" " * (length - len(text)) + b"}"


def test_a_body_has_at_most_16_kib():
    assert read(padded_to(16_384), BOTH, now=NOW).account == "norte"
    with pytest.raises(InvalidRequest, match="longer than 16384 bytes"):
        read(padded_to(16_385), BOTH, now=NOW)


def test_the_limit_counts_bytes_not_characters():
    with pytest.raises(InvalidRequest, match="longer"):
        read('"' + "\u00f1" * 8_192 + '"', BOTH, now=NOW)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[" * 16_000,
        b'{"a":' * 3_000,
        b'{"provider": NaN}',
        b'{"provider": -Infinity}',
        b'{"n": ' + b"9" * 5_000 + b"}",
        b'{"provider": "ns-bpe",}',
        b"{'provider': 'ns-bpe'}",
        b'{"provider": "ns\x00bpe"}',
        b'{"provider": "\xed\xa0\x80"}',
        b'{"uuid": "\xc3"}',
        "{}".encode("utf-16"),
    ],
)
def test_what_is_not_json_in_utf8_is_refused(text):
    with pytest.raises(InvalidRequest) as refused:
        read(text, BOTH, now=NOW)

    assert [error.field for error in refused.value.errors] == [""]


@pytest.mark.parametrize("text", ["\ud800", '{"uuid": "\ud800"}'])
def test_text_that_is_not_unicode_is_refused(text):
    with pytest.raises(InvalidRequest):
        read(text, BOTH, now=NOW)


@pytest.mark.parametrize("field", ["uuid", "account", "reference", "deadline"])
def test_an_escaped_lone_surrogate_is_refused(field):
    text = json.dumps(sf() | {field: "\ud800"})

    with pytest.raises(InvalidRequest) as refused:
        read(text, BOTH, now=NOW)

    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.parametrize(
    "text", ['{"uuid": "a", "uuid": "b"}', '{"uuid": "a", "\\u0075uid": "a"}', '{"x": {"y": 1, "y": 1}}']
)
def test_a_field_that_stands_twice_is_refused(text):
    with pytest.raises(InvalidRequest, match="a field stands in it twice"):
        read(text, BOTH, now=NOW)


@pytest.mark.parametrize("depth", [10, 900])
def test_deep_nesting_is_only_a_wrong_type(depth):
    text = '{"provider": "solucion-factible", "uuid": ' + "[" * depth + "]" * depth + "}"

    with pytest.raises(InvalidRequest, match="uuid: must be text"):
        read(text, BOTH, now=NOW)


# As the ledger keeps it

LATIN1 = st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_categories=["Cc"])
PRINTABLE = st.text(min_size=1, max_size=128).filter(str.isprintable)
OFFSETS = st.integers(-11, 12).map(lambda hours: f"{'-' if hours < 0 else '+'}{abs(hours):02d}:00")


def day(year: int) -> datetime:
    """New Year, without an offset: hypothesis draws such times alone."""
    return datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None)


COMMON: dict[str, Any] = {
    "account": st.just("norte"),
    "reference": PRINTABLE,
    "priority": st.sampled_from(["interactive", "bulk"]),
    "deadline": st.datetimes(day(1971), day(9000)).map(lambda at: at.isoformat() + "Z"),
}
SF_REQUESTS = st.fixed_dictionaries(
    {"provider": st.just("solucion-factible"), "uuid": st.uuids().map(str)}, optional=COMMON
)
BPE_REQUESTS = st.fixed_dictionaries(
    {
        "provider": st.just("ns-bpe"),
        "chBPe": st.from_regex(r"[0-9]{6}[A-Z0-9]{12}[0-9]{2}63[0-9]{21}", fullmatch=True).map(
            lambda first: first + check_digit(first)
        ),
        "nProt": st.from_regex(r"[0-9]{15}", fullmatch=True),
        "xJust": st.text(LATIN1, min_size=15, max_size=255),
    },
    optional=COMMON
    | {
        "account": st.just("rodoviaria"),
        "dhEvento": st.tuples(st.datetimes(day(2000), day(2026)), OFFSETS).map(
            lambda parts: parts[0].strftime("%Y-%m-%dT%H:%M:%S") + parts[1]
        ),
    },
)


@given(request=SF_REQUESTS | BPE_REQUESTS)
def test_a_request_comes_back_from_the_ledger_as_it_went_in(request):
    one = read(json.dumps(request), BOTH, now=NOW)

    again = stored(one.body)

    expected = one.request.model_copy(
        update={"account": one.account, "reference": None, "priority": Priority.INTERACTIVE}
    )
    assert again == expected
    assert check(json.loads(one.body), BOTH, now=NOW).job == one.job


@given(request=SF_REQUESTS | BPE_REQUESTS)
def test_the_schema_allows_what_the_rules_allow(request):
    jsonschema.Draft202012Validator(rules.schema()).validate(request)


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["provider", "uuid", "chBPe", "account"]) | st.text(), inner, max_size=6)
        ),
        max_leaves=12,
    )
)
def test_whatever_is_handed_in_is_checked_without_another_error(value):
    for one in (
        value,
        {"provider": "ns-bpe", "chBPe": value},
        {"provider": "solucion-factible", "uuid": value, "x": value},
    ):
        try:
            check(one, BOTH, now=NOW)
        except InvalidRequest as refused:
            found = refused.errors
        else:
            found = (FieldError("", "none"),)
        assert found


@given(raw=st.binary(max_size=64))
def test_whatever_bytes_are_read_without_another_error(raw):
    with pytest.raises(InvalidRequest):
        read(raw, BOTH, now=NOW)


def test_only_a_missing_event_time_is_for_the_ledger_to_fill_in():
    assert accepted().utc_offset_minutes == -180
    assert accepted(dhEvento="2026-03-01T09:00:00-03:00").utc_offset_minutes is None
    assert check(sf(), BOTH, now=NOW).utc_offset_minutes is None


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(rules.schema())


def test_five_minutes_are_the_tolerance():
    assert timedelta(minutes=5) == rules.CLOCK_TOLERANCE
