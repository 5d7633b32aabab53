"""The demo's way: submit the examples, follow them to their outcomes, revoke what cannot end by itself."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from worker.client import Client, Submission
from worker.demo.examples import Examples, Expected
from worker.demo.verdicts import Seen, answers_in

OUTCOMES_WITHIN_S = 40.0
WAITING_WITHIN_S = 15.0
_LOOK_EVERY_S = 0.5


class TooSlow(Exception):
    """What should have come has not; the message names it."""


@dataclass(slots=True)
class Tour:
    """One visit: `look_after` is called again and again, and raises where something has gone wrong with the stage."""

    client: Client
    examples: Examples
    look_after: Callable[[], None]
    submissions: Sequence[Submission] = ()
    _since: str = "0-0"
    _outcomes: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def submit(self) -> None:
        """Hand in every example."""
        self._since = self.client.last_id()
        self.submissions = self.client.submit_many(self.examples.requests)

    @property
    def ending(self) -> list[Submission]:
        """Those that come to an end by themselves."""
        return [one for one in self.submissions if not self.expected(one.job).waits]

    @property
    def waiting(self) -> list[Submission]:
        """Those that wait until somebody revokes them."""
        return [one for one in self.submissions if self.expected(one.job).waits]

    def expected(self, job: str) -> Expected:
        """What is expected of a job."""
        return self.examples.expected[job.partition(":")[2]]

    def follow(self, submissions: Sequence[Submission]) -> Iterator[Mapping[str, Any]]:
        """The outcomes of these jobs as they come.

        Raises:
            TooSlow: one has not come in time.
        """
        end_at = time.monotonic() + OUTCOMES_WITHIN_S
        while missing := [one for one in submissions if one.job not in self._outcomes]:
            self.look_after()
            if time.monotonic() > end_at:
                raise TooSlow(f"no outcome after {OUTCOMES_WITHIN_S:g} s: {', '.join(one.job for one in missing)}")
            for outcome in self.client.outcomes_of(missing, since=self._since, limit_s=_LOOK_EVERY_S):
                self._outcomes[outcome["job"]] = outcome
                yield outcome

    def until_they_wait(self) -> None:
        """Wait until each of those that do not end has got the answer that it waits for.

        Raises:
            TooSlow: one has not.
        """
        end_at = time.monotonic() + WAITING_WITHIN_S
        while late := [one.job for one in self.waiting if not self._waits(one.job)]:
            self.look_after()
            if time.monotonic() > end_at:
                raise TooSlow(f"not waiting after {WAITING_WITHIN_S:g} s: {', '.join(late)}")
            time.sleep(_LOOK_EVERY_S / 5)

    def _waits(self, job: str) -> bool:
        record = self.client.status(job)
        return record is not None and record.state == "waiting" and record.code == self.expected(job).shows[-1]

    def seen(self) -> list[Seen]:
        """Every outcome with what was expected, in the order of the submissions."""
        return [self._seen(one.job) for one in self.submissions]

    def _seen(self, job: str) -> Seen:
        record = self.client.status(job)
        return Seen(self.expected(job), self._outcomes[job], answers_in(record.history if record else ()))
