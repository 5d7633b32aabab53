"""How a Celery worker process shows itself: under a name of its own, and with every line in the format asked for."""

import json
import logging
import os
import sys
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, NoReturn

import structlog
from celery.apps import worker as celery_worker
from celery.utils.nodenames import default_nodename, gethostname, nodename

log = structlog.get_logger(__name__)


def name_by_itself(worker: Any) -> None:
    """Give a worker that was started without `--hostname` a name that no other worker of its machine has.

    Celery's own default is the same for all of them, and they would answer to each other's name.
    """
    if worker.hostname == default_nodename(None):
        worker.hostname = nodename(f"worker-{os.getpid()}", gethostname())


def keep_to_json(worker: Any) -> None:
    """Keep whatever is not logged from being written as plain text: the banner, last words, tracebacks."""
    worker.quiet = True
    celery_worker.safe_say = _say_as_json
    sys.excepthook = _log_crash


def route_warnings() -> None:
    """Log Python's warnings, such as Celery's about running as root."""
    logging.captureWarnings(capture=True)


def leave(problem: object, *, as_json: bool) -> NoReturn:
    """End the process before it has begun its work: one line says why.

    Raises:
        SystemExit: always; status 1.
    """
    sys.exit(last_words(problem, as_json=as_json))


def last_words(problem: object, *, as_json: bool) -> str:
    """The one line of a worker that cannot work here."""
    return _line("not_started", "critical", problem=str(problem)) if as_json else f"anula: {problem}"


def _say_as_json(message: str, _file: object = None) -> None:
    """As Celery's `safe_say`, which is called by signal handlers: it must not log, since the log may be in use."""
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"{_line(message, 'info')}\n".encode())


def _log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log.critical("crashed", exc_info=(kind, error, trace))


def _line(event: str, level: str, **fields: str) -> str:
    """A line as `config.logs` would write it."""
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({**fields, "event": event, "level": level, "timestamp": at}, ensure_ascii=False)
