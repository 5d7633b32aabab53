"""Three workers on one Redis: what holds for an account holds for all of them together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from tests.support.sandbox import N_PROT, X_JUST, Sandbox, running_sandbox
from tests.support.site import Site, running_site
from tests.support.valkey import LocalValkey
from tests.support.waiting import wait_until
from worker.ledger.records import AccountState
from worker.sandbox.accounts import PASSWORD
from worker.sandbox.numbers import sandbox_chbpe, sandbox_uuid

pytestmark = pytest.mark.integration

SIZE = pytest.mark.size
ACCOUNT = """
[accounts.{name}]
provider = "solucion-factible"
environment = "test"
username = "{user}"
password_file = "{directory}/{name}.password"
endpoint = "{url}/ws/services/Cancelacion"
{more}
"""
_fresh = count(1)


@dataclass(frozen=True)
class Issuer:
    """An account that one test has to itself, on the site that all of them share."""

    site: Site
    sandbox: Sandbox
    name: str

    @property
    def user(self) -> str:
        return USERS[self.name]

    @property
    def state(self) -> AccountState:
        return next(one for one in self.site.ledger.account_states() if one.name == self.name)

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [call for call in self.sandbox.calls() if call["account"] == self.user]

    def write_password(self, password: str) -> None:
        file = self.site.directory / f"{self.name}.password"
        new = file.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(password)
        new.replace(file)  # no worker reads half of it

    def submit(self, how_many: int, behaviour: int | str = 200, **fields: Any) -> list[str]:
        requests = (
            {
                "provider": "solucion-factible",
                "account": self.name,
                "uuid": sandbox_uuid(behaviour, next(_fresh)),
                **fields,
            }
            for _ in range(how_many)
        )
        return [one.job for one in self.site.client.submit_many(requests)]

    def suspended(self) -> AccountState:
        wait_until(lambda: self.state.suspended_at, limit_s=120)
        return self.state

    def attempts(self, jobs: Sequence[str]) -> int:
        """Of all these jobs together."""
        records = [self.site.ledger.record(job) for job in jobs]
        return sum(one.attempts for one in records if one)


LIMITS = {
    "wrong": "",
    "turning": "",
    "narrow": "max_in_flight = 3",
    "paced": "max_per_minute = 20",
    "crowded": "",
    "waiting": "",
    "suspended": "",
    "circuit": "",
}
USERS = {name: f"sandbox-{number}@example.com" for number, name in enumerate(LIMITS, start=1)}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(latency_s=0.2) as one:
        yield one


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, shared_valkey: LocalValkey, sandbox: Sandbox) -> Iterator[Site]:
    """Three workers, and an account for each test."""
    directory = tmp_path_factory.mktemp("three-workers")
    with running_site(
        directory, redis_url=shared_valkey.url, namespace="three-workers", sandbox_url=sandbox.url
    ) as one:
        for name in LIMITS:
            Issuer(one, sandbox, name).write_password("wrong" if name == "wrong" else PASSWORD)
        one.write_accounts("".join(_account(one, name, more) for name, more in LIMITS.items()))
        workers = [one.start_worker(until_ready=False) for _ in range(3)]
        wait_until(lambda: all(worker.is_ready for worker in workers), limit_s=180)
        yield one


def _account(site: Site, name: str, more: str) -> str:
    return ACCOUNT.format(name=name, user=USERS[name], directory=site.directory, url=site.sandbox_url, more=more)


def bpe(number: int, **fields: Any) -> dict[str, Any]:
    return {"provider": "ns-bpe", "chBPe": sandbox_chbpe(135, number), "nProt": N_PROT, "xJust": X_JUST, **fields}


def another_account_works(site: Site, how_many: int = 10) -> None:
    """Other accounts notice nothing; and whatever was about to be released has been by then."""
    jobs = [one.job for one in site.client.submit_many(bpe(next(_fresh)) for _ in range(how_many))]
    assert {site.outcome(job, limit_s=120)["status"] for job in jobs} == {"cancelled"}


def most_at_a_time(calls: Sequence[dict[str, Any]]) -> int:
    return max(
        len([one for one in calls if one["started"] <= call["started"] < (one["ended"] or call["started"] + 1)])
        for call in calls
    )


@pytest.mark.parametrize("backlog", [300, pytest.param(10_000, marks=SIZE)])
def test_a_backlog_with_a_wrong_password_tries_it_once_after_a_start_and_once_after_each_resume(site, sandbox, backlog):
    wrong = Issuer(site, sandbox, "wrong")
    jobs = wrong.submit(backlog)

    found = wrong.suspended()
    another_account_works(site)
    assert len(wrong.calls) == 1
    assert (found.waiting, found.in_flight) == (backlog, 0)
    assert found.suspended_job in jobs
    assert "601" in (found.suspended_reason or "")

    assert site.ledger.resume("wrong", by="test")
    wrong.suspended()
    another_account_works(site)
    assert len(wrong.calls) == 2
    assert wrong.state.waiting == backlog
    assert wrong.attempts(jobs) == 2, "all but the two that were tried wait uncounted"

    wrong.write_password(PASSWORD)
    assert site.ledger.resume("wrong", by="test")
    wait_until(lambda: wrong.state.waiting < backlog - 50, limit_s=120)
    assert sandbox.accounts()[wrong.user]["wrong_in_all"] == 2


def test_a_password_that_turns_wrong_is_tried_by_no_more_than_the_calls_under_way(site, sandbox):
    turning = Issuer(site, sandbox, "turning")
    turning.submit(500)
    wait_until(lambda: len(turning.calls) >= 40, limit_s=120)

    turning.write_password("wrong")
    turning.suspended()
    another_account_works(site)

    wrong = [call for call in turning.calls if call["code"] in {"601", "602", "604"}]
    assert 1 <= len(wrong) <= 8, "as many as may be in flight"
    assert turning.state.waiting > 300


def test_no_more_calls_are_in_flight_than_the_account_allows_over_all_workers(site, sandbox):
    narrow = Issuer(site, sandbox, "narrow")
    jobs = narrow.submit(60)

    wait_until(lambda: narrow.state.waiting == 0 and narrow.state.in_flight == 0, limit_s=180)

    assert narrow.attempts(jobs) == len(narrow.calls) == len(jobs)
    assert most_at_a_time(narrow.calls) == 3
    assert all("account=narrow" in worker.log.read_text() for worker in site.workers), "each has made calls"


def test_no_more_calls_are_made_in_a_minute_than_the_account_allows_over_all_workers(site, sandbox):
    paced = Issuer(site, sandbox, "paced")
    paced.submit(100)

    wait_until(lambda: len(paced.calls) >= 20, limit_s=120)
    another_account_works(site)

    begun = sorted(call["started"] for call in paced.calls)
    assert len([one for one in begun if one < begun[0] + 59]) == 20
    assert paced.state.waiting >= 40


@pytest.mark.parametrize("backlog", [3_000, pytest.param(100_000, marks=SIZE)])
def test_bulk_jobs_do_not_delay_ten_of_another_account(site, sandbox, backlog):
    crowded = Issuer(site, sandbox, "crowded")
    crowded.submit(backlog, priority="bulk")
    wait_until(lambda: len(crowded.calls) >= 20, limit_s=120)

    before = len(crowded.calls)
    another_account_works(site)

    assert len(crowded.calls) - before < 1_000, "a fraction of what was submitted before them"
    assert crowded.state.waiting > backlog * 0.6


@pytest.mark.parametrize("held_up", ["waiting", "suspended", "circuit"])
def test_a_deadline_ends_a_job_whatever_it_waits_for(site, sandbox, held_up):
    issuer = Issuer(site, sandbox, held_up)
    hold_up = {
        "waiting": lambda: None,
        "suspended": lambda: site.ledger.suspend(held_up, "holiday", by="test"),
        "circuit": lambda: open_circuit(issuer),
    }
    hold_up[held_up]()
    deadline = (datetime.now(UTC) + timedelta(seconds=3)).isoformat(timespec="seconds")
    [job] = issuer.submit(1, "211-for-ever" if held_up == "waiting" else 200, deadline=deadline)

    found = site.outcome(job, limit_s=40)

    expected = ("unresolved", "deadline-passed") if held_up == "waiting" else ("rejected", "deadline-passed")
    assert (found["status"], found["reason"]) == expected
    started = [call["started_at"] for call in sandbox.calls() if call["document"] == found["document"]]
    assert all(datetime.fromisoformat(one) < datetime.fromisoformat(deadline) for one in started)
    assert started or held_up != "waiting"
    assert not started or held_up != "suspended"


def open_circuit(issuer: Issuer) -> None:
    issuer.submit(20, 500)
    wait_until(lambda: issuer.state.circuit_open_since, limit_s=120)
