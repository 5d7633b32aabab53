"""For producers: hand in cancellations, and read what became of them (docs/requests.md)."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from types import TracebackType
from typing import Any, Self, TypeVar

from worker.name_collision import collision

if found := collision():
    raise ImportError(found)

from config import accounts as accounts_file
from config import settings as settings_file
from config.accounts import Accounts
from config.settings import Settings
from worker.awaited import Awaited, AwaitedRuns
from worker.documents import job_named
from worker.invalid import InvalidItem, InvalidRequest
from worker.ledger.admission import Admission, id_of_client
from worker.ledger.admitting import LedgerFull
from worker.ledger.connect import ledger_for
from worker.ledger.ledger import Ledger
from worker.ledger.listing import LastRun, Listed, Wanted, jobs, last_runs
from worker.ledger.not_possible import NotPossible
from worker.ledger.outcome_stream import OutcomeStream, Published
from worker.ledger.records import Admitted, Record
from worker.outcome_reader import Member, OutcomeReader
from worker.request import Admissible, check
from worker.unavailable import NEVER, Unavailable, answered, translated

__all__ = [
    "Client",
    "InvalidItem",
    "InvalidRequest",
    "LedgerFull",
    "NotPossible",
    "Published",
    "Submission",
    "Unavailable",
]

BATCH = 1_000
TAKE_OVER_AFTER_S = 60.0
_BLOCK_S = 2.0
TRIES_S = 10.0
"""How long an outage is waited out at the longest, by whatever does not run on."""

T = TypeVar("T")
Submission = Admitted
"""What became of a submission: `job`, `run`, `joined`, `replayed`, and `repeated` where it was known before."""


class Client:
    """Hands in cancellations and reads outcomes; safe to share between threads.

    Settings and accounts are read as the worker reads them, unless they are given. Nothing is connected before the
    first use, which also makes sure that the namespace is of the accounts' environment. Only submissions, and reading
    as a consumer of a group, write to Redis.

    Every method that asks Redis waits an outage out for at most 10 seconds (twice ANULA_REDIS_TIMEOUT_S, if that is
    less) and then raises `Unavailable`; what runs on waits without end. It raises ConfigurationProblem where the
    namespace belongs to the other environment or Redis is a cluster.

    Raises:
        ConfigurationProblem: settings or accounts file cannot be used.
    """

    def __init__(
        self, settings: Settings | None = None, accounts: Accounts | None = None, *, needs_accounts: bool = True
    ) -> None:
        """`needs_accounts`: False for whoever only reads; a missing accounts file is then no error."""
        self.settings = settings or settings_file.load()
        path = self.settings.accounts
        self.configured = accounts or (accounts_file.load(path) if needs_accounts or path.exists() else None)
        self._ledger = ledger_for(self.settings)
        self._is_checked = self._has_agreed = False
        self._tries_s = min(TRIES_S, 2 * self.settings.redis_timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the connections; a later use opens new ones."""
        self._ledger.redis.close()

    @property
    def accounts(self) -> Accounts:
        """The configured accounts; ConfigurationProblem where there are none."""
        return self.configured or accounts_file.load(self.settings.accounts)

    @property
    def ledger(self) -> Ledger:
        """The ledger; the first time, the server and the accounts' environment, if there are any, are checked."""
        return self.ask(lambda ledger: ledger)

    def ask(self, question: Callable[[Ledger], T], *, runs_on: bool = False, once: bool = False) -> T:
        """The ledger's answer to a question; an outage is waited out for a while, without end where one `runs_on`.

        `once`: it is an operator's move, which would tell of itself as done before if it were repeated.
        """
        return answered(
            lambda: question(self._checked()),
            url=self.settings.redis_url,
            give_up_at=NEVER if runs_on else time.monotonic() + (0.0 if once else self._tries_s),
            connect_anew=self._ledger.connect_anew,
        )

    def _checked(self) -> Ledger:
        if not self._is_checked:
            self._ledger.check_server()
            if self.configured:
                self._ledger.check_environment(self.configured.environment)
            self._is_checked = True
        return self._ledger

    # Submitting

    def submit(self, request: Mapping[str, Any], *, submission: str | None = None) -> Submission:
        """Hand in one cancellation; returns when the ledger has it.

        A lost reply is repeated under the same submission id, so nothing is admitted twice. Whoever catches
        `Unavailable` may go on repeating with `submission=error.submission`, or with an id of their own from the start.

        Raises:
            InvalidRequest: with every error; nothing was submitted.
            LedgerFull: Redis has too little memory left.
            NotPossible: what Redis has of this document is damaged.
        """
        (submitted,) = _all(self.admit([self.check(request)], submission or _fresh()))
        return submitted

    def submit_many(self, requests: Iterable[Mapping[str, Any]], *, submission: str | None = None) -> list[Submission]:
        """Hand in many cancellations, 1,000 in one exchange; one result each, in their order.

        Every batch is checked as a whole before anything of it is submitted; earlier batches stay submitted. Repeating
        the same requests with the same `submission` admits nothing twice.

        Raises:
            InvalidItem: the first invalid request, with its index.
            LedgerFull: Redis has too little memory left.
            NotPossible: what Redis has of a document is damaged; all others are submitted.
        """
        submission = submission or _fresh()
        left, done = iter(requests), list[Submission | NotPossible]()
        while batch := list(islice(left, BATCH)):
            checked = [self._check_item(request, len(done) + place, len(done)) for place, request in enumerate(batch)]
            done += self.admit(checked, submission, first=len(done))
        return _all(done)

    def check(self, request: Mapping[str, Any]) -> Admissible:
        """A request with its account resolved, not submitted.

        Raises:
            InvalidRequest: with every error.
        """
        return check(request, self.accounts, now=datetime.now(UTC))

    def _check_item(self, request: Mapping[str, Any], index: int, submitted: int) -> Admissible:
        try:
            return self.check(request)
        except InvalidRequest as invalid:
            raise InvalidItem(index, submitted, invalid) from None

    def admit(
        self, checked: Sequence[Admissible], submission: str, *, first: int = 0
    ) -> list[Submission | NotPossible]:
        """Hand in requests that were checked, in one exchange; one result each, or why not.

        Each is known under the submission id and its place, counted from `first` on.

        Raises:
            LedgerFull: Redis has too little memory left.
        """
        admissions = [
            Admission.of(one, id_of_client(submission, place)) for place, one in enumerate(checked, start=first)
        ]
        try:
            return self.hand_in(admissions)
        except (Unavailable, LedgerFull) as problem:
            problem.submission = submission
            raise

    def hand_in(
        self, admissions: Sequence[Admission], *, first_us: int | None = None
    ) -> list[Submission | NotPossible]:
        """Hand in admissions that carry their own submission ids, in one exchange; one result each, or why not.

        An outage is waited out, and a lost reply repeated. `first_us` is as for `Ledger.admit`.

        Raises:
            LedgerFull: Redis has too little memory left.
        """
        answers = self.ask(lambda ledger: self._admit_once(ledger, admissions, first_us))
        return [one for one in answers if one is not None]

    def _admit_once(
        self, ledger: Ledger, admissions: Sequence[Admission], first_us: int | None
    ) -> list[Submission | NotPossible | None]:
        if not self._has_agreed:
            ledger.agree_environment(self.accounts.environment)
            self._has_agreed = True
        return ledger.admit(admissions, first_us=first_us)

    # Reading

    def status(self, job: str) -> Record | None:
        """A job as it stands, by its id or its bare document; None where it is unknown.

        Raises:
            ValueError: neither a job id nor a document.
        """
        name = _job(job)
        return self.ask(lambda ledger: ledger.record(name))

    def jobs(self, wanted: Wanted) -> Iterator[Listed]:
        """The jobs that are wanted, oldest first, read page by page."""
        ledger = self.ask(_that_answers)
        with translated(self.settings.redis_url):
            yield from jobs(ledger, wanted)

    def last_runs(self, jobs: Sequence[str]) -> list[LastRun]:
        """Where the last run of each of these jobs stands, in their order."""
        return self.ask(lambda ledger: list(last_runs(ledger, jobs)))

    def outcomes_at(self, ids: Sequence[str]) -> list[Published]:
        """Those of these outcomes that are still kept, by their ids."""
        return self.ask(lambda ledger: OutcomeStream(ledger).at_each(ids))

    def last_outcome(self, job: str) -> Published | None:
        """The outcome of a job's last run, by its id or its bare document; None where there is none (any more).

        Raises:
            ValueError: neither a job id nor a document.
        """
        record = self.status(job)
        entry_id = record.outcome_id if record else None
        return self.ask(lambda ledger: OutcomeStream(ledger).at(entry_id)) if entry_id else None

    def outcomes(
        self,
        *,
        since: str | None = None,
        follow: bool = False,
        group: str | None = None,
        consumer: str | None = None,
        take_over_after_s: float = TAKE_OVER_AFTER_S,
    ) -> Iterator[Published]:
        """The outcomes after `since` (default: all that are kept), oldest first; `follow` waits for those to come.

        `since` is an outcome's `id`, or `$` for the end of the stream as it is now. With `group` and `consumer` the
        outcomes are shared out among the consumers of the group, which goes on where it was (`since` counts only when
        the group is new): each is acknowledged when you come back for the next one, so that one whose handling was
        broken off is given again. What a consumer leaves unhandled for `take_over_after_s` goes to another one.

        Raises:
            ValueError: `since` is no id, only one of `group` and `consumer` is given, or one is no name.
        """
        if (group is None) != (consumer is None):
            raise ValueError("group and consumer are given together")
        if not all(name is None or (name and name.isprintable()) for name in (group, consumer)):
            raise ValueError("group and consumer must be names of printable characters")
        position = self.ask(lambda ledger: OutcomeStream(ledger).position(since), runs_on=follow)
        if group is None or consumer is None:
            return self._reader().read(position, follow=follow)
        self.ask(lambda ledger: OutcomeStream(ledger).found_group(group, position), runs_on=follow)
        return self._reader().consume(Member(group, consumer, take_over_after_s, position), follow=follow)

    def last_id(self) -> str:
        """The place of the newest outcome: what is published from now on comes after it."""
        return self.ask(lambda ledger: OutcomeStream(ledger).last_id())

    def outcomes_of(
        self, submissions: Iterable[Submission], *, since: str, limit_s: float | None = None
    ) -> Iterator[Published]:
        """The outcome of each submission's run, as they come; ends when all are there, or after `limit_s` seconds.

        `since` is `last_id()` from before the submissions. Submissions that share a run share its outcome.
        """
        runs = AwaitedRuns((one.job, one.run) for one in submissions)
        return self.outcomes_awaited(runs, since=since, limit_s=limit_s)

    def outcomes_awaited(self, runs: Awaited, *, since: str, limit_s: float | None = None) -> Iterator[Published]:
        """As `outcomes_of`, of runs that need not be held in memory; each is settled before its outcome is given."""
        return self._reader().of_runs(runs, since=since, limit_s=limit_s)

    def _reader(self) -> OutcomeReader:
        block_s = min(_BLOCK_S, self.settings.redis_timeout_s / 2)
        return OutcomeReader(self._ledger, self.settings.redis_url, block_s, self._tries_s)


def _all(results: Iterable[Submission | NotPossible]) -> list[Submission]:
    submitted = []
    for one in results:
        if isinstance(one, NotPossible):
            raise one
        submitted.append(one)
    return submitted


def _that_answers(ledger: Ledger) -> Ledger:
    ledger.redis.exists(ledger.key("meta"))
    return ledger


def _fresh() -> str:
    return uuid.uuid4().hex


def _job(text: str) -> str:
    job = job_named(text)
    if job is None:
        raise ValueError("neither a job id nor a document (UUID or access key)")
    return job
