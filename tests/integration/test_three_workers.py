"""Three workers on one Redis: what holds for an account holds for all of them together."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.support.sandbox import N_PROT, X_JUST, Sandbox, running_sandbox
from tests.support.site import Site, running_site
from tests.support.waiting import wait_until
from worker.ledger.records import AccountState
from worker.sandbox.accounts import PASSWORD
from worker.sandbox.numbers import sandbox_chbpe, sandbox_uuid

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("three-workers")]

USER = "sandbox-1@example.com"
BACKLOG = 10_000
HUGE_BACKLOG = 100_000
SUR = """
[accounts.sur]
provider = "solucion-factible"
environment = "test"
username = "sandbox-1@example.com"
password_file = "{directory}/sur.password"
endpoint = "{url}/ws/services/Cancelacion"
"""
_fresh = count(1)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(latency_s=0.2) as one:
        yield one


@pytest.fixture
def site(tmp_path: Path, redis_url: str, namespace: str, sandbox: Sandbox) -> Iterator[Site]:
    with running_site(tmp_path, redis_url=redis_url, namespace=namespace, sandbox_url=sandbox.url) as one:
        write_password(one, PASSWORD)
        add_account(one)
        yield one


def write_password(site: Site, password: str) -> None:
    file = site.directory / "sur.password"
    file.touch(mode=0o600)
    file.write_text(password)


def add_account(site: Site, more: str = "") -> None:
    site.write_accounts(SUR.format(directory=site.directory, url=site.sandbox_url) + more)


def start_three(site: Site) -> None:
    workers = [site.start_worker(until_ready=False) for _ in range(3)]
    wait_until(lambda: all(worker.is_ready for worker in workers), limit_s=180)


def submit_to_sur(site: Site, how_many: int, **fields: Any) -> list[str]:
    requests = (
        {"provider": "solucion-factible", "account": "sur", "uuid": sandbox_uuid(200, next(_fresh)), **fields}
        for _ in range(how_many)
    )
    return [one.job for one in site.client.submit_many(requests)]


def bpe(number: int, **fields: Any) -> dict[str, Any]:
    return {"provider": "ns-bpe", "chBPe": sandbox_chbpe(135, number), "nProt": N_PROT, "xJust": X_JUST, **fields}


def another_account_works(site: Site, how_many: int = 10) -> None:
    """Other accounts notice nothing; and whatever was about to be released has been by then."""
    jobs = [one.job for one in site.client.submit_many(bpe(next(_fresh)) for _ in range(how_many))]
    assert {site.outcome(job, limit_s=120)["status"] for job in jobs} == {"cancelled"}


def sur(site: Site) -> AccountState:
    return next(one for one in site.ledger.account_states() if one.name == "sur")


def attempts(site: Site, jobs: list[str]) -> int:
    """Of all these jobs together."""
    records = [site.ledger.record(job) for job in jobs]
    return sum(one.attempts for one in records if one)


def calls_of_sur(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [call for call in sandbox.calls() if call["account"] == USER]


def test_ten_thousand_jobs_with_a_wrong_password_try_it_once_after_a_start_and_once_after_each_resume(site, sandbox):
    write_password(site, "wrong")
    jobs = submit_to_sur(site, BACKLOG)
    start_three(site)

    wait_until(lambda: sur(site).suspended_at, limit_s=120)
    another_account_works(site)
    found = sur(site)
    assert len(calls_of_sur(sandbox)) == 1
    assert (found.waiting, found.in_flight) == (BACKLOG, 0)
    assert found.suspended_job in jobs
    assert "601" in (found.suspended_reason or "")

    assert site.ledger.resume("sur", by="test")
    wait_until(lambda: sur(site).suspended_at, limit_s=120)
    another_account_works(site)
    assert len(calls_of_sur(sandbox)) == 2
    assert sur(site).waiting == BACKLOG
    assert attempts(site, jobs) == 2, "all but the two that were tried wait uncounted"

    write_password(site, PASSWORD)
    assert site.ledger.resume("sur", by="test")
    wait_until(lambda: sur(site).waiting < BACKLOG - 50, limit_s=120)
    assert sandbox.accounts()[USER]["wrong_in_all"] == 2


def test_a_password_that_turns_wrong_is_tried_by_no_more_than_the_calls_under_way(site, sandbox):
    submit_to_sur(site, 500)
    start_three(site)
    wait_until(lambda: len(calls_of_sur(sandbox)) >= 40, limit_s=120)

    write_password(site, "wrong")
    wait_until(lambda: sur(site).suspended_at, limit_s=120)
    another_account_works(site)

    wrong = [call for call in calls_of_sur(sandbox) if call["code"] in {"601", "602", "604"}]
    assert 1 <= len(wrong) <= 8, "as many as may be in flight"
    assert sur(site).waiting > 300


def test_no_more_calls_are_in_flight_than_the_account_allows_over_all_workers(site, sandbox):
    add_account(site, "max_in_flight = 3\n")
    jobs = submit_to_sur(site, 60)
    start_three(site)

    wait_until(lambda: len(site.outcomes()) == len(jobs), limit_s=180)

    assert most_at_a_time(calls_of_sur(sandbox)) == 3
    assert all("account=sur" in worker.log.read_text() for worker in site.workers), "each has made calls"


def test_no_more_calls_are_made_in_a_minute_than_the_account_allows_over_all_workers(site, sandbox):
    add_account(site, "max_per_minute = 20\n")
    submit_to_sur(site, 100)
    start_three(site)

    wait_until(lambda: len(calls_of_sur(sandbox)) >= 20, limit_s=120)
    another_account_works(site)

    begun = sorted(call["started"] for call in calls_of_sur(sandbox))
    assert len([one for one in begun if one < begun[0] + 59]) == 20
    assert sur(site).waiting >= 40


def most_at_a_time(calls: list[dict[str, Any]]) -> int:
    return max(
        len([one for one in calls if one["started"] <= call["started"] < (one["ended"] or call["started"] + 1)])
        for call in calls
    )


def test_a_hundred_thousand_bulk_jobs_do_not_delay_ten_of_another_account(site, sandbox):
    submit_to_sur(site, HUGE_BACKLOG, priority="bulk")
    start_three(site)
    wait_until(lambda: len(calls_of_sur(sandbox)) >= 20, limit_s=120)

    before = len(calls_of_sur(sandbox))
    another_account_works(site)

    assert len(calls_of_sur(sandbox)) - before < 1_000, "a hundredth of what stood before them"
    assert sur(site).waiting > HUGE_BACKLOG * 0.9


@pytest.mark.parametrize("stands", ["waiting", "suspended", "behind an open circuit"])
def test_a_deadline_ends_a_job_whatever_it_waits_for(site, sandbox, stands):
    make_stand = {
        "waiting": lambda: None,
        "suspended": lambda: site.ledger.suspend("sur", "holiday", by="test"),
        "behind an open circuit": lambda: open_circuit(site, sandbox),
    }
    site.start_worker()
    make_stand[stands]()
    deadline = (datetime.now(UTC) + timedelta(seconds=4)).isoformat(timespec="seconds")
    document = sandbox_uuid("211-for-ever" if stands == "waiting" else 200, next(_fresh))
    job = site.client.submit(
        {"provider": "solucion-factible", "account": "sur", "uuid": document, "deadline": deadline}
    ).job

    found = site.outcome(job, limit_s=40)

    expected = ("unresolved", "deadline-passed") if stands == "waiting" else ("rejected", "deadline-passed")
    assert (found["status"], found["reason"]) == expected
    started = [call["started_at"] for call in sandbox.calls() if call["document"] == document]
    assert all(datetime.fromisoformat(one) < datetime.fromisoformat(deadline) for one in started)
    assert started or stands != "waiting"
    assert not started or stands != "suspended"


def open_circuit(site: Site, sandbox: Sandbox) -> None:
    sandbox.fault("busy-429", retry_after="0")
    submit_to_sur(site, 20)
    wait_until(lambda: sur(site).circuit_open_since, limit_s=120)
