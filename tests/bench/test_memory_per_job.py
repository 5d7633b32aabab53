"""What a job takes in Redis: the figures of docs/redis.md. `make bench`, or pytest -m bench -s."""

import base64
import os

import pytest

from tests.support.hand_driven import a_deployment, cancelled, cfdi, not_cancelled
from tests.support.valkey import running_valkey

pytestmark = pytest.mark.bench

JOBS = 2_000


@pytest.mark.parametrize("evidence_bytes", [None, 0, 5_000, 20_000])
def test_bytes_of_a_job(tmp_path, evidence_bytes):
    with running_valkey(tmp_path / "valkey") as server:
        deployment = a_deployment(tmp_path, server.url, "anula")
        deployment.enroll()
        redis = deployment.ledger.redis
        before = redis.info("memory")["used_memory"]

        jobs = [one.job for one in deployment.client().submit_many(cfdi(reference=f"order-{n}") for n in range(JOBS))]
        opened = redis.info("memory")["used_memory"]
        for job in jobs:
            deployment.end(job, verdict(evidence_bytes))
        ended = redis.info("memory")["used_memory"]
        deployment.ledger.redis.close()

    print(
        f"\n{evidence_bytes} B of evidence: open {(opened - before) / JOBS:.0f} B, ended {(ended - before) / JOBS:.0f} B a job"
    )


def verdict(evidence_bytes):
    if evidence_bytes is None:
        return not_cancelled()
    # Evidence hardly compresses, and Redis does not try
    return cancelled(base64.b64encode(os.urandom(evidence_bytes))[:evidence_bytes] or None)
