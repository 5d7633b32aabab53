"""The load: which documents are asked for, when, by which way in and how often. Drawn from a seed, nothing sent yet."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from tests.support.sandbox import N_PROT, X_JUST
from worker.sandbox.numbers import sandbox_chbpe, sandbox_uuid

SF_ACCOUNTS = ("norte", "sur")
BPE_ACCOUNTS = ("rodoviaria", "litoral")
ACCOUNTS = SF_ACCOUNTS + BPE_ACCOUNTS

# Behaviour, for how many calls (0: all), weight. Left out: what pauses an account for longer than a run lasts
# (109: 15 minutes, 635: 5 minutes), what only fills memory (huge, gzip-bomb), and evidence that the sandbox breaks on
# its way (broken-acuse); tests/contract has them all.
_SF = (
    ("200", 0, 60), ("204", 0, 4), ("213", 0, 3), ("611", 0, 1), ("623", 0, 1), ("211", 0, 5), ("211-then-213", 0, 2),
    ("211-then-204", 0, 2), ("211-for-ever", 0, 0.3), ("500", 1, 2), ("500", 3, 1), ("501", 2, 1), ("501-acted", 1, 2),
    ("999", 1, 1), ("620", 1, 0.1), ("200-already", 0, 1), ("200-estatus-204", 0, 1), ("no-acuse", 0, 1),
    ("xml-acuse", 0, 1), ("latin-1", 0, 1), ("no-status", 1, 1), ("text-status", 1, 1),
    ("other-uuid", 1, 1), ("soap-fault", 1, 1), ("cut-before", 1, 2), ("cut-after", 1, 3), ("cut-after-then-204", 1, 2),
    ("cut-after-then-611", 1, 1), ("cut-after-then-623", 1, 1), ("error-before", 1, 1), ("error-after", 1, 2),
    ("busy-429", 1, 0.2), ("busy-503", 1, 0.2), ("garbage", 1, 1), ("empty", 1, 1), ("half", 1, 1), ("delay", 1, 1),
    ("delay-after", 1, 1), ("hang", 1, 0.5), ("drip-body", 1, 0.5), ("redirect", 1, 0.5), ("wrong-type", 0, 1),
)  # fmt: skip
_BPE = (
    ("135", 0, 50), ("155", 0, 1), ("136", 0, 1), ("134", 0, 1), ("101", 0, 1), ("220", 0, 3), ("217", 0, 1),
    ("222", 0, 1), ("224", 0, 1), ("631", 0, 1), ("218", 0, 1), ("777", 0, 1), ("108", 2, 1), ("286", 1, 1),
    ("996", 1, 1), ("996-then-220", 1, 1), ("997", 1, 1), ("999", 1, 1), ("678", 1, 0.1), ("status-6", 1, 1),
    ("status-999", 1, 1), ("status-400", 0, 1), ("http-400", 0, 0.5), ("http-403", 1, 0.1), ("http-403-html", 1, 0.5),
    ("http-404", 1, 0.5), ("http-500", 1, 0.5), ("http-503", 1, 0.5), ("strings", 0, 1), ("erros", 0, 1),
    ("other-key", 1, 1), ("no-event", 1, 1), ("xml-later", 0, 3), ("xml-never", 0, 1), ("xml-other-protocol", 0, 1),
    ("look-up-100", 1, 2), ("look-up-101", 1, 2), ("look-up-102", 1, 1), ("look-up-413", 1, 1),
    ("look-up-stale-100", 1, 1), ("look-up-217", 1, 0.3), ("look-up-6", 1, 0.3), ("no-list", 1, 1),
    ("event-only", 1, 1), ("look-up-other-key", 1, 0.3), ("cut-before", 1, 2), ("cut-after", 1, 3),
    ("cut-after-then-220", 1, 2), ("error-before", 1, 1), ("error-after", 1, 2), ("busy-429", 1, 0.2),
    ("busy-503", 1, 0.2), ("garbage", 1, 1), ("empty", 1, 1), ("half", 1, 1), ("delay", 1, 1), ("delay-after", 1, 1),
    ("hang", 1, 0.5), ("drip-headers", 1, 0.5),
)  # fmt: skip
_JUNK = ('{"provider":', "[]", '{"provider": "ns-bpe", "chBPe": 7}', '{"provider": "solucion-factible"}')


_Planned = tuple[float, str | None, dict[str, Any] | str, str]
"""When, the job, the request or junk, the behaviour."""


class Way(StrEnum):
    """How a request comes in."""

    STREAM = "stream"
    QUEUE = "queue"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Submission:
    """One request to hand in.

    Attributes:
        at_s: When, counted from the beginning of the load.
        job: None for junk, which is to come back as `invalid-request`.
        reference: No other submission has it.
    """

    number: int
    at_s: float
    way: Way
    text: str
    job: str | None
    reference: str
    behaviour: str

    @property
    def request(self) -> dict[str, Any]:
        """The decoded request."""
        return dict(json.loads(self.text))


@dataclass(frozen=True, slots=True)
class Load:
    """Everything that is going to be submitted, in the order of its times.

    Attributes:
        deadlines: By job, where it has one; every submission of a document carries the same.
    """

    submissions: tuple[Submission, ...]
    deadlines: Mapping[str, datetime]

    @property
    def jobs(self) -> tuple[str, ...]:
        """Every job, once, in the order of its first submission."""
        return tuple(dict.fromkeys(one.job for one in self.submissions if one.job))

    def behaviour(self, job: str) -> str:
        """What the sandbox does with a job's document."""
        return next(one.behaviour for one in self.submissions if one.job == job)


