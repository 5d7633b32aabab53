"""The invariants of docs/reliability.md, checked on what was seen from outside. Pure: no clock, no network."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.chaos.breach import Breach, Kind
from tests.chaos.deadline_checks import deadlines, given_up, lied_for_long
from tests.chaos.observed import Call, Observed
from tests.chaos.stage import PAUSE_S
from worker.ledger.records import OPEN_STATES

UNDER_WAY_S = 1.0
"""How long after an account is shut a call that was begun before may take to reach the provider."""
HANGING_UP_S = 0.05
"""How long the sandbox may take to see that a worker has given a call up, on a busy machine."""
_LOOKED_UP = ("200/101",)
"""What a look-up says of a cancelled document; some of the sandbox's say so whatever became of it."""
_ACCOUNT_CODES = ("601", "602", "603", "604", "605", "620", "633", "http-401", "http-403", "-401", "-3/678")


def breaches(seen: Observed) -> list[Breach]:
    """Everything that is wrong."""
    by_job = (runs, references, junk, overlaps, calls_outside_runs, attempts, deadlines, given_up, verdicts)
    return [breach for check in (*by_job, accounts, leftovers) for breach in check(seen)]


def runs(seen: Observed) -> Iterator[Breach]:
    """Every job that was handed in has its runs one after the other, each with exactly one outcome."""
    started = Counter(one.submission.job for one in seen.handed_in for _ in range(one.copies))
    for job in started:
        if job is None:
            continue
        found = [one["run"] for one in seen.runs.get(job, [])]
        record = seen.records.get(job)
        if record is None:
            yield Breach(Kind.LOST, "handed in, and unknown to the ledger", job)
            continue
        ended = record.run - (record.state in OPEN_STATES)
        for run in range(1, ended + 1):
            if found.count(run) != 1:
                kind = Kind.DOUBLED if run in found else Kind.LOST
                yield Breach(kind, f"run {run} has {found.count(run)} outcomes", job)
        if found != sorted(found) or any(run > ended for run in found):
            yield Breach(Kind.DOUBLED, f"outcomes of the runs {found}, {ended} have ended", job)
        if record.run > started[job] + seen.retried.get(job, 0):
            yield Breach(Kind.DOUBLED, f"{record.run} runs of {started[job]} submissions", job)
        if record.state in OPEN_STATES:
            yield Breach(Kind.UNRELEASED, f"still {record.state}", job)
    for job in set(seen.runs) - set(started):
        yield Breach(Kind.DOUBLED, "an outcome that nobody asked for", job)


def references(seen: Observed) -> Iterator[Breach]:
    """Every submission's reference comes back, once for each run that it belongs to; the client was told the truth."""
    told = Counter(reference for one in seen.outcomes for reference in one["references"])
    by_run = {(one["job"], one["run"]): set(one["references"]) for found in seen.runs.values() for one in found}
    replays = {(one["job"], reference) for one in seen.outcomes if one["replayed"] for reference in one["references"]}
    for one in seen.handed_in:
        submission, job = one.submission, one.submission.job
        if job is None:
            continue
        count = told[submission.reference]
        record = seen.records.get(job)
        is_open = record is not None and submission.reference in record.references and record.state in OPEN_STATES
        if count == 0 and not is_open:
            yield Breach(Kind.LOST, f"{submission.reference} is in no outcome", job)
        if count > one.copies + seen.retried.get(job, 0):
            yield Breach(Kind.DOUBLED, f"{submission.reference} is in {count} outcomes", job)
        result = one.result
        if result and result.replayed and (job, submission.reference) not in replays:
            yield Breach(Kind.LOST, f"{submission.reference} was said to be replayed", job)
        is_in_run = result and submission.reference in by_run.get((job, result.run), set())
        if result and not result.replayed and not is_in_run and not is_open:
            yield Breach(Kind.LOST, f"{submission.reference} was said to be in run {result.run}", job)


def junk(seen: Observed) -> Iterator[Breach]:
    """What is no request comes back as an invalid one, once."""
    told = Counter(one["submission"] for one in seen.outcomes if one["reason"] == "invalid-request")
    known: Counter[str] = Counter()
    spare = 0
    for one in seen.handed_in:
        if one.submission.job is None:
            known.update(one.known_as)
            spare += one.copies - 1
    for name in known:
        if told[name] != 1:
            yield Breach(Kind.DOUBLED if told[name] else Kind.LOST, f"junk {name} has {told[name]} outcomes")
    if len(set(told) - set(known)) > spare:
        yield Breach(Kind.DOUBLED, f"outcomes of junk that nobody sent: {sorted(set(told) - set(known))}")


