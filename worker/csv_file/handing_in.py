"""The rows of an import on their way to the ledger, and their outcomes on the way back."""

import hashlib
import json
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from worker.client import Client, Submission
from worker.csv_file.encoding import Text
from worker.csv_file.results import RowOutcomes
from worker.csv_file.staging import Staging, how
from worker.ledger.admission import Admission
from worker.ledger.ledger import Ledger
from worker.ledger.not_possible import NotPossible
from worker.ledger.records import OPEN_STATES

CONNECTIONS = 4
"""Used at the same time: Redis then waits once for its disk where it would wait four times."""


def submission_id(text: Text, defaults: Mapping[str, str]) -> str:
    """Under which each row of a file is recognised when it comes again, read in the same way."""
    told = json.dumps([text.sha256, text.name, sorted(defaults.items())])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def hand_in(client: Client, staging: Staging, submission: str, *, is_followed: bool) -> Iterator[Counter[str]]:
    """Submit what can be submitted; after every thousand rows how many became what (`staging.how`, or `refused`).

    While the ledger takes one thousand in, the next is made ready. Whichever of them arrives first, the jobs of a lane
    are released in the order of the rows.

    Raises:
        Unavailable: Redis is away; the rows before are submitted.
        LedgerFull: Redis has too little memory left; the rows before are submitted.
    """
    became: Counter[str] = Counter()

    def done(batch: list[Admission], answer: Future[list[Submission | NotPossible]]) -> Counter[str]:
        answers = list(zip(batch, answer.result(), strict=True))
        submitted = [(one, made) for one, made in answers if not isinstance(made, NotPossible)]
        if refused := [(one, why) for one, why in answers if isinstance(why, NotPossible)]:
            staging.note_refused(refused)
        if is_followed:
            staging.note_admitted(_in_their_newest_runs(client, submitted))
        became.update(how(one) for _, one in submitted)
        became["refused"] += len(refused)
        return became

    under_way: deque[tuple[list[Admission], Future[list[Submission | NotPossible]]]] = deque()
    first_us = client.ask(Ledger.clock_us)
    with ThreadPoolExecutor(CONNECTIONS) as connections:
        for batch in staging.admissions(submission):
            under_way.append((batch, connections.submit(client.hand_in, batch, first_us=first_us)))
            first_us += len(batch)
            if len(under_way) > CONNECTIONS:
                yield done(*under_way.popleft())
        while under_way:
            yield done(*under_way.popleft())


def _in_their_newest_runs(
    client: Client, submitted: list[tuple[Admission, Submission]]
) -> list[tuple[Admission, Submission]]:
    """Submissions that were known before are answered as then; their jobs may have been retried since."""
    known = [one.job for _, one in submitted if one.repeated]
    if not known:
        return submitted
    newest = {last.job: last.run for last in client.last_runs(known)}
    return [(row, replace(one, run=max(one.run, newest.get(one.job, 0)))) for row, one in submitted]


def follow(client: Client, rows: RowOutcomes, *, since: str, limit_s: float | None) -> Iterator[str]:
    """Keep the outcome of each row that was submitted; the status of each as it comes.

    What has none at the end is kept as it stands then: with the outcome of its last run, or its state alone.

    Raises:
        Unavailable: Redis is away.
    """
    for outcome in client.outcomes_awaited(rows, since=since, limit_s=limit_s):
        rows.keep(outcome)
        yield outcome["status"]
    for page in rows.without_outcome():
        last_runs = client.last_runs([job for job, _ in page])
        for last in last_runs:
            rows.keep_state(last.job, last.state or "unknown")
        for outcome in client.outcomes_at([last.outcome_id for last in last_runs if last.outcome_id]):
            rows.keep(outcome)
        yield from (last.state or "unknown" for last in last_runs if last.state not in OPEN_STATES)
