"""A worker that dies in the middle of a call."""

import time

import pytest

from tests.support.sandbox import N_PROT, X_JUST, running_sandbox
from tests.support.site import running_site
from tests.support.waiting import wait_until
from worker.sandbox.numbers import sandbox_chbpe

pytestmark = pytest.mark.integration

SHORT_LEASES = {"ANULA_READ_TIMEOUT_S": "3", "ANULA_TOTAL_TIMEOUT_S": "3", "ANULA_LEASE_MARGIN_S": "1"}


def bpe(key: str) -> dict[str, str]:
    return {"provider": "ns-bpe", "chBPe": key, "nProt": N_PROT, "xJust": X_JUST}


def test_a_worker_killed_in_the_middle_of_a_call_leaves_exactly_one_outcome(tmp_path, redis_url, namespace):
    key = sandbox_chbpe(135)
    with (
        running_sandbox() as sandbox,
        running_site(
            tmp_path, redis_url=redis_url, namespace=namespace, sandbox_url=sandbox.url, extra=SHORT_LEASES
        ) as site,
    ):
        sandbox.fault("delay-after", seconds=2, document=key, calls=1)
        first = site.start_worker()
        job = site.client.submit(bpe(key)).job
        wait_until(lambda: sandbox.document(key)["in_flight"] == 1)

        first.kill()
        site.start_worker()
        found = site.outcome(job, limit_s=30)

        assert (found["status"], found["reason"]) == ("cancelled", "already-cancelled")
        assert sandbox.document(key)["asked"] == 1
        assert sandbox.document(key)["in_flight_max"] == 1
        settled = time.monotonic()
        wait_until(lambda: time.monotonic() - settled > 1)
        assert len(site.outcomes(job)) == 1


def test_a_worker_told_to_end_hands_in_the_call_under_way(tmp_path, redis_url, namespace):
    key = sandbox_chbpe(135, 2)
    with (
        running_sandbox() as sandbox,
        running_site(tmp_path, redis_url=redis_url, namespace=namespace, sandbox_url=sandbox.url) as site,
    ):
        sandbox.fault("delay-after", seconds=1, document=key, calls=1)
        worker = site.start_worker()
        job = site.client.submit(bpe(key)).job
        wait_until(lambda: sandbox.document(key)["in_flight"] == 1)

        worker.signal(15)

        assert worker.wait() == 0
        assert [one["status"] for one in site.outcomes(job)] == ["cancelled"]