def overlaps(seen: Observed) -> Iterator[Breach]:
    """At most one call for a document is under way at any moment."""
    for document, calls in seen.calls_of.items():
        for earlier, later in _overlapping(calls):
            excused = seen.is_thawed(later) or seen.froze_within(earlier, later.started)
            yield Breach(Kind.FROZEN if excused else Kind.DOUBLED, f"at a time: {earlier} and {later}", _job(document))


def _overlapping(calls: Sequence[Call]) -> Iterator[tuple[Call, Call]]:
    """Pairs of which the later one began before the earlier one had ended; `calls` are in order."""
    under_way: list[Call] = []
    for call in calls:
        under_way = [one for one in under_way if one.ended > call.started]
        yield from ((one, call) for one in under_way)
        under_way.append(call)


def calls_outside_runs(seen: Observed) -> Iterator[Breach]:
    """No call is made for a document before its job is admitted, or after a run has ended and before the next."""
    slack_s = seen.clock.slack_s
    for document, calls in seen.calls_of.items():
        job = _job(document)
        spans = [
            (seen.clock.at(one["submitted_at"]), seen.clock.at(one["finished_at"])) for one in seen.runs.get(job, [])
        ]
        record = seen.records.get(job)
        if record is not None and record.state in OPEN_STATES:
            spans.append((record.submitted_at.timestamp() - seen.clock.offset_s, float("inf")))
        for call in calls:
            if not any(start - slack_s <= call.started <= end + slack_s for start, end in spans):
                yield Breach(Kind.FROZEN if seen.is_thawed(call) else Kind.LATE, f"outside of every run: {call}", job)


def attempts(seen: Observed) -> Iterator[Breach]:
    """The provider is not asked more often than the outcome says."""
    for job, found in seen.runs.items():
        calls = [call for call in seen.calls_of.get(job.partition(":")[2], []) if call.kind == "cancel"]
        for one in found:
            start, end = seen.clock.at(one["submitted_at"]), seen.clock.at(one["finished_at"])
            within = [call for call in calls if start <= call.started <= end and not seen.is_thawed(call)]
            if len(within) > one["attempts"]:
                text = f"{len(within)} requests in run {one['run']}, {one['attempts']} attempts in its outcome"
                yield Breach(Kind.DOUBLED, text, job)


def verdicts(seen: Observed) -> Iterator[Breach]:
    """What an outcome says of the document is what the provider says; its evidence is the provider's, to the byte."""
    for one in seen.outcomes:
        document = seen.documents.get(one["document"] or "")
        if document is None or one["reason"] == "invalid-request":
            continue
        said = f"run {one['run']} is {one['status']}/{one['reason']}"
        calls = seen.calls_of.get(one["document"], [])
        stands = _stands(seen, document, one)
        if one["status"] == "cancelled" and not (stands or any(call.code in _LOOKED_UP for call in calls)):
            yield Breach(Kind.LOST, f"{said}, but the document does not stand cancelled", one["job"])
        if one["status"] == "rejected" and stands and not lied_for_long(seen, one):
            late = any(call.kind == "cancel" and seen.is_thawed(call) for call in calls)
            kind = Kind.FROZEN if late else Kind.LOST
            yield Breach(kind, f"{said}, but the document stood cancelled", one["job"])
        if one["evidence"] and one["evidence"]["sha256"] not in {call.evidence_sha256 for call in calls}:
            yield Breach(Kind.LOST, f"{said}, with evidence that the provider never made", one["job"])


