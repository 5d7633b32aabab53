"""What clears up after a bad day holds a page at a time, however many jobs there are."""

import json
import os
import re
import subprocess
import sys
import uuid

import pytest

from tests.support.hand_driven import cancelled, cfdi
from tests.support.ledgers import job_hash
from tests.support.site import ROOT
from worker.answer import Evidence

pytestmark = [pytest.mark.integration, pytest.mark.size]

FEW, MANY = 1_000, 8_000
FEW_OUTCOMES, MANY_OUTCOMES = 200, 1_000
EVIDENCE_BYTES = 20_000
MAY_GROW_BY = 2_000_000
"""Bytes. Holding all jobs takes 4 million more for the many than for the few, holding all outcomes 57 million."""

MEASURED = """
import sys, tracemalloc
from worker.cli.main import main
tracemalloc.start()
try:
    main(sys.argv[1:])
finally:
    print("peak", tracemalloc.get_traced_memory()[1], file=sys.stderr)
"""


def peak_bytes(deployment, *arguments):
    """The most that a command holds at once."""
    ran = subprocess.run(
        [sys.executable, "-c", MEASURED, *arguments],
        cwd=ROOT,
        env={**os.environ, **deployment.environment()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return int(re.findall(r"^peak (\d+)$", ran.stderr, re.MULTILINE)[0])


def add_unresolved(deployment, count):
    """Jobs as they are after their run has ended."""
    ledger = deployment.ledger
    jobs = [one.job for one in deployment.client().submit_many(cfdi() for _ in range(count))]
    end = {"state": "unresolved", "reason": "gave-up", "code": "501", "finished_at": "2026-01-31T10:00:00.000Z"}
    pipeline = ledger.redis.pipeline(transaction=False)
    for at, job in enumerate(jobs, start=1):
        pipeline.hset(job_hash(ledger, job), mapping=end)
        pipeline.zrem(ledger.key("open"), job)
        pipeline.zadd(ledger.key("ended"), {job: at})
    pipeline.execute()


def add_outcomes(deployment, count):
    """Outcomes of cancelled documents, like one that was really published."""
    client, stream = deployment.client(), deployment.ledger.key("outcomes")
    job = client.submit(cfdi()).job
    deployment.end(job, cancelled())
    (*_, real) = client.outcomes()
    evidence = Evidence(os.urandom(EVIDENCE_BYTES)).as_json()
    pipeline = deployment.ledger.redis.pipeline(transaction=False)
    for _ in range(count):
        document = str(uuid.uuid4()).upper()
        named = {"document": document, "job": f"solucion-factible:{document}", "evidence": evidence}
        pipeline.xadd(stream, {"outcome": json.dumps(real | named)})
    pipeline.execute()


@pytest.mark.parametrize("arguments", [("jobs",), ("jobs", "--json"), ("retry", "--state", "unresolved")])
def test_many_jobs_take_no_more_memory_than_few(deployment, arguments):
    add_unresolved(deployment, FEW)
    few = peak_bytes(deployment, *arguments)
    add_unresolved(deployment, MANY)
    many = peak_bytes(deployment, *arguments)

    assert many - few < MAY_GROW_BY


def test_much_evidence_takes_no_more_memory_than_little(deployment, tmp_path):
    arguments = ("evidence", "--all", str(tmp_path / "archive"))

    add_outcomes(deployment, FEW_OUTCOMES)
    few = peak_bytes(deployment, *arguments)
    add_outcomes(deployment, MANY_OUTCOMES)
    many = peak_bytes(deployment, *arguments)

    assert many - few < MAY_GROW_BY
    assert len(list((tmp_path / "archive").iterdir())) == FEW_OUTCOMES + MANY_OUTCOMES + 2
