"""Everything that runs: a Valkey that writes at once, the sandbox, real workers, and a link in front of each of them."""

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis

from config.accounts import Accounts
from config.settings import Settings
from tests.chaos.load import BPE_ACCOUNTS, SF_ACCOUNTS
from tests.chaos.proxy import Link, running_link
from tests.support.sandbox import Sandbox, sandbox_process
from tests.support.site import ROOT, Site, Worker
from tests.support.valkey import LocalValkey, running_valkey
from tests.support.waiting import wait_until
from worker.ledger.connect import DAY_S
from worker.ledger.ledger import Ledger
from worker.sandbox.accounts import token_label

NAMESPACE = "chaos"
PAUSE_S = 2.0
"""How long an account pauses: the sandbox's Retry-After, and the abuse pause as it is set here."""
COUNTS_AFTER_S = 3.0
"""How long after a request a look-up's "not cancelled" disproves it; the sandbox delays no request for that long."""
SETTINGS: Mapping[str, str] = {
    "ANULA_REDIS_TIMEOUT_S": "1",
    "ANULA_CONNECT_TIMEOUT_S": "1",
    "ANULA_READ_TIMEOUT_S": "4",
    "ANULA_TOTAL_TIMEOUT_S": "4",
    "ANULA_LEASE_MARGIN_S": "2",
    "ANULA_BEGIN_WITHIN_S": "3",
    "ANULA_TICK_S": "0.05",
    "ANULA_TRANSIENT_FIRST_S": "0.2",
    "ANULA_TRANSIENT_CAP_S": "2",
    "ANULA_UNKNOWN_FIRST_S": "0.5",
    "ANULA_UNKNOWN_CAP_S": "2",
    "ANULA_LOOK_UP_COUNTS_AFTER_S": str(COUNTS_AFTER_S),
    "ANULA_IN_PROCESS_FIRST_S": "0.5",
    "ANULA_IN_PROCESS_CAP_S": "1.5",
    "ANULA_EVIDENCE_FIRST_S": "0.3",
    "ANULA_EVIDENCE_CAP_S": "1",
    "ANULA_ABUSE_PAUSE_S": str(PAUSE_S),
    "ANULA_ABUSE_SLOW_S": "3",
    "ANULA_ABUSE_PER_MINUTE": "600",
    "LITORAL_TOKEN": "sandbox-token-2",
}
LABELS: Mapping[str, str] = {
    "norte": "sandbox@example.com",
    "sur": "sandbox-2@example.com",
    "rodoviaria": token_label("sandbox-token"),
    "litoral": token_label("sandbox-token-2"),
}
"""What the sandbox calls each account in its record."""
_DOCUMENT = re.compile(rb"5A5A5A5A-[0-9A-F]{4}-4[0-9]{3}-A[0-9]{3}-[0-9]{12}|4326019999999900019163[0-9]{22}")


@dataclass(frozen=True, slots=True)
class Sent:
    """A request on its way from a worker to the sandbox, seen in between; `at` is of the monotonic clock."""

    at: float
    worker: int
    document: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """A worker process that stood still; times are of the monotonic clock."""

    worker: int
    start: float
    end: float


class FourAccounts(Site):
    """As the site of the other tests, with two accounts of each provider."""

    def write_accounts(self, more: str = "") -> None:
        """Beside `norte` and `rodoviaria` also `sur` and `litoral`."""
        super().write_accounts(
            f"""
[accounts.{SF_ACCOUNTS[1]}]
provider = "solucion-factible"
environment = "test"
username = "{LABELS["sur"]}"
password_env = "NORTE_PASSWORD"
endpoint = "{self.sandbox_url}/ws/services/Cancelacion"

[accounts.{BPE_ACCOUNTS[1]}]
provider = "ns-bpe"
environment = "test"
token_env = "LITORAL_TOKEN"
utc_offset = "-04:00"
endpoint = "{self.sandbox_url}"
{more}"""
        )