def _stands(seen: Observed, document: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    """Whether the document stood cancelled when this outcome was given.

    Where no answer was needed for it (deadline), a cancellation by others before the run began does not count.
    """
    if document["cancelled_at"] is None:
        return False
    cancelled = seen.clock.at(document["cancelled_at"])
    if one["reason"] == "deadline-passed" and cancelled < seen.clock.at(one["submitted_at"]):
        return False
    return cancelled <= seen.clock.at(one["finished_at"]) + seen.clock.slack_s


def accounts(seen: Observed) -> Iterator[Breach]:
    """No call on an account that is suspended or paused, one at a time where it is on trial, never more than its most."""
    for name, calls in seen.calls_on.items():
        moments = sorted(seen.moments.get(name, ()))
        yield from _shut(seen, name, calls, moments)
        yield from _one_at_a_time(seen, name, calls, moments)
        yield from _crowded(seen, name, calls)


def _shut(
    seen: Observed, name: str, calls: Sequence[Call], moments: Sequence[tuple[int, str, str]]
) -> Iterator[Breach]:
    for shut, start, end in _shut_spans(seen, moments):
        begun_before = 0
        for call in calls:
            if not start + seen.clock.slack_s < call.started < end - seen.clock.slack_s:
                continue
            begun_before += call.started <= start + UNDER_WAY_S
            if call.started > start + UNDER_WAY_S or begun_before > seen.most_in_flight:
                kind = Kind.FROZEN if seen.is_thawed(call) else Kind.SUSPENDED
                text = f"{name} {shut} from {start:.3f} to {end:.3f}: {call}"
                yield Breach(kind, text, _job(call.document))


def _shut_spans(seen: Observed, moments: Sequence[tuple[int, str, str]]) -> Iterator[tuple[str, float, float]]:
    """From when to when the account must not be called."""
    for place, (at_ms, what, _) in enumerate(moments):
        at = seen.clock.at_ms(at_ms)
        if what == "suspended":
            resumed = [seen.clock.at_ms(later) for later, then, _ in moments[place:] if then == "resumed"]
            yield "suspended", at, resumed[0] if resumed else float("inf")
        if what == "paused":
            yield "paused", at, at + PAUSE_S


def _one_at_a_time(
    seen: Observed, name: str, calls: Sequence[Call], moments: Sequence[tuple[int, str, str]]
) -> Iterator[Breach]:
    """After a resume, until an answer proves the account; with an open circuit, but for a new probe beside a failing one."""
    for place, (at_ms, what, _) in enumerate(moments):
        start = seen.clock.at_ms(at_ms)
        if what == "circuit opened":
            closed = [seen.clock.at_ms(later) for later, then, _ in moments[place:] if then == "circuit closed"]
            span = (start + UNDER_WAY_S, closed[0] if closed else float("inf"))
        elif what == "resumed":
            span = (
                start,
                min((call.ended for call in calls if call.ended > start and _may_prove(call)), default=float("inf")),
            )
        else:
            continue
        within = [call for call in calls if span[0] < call.started < span[1]]
        for earlier, later in _overlapping(within):
            if earlier.ended <= later.started + HANGING_UP_S:
                continue
            if what == "circuit opened" and _is_probed_beside(seen, within, earlier, later):
                continue
            excused = seen.is_thawed(later) or seen.froze_within(earlier, later.started)
            text = f"{name} on trial since {start:.3f} ({what}): {earlier} and {later}"
            kind = Kind.FROZEN if excused else Kind.SUSPENDED
            yield Breach(kind, text, _job(later.document), _job(earlier.document))


def _is_probed_beside(seen: Observed, within: Sequence[Call], earlier: Call, later: Call) -> bool:
    """Whether the earlier call is the only one that the later meets, and its document was called for before.

    A lenient reading: what the document was answered then is not looked at.
    """
    met = [call for call in within if call.started < later.started < call.ended]
    was_called = any(call.started < earlier.started for call in seen.calls_of[earlier.document])
    return len(met) == 1 and was_called


def _may_prove(call: Call) -> bool:
    """Whether it was answered, and not about the account; a lenient reading, so that nothing is on trial for too long."""
    return call.code not in ("", *_ACCOUNT_CODES) and call.fault in ("", "delay", "delay-after", "wrong-type")


def _crowded(seen: Observed, name: str, calls: Sequence[Call]) -> Iterator[Breach]:
    under_way: list[Call] = []
    for call in calls:
        under_way = [one for one in under_way if one.ended > call.started + HANGING_UP_S]
        under_way.append(call)
        if len(under_way) > seen.most_in_flight:
            excused = any(seen.is_thawed(one) or seen.froze_within(one, call.started) for one in under_way)
            text = f"{name}: {len(under_way)} calls under way at {call.started:.3f}"
            yield Breach(Kind.FROZEN if excused else Kind.SUSPENDED, text, _job(call.document))


def leftovers(seen: Observed) -> Iterator[Breach]:
    """Nothing is left leased, in flight, handed out, due, or on stream and queue."""
    for name, count in seen.leftovers.items():
        yield Breach(Kind.UNRELEASED, f"{name}: {count}")


def _job(document: str) -> str:
    return f"{'solucion-factible' if '-' in document else 'ns-bpe'}:{document}"


def counts(found: Sequence[Breach]) -> dict[str, Any]:
    """How many of each kind, for the last line."""
    counted = Counter(breach.kind for breach in found)
    return {kind.value: counted[kind] for kind in Kind}
