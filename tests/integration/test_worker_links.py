"""A worker on a bad link: cut, half-open, or with Redis gone for a while (docs/reliability.md, F2 to F6)."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.proxy import Link, running_link
from tests.support.sandbox import N_PROT, X_JUST, Sandbox, running_sandbox
from tests.support.site import Site, running_site
from tests.support.valkey import LocalValkey, running_valkey
from tests.support.waiting import wait_until
from worker.client import Client
from worker.ledger.records import Record
from worker.sandbox.numbers import sandbox_chbpe

pytestmark = pytest.mark.integration

QUICK = {
    "ANULA_REDIS_TIMEOUT_S": "1",
    "ANULA_READ_TIMEOUT_S": "3",
    "ANULA_TOTAL_TIMEOUT_S": "3",
    "ANULA_LEASE_MARGIN_S": "1",
    "ANULA_BEGIN_WITHIN_S": "2",
}
GOES_ON_WITHIN_S = 15.0
"""After Redis is back; docs/reliability.md."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as one:
        yield one


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[LocalValkey]:
    (tmp_path / "valkey").mkdir()
    with running_valkey(tmp_path / "valkey", appendonly=True) as one:
        yield one


@pytest.fixture
def link(valkey: LocalValkey) -> Iterator[Link]:
    """What the worker has of Redis; everybody else is connected past it."""
    with running_link(valkey.port) as one:
        yield one


@pytest.fixture
def site(tmp_path: Path, link: Link, namespace: str, sandbox: Sandbox) -> Iterator[Site]:
    with running_site(
        tmp_path, redis_url=link.redis_url, namespace=namespace, sandbox_url=sandbox.url, extra=QUICK
    ) as one:
        yield one


def bpe(key: str) -> dict[str, str]:
    return {"provider": "ns-bpe", "chBPe": key, "nProt": N_PROT, "xJust": X_JUST}


def producer(site: Site, valkey: LocalValkey) -> Client:
    return Client(site.settings.model_copy(update={"redis_url": valkey.url}), site.accounts)


def submitted(client: Client, *keys: str) -> list[str]:
    return [one.job for one in client.submit_many(bpe(key) for key in keys)]


def status(client: Client, job: str) -> Record:
    record = client.status(job)
    assert record is not None
    return record


def ended(client: Client, job: str) -> bool:
    return not status(client, job).is_open


def test_a_worker_on_a_half_open_connection_recovers_and_loses_no_wake_up(site, link, valkey):
    site.start_worker()
    client = producer(site, valkey)
    [before] = submitted(client, sandbox_chbpe(135, 101))
    wait_until(lambda: ended(client, before))

    link.swallow()
    jobs = submitted(client, *(sandbox_chbpe(135, number) for number in range(102, 112)))
    started = time.monotonic()
    wait_until(lambda: time.monotonic() - started > 3)  # whatever was popped in this time is gone
    link.clear()

    wait_until(lambda: all(ended(client, job) for job in jobs), limit_s=30)
    assert [status(client, job).run for job in jobs] == [1] * 10
    client.close()


def test_a_cut_in_the_middle_of_a_call_neither_repeats_it_nor_loses_its_answer(site, link, valkey, sandbox):
    key = sandbox_chbpe(135, 121)
    sandbox.fault("delay-after", seconds=1.5, document=key, calls=1)
    site.start_worker()
    client = producer(site, valkey)
    [job] = submitted(client, key)
    wait_until(lambda: sandbox.document(key)["in_flight"] == 1)

    link.cut()

    wait_until(lambda: ended(client, job))
    assert (status(client, job).state, status(client, job).attempts) == ("cancelled", 1)
    assert (sandbox.document(key)["asked"], sandbox.document(key)["looked_up"]) == (1, 0)
    client.close()


def test_an_answer_is_handed_in_when_redis_is_back(site, valkey, sandbox):
    key = sandbox_chbpe(135, 131)
    sandbox.fault("delay-after", seconds=1, document=key, calls=1)
    site.start_worker()
    client = producer(site, valkey)
    [job] = submitted(client, key)
    wait_until(lambda: sandbox.document(key)["in_flight"] == 1)

    valkey.kill()
    wait_until(lambda: sandbox.document(key)["in_flight"] == 0)
    valkey.start()

    wait_until(lambda: ended(client, job))
    assert status(client, job).attempts == 1
    assert (sandbox.document(key)["asked"], sandbox.document(key)["looked_up"]) == (1, 0)
    client.close()


def test_work_goes_on_soon_after_redis_is_back_from_an_outage_longer_than_leases(site, valkey):
    site.start_worker()
    client = producer(site, valkey)
    jobs = submitted(client, *(sandbox_chbpe(135, number) for number in range(141, 161)))

    valkey.stop()
    stopped = time.monotonic()
    wait_until(lambda: time.monotonic() - stopped > 7)
    valkey.start()

    wait_until(lambda: all(ended(client, job) for job in jobs), limit_s=GOES_ON_WITHIN_S)
    client.close()


def test_a_waiting_job_holds_no_message_and_no_slot(site, valkey):
    site.start_worker()
    client = producer(site, valkey)
    [job] = submitted(client, sandbox_chbpe(108, 171))
    wait_until(lambda: status(client, job).state == "waiting")
    wait_until(lambda: status(client, job).calls >= 5, limit_s=20)

    names = {name.decode() for name in client.ledger.redis.scan_iter(count=1_000)}
    foreign = {one for one in names if not one.startswith((site.namespace, "_kombu.binding"))}

    assert foreign == set(), "no list of unacknowledged messages, no result"
    wait_until(lambda: client.ledger.redis.llen(f"{site.namespace}.run") == 0)
    client.close()


def test_a_frozen_worker_that_wakes_up_makes_no_call_on_an_old_lease(site, valkey, sandbox):
    key = sandbox_chbpe("delay-after", 181, first_calls=1)
    frozen = site.start_worker()
    client = producer(site, valkey)
    [job] = submitted(client, key)
    wait_until(lambda: sandbox.document(key)["in_flight"] == 1)

    frozen.signal(signal.SIGSTOP)
    try:
        site.start_worker()
        wait_until(lambda: ended(client, job), limit_s=30)
    finally:
        frozen.signal(signal.SIGCONT)
    calls = len(sandbox.calls())
    log = frozen.log
    wait_until(lambda: "late_answer" in log.read_text(), limit_s=20)

    assert status(client, job).state == "cancelled"
    assert sandbox.document(key)["asked"] == 1
    assert len(sandbox.calls()) == calls
    assert len(site.outcomes(job)) == 1
    client.close()


def test_work_goes_on_soon_after_the_provider_is_back(site, valkey, sandbox):
    site.start_worker()
    client = producer(site, valkey)
    away = sandbox.fault("redirect")
    jobs = submitted(client, *(sandbox_chbpe(135, number) for number in range(191, 231)))
    wait_until(lambda: any(one.circuit_open_since for one in client.ledger.account_states()), limit_s=30)
    opened = time.monotonic()
    before = len(sandbox.calls())
    wait_until(lambda: time.monotonic() - opened > 4)
    probes = len(sandbox.calls()) - before

    sandbox.end_fault(away)

    wait_until(lambda: all(ended(client, job) for job in jobs), limit_s=GOES_ON_WITHIN_S)
    assert 1 <= probes <= 4, "one probe at a time, further and further apart"
    assert {status(client, job).state for job in jobs} == {"cancelled"}
    client.close()