@dataclass(slots=True)
class Post:
    """One worker process and its two links."""

    worker: Worker
    to_redis: Link
    to_provider: Link
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True)
class Stage:
    """What a run plays on.

    Attributes:
        ledger: Past every link, for the operator and for looking afterwards.
        to_redis: The producers' link.
    """

    directory: Path
    valkey: LocalValkey
    sandbox: Sandbox
    to_redis: Link
    posts: list[Post]
    ledger: Ledger
    producers: Settings
    accounts: Accounts
    sent: list[Sent]
    freezes: list[Freeze] = field(default_factory=list)
    valkey_lock: threading.Lock = field(default_factory=threading.Lock)

    def fine_weather(self) -> None:
        """No fault any more, and everything runs that should."""
        self.sandbox.no_faults()
        for label in LABELS.values():
            self.sandbox.set_account(label, None)
        for link in [self.to_redis, *(link for post in self.posts for link in (post.to_redis, post.to_provider))]:
            link.clear()
        if not self.valkey.is_running:
            self.valkey.start()
        for post in self.posts:
            if not post.worker.is_running:
                post.worker.start(until_ready=False)


@contextmanager
def set_up(directory: Path, workers: int, patience_s: float) -> Iterator[Stage]:
    """The stage, with its workers ready; everything that was started ends with the block.

    `patience_s` is how long an answer is waited for that never comes (UNKNOWN, IN_PROCESS, evidence).
    """
    totals = {f"ANULA_{kind}_TOTAL_S": str(patience_s) for kind in ("UNKNOWN", "IN_PROCESS", "EVIDENCE")}
    extra = {**SETTINGS, **totals}
    with ExitStack() as stack:
        (directory / "valkey").mkdir()
        valkey = stack.enter_context(running_valkey(directory / "valkey", appendonly=True))
        sandbox, _ = stack.enter_context(sandbox_process(in_process_s=3.0, latency_s=0.1))
        sent: list[Sent] = []
        to_redis = stack.enter_context(running_link(valkey.port))
        outside = _site(directory / "outside", to_redis, sandbox.url, extra)
        redis: Redis = Redis.from_url(valkey.url, socket_timeout=2.0)
        stack.callback(redis.close)
        ledger = Ledger(redis, namespace=NAMESPACE, keep_s=outside.settings.outcome_retention_days * DAY_S)
        posts = []
        for number in range(workers):
            link = stack.enter_context(running_link(valkey.port))
            provider = stack.enter_context(running_link(int(sandbox.url.rpartition(":")[2]), _noting(sent, number)))
            site = _site(directory / f"worker-{number}", link, f"http://127.0.0.1:{provider.port}", extra)
            worker = Worker(site, number, _options())
            stack.callback(_end, worker)
            worker.start(until_ready=False)
            posts.append(Post(worker, link, provider))
        for post in posts:
            _wait_for(post.worker)
        yield Stage(directory, valkey, sandbox, to_redis, posts, ledger, outside.settings, outside.accounts, sent)


def _noting(sent: list[Sent], worker: int) -> Callable[[bytes], None]:
    """What a link calls with every chunk of a worker's requests."""

    def note(chunk: bytes) -> None:
        now = time.monotonic()
        sent.extend(Sent(now, worker, document.decode()) for document in set(_DOCUMENT.findall(chunk)))

    return note


def _options() -> tuple[str, ...]:
    """What the Procfile starts a worker with."""
    [line] = [line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("worker:")]
    return tuple(line.partition(" worker --")[2].join(("--", "")).split())


def _wait_for(worker: Worker) -> None:
    wait_until(lambda: worker.is_ready or not worker.is_running, limit_s=60.0)
    assert worker.is_running, worker.log.read_text()[-3000:]


def _end(worker: Worker) -> None:
    if worker.is_running:
        worker.kill()


def _site(directory: Path, to_redis: Link, sandbox_url: str, extra: Mapping[str, str]) -> Site:
    directory.mkdir()
    site = FourAccounts(directory, to_redis.redis_url, NAMESPACE, sandbox_url, extra)
    site.write_accounts()
    return site
