"""Flower, as the Procfile starts it, beside a real worker: one row a job, waits as retries, no secret."""

from typing import Any

import httpx
import pytest

from tests.support.flower import running_flower
from tests.support.sandbox import N_PROT, X_JUST, running_sandbox
from tests.support.site import SECRETS, running_site
from tests.support.waiting import wait_until
from worker.sandbox.numbers import sandbox_chbpe, sandbox_uuid

pytestmark = pytest.mark.integration


def task(flower: httpx.Client, job: str) -> dict[str, Any]:
    found: dict[str, Any] = flower.get("/api/tasks", params={"search": "", "limit": 1000}).json()
    row: dict[str, Any] = found.get(job, {})
    return row


def test_flower_shows_each_job_as_one_row_with_its_waits_and_runs_and_no_secret(tmp_path, redis_url, namespace):
    key, waiting, ended = sandbox_chbpe(135), sandbox_uuid("211-for-ever"), sandbox_uuid(204)
    with (
        running_sandbox() as sandbox,
        running_site(tmp_path, redis_url=redis_url, namespace=namespace, sandbox_url=sandbox.url) as site,
        running_flower(site) as flower,
    ):
        site.start_worker()
        wait_until(lambda: flower.get("/api/workers?refresh=1").json())
        bpe = site.client.submit({"provider": "ns-bpe", "chBPe": key, "nProt": N_PROT, "xJust": X_JUST}).job
        in_process = site.client.submit({"provider": "solucion-factible", "uuid": waiting}).job
        rejected = site.client.submit({"provider": "solucion-factible", "uuid": ended}).job
        site.outcome(bpe)
        site.outcome(rejected)

        wait_until(lambda: task(flower, bpe).get("state") == "SUCCESS")
        wait_until(lambda: task(flower, in_process).get("state") == "RETRY")
        wait_until(lambda: task(flower, rejected).get("state") == "SUCCESS")
        assert task(flower, bpe)["result"] == "'cancelled: cancelled (135)'"
        assert "in_process 211" in task(flower, in_process)["exception"]
        first_end = task(flower, rejected)["timestamp"]

        site.ledger.retry(rejected, by="test")
        wait_until(lambda: len(site.outcomes(rejected)) == 2)
        wait_until(lambda: task(flower, rejected)["timestamp"] > first_end)
        wait_until(lambda: task(flower, rejected)["state"] == "SUCCESS")

        everything = "".join(flower.get(path).text for path in ("/api/tasks", "/api/workers", "/tasks", f"/task/{bpe}"))
        assert key in everything
        for secret in SECRETS.values():
            assert secret not in everything
        assert flower.post(f"/api/task/revoke/{in_process}").status_code in {403, 405}
        assert httpx.get(str(flower.base_url) + "/api/tasks", trust_env=False).status_code == 401
