"""Log format and redaction: structured lines, for people or machines, without the secrets in use."""

import logging
import re
import sys
from collections.abc import Callable, Collection, Mapping, MutableMapping
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

import structlog

from config.redaction import pattern
from config.settings import Settings

QUIET = ("amqp", "asyncio", "celery.bootsteps", "httpcore", "httpx", "kombu", "redis", "requests", "urllib3", "zeep")
"""Libraries whose DEBUG lines may carry envelopes, headers or commands: they never log below WARNING."""

SAID_BY_US = ("celery.app.trace", "celery.worker.strategy")
"""Celery's lines for every task; ours say the same with more in them."""

HIDDEN = "[hidden]"


def configure(settings: Settings, secrets: Callable[[], Collection[str]] = tuple, *, file: Path | None = None) -> None:
    """Send structlog's and the standard library's lines to standard error, or to `file`.

    `secrets` gives what must not appear; it is asked once for every line, and has to be quick. A file that was renamed
    is opened anew, as logrotate wants it.
    """
    redaction = _Redaction(secrets)
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
    render: structlog.typing.Processor = structlog.processors.JSONRenderer() if as_json else _for_people(file)
    exceptions: list[structlog.typing.Processor] = [structlog.processors.format_exc_info] if as_json else []
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            lambda _logger, _name, event: {key: redaction.hidden(value) for key, value in event.items()},
            _flat,
            *exceptions,
            render,
        ],
    )
    handler = WatchedFileHandler(file, encoding="utf-8") if file else logging.StreamHandler()
    handler.setFormatter(_Redacting(formatter, redaction))
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    for name in (*QUIET, *SAID_BY_US):
        logging.getLogger(name).setLevel(logging.WARNING)


def goes_to_file() -> bool:
    """Whether lines go to a file instead of standard error."""
    return any(isinstance(handler, WatchedFileHandler) for handler in logging.getLogger().handlers)


def _for_people(file: Path | None) -> structlog.typing.Processor:
    """Tracebacks without local variables: rich would print them, secrets included, broken over lines."""
    in_colours = file is None and sys.stderr.isatty()
    return structlog.dev.ConsoleRenderer(colors=in_colours, exception_formatter=structlog.dev.plain_traceback)


def _flat(_logger: object, _name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """No value can start a line of its own: what comes from outside must not write log lines."""
    return {key: _one_line(value) if key != "exc_info" else value for key, value in event.items()}


def _one_line(value: object) -> object:
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in value)


class _Redaction:
    """Hides the secrets. They are compiled into one pattern, anew only when there is another one."""

    def __init__(self, secrets: Callable[[], Collection[str]]) -> None:
        self._secrets = secrets
        self._known: Collection[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None

    def look_up(self) -> None:
        """Ask for the secrets that there are now."""
        known = frozenset(self._secrets())
        if known != self._known:
            self._pattern = pattern(known)
            self._known = known

    def hidden(self, value: object) -> object:
        """A text without the secrets; anything else as it is, until it is part of a line."""
        if self._pattern is None or not isinstance(value, str):
            return value
        return self._pattern.sub(HIDDEN, value)


class _Redacting(logging.Formatter):
    """The last look at a line, tracebacks included; values were looked at before they were written twice over."""

    def __init__(self, inner: logging.Formatter, redaction: _Redaction) -> None:
        super().__init__()
        self._inner = inner
        self._redaction = redaction

    def format(self, record: logging.LogRecord) -> str:
        # The handler's lock is held: what is looked up here is still in force for the values
        self._redaction.look_up()
        return str(self._redaction.hidden(self._inner.format(record)))
