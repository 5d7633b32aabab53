"""Reading outcomes as they come: on from an id, as a consumer of a group, or those of certain submissions."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from redis.exceptions import RedisError

from worker.awaited import Awaited
from worker.ledger.ledger import Ledger
from worker.ledger.listing import LastRun, last_runs
from worker.ledger.outcome_stream import OutcomeStream, Page, Published
from worker.ledger.records import OPEN_STATES
from worker.ledger.trouble import is_group_gone
from worker.unavailable import NEVER, answered

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Member:
    """One consumer of a group.

    Attributes:
        since: The outcome after which the group begins, where it is new.
        take_over_after_s: What another consumer was given longer ago and has not handled is taken over; so handling
            one outcome must never take longer.
    """

    group: str
    consumer: str
    take_over_after_s: float
    since: str


@dataclass(frozen=True, slots=True)
class OutcomeReader:
    """Reads the outcomes of one namespace.

    Attributes:
        url: Where Redis should be, for the message when it is not there.
        block_s: Longest time of one waiting read; shorter than the connection's own limit.
        tries_s: How long an outage is waited out where nothing is followed.
    """

    ledger: Ledger
    url: str
    block_s: float
    tries_s: float

    @property
    def stream(self) -> OutcomeStream:
        """The stream itself."""
        return OutcomeStream(self.ledger)

    def read(self, since: str, *, follow: bool) -> Iterator[Published]:
        """The outcomes after `since`, and with `follow` those still to come, without end.

        Raises:
            Unavailable: without `follow`; with it an outage is waited out.
        """
        stream, position = self.stream, since
        block_ms = _ms(self.block_s) if follow else None
        while True:
            page = self._ask(partial(stream.after, position, block_ms=block_ms), follow=follow)
            yield from page.outcomes
            position = page.last_id
            if not page and not follow:
                return

    def consume(self, member: Member, *, follow: bool) -> Iterator[Published]:
        """The outcomes that fall to one consumer of a group: first what it was given before, then new ones.

        An outcome is acknowledged when the caller comes back for the next one. Whoever stops in between, or dies, is
        given it again, or leaves it to another consumer.

        A group that is gone is made anew, to begin after `since`.

        Raises:
            Unavailable: without `follow`; with it an outage is waited out.
        """
        take_over_at = time.monotonic()
        while True:
            if time.monotonic() >= take_over_at:
                self._ask_group(member, partial(self._take_over, member), follow=follow)
                take_over_at = time.monotonic() + member.take_over_after_s / 2
            page = self._ask_group(member, partial(self._next_page, member, follow=follow), follow=follow)
            yield from self._handled(page, member, follow=follow)
            if not page and not follow:
                return

    def _handled(self, page: Page, member: Member, *, follow: bool) -> Iterator[Published]:
        """A page's outcomes, each acknowledged after the caller has come back.

        The rest of a page that has aged is left: it is read again, so that nobody takes over what is being handled.
        """
        acknowledge, stale_at = self.stream.acknowledge, time.monotonic() + member.take_over_after_s / 2
        self._ask(partial(acknowledge, member.group, *page.others), follow=follow)
        for one in page.outcomes:
            if time.monotonic() >= stale_at:
                return
            yield one
            self._ask(partial(acknowledge, member.group, one.id), follow=follow)

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
            Unavailable: Redis is away at the end of `limit_s`; without a limit an outage is waited out.
        """
        end_at = NEVER if limit_s is None else time.monotonic() + limit_s
        give_up_at = max(end_at, time.monotonic() + self.tries_s)
        position = since
        while missing:
            page = self._ask(partial(self.stream.after, position), give_up_at=give_up_at)
            yield from _found(page, missing)
            position = page.last_id
            if not page:
                break
        yield from self._ended_before(missing, give_up_at=give_up_at)
        while missing and (left_s := end_at - time.monotonic()) > 0:
            block_ms = max(1, _ms(min(left_s, self.block_s)))
            page = self._ask(partial(self.stream.after, position, block_ms=block_ms), give_up_at=give_up_at)
            yield from _found(page, missing)
            position = page.last_id

    def _ended_before(self, missing: Awaited, *, give_up_at: float) -> Iterator[Published]:
        """Outcomes of runs that were over before the stream was read; a run that is history is dropped."""
        for runs in missing.pages():
            found = self._ask(partial(self._last_runs, [job for job, _ in runs]), give_up_at=give_up_at)
            ended = list[str]()
            for (job, run), last in zip(runs, found, strict=True):
                is_same_run = last.run == run
                if is_same_run and last.state in OPEN_STATES:
                    continue
                missing.settle(job, run)
                if is_same_run and last.outcome_id:
                    ended.append(last.outcome_id)
            yield from self._ask(partial(self.stream.at_each, ended), give_up_at=give_up_at)

    def _last_runs(self, jobs: Sequence[str]) -> list[LastRun]:
        return list(last_runs(self.ledger, jobs))

    def _ask_group(self, member: Member, question: Callable[[], T], *, follow: bool) -> T:
        """As `_ask`; a group that is gone is made anew, where this user of Redis may do that."""

        def ask() -> T:
            try:
                return question()
            except RedisError as problem:
                if not is_group_gone(problem):
                    raise
            self.stream.found_group(member.group, member.since)
            answer = question()
            log.warning("the group %s was gone, and is made anew: it begins after %s", member.group, member.since)
            return answer

        return self._ask(ask, follow=follow)

    def _ask(self, question: Callable[[], T], *, follow: bool = False, give_up_at: float | None = None) -> T:
        """The answer of Redis; an outage is waited out until `give_up_at`: without end, or for a while."""
        if give_up_at is None:
            give_up_at = NEVER if follow else time.monotonic() + self.tries_s
        return answered(question, url=self.url, give_up_at=give_up_at, connect_anew=self.ledger.connect_anew)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _found(page: Page, missing: Awaited) -> Iterator[Published]:
    return (outcome for outcome in page.outcomes if missing.settle(outcome["job"], outcome["run"]))
