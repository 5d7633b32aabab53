"""What became of the rows of an import: waited for on disk, and told row by row."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.awaited import PAGE, Run

KEPT = ("status", "reason", "code", "message", "protocol", "registered_at", "attempts", "finished_at")
"""The fields of an outcome that a row of results has."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row.

    Attributes:
        original_line: Of the file from which the row came into this one, by `--errors`; empty where none.
        job: None where the row does not tell a document.
        how: As `staging.how` says it; empty where the row was not submitted.
        outcome: Fields of the outcome; the state alone where there is none; empty where it was not submitted.
        problems: Why it was not submitted.
    """

    line: int
    original_line: str
    job: str | None
    reference: str
    how: str
    outcome: Mapping[str, Any]
    problems: str


class RowOutcomes:
    """The rows that were submitted, as runs whose outcomes are awaited (`worker.awaited.Awaited`)."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute("CREATE UNIQUE INDEX by_job ON row (job) WHERE run IS NOT NULL")
        db.execute("UPDATE row SET awaited = 1 WHERE run IS NOT NULL")
        (self._left,) = db.execute("SELECT count(run) FROM row").fetchone()

    def __len__(self) -> int:
        """How many are left."""
        return int(self._left)

    def settle(self, job: str, run: int) -> bool:
        """Wait for this one no longer; whether it was waited for."""
        settled = self._db.execute(
            "UPDATE row SET awaited = 0 WHERE job = ? AND run = ? AND run IS NOT NULL AND awaited", (job, run)
        )
        self._left -= settled.rowcount
        return settled.rowcount > 0

    def pages(self) -> Iterator[Sequence[Run]]:
        """Those that are left, some at a time."""
        return ([(job, run) for _, job, run in rows] for rows in self._pages("awaited"))

    def keep(self, outcome: Mapping[str, Any]) -> None:
        """Keep what a row of results says of an outcome."""
        kept = {name: outcome[name] for name in KEPT} | {
            "warnings": outcome["warnings"],
            "evidence_sha256": (outcome["evidence"] or {}).get("sha256"),
        }
        self._keep(outcome["job"], kept)

    def without_outcome(self) -> Iterator[Sequence[Run]]:
        """The submitted rows of which no outcome was kept, some at a time."""
        return ([(job, run) for _, job, run in rows] for rows in self._pages("outcome IS NULL"))

    def keep_state(self, job: str, state: str) -> None:
        """Keep where the job of such a row stands."""
        self._keep(job, {"status": state})

    def _keep(self, job: str, fields: Mapping[str, Any]) -> None:
        text = json.dumps(fields, ensure_ascii=False)
        self._db.execute("UPDATE row SET outcome = ? WHERE job = ? AND run IS NOT NULL", (text, job))

    def _pages(self, condition: str) -> Iterator[list[tuple[int, str, int]]]:
        line = 0
        asked = (
            f"SELECT line, job, run FROM row WHERE run IS NOT NULL AND {condition} AND line > ? ORDER BY line LIMIT ?"  # noqa: S608 - ours
        )
        while rows := self._db.execute(asked, (line, PAGE)).fetchall():
            line = rows[-1][0]
            yield rows


def results_of(db: sqlite3.Connection) -> Iterator[Result]:
    """One for each row of the file, in its order."""
    found = db.execute(
        "SELECT line, original_line, job, reference, how, outcome,"
        " (SELECT group_concat(CASE field WHEN '' THEN '' ELSE field || ': ' END || problem, '; ') FROM problem"
        " WHERE problem.line = row.line) FROM row ORDER BY line"
    )
    for line, original, job, reference, became, outcome, problems in found:
        yield Result(line, original, job, reference or "", became or "", json.loads(outcome or "{}"), problems or "")
