"""The last look at a log line: no secret in it, in whichever writing; no traceback with values in it."""

import base64
import io
import json
import logging
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
import structlog

from config import logs
from config.settings import Settings

SECRET = "x&y<\"ñ\\z'/+ %"


@pytest.fixture(params=["text", "json"])
def written(request, monkeypatch):
    root, before = logging.getLogger(), list(logging.getLogger().handlers)
    level = root.level
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    logs.configure(Settings(log_level="DEBUG", log_format=request.param), lambda: [SECRET])
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


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
