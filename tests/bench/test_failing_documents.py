"""What documents that always fail do to the others of their account; prints, and judges nothing (docs/reliability.md)."""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise

import pytest

from config import retries
from tests.support.sandbox import Sandbox, sandbox_process
from tests.support.site import Site, running_site
from tests.support.valkey import running_valkey
from tests.support.waiting import wait_until
from worker import decision
from worker.answer import Answer, Reaction, Reason
from worker.ledger.records import Begun
from worker.ledger.steps import Effects, Finish
from worker.outcome import Status, Verdict
from worker.retry import Policies
from worker.sandbox.numbers import sandbox_uuid
from worker.situation import AbuseRule, Call, Situation

pytestmark = pytest.mark.bench

LATENCY_S = 0.1
INTERACTIVE, EVERY_S = 10, 9.0
BULK, WATCHED_S = 6_000, 40.0
ROW = 5
"""Failures in a row before the others are set up with an answer between, so that the circuit stays closed."""
AS_CONFIGURED = {f"ANULA_{name}": str(value) for name, value in (("UNKNOWN_FIRST_S", 15), ("TRANSIENT_FIRST_S", 0.5))}
FAILED = Answer(reaction=Reaction.UNKNOWN, code=None, message="HTTP 500", may_have_acted=True)


def failing(number: int) -> str:
    """A document that is always answered HTTP 502 with HTML, which is read as HTTP 500 is."""
    return sandbox_uuid("error-before", number)


def submit(site: Site, documents: Sequence[str], priority: str = "bulk") -> None:
    requests = ({"provider": "solucion-factible", "uuid": one, "priority": priority} for one in documents)
    site.client.submit_many(requests)


@contextmanager
def started(tmp_path, failing_documents: int) -> Iterator[tuple[Site, Sandbox]]:
    """A site with one worker, and so many bulk documents that have failed once and will always fail."""
    with (
        running_valkey(tmp_path / "valkey", appendonly=True) as server,
        sandbox_process(latency_s=LATENCY_S) as (sandbox, _),
        running_site(
            tmp_path, redis_url=server.url, namespace="bench", sandbox_url=sandbox.url, extra=AS_CONFIGURED
        ) as site,
    ):
        fail_once(site, [failing(number) for number in range(failing_documents)])
        site.start_worker("--concurrency", "32")
        submit(site, [sandbox_uuid(200, 900_000)], "interactive")
        wait_until(lambda: sandbox.document(sandbox_uuid(200, 900_000))["asked"], limit_s=60)
        yield site, sandbox


def fail_once(site: Site, documents: Sequence[str]) -> None:
    """As a worker would, but without the provider; with another answer now and then."""
    ledger = site.ledger
    account = site.accounts.by_name["norte"]
    ledger.enroll(account.model_copy(update={"max_in_flight": 100}), inquires=False)
    ledger.redis.hset(ledger.key("account", "norte"), "proven", 1)
    policies = Policies(retries.policies(site.settings, site.accounts.environment))
    for first in range(0, len(documents), ROW):
        submit(site, [*documents[first : first + ROW], sandbox_uuid(200, 910_000 + first)])
        for one in ledger.release(100, slots=1_000, begin_within_s=15, lost_wait_s=15).released:
            begun = ledger.begin(one.job, one.token, "bench", lease_s=60)
            assert isinstance(begun, Begun)
            if one.job.endswith(tuple(documents[first : first + ROW])):
                now = Situation(
                    begun, Call.CANCEL, inquires=False, policies=policies, abuse=AbuseRule(3_600, 86_400, 8)
                )
                step = decision.decide(now, FAILED)
                assert not isinstance(step, Finish)
                ledger.park(begun, one.token, "bench", step)
            else:
                verdict = Verdict(status=Status.REJECTED, reason=Reason.NOT_CANCELLABLE)
                answer = Finish(verdict=verdict, entry={"call": "cancel"}, effects=Effects(feeds="answer", proves=True))
                ledger.finish(begun, one.token, "bench", answer)


@pytest.mark.parametrize("count", [20, 1_000])
def test_a_new_interactive_document_beside_documents_that_always_fail(tmp_path, count):
    with started(tmp_path, count) as (site, sandbox):
        let_pass(20.0)
        waits = []
        for number in range(INTERACTIVE):
            submitted = time.monotonic()
            document = sandbox_uuid(200, number)
            submit(site, [document], "interactive")
            waits.append(called_after_s(site, sandbox, document))
            let_pass(EVERY_S, since=submitted)
        asked = [call for call in sandbox.calls() if call["document"].startswith(failing(0)[:8])]

    print(
        f"\n{count} documents always fail: interactive_wait_s max={max(waits):.2f} "
        f"median={statistics.median(waits):.2f} of {len(waits)}, {len(asked)} calls in all"
    )


def let_pass(seconds: float, *, since: float | None = None) -> None:
    """Wait for so long: failing documents come due and fail again."""
    start = time.monotonic() if since is None else since
    wait_until(lambda: time.monotonic() - start > seconds, limit_s=seconds + 60)


def called_after_s(site: Site, sandbox: Sandbox, document: str) -> float:
    """Seconds from the admission to the first call, once that is made."""
    wait_until(lambda: sandbox.document(document)["asked"], limit_s=300, every_s=0.05)
    record = site.ledger.record(f"solucion-factible:{document}")
    assert record is not None
    first_call_at = datetime.fromisoformat(sandbox.document(document)["first_call_at"])
    return (first_call_at - record.submitted_at).total_seconds()


@pytest.mark.parametrize("count", [0, 20, 1_000])
def test_healthy_bulk_beside_documents_that_always_fail(tmp_path, count):
    with started(tmp_path, count) as (site, _):
        let_pass(15.0)
        submit(site, [sandbox_uuid(200, 10_000 + number) for number in range(BULK)])
        ended = site.ledger.key("ended")
        before, since = int(site.ledger.redis.zcard(ended)), time.monotonic()
        let_pass(WATCHED_S)
        rate = (int(site.ledger.redis.zcard(ended)) - before) / (time.monotonic() - since)

    print(f"\n{count} documents always fail: healthy bulk jobs_per_s={rate:.1f}, provider latency {LATENCY_S} s")


@pytest.mark.parametrize("count", [20, 1_000])
def test_calls_at_a_time_while_the_provider_is_away(tmp_path, count):
    with started(tmp_path, count) as (site, sandbox):
        sandbox.fault("error-before", seconds=1.0)
        submit(site, [sandbox_uuid(200, 20_000 + number) for number in range(200)])
        wait_until(lambda: site.ledger.account_states()[0].circuit_open_since, limit_s=120)
        opened = time.monotonic()
        let_pass(WATCHED_S)
        calls = [call for call in sandbox.calls() if call["started"] > opened + 1]

    most = max(sum(one["started"] <= call["started"] < (one["ended"] or 1e18) for one in calls) for call in calls)
    starts = sorted(call["started"] for call in calls)
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    print(
        f"\n{count} documents always fail, provider away: {len(calls)} probes in {WATCHED_S:g} s, at most {most} at a time, "
        f"least gap {min(gaps, default=0):.2f} s"
    )
