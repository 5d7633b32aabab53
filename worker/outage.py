"""What Redis refuses this process, logged in one line when it begins or changes and in one when it is over."""

import threading

import structlog

from worker.ledger import trouble
from worker.ledger.trouble import Kind

log = structlog.get_logger(__name__)


class Outage:
    """What is refused now, and to which parts of this process; its threads share one.

    What one part has told of already is no news from another one, and Redis is back when it is so for all of them.
    """

    def __init__(self) -> None:
        self._told: dict[str, str] = {}
        self._lock = threading.Lock()

    def note(self, part: str, error: BaseException) -> None:
        """`part` was refused."""
        error = trouble.cause(error)
        news = _news(error)
        with self._lock:
            is_news = news not in self._told.values()
            self._told[part] = news
        if is_news:
            word = trouble.code(error)
            log.warning(_event(error), part=part, word=word, problem=trouble.said(error), remedy=trouble.remedy(error))

    def over(self, part: str) -> None:
        """`part` works."""
        if part not in self._told:
            return
        with self._lock:
            is_over = self._told.pop(part, None) is not None and not self._told
        if is_over:
            log.info("redis_back")


def _event(error: BaseException) -> str:
    if trouble.is_full(error):
        return "redis_full"
    return "redis_refuses" if trouble.code(error) else "redis_away"


def _news(error: BaseException) -> str:
    """What must change to be worth another line: in an outage the client library's words differ from try to try."""
    kind = trouble.kind(error)
    if kind in (Kind.AWAY, Kind.FULL):
        return str(kind)
    return str(trouble.code(error)) if kind is Kind.REFUSES else f"{trouble.code(error)} {trouble.said(error)}"
