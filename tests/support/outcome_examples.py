"""Makes one real outcome for each reason: docs/outcome-examples.jsonl, and the page that shows them.

A worker and the sandbox make them. After a change of what outcomes say: python -m tests.support.outcome_examples
"""

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.ledgers import job_hash
from tests.support.sandbox import N_PROT, X_JUST, running_sandbox
from tests.support.site import ROOT, Site, running_site
from tests.support.valkey import running_valkey
from tests.support.waiting import wait_until
from worker.answer import Reason
from worker.outcome import Status
from worker.sandbox.numbers import sandbox_chbpe, sandbox_uuid
from worker.verdicts import revoked

LINES = ROOT / "docs" / "outcome-examples.jsonl"
PAGE = LINES.with_suffix(".md")
SHORT_WAITS = {
    "ANULA_TRANSIENT_TOTAL_S": "1",
    "ANULA_UNKNOWN_TOTAL_S": "1",
    "ANULA_IN_PROCESS_TOTAL_S": "15",
}
_DEADLINE_S = 8.0
"""Long enough for the first call, shorter than "in process" is waited for."""
_PASSED = "2026-01-31T18:00:00-03:00"

Pair = tuple[Status, Reason]


@dataclass(frozen=True)
class Example:
    """How one outcome comes about.

    Attributes:
        told: What leads to it, for the page.
        request: What is submitted; `deadline` may be a number of seconds from now.
        varies: Fields that differ each time, beside times, ids and evidence.
    """

    status: Status
    reason: Reason
    told: str
    request: Mapping[str, Any]
    varies: tuple[str, ...] = ()

    @property
    def pair(self) -> Pair:
        """Status and reason."""
        return self.status, self.reason


def _cfdi(behaviour: int | str, number: int = 1, **more: Any) -> dict[str, Any]:
    return {"provider": "solucion-factible", "account": "norte", "uuid": sandbox_uuid(behaviour, number), **more}


def _bpe(behaviour: int | str, **more: Any) -> dict[str, Any]:
    key = sandbox_chbpe(behaviour, 1)
    return {"provider": "ns-bpe", "account": "rodoviaria", "chBPe": key, "nProt": N_PROT, "xJust": X_JUST, **more}


def _cancelled(reason: Reason, told: str, request: Mapping[str, Any]) -> Example:
    return Example(Status.CANCELLED, reason, told, request)


def _rejected(reason: Reason, told: str, request: Mapping[str, Any]) -> Example:
    return Example(Status.REJECTED, reason, told, request)


def _unresolved(reason: Reason, told: str, request: Mapping[str, Any], *varies: str) -> Example:
    return Example(Status.UNRESOLVED, reason, told, request, varies)


EXAMPLES = (
    _cancelled(Reason.CANCELLED, "The provider cancels it: 200, EstatusUUID 201.", _cfdi(200)),
    _cancelled(
        Reason.ALREADY_CANCELLED,
        "It was cancelled before: 631; the original event was looked up and downloaded.",
        _bpe(631),
    ),
    _rejected(Reason.NOT_CANCELLABLE, "The provider says 204.", _cfdi(204)),
    _rejected(Reason.REJECTED_BY_RECIPIENT, "The provider says 213.", _cfdi(213)),
    _rejected(Reason.NOT_FOUND, "The provider says 623.", _cfdi(623)),
    _rejected(Reason.REFUSED_BY_PROVIDER, "The provider says 621.", _cfdi(621)),
    _rejected(Reason.REFUSED_BY_AUTHORITY, "SEFAZ says 203.", _bpe(203)),
    _rejected(Reason.UNCLASSIFIED, "SEFAZ says 777, a code that is not documented.", _bpe(777)),
    _rejected(
        Reason.DEADLINE_PASSED, "Its deadline had passed when it was submitted.", _cfdi(200, 2, deadline=_PASSED)
    ),
    _rejected(
        Reason.INVALID_REQUEST,
        "A request on the stream with a protocol of 5 digits, a short reason and an unknown field.",
        _bpe(135, nProt="12345", xJust="erro", motivo="02"),
    ),
    _unresolved(
        Reason.STILL_IN_PROCESS, "The provider says 211 again and again.", _cfdi("211-for-ever"), "attempts", "warnings"
    ),
    _unresolved(Reason.GAVE_UP, "The provider says 500 again and again.", _cfdi(500), "attempts"),
    _unresolved(
        Reason.UNREADABLE_ANSWER,
        "The provider says 999 again and again, a code that is not documented.",
        _cfdi(999),
        "attempts",
    ),
    _unresolved(
        Reason.EVIDENCE_DISAGREES, "The provider says 200, its acuse EstatusUUID 203.", _cfdi("200-estatus-203")
    ),
    _unresolved(
        Reason.MAY_HAVE_ACTED,
        "The first call was cut without an answer, the second is answered 204.",
        _cfdi("cut-after-then-204"),
    ),
    _unresolved(
        Reason.DEADLINE_PASSED,
        "The deadline came while the provider said 211.",
        _cfdi("211-for-ever", 2, deadline=_DEADLINE_S),
        "attempts",
    ),
    _unresolved(
        Reason.INTERNAL_ERROR, "Its record was damaged in Redis, so the worker could not read it.", _cfdi(200, 3)
    ),
    Example(
        Status.REVOKED,
        Reason.REVOKED,
        "`anula revoke` while the provider said 211.",
        _cfdi("211-for-ever", 3),
        ("attempts",),
    ),
)


