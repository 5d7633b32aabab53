"""How soon a job is called for, what an idle worker weighs, and how fast a backlog drains; prints, and judges nothing."""

import statistics
import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.sandbox import N_PROT, X_JUST, sandbox_process
from tests.support.site import Site, Worker, running_site
from tests.support.waiting import wait_until
from worker.sandbox.numbers import sandbox_chbpe

pytestmark = pytest.mark.bench

IDLE_JOBS, BACKLOG, LATENCY_S = 25, 3_000, 0.1
WIDE = "max_in_flight = 200\n"


def bpe(number: int, priority: str = "interactive") -> dict[str, str]:
    key = sandbox_chbpe(135, number)
    return {"provider": "ns-bpe", "chBPe": key, "nProt": N_PROT, "xJust": X_JUST, "priority": priority}


def resident_mib(worker: Worker) -> float:
    status = Path(f"/proc/{worker.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def cpu_s(worker: Worker) -> float:
    fields = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def first_byte_ms(site: Site, first_call_at: str, job: str) -> float:
    record = site.ledger.record(job)
    assert record is not None
    return (datetime.fromisoformat(first_call_at) - record.submitted_at).total_seconds() * 1000


def test_an_idle_worker_and_how_soon_it_calls(tmp_path, redis_url, namespace):
    with (
        sandbox_process() as (sandbox, _),
        running_site(tmp_path, redis_url=redis_url, namespace=namespace, sandbox_url=sandbox.url) as site,
    ):
        worker = site.start_worker()
        idle = resident_mib(worker)
        waits = []
        for number in range(IDLE_JOBS):
            job = site.client.submit(bpe(number)).job
            site.outcome(job)
            waits.append(first_byte_ms(site, sandbox.document(sandbox_chbpe(135, number))["first_call_at"], job))

    print(f"\nidle: rss_mib={idle:.0f} first_byte_ms_median={statistics.median(waits):.1f} max={max(waits):.1f}")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_backlog_drains(tmp_path, redis_url, namespace, workers):
    with (
        sandbox_process(latency_s=LATENCY_S) as (sandbox, _),
        running_site(tmp_path, redis_url=redis_url, namespace=namespace, sandbox_url=sandbox.url) as site,
    ):
        accounts = tmp_path / "accounts.toml"
        accounts.write_text(accounts.read_text().replace("[accounts.rodoviaria]\n", f"[accounts.rodoviaria]\n{WIDE}"))
        site.client.submit_many([bpe(number, "bulk") for number in range(BACKLOG)])
        ended = site.ledger.key("ended")
        running = [site.start_worker("--concurrency", "64") for _ in range(workers)]
        wait_until(lambda: site.ledger.redis.zcard(ended) > BACKLOG / 10, limit_s=60)
        started, before, spent = time.monotonic(), int(site.ledger.redis.zcard(ended)), sum(map(cpu_s, running))
        wait_until(lambda: site.ledger.redis.zcard(ended) > BACKLOG * 0.9, limit_s=120, every_s=0.05)
        jobs = int(site.ledger.redis.zcard(ended)) - before
        rate, cpu_ms = jobs / (time.monotonic() - started), (sum(map(cpu_s, running)) - spent) / jobs * 1000

    print(f"\nbacklog: workers={workers} jobs_per_s={rate:.0f} cpu_ms_per_job={cpu_ms:.2f} provider_latency_ms=100")
