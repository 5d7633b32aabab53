"""A sender without a network: what would have been sent stays visible."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from worker.sender import Limits, NotReceived, Received, Sender, TooLate


@dataclass(frozen=True)
class Sent:
    """One request as the adapter gave it to the sender."""

    url: str
    headers: Mapping[str, str]
    content: bytes


class FakeSender(Sender):
    """Gives `answers` one after the other, the last one again and again."""

    def __init__(self, *answers: Received | NotReceived) -> None:
        super().__init__(Limits(1, 1, 1))
        self.answers = list(answers) or [Received(200)]
        self.sent: list[Sent] = []
        self.fetched: list[str] = []

    def post(
        self,
        url: str,
        *,
        content: bytes,
        headers: Mapping[str, str],
        ca_file: Path | None,
        may_send: Callable[[], bool],
    ) -> Received | NotReceived:
        if not may_send():
            raise TooLate
        self.sent.append(Sent(url, headers, content))
        return self._next()

    def get(self, url: str, *, ca_file: Path | None, total_s: float | None = None) -> Received | NotReceived:
        self.fetched.append(url)
        return self._next()

    def _next(self) -> Received | NotReceived:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
