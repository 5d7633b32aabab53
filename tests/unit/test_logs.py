"""The last look at a log line: no secret in it, in whichever writing; no traceback with values in it."""

import base64
import io
import json
import logging
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
import structlog

from config import accounts as accounts_file
from config import logs
from config.settings import Settings
from worker.bootstrap import build

SECRET = "x&y<\"ñ\\z'/+ %"


@pytest.fixture
def configured(monkeypatch):
    """Configures logging for a test, and gives what is written then."""
    root, before = logging.getLogger(), list(logging.getLogger().handlers)
    level = root.level
    stream = io.StringIO()

    def configure(secrets, log_format="json"):
        monkeypatch.setattr("sys.stderr", stream)
        logs.configure(Settings(log_level="DEBUG", log_format=log_format), secrets)
        return stream

    yield configure
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(params=["text", "json"])
def written(request, configured):
    return configured(lambda: [SECRET], request.param)


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET),
        repr(SECRET),
        escape(SECRET),
        escape(SECRET, {'"': "&quot;", "'": "&apos;"}),
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_hidden_in_every_writing(written, form):
    logging.getLogger("some.library").warning("sent %s", form)
    structlog.get_logger().info("ours", value=form)

    lines = written.getvalue()
    assert lines.count(logs.HIDDEN) >= 2
    for hidden in (form, form.strip("\"'")):
        assert hidden not in lines


@pytest.mark.parametrize(
    "forged", ["a\nforged", "a\r\nforged", "a\u2028forged", "a\x85forged", "a\x1b[2Kforged", "\0forged"]
)
def test_a_value_from_outside_begins_no_line_and_steers_no_terminal(written, forged):
    logging.getLogger("some.library").warning("read %s", forged)
    structlog.get_logger().info("ours", value=forged)
    structlog.get_logger().info(forged)

    text = written.getvalue()
    lines = text.splitlines()
    assert len(lines) == 3
    assert not any(line.lstrip().startswith("forged") for line in lines)
    assert all(character == "\n" or character.isprintable() for character in text)


def test_a_traceback_holds_no_values(written):
    def fails(secret_part):
        raise KeyError("why")

    try:
        fails("part-of-a-secret")
    except KeyError:
        structlog.get_logger().exception("went_wrong")

    lines = written.getvalue()
    assert "KeyError" in lines
    assert "fails(" in lines
    assert lines.count("part-of-a-secret") == lines.count('fails("part-of-a-secret")') + lines.count(
        'fails(\\"part-of-a-secret\\")'
    )


def test_the_secrets_are_asked_for_once_a_line(configured):
    asked = []

    def secrets():
        asked.append("asked")
        return [SECRET]

    configured(secrets)

    structlog.get_logger().info("ours", job="x", run=1, account="a", code="135")

    assert asked == ["asked"]


def test_of_two_secrets_the_longer_is_hidden_whole(configured):
    stream = configured(lambda: ["abcdef", "abcdefghi", ""])

    structlog.get_logger().info("ours", value="1-abcdefghi-2")

    assert f"1-{logs.HIDDEN}-2" in stream.getvalue()


@pytest.mark.parametrize(
    "secret, line", [("t", "not a t here"), ("1234567", "code 12345678, not 1234567"), ("é!", "an é!")]
)
def test_a_short_secret_is_hidden_where_it_is_a_whole_word_and_nowhere_else(configured, secret, line):
    stream = configured(lambda: [secret, "a-longer-secret"], "json")

    structlog.get_logger().info("outcome", said=line, other="xa-longer-secretx")

    (written,) = map(json.loads, stream.getvalue().splitlines())
    assert written["event"] == "outcome"
    assert written["said"] == f"{line[: line.rindex(secret)]}{logs.HIDDEN}{line[line.rindex(secret) + len(secret) :]}"
    assert written["other"] == f"x{logs.HIDDEN}x"


def test_a_secret_of_eight_characters_is_hidden_within_a_word(configured):
    stream = configured(lambda: ["12345678"], "json")

    structlog.get_logger().info("outcome", said="0123456789")

    assert json.loads(stream.getvalue())["said"] == f"0{logs.HIDDEN}9"


@pytest.fixture
def parts(tmp_path):
    path = tmp_path / "accounts.toml"
    path.write_text(
        f"""
[accounts.norte]
provider = "ns-bpe"
environment = "test"
token_file = "{tmp_path / "token"}"
utc_offset = "-03:00"
"""
    )
    (tmp_path / "token").write_text("first-token\n")
    return build(Settings(), accounts_file.load(path), {})


def test_a_secret_that_was_changed_is_hidden_from_its_first_use_on(configured, parts, tmp_path):
    stream = configured(parts.secrets)
    structlog.get_logger().info("before", value="first-token")
    (tmp_path / "token").write_text("second-token\n")

    parts.accounts.by_name["norte"].secret_source.read({})
    structlog.get_logger().info("after", value="first-token second-token")

    assert "first-token" not in stream.getvalue()
    assert "second-token" not in stream.getvalue()


def test_a_line_opens_no_file(configured, parts, tmp_path):
    stream = configured(parts.secrets)
    structlog.get_logger().info("first")
    (tmp_path / "token").unlink()

    structlog.get_logger().info("second", value="first-token")

    assert "first-token" not in stream.getvalue()
