"""Reading outcomes as they come: on from an id, as a consumer of a group, or those of certain submissions."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from worker.awaited import Awaited
from worker.ledger.ledger import Ledger
from worker.ledger.listing import LastRun, last_runs
from worker.ledger.outcome_stream import OutcomeStream, Page, Published
from worker.ledger.records import OPEN_STATES
from worker.unavailable import Unavailable, translated

PAUSES_S = (0.1, 0.5, 1.0, 2.0)
"""Between two tries while Redis is away; the last one again and again."""
_AT_ONCE, _NEVER = 0.0, float("inf")

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Member:
    """One consumer of a group.

    Attributes:
        take_over_after_s: What another consumer was given longer ago and has not handled is taken over; so handling
            one outcome must never take longer.
    """

    group: str
    consumer: str
    take_over_after_s: float


@dataclass(frozen=True, slots=True)
class OutcomeReader:
    """Reads the outcomes of one namespace.

    Attributes:
        url: Where Redis should be, for the message when it is not there.
        block_s: Longest time of one waiting read; shorter than the connection's own limit.
    """

    ledger: Ledger
    url: str
    block_s: float

    @property
    def stream(self) -> OutcomeStream:
        """The stream itself."""
        return OutcomeStream(self.ledger)

    def read(self, since: str, *, follow: bool) -> Iterator[Published]:
        """The outcomes after `since`, and with `follow` those still to come, without end.

        The first read does not wait, so that Redis is known to be there before the first that does.

        Raises:
            Unavailable: at the first read, or without `follow`; a later outage is waited out.
        """
        stream, position, give_up_at, block_ms = self.stream, since, _AT_ONCE, None
        while True:
            page = self._ask(partial(stream.after, position, block_ms=block_ms), give_up_at=give_up_at)
            if follow:
                give_up_at, block_ms = _NEVER, _ms(self.block_s)
            yield from page.outcomes
            position = page.last_id
            if not page and not follow:
                return

    def consume(self, member: Member, *, follow: bool) -> Iterator[Published]:
        """The outcomes that fall to one consumer of a group: first what it was given before, then new ones.

        An outcome is acknowledged when the caller comes back for the next one. Whoever stops in between, or dies, is
        given it again, or leaves it to another consumer.

        Raises:
            Unavailable: at the first read, or without `follow`; a later outage is waited out.
        """
        give_up_at = _AT_ONCE
        take_over_at = time.monotonic()
        while True:
            if time.monotonic() >= take_over_at:
                self._ask(partial(self._take_over, member), give_up_at=give_up_at)
                give_up_at = _NEVER if follow else _AT_ONCE
                take_over_at = time.monotonic() + member.take_over_after_s / 2
            page = self._ask(partial(self._next_page, member, follow=follow), give_up_at=give_up_at)
            yield from self._handled(page, member, give_up_at=give_up_at)
            if not page and not follow:
                return

    def _handled(self, page: Page, member: Member, *, give_up_at: float) -> Iterator[Published]:
        """A page's outcomes, each acknowledged after the caller has come back.

        The rest of a page that has aged is left: it is read again, so that nobody takes over what is being handled.
        """
        acknowledge, stale_at = self.stream.acknowledge, time.monotonic() + member.take_over_after_s / 2
        self._ask(partial(acknowledge, member.group, *page.others), give_up_at=give_up_at)
        for one in page.outcomes:
            if time.monotonic() >= stale_at:
                return
            yield one
            self._ask(partial(acknowledge, member.group, one.id), give_up_at=give_up_at)

    def _next_page(self, member: Member, *, follow: bool) -> Page:
        """What was given before comes first; it is asked for again at the end, because an answer may be lost."""
        given_before = partial(self.stream.given_before, member.group, member.consumer)
        block_ms = _ms(self.block_s) if follow else None
        return given_before() or self.stream.give(member.group, member.consumer, block_ms=block_ms) or given_before()

    def _take_over(self, member: Member) -> None:
        self.stream.take_over(member.group, member.consumer, idle_ms=_ms(member.take_over_after_s))

    def of_runs(self, missing: Awaited, *, since: str, limit_s: float | None) -> Iterator[Published]:
        """The outcome of each run, in the order in which they end; it stops when all have one or the time is up.

        `since` is a place in the stream before the submissions. A run that ended before it, and has been followed by
        another, is left out.

        Raises:
            Unavailable: Redis is away at the beginning, or at the end of `limit_s`.
        """
        end_at = _NEVER if limit_s is None else time.monotonic() + limit_s
        position = since
        while missing:
            page = self._ask(partial(self.stream.after, position), give_up_at=_AT_ONCE)
            yield from _found(page, missing)
            position = page.last_id
            if not page:
                break
        yield from self._ended_before(missing)
        while missing and (left_s := end_at - time.monotonic()) > 0:
            block_ms = max(1, _ms(min(left_s, self.block_s)))
            page = self._ask(partial(self.stream.after, position, block_ms=block_ms), give_up_at=end_at)
            yield from _found(page, missing)
            position = page.last_id

    def _ended_before(self, missing: Awaited) -> Iterator[Published]:
        """Outcomes of runs that were over before the stream was read; a run that is history is dropped."""
        for runs in missing.pages():
            found = self._ask(partial(self._last_runs, [job for job, _ in runs]), give_up_at=_AT_ONCE)
            ended = list[str]()
            for (job, run), last in zip(runs, found, strict=True):
                is_same_run = last.run == run
                if is_same_run and last.state in OPEN_STATES:
                    continue
                missing.settle(job, run)
                if is_same_run and last.outcome_id:
                    ended.append(last.outcome_id)
            yield from self._ask(partial(self.stream.at_each, ended), give_up_at=_AT_ONCE)

    def _last_runs(self, jobs: Sequence[str]) -> list[LastRun]:
        return list(last_runs(self.ledger, jobs))

    def _ask(self, question: Callable[[], T], *, give_up_at: float) -> T:
        """The answer of Redis; until `give_up_at` (on the monotonic clock) an outage is waited out."""
        tries = 0
        while True:
            try:
                with translated(self.url):
                    answer = question()
            except Unavailable as problem:
                if not problem.passes or time.monotonic() >= give_up_at:
                    raise
                if tries == 0:
                    log.warning("%s; waiting for it", problem)
                time.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])
                tries += 1
            else:
                if tries:
                    log.warning("Redis is back")
                return answer


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _found(page: Page, missing: Awaited) -> Iterator[Published]:
    return (outcome for outcome in page.outcomes if missing.settle(outcome["job"], outcome["run"]))
