"""What of a provider's words may be passed on."""

import base64
import html
import json
import quopri
import re
from functools import partial
from urllib.parse import quote

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


def within_base64(secret: str, *, before: int) -> str:
    return base64.b64encode(b"u" * before + secret.encode() + b"!").decode()


LONG_SECRET = 'a&b+"c"/ñ= €x'
ESCAPES = {
    "JSON twice": lambda secret: json.dumps(json.dumps(secret)),
    "JSON as PHP writes it": lambda secret: json.dumps(secret).replace("/", r"\/"),
    "JSON, every character": lambda secret: "".join(f"\\u{ord(char):04X}" for char in secret),
    "XML twice": lambda secret: html.escape(html.escape(secret)),
    "XML, every character": lambda secret: "".join(f"&#{ord(char)};" for char in secret),
    "an address, lower case": lambda secret: quote(secret, safe="").lower(),
    "quoted-printable": lambda secret: quopri.encodestring(secret.encode()).decode(),
    "capitals": lambda secret: secret.upper(),
    "one character a line": "\n".join,
    "UTF-8 read as Latin-1": lambda secret: secret.encode().decode("latin-1"),
    **{f"within base64, {before} bytes before": partial(within_base64, before=before) for before in range(4)},
    "within base64 in lines": lambda secret: base64.encodebytes(b"u" * 50 + secret.encode() + b"u" * 99).decode(),
}


@pytest.mark.parametrize("echo", ESCAPES.values(), ids=ESCAPES)
@pytest.mark.parametrize("secret", [LONG_SECRET, "s3cret-of-the-tests"])
def test_words_that_show_the_secret_in_any_other_form_are_withheld(secret, echo):
    message = quoting.message(f"<a>refused: {echo(secret)}</a>", secret=secret)

    assert message == quoting.WITHHELD or re.fullmatch(r'<a>refused: [\\"]*…[\\"]*</a>', message or "")


def test_a_secret_at_the_limit_of_a_message_is_not_shown_in_part():
    secret = "0123456789" * 4
    for blanks in range(0, 4_100, 7):
        text = "y" * 5 + " " * blanks + secret * 3

        assert "012" not in (quoting.message(text, secret=secret, length=1_000) or "")


def test_no_words_keep_anybody_waiting():
    secrets = ("a" * 100, "a" + " " * 50 + "b", "\\" * 50 + "b", "&" * 50 + "b", "=" * 50 + "b", "%" * 50)
    texts = ("a", " ", "\\", "&amp;", "%61", "=\n", "a+ ", "\\u0061", "&#97;")
    for secret in secrets:
        for text in texts:
            assert len(quoting.message(text * 100_000, secret=secret) or "") <= quoting.MESSAGE_LENGTH


@pytest.mark.parametrize(
    ("secret", "text", "told"),
    [
        ("u", "the user is locked", "the user is locked"),
        ("user", "the user is locked, superuser", "the … is locked, superuser"),
        ("a&b", "<p>a&amp;b</p>", "<p>…</p>"),
        ("1234567", "12345678 1234567", "12345678 …"),
        ("12345678", "0123456789", "0…9"),
    ],
)
def test_a_short_secret_is_hidden_only_as_a_whole_word(secret, text, told):
    assert quoting.message(text, secret=secret) == told


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None), min_size=4))
def test_whatever_comes_can_be_stored_and_shown(text, secret):
    message, code = quoting.message(text, secret=secret), quoting.code(text)

    for quoted, length in ((message, quoting.MESSAGE_LENGTH), (code, quoting.CODE_LENGTH)):
        if quoted is not None:
            assert 0 < len(quoted) <= length
            assert quoted.isprintable()
            quoted.encode("utf-8")
