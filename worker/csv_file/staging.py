"""The rows of an import between check and outcome: on disk, because a million of them are too many to hold."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import TracebackType
from typing import Self

from worker.csv_file.checking import Checked
from worker.csv_file.problem import RowProblem
from worker.ledger.admission import Admission
from worker.ledger.not_possible import NotPossible
from worker.ledger.records import Admitted

BATCH = 1_000
_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -16000;
CREATE TABLE row (line INTEGER PRIMARY KEY, job TEXT, account TEXT, lane TEXT, deadline_ms, text TEXT, reference TEXT,
                  original_line TEXT, run INTEGER, how TEXT, awaited INTEGER, outcome TEXT);
CREATE TABLE problem (line INTEGER, field TEXT, value TEXT, problem TEXT);
CREATE INDEX problem_line ON problem (line);
"""
_COLUMNS = Checked._fields[:-1]
"""All but the problems."""
_REPEATS = """
CREATE TABLE repeat AS SELECT line, job, first
FROM (SELECT line, job, min(line) OVER (PARTITION BY job) AS first FROM row WHERE job IS NOT NULL)
WHERE line > first ORDER BY line
"""
MANY_ROWS = 3
"""From so many rows on one reference is worth a word: it may be a column that was filled down, or rounded."""
_MOST_REFERENCES = 100
"""As many are counted: sorting all references of a long file would take longer than the warning is worth."""
_REFERENCES = """
SELECT reference, count(*) AS rows, min(line) AS first FROM row WHERE reference IN ({})
GROUP BY reference ORDER BY rows DESC, first
"""
_ADMISSIONS = """
SELECT job, account, lane, deadline_ms, ? || ':' || line, text FROM row
WHERE text IS NOT NULL AND line > ? ORDER BY line LIMIT ?
"""


class NoRoom(Exception):
    """The temporary file cannot take the rows; the message says what to do."""


class Staging:
    """The rows of one import, in a database that is gone with the process.

    Attributes:
        db: The database; what becomes of the rows is kept in it as well (results.py).

    Raises:
        NoRoom: at the end of the context in which the temporary file could not be written.
    """

    def __init__(self) -> None:
        self.db = sqlite3.connect("", isolation_level=None)  # a file that sqlite makes and has already unlinked
        self.db.executescript(_TABLES)
        self._frequent: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.db.close()
        if isinstance(error, sqlite3.OperationalError):
            raise NoRoom(
                f"the temporary file for the rows cannot be written ({error}): make room, or set TMPDIR to a "
                "folder with more, and import the same file again: nothing is submitted twice"
            ) from error

    # Checking

    def take(self, checked: Iterable[Checked]) -> Iterator[int]:
        """Keep checked rows; gives how many there are by now, after every thousand and at the end."""
        left, count = iter(checked), 0
        while some := list(islice(left, BATCH)):
            self._insert(some)
            count += len(some)
            yield count

    def _insert(self, some: Sequence[Checked]) -> None:
        self.db.execute("BEGIN")
        self.db.executemany(
            f"INSERT INTO row ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})",  # noqa: S608 - ours
            [one[:-1] for one in some],
        )
        self._note(problem for one in some for problem in one.problems)
        self.db.execute("COMMIT")
        self._note_frequent(Counter(one.reference for one in some))

    def _note(self, problems: Iterable[RowProblem]) -> None:
        self.db.executemany(
            "INSERT INTO problem VALUES (?, ?, ?, ?)",
            ((one.line, one.column, one.value, one.problem) for one in problems),
        )

    def _note_frequent(self, counts: Counter[str]) -> None:
        if len(self._frequent) < _MOST_REFERENCES:
            self._frequent.update(one for one, count in counts.items() if count >= MANY_ROWS and one)

    def frequent_references(self) -> Iterator[tuple[str, int, int]]:
        """References on many rows that are near each other: each with its rows and the first line, most rows first."""
        some = sorted(self._frequent)[:_MOST_REFERENCES]
        if not some:
            return iter(())
        return self.db.execute(_REFERENCES.format(", ".join("?" * len(some))), some)

    def refuse_repeats(self, column_of: Mapping[str, str]) -> None:
        """Make it an error of the later row that a document stands twice; `column_of` tells each provider's column."""
        self.db.execute(_REPEATS)
        repeats = self.db.execute("SELECT line, job, first FROM repeat")
        self._note(
            RowProblem(
                line, column_of[job.partition(":")[0]], document(job), f"stands in line {first} already: remove one"
            )
            for line, job, first in repeats
        )
        self.db.execute("UPDATE row SET text = NULL WHERE line IN (SELECT line FROM repeat)")

    def problems(self) -> Iterator[RowProblem]:
        """Everything that is wrong, in the order of the lines."""
        found = self.db.execute("SELECT line, field, value, problem FROM problem ORDER BY line, rowid")
        return (RowProblem(*one) for one in found)

    def count(self) -> tuple[int, int]:
        """How many rows can be submitted, and how many cannot."""
        valid, rows = self.db.execute("SELECT count(text), count(*) FROM row").fetchone()
        return valid, rows - valid

    def accounts(self) -> frozenset[str]:
        """The accounts of the rows that can be submitted."""
        found = self.db.execute("SELECT DISTINCT account FROM row WHERE text IS NOT NULL")
        return frozenset(name for (name,) in found)

    # Submitting

    def admissions(self, submission: str) -> Iterator[list[Admission]]:
        """The rows that can be submitted, a thousand at a time, each with its submission id."""
        line = 0
        while some := self.db.execute(_ADMISSIONS, (submission, line, BATCH)).fetchall():
            admissions = [Admission(*one) for one in some]
            line = line_of(admissions[-1])
            yield admissions

    def note_admitted(self, admitted: Iterable[tuple[Admission, Admitted]]) -> None:
        """Keep what became of these submissions."""
        became = [(became.run, how(became), line_of(one)) for one, became in admitted]
        self.db.execute("BEGIN")
        self.db.executemany("UPDATE row SET run = ?, how = ? WHERE line = ?", became)
        self.db.execute("COMMIT")

    def note_refused(self, refused: Iterable[tuple[Admission, NotPossible]]) -> None:
        """Keep why these could not be submitted."""
        self._note(RowProblem(line_of(one), "", "", str(why)) for one, why in refused)

    def refused(self) -> Iterator[RowProblem]:
        """Why rows could not be submitted in which nothing is wrong."""
        found = self.db.execute(
            "SELECT line, field, value, problem FROM problem JOIN row USING (line) WHERE text IS NOT NULL ORDER BY line"
        )
        return (RowProblem(*one) for one in found)


def line_of(admission: Admission) -> int:
    """The row that an admission was made of."""
    return int(admission.submission.rpartition(":")[2])


def how(became: Admitted) -> str:
    """What became of a submission, in a word."""
    if became.repeated:
        return "repeated"
    return "joined" if became.joined else "replayed" if became.replayed else "new"


def document(job: str) -> str:
    """The document of a job id."""
    return job.partition(":")[2]