@dataclass
class _Maker:
    """Submits the examples on a site without workers yet, and takes what comes of them."""

    site: Site
    jobs: dict[str, Pair] = field(default_factory=dict)

    def make(self) -> list[str]:
        """The outcomes as they were published, in the order of `EXAMPLES`."""
        by_pair = {one.pair: (number, one.request) for number, one in enumerate(EXAMPLES, start=1001)}
        invalid = by_pair.pop((Status.REJECTED, Reason.INVALID_REQUEST))
        late = by_pair.pop((Status.UNRESOLVED, Reason.DEADLINE_PASSED))
        for pair, (number, request) in by_pair.items():
            self._submit(pair, number, request)
        self._damage((Status.UNRESOLVED, Reason.INTERNAL_ERROR))
        body = json.dumps({**invalid[1], "reference": f"order-{invalid[0]}"})
        self.site.ledger.redis.xadd(f"{self.site.namespace}:requests", {"request": body})
        self.site.start_worker()
        deadline_at = datetime.now(UTC) + timedelta(seconds=late[1]["deadline"])
        request = {**late[1], "deadline": deadline_at.isoformat(timespec="seconds")}
        self._submit((Status.UNRESOLVED, Reason.DEADLINE_PASSED), late[0], request)
        self._revoke((Status.REVOKED, Reason.REVOKED))
        wait_until(lambda: len(self.site.outcomes()) >= len(EXAMPLES), limit_s=90)
        return self._in_order()

    def _submit(self, pair: Pair, number: int, request: Mapping[str, Any]) -> None:
        job = self.site.client.submit({**request, "reference": f"order-{number}"}).job
        self.jobs[job] = pair

    def _job(self, wanted: Pair) -> str:
        return next(job for job, pair in self.jobs.items() if pair == wanted)

    def _damage(self, pair: Pair) -> None:
        self.site.ledger.redis.hset(job_hash(self.site.ledger, self._job(pair)), "request", "{}")

    def _revoke(self, pair: Pair) -> None:
        ledger, job = self.site.ledger, self._job(pair)

        def is_revoked() -> bool:
            record = ledger.record(job)
            assert record
            return record.in_process and ledger.revoke(record, revoked(record), by="operator") == "ended"

        wait_until(is_revoked, limit_s=30)

    def _in_order(self) -> list[str]:
        entries: Any = self.site.ledger.redis.xrange(f"{self.site.namespace}:outcomes")
        texts = [entry[b"outcome"].decode() for _, entry in entries]
        found = {(one["status"], one["reason"]): text for text in texts for one in [json.loads(text)]}
        wanted = [one.pair for one in EXAMPLES]
        assert set(found) == set(wanted), set(found) ^ set(wanted)
        return [found[pair] for pair in wanted]


def make(site: Site) -> list[str]:
    """One outcome for each example, as JSON text, in their order; it starts a worker on a site of `SHORT_WAITS`."""
    return _Maker(site).make()


def comparable(example: Example, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """What is the same each time that this outcome is made."""
    varies = {"submitted_at", "finished_at", "registered_at", "submission", "protocol", *example.varies}
    found = {name: type(value) if name in varies else value for name, value in outcome.items()}
    if outcome["evidence"]:
        found["evidence"] = {**outcome["evidence"], "sha256": str, "content": str}
    if outcome["message"]:
        found["message"] = re.sub(r"\d{4}-\d\d-\d\dT[\d:+-]+|\d{10,}", "#", outcome["message"])
    return found


def page(texts: Sequence[str]) -> str:
    """The page that shows these outcomes."""
    return "\n".join([_HEAD, *(_section(*one) for one in zip(EXAMPLES, texts, strict=True))])


_HEAD = """# Outcomes by example

One real outcome for each status and reason of [outcomes.md](outcomes.md): made by a worker at the [sandbox](sandbox.md), whose document numbers
you can use yourself, and published with every byte that is shown here. Waits of hours were shortened to seconds, so `attempts` are fewer than in
earnest. [outcome-examples.jsonl](outcome-examples.jsonl) has them as they stand on the stream, one a line: feed your consumer with it.
"""


def _section(example: Example, text: str) -> str:
    shown = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    return f"## {example.status}: {example.reason}\n\n{example.told}\n\n```json\n{shown}\n```\n"


def _made_now() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, running_sandbox() as sandbox:
        directory = Path(folder)
        with (
            running_valkey(directory / "valkey") as valkey,
            running_site(
                directory, redis_url=valkey.url, namespace="anula", sandbox_url=sandbox.url, extra=SHORT_WAITS
            ) as site,
        ):
            yield from make(site)


if __name__ == "__main__":
    made = list(_made_now())
    LINES.write_text("".join(f"{text}\n" for text in made), encoding="utf-8")
    PAGE.write_text(page(made), encoding="utf-8")