def draw(dice: random.Random, jobs: int, seconds: float, *, starts_at: datetime) -> Load:
    """A load of `jobs` documents over `seconds`: bursts, duplicates soon and late, deadlines, junk."""
    planned: list[_Planned] = []
    deadlines: dict[str, datetime] = {}
    burst_s = 0.0
    for number in range(jobs):
        if number % 20 == 0:
            burst_s = dice.uniform(0.0, seconds)
        at_s = burst_s if dice.random() < 0.5 else dice.uniform(0.0, seconds)
        job, request, behaviour = _document(dice, number)
        # More of those whose requests are looked up past their deadline
        if dice.random() < (0.25 if request["provider"] == "ns-bpe" else 0.06):
            deadlines[job] = (starts_at + timedelta(seconds=at_s + dice.uniform(0.2, 12.0))).astimezone(UTC)
            request["deadline"] = deadlines[job].isoformat(timespec="milliseconds")
        planned.append((at_s, job, request, behaviour))
        for later_s, chance in ((1.0, 0.12), (seconds, 0.12)):
            if dice.random() < chance:
                planned.append((min(at_s + dice.uniform(0.0, later_s), seconds), job, dict(request), behaviour))
        if dice.random() < 0.01:
            planned.append((at_s, None, dice.choice(_JUNK), "junk"))
    planned.sort(key=lambda one: one[0])
    return Load(tuple(_submission(dice, number, one) for number, one in enumerate(planned)), deadlines)


def _document(dice: random.Random, number: int) -> tuple[str, dict[str, Any], str]:
    is_sf = dice.random() < 0.5
    table = _SF if is_sf else _BPE
    [(behaviour, calls, _)] = dice.choices(table, [weight for _, _, weight in table])
    if is_sf:
        uuid = sandbox_uuid(behaviour, number, first_calls=calls)
        request = {"provider": "solucion-factible", "account": dice.choice(SF_ACCOUNTS), "uuid": uuid}
        return f"solucion-factible:{uuid}", request, behaviour
    key = sandbox_chbpe(behaviour, number, first_calls=calls)
    account = dice.choice(BPE_ACCOUNTS)
    request = {"provider": "ns-bpe", "account": account, "chBPe": key, "nProt": N_PROT, "xJust": X_JUST}
    return f"ns-bpe:{key}", request, behaviour


def _submission(dice: random.Random, number: int, planned: _Planned) -> Submission:
    at_s, job, request, behaviour = planned
    reference = f"erp-{number}"
    way = dice.choice((Way.STREAM, Way.QUEUE) if job is None else tuple(Way))
    if isinstance(request, str):
        return Submission(number, at_s, way, request, job, reference, behaviour)
    whole = request | {"reference": reference, "priority": dice.choice(("interactive", "bulk", "bulk"))}
    return Submission(number, at_s, way, json.dumps(whole), job, reference, behaviour)
