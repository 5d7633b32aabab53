"""Log format and redaction: structured lines, for people or machines, without the secrets in use."""

import base64
import json
import logging
import sys
from collections.abc import Callable, Collection, Mapping, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import structlog

from config.settings import Settings

QUIET = ("amqp", "asyncio", "celery.bootsteps", "httpcore", "httpx", "kombu", "redis", "requests", "urllib3", "zeep")
"""Libraries whose DEBUG lines may carry envelopes, headers or commands: they never log below WARNING."""

SAID_BY_US = ("celery.app.trace", "celery.worker.strategy")
"""Celery's lines for every task; ours say the same with more in them."""

HIDDEN = "[hidden]"


def configure(settings: Settings, secrets: Callable[[], Collection[str]] = tuple) -> None:
    """Send structlog's and the standard library's lines to standard error; `secrets` gives what must not appear."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    as_json = settings.log_format == "json"
    render: structlog.typing.Processor = structlog.processors.JSONRenderer() if as_json else _for_people()
    exceptions: list[structlog.typing.Processor] = [structlog.processors.format_exc_info] if as_json else []
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            lambda _logger, _name, event: {key: _hidden(value, secrets()) for key, value in event.items()},
            _flat,
            *exceptions,
            render,
        ],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(_Redacting(formatter, secrets))
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    for name in (*QUIET, *SAID_BY_US):
        logging.getLogger(name).setLevel(logging.WARNING)


def _for_people() -> structlog.typing.Processor:
    """Tracebacks without local variables: rich would print them, secrets included, broken over lines."""
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)


def _flat(_logger: object, _name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """No value can start a line of its own: what comes from outside must not write log lines."""
    return {key: _one_line(value) if key != "exc_info" else value for key, value in event.items()}


def _one_line(value: object) -> object:
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in value)


class _Redacting(logging.Formatter):
    """The last look at a line, tracebacks included; values were looked at before they were written twice over."""

    def __init__(self, inner: logging.Formatter, secrets: Callable[[], Collection[str]]) -> None:
        super().__init__()
        self._inner = inner
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return str(_hidden(self._inner.format(record), self._secrets()))


def _hidden(value: object, secrets: Collection[str]) -> object:
    """A text without the secrets; anything else as it is, until it is part of a line."""
    if not isinstance(value, str):
        return value
    for secret in secrets:
        for form in forms(secret):
            value = value.replace(form, HIDDEN)
    return value


@lru_cache
def forms(secret: str) -> tuple[str, ...]:
    """How a secret may stand in a text: as it is, and as JSON, Python, XML, URLs and base64 write it; longest first."""
    written = {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        escape(secret),
        escape(secret, {'"': "&quot;", "'": "&apos;"}),
        quote(secret),
        quote(secret, safe=""),
        base64.b64encode(secret.encode()).decode(),
    }
    return tuple(sorted(written, key=len, reverse=True))
