"""What of a provider's words may be passed on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.providers import quoting


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("Rejeição: ok", "Rejeição: ok"),
        ("two\r\nlines\tand\x00\x1b[31mmore", "two lines and [31mmore"),
        ("  ", None),
        ("\x00", None),
        ("", None),
        (None, None),
        ("a" * 1_000, "a" * 1_000),
        ("a" * 1_001, "a" * 999 + "…"),
        ("password is s3cret!", "password is …!"),
    ],
)
def test_a_message_is_one_bounded_line_without_the_secret(text, quoted):
    assert quoting.message(text, secret="s3cret") == quoted


@pytest.mark.parametrize(
    "echo",
    [
        "{}",
        "&lt;password>a&amp;b &quot;c&quot;/ñ&lt;/password>",
        "a%26b+%22c%22%2F%C3%B1",
        "YSZiICJjIi/DsQ==",
        r'{{"p":"a&b \"c\"/\u00f1"}}',
    ],
)
def test_a_secret_is_hidden_however_the_provider_echoes_it(echo):
    secret = 'a&b "c"/ñ'

    message = quoting.message(f"refused: {echo.format(secret)}", secret=secret)

    assert message is not None
    assert message.startswith("refused: ")
    assert "…" in message


def test_a_tiny_secret_does_not_blot_out_the_message():
    assert quoting.message("the user is locked", secret="u") == "the user is locked"


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None), min_size=4))
def test_whatever_comes_can_be_stored_and_shown(text, secret):
    message, code = quoting.message(text, secret=secret), quoting.code(text)

    for quoted, length in ((message, quoting.MESSAGE_LENGTH), (code, quoting.CODE_LENGTH)):
        if quoted is not None:
            assert 0 < len(quoted) <= length
            assert quoted.isprintable()
            quoted.encode("utf-8")
