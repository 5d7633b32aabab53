"""Requests into the ledger: admitted, or refused; from client and command line, or from stream and queue.

Every method lets the client library's errors through (`connect.UNAVAILABLE`).
"""

import time
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

from worker.ledger.admission import TOGETHER, Admission, Entry, Refused, arguments, grouped
from worker.ledger.encoding import json_text, rest_of
from worker.ledger.not_possible import NotPermitted, NotPossible, NotRemoved, record_damaged
from worker.ledger.reading import Reading
from worker.ledger.records import Admitted, text
from worker.ledger.replicas import Replicas
from worker.ledger.trouble import is_not_permitted, is_outage, is_outage_of_all, words

FREE_MEMORY_AT_LEAST = 0.1
"""Share of Redis' memory below which nothing more is admitted (docs/architecture.md)."""


ASK_MEMORY_AGAIN_S = 60.0
"""After a server has not told its memory, as a managed one may not."""


class LedgerFull(Exception):
    """Redis has too little memory left to admit more.

    Attributes:
        submission: As that of `Unavailable`: of many requests, some may have been admitted before.
    """

    submission: str | None = None


class Admitting(Reading):
    """The way into the ledger of one namespace.

    Attributes:
        sees_memory: Redis has told how much memory it has left, when it was last asked.
    """

    def __init__(self, redis: Redis, namespace: str, *, confirm_within_s: float | None) -> None:
        super().__init__(redis, namespace)
        self.sees_memory = True
        self._ask_memory_at = 0.0
        self._replicas = Replicas(self.key("meta"), confirm_within_s) if confirm_within_s else None

    def admit(
        self, admissions: Sequence[Admission], *, first_us: int | None = None
    ) -> list[Admitted | NotPossible | None]:
        """Admit requests, in one exchange; one result each.

        None where the stream or queue entry was taken in before; NotPossible where the job's record is damaged, or
        Redis refuses this one entry; NotRemoved where the entry could not be removed.

        Jobs are released and listed in the order of their admissions. `first_us`, a moment of Redis' clock in
        microseconds, gives the first a place in it other than now.

        Raises:
            LedgerFull: nothing was admitted.
            NotReplicated: a failover might forget it, and somebody waits to be told; a repeat changes nothing more.
        """
        self._refuse_when_full()
        pipeline = self.redis.pipeline(transaction=False)
        groups = list(grouped(admissions))
        for place, group in enumerate(groups):
            at_us = "" if first_us is None else first_us + place * TOGETHER
            self._scripts.call("admit", *arguments(group, at_us), pipeline=pipeline)
        # An entry and its job are replicated together or not at all, and nobody is told of it
        confirmed = self._replicas if any(one.entry is None for one in admissions) else None
        if confirmed:
            confirmed.wait(pipeline)
        replies = pipeline.execute(raise_on_error=False)
        answers = list(chain.from_iterable(map(_answers, groups, replies)))
        if confirmed:
            confirmed.check(replies)
        return answers

    def peek(
        self,
        places: Mapping[str, bytes],
        *,
        limit: int,
        longest_text: int,
        longest_key: int,
        longest_item: int,
        enough: int,
    ) -> list[Any]:
        """What is on the stream and on each list, oldest first, as the header of `lua/peek.lua` says.

        `places`: the stream, then the lists, with the entry of each to begin behind (b"": at its beginning).
        """
        sizes = (limit, longest_text, longest_key, longest_item, enough)
        flat = [part for place in places.items() for part in place]
        found: list[Any] = self._scripts.call("peek", *sizes, *flat)
        return found

    def refuse(
        self, entry: Entry, outcome: Mapping[str, Any], references: Sequence[str], *, submission: str = ""
    ) -> Refused:
        """Turn an invalid request on stream or queue into its outcome, unless it is a repeat.

        Raises:
            NotRemoved: the entry could not be removed; all else is done.
        """
        word, why_kept = self._scripts.call(
            "refuse",
            entry.source,
            entry.entry,
            entry.place,
            entry.refusal,
            submission,
            json_text(list(references)),
            rest_of(outcome),
            outcome["job"] or "",
            outcome["account"] or "",
        )
        if why_kept:
            raise NotRemoved(entry.place, text(why_kept))
        return Refused(text(word))

    def _refuse_when_full(self) -> None:
        """Where this user may not ask for the memory, admission goes on until Redis itself refuses."""
        if time.monotonic() < self._ask_memory_at:
            return
        try:
            memory = self.redis.info("memory")
        except ResponseError as error:
            if is_outage_of_all(error):
                raise
            memory = {}
        limit, used = _number(memory.get("maxmemory")), _number(memory.get("used_memory"))
        self.sees_memory = limit is not None and used is not None
        if limit is None or used is None:
            self._ask_memory_at = time.monotonic() + ASK_MEMORY_AGAIN_S
        elif limit and used > limit * (1 - FREE_MEMORY_AT_LEAST):
            message = "Redis has less than a tenth of its memory free: nothing is admitted until there is room"
            raise LedgerFull(message)


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _answers(group: Sequence[Admission], replies: Sequence[Any] | Exception) -> list[Admitted | NotPossible | None]:
    """One for each of the group, which is one alone where it is an entry: then its problem is no other's."""
    entry = group[0].entry
    if isinstance(replies, Exception):
        if entry is None or (is_outage(replies) and not is_not_permitted(replies)):
            raise replies
        if is_not_permitted(replies):
            return [NotPermitted(words(replies))]
        return [NotPossible(f"{group[0].job}: Redis refuses its admission ({words(replies)})")]
    if entry and len(replies) > len(group):
        return [NotRemoved(entry.place, text(replies[-1][1]))]
    return [_admitted(one, reply) for one, reply in zip(group, replies, strict=True)]


def _admitted(one: Admission, reply: Sequence[Any]) -> Admitted | NotPossible | None:
    if reply[0] == b"damaged":
        return record_damaged(one.job, text(reply[1]))
    return one.result(reply)
