"""Log format and redaction: structured lines, for people or machines, without the secrets in use."""

import logging
import sys
from collections.abc import Callable, Collection, Mapping, MutableMapping
from typing import Any

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
    render: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    exceptions: list[structlog.typing.Processor] = [structlog.processors.format_exc_info] if as_json else []
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _flat, *exceptions, render],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(_Redacting(formatter, secrets))
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    for name in (*QUIET, *SAID_BY_US):
        logging.getLogger(name).setLevel(logging.WARNING)


def _flat(_logger: object, _name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """No value can start a line of its own: what comes from outside must not write log lines."""
    return {key: _one_line(value) if key != "exc_info" else value for key, value in event.items()}


def _one_line(value: object) -> object:
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in value)


class _Redacting(logging.Formatter):
    """The last look at a line, tracebacks included."""

    def __init__(self, inner: logging.Formatter, secrets: Callable[[], Collection[str]]) -> None:
        super().__init__()
        self._inner = inner
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        line = self._inner.format(record)
        for secret in self._secrets():
            line = line.replace(secret, HIDDEN)
        return line
