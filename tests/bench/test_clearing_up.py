"""What it takes to clear up after a bad day: the figures of docs/runbook.md. `make bench`, or pytest -m bench -s."""

import base64
import os
import re
import subprocess
import sys
import time

import pytest

from tests.support.hand_driven import a_deployment, cancelled, cfdi, not_cancelled
from tests.support.site import ROOT
from tests.support.valkey import running_valkey
from worker.answer import Reason
from worker.outcome import Status

pytestmark = pytest.mark.bench

JOBS = 100_000
AT_ONCE = 1_000
EVIDENCE_BYTES = 5_000
RUN = """
import sys
from pathlib import Path
from worker.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print(Path("/proc/self/status").read_text(), file=sys.stderr)
"""
"""A command that tells Linux' own figure of its peak: the one that its parent can ask for begins with the parent's."""


def test_clearing_up(tmp_path):
    with running_valkey(tmp_path / "valkey") as server:
        deployment = a_deployment(tmp_path, server.url, "anula")
        deployment.enroll()
        for _ in range(0, JOBS, AT_ONCE):
            end_some(deployment)
        environment = {**os.environ, **deployment.environment()}
        print(f"\n{JOBS} jobs, half of them unresolved, half cancelled with {EVIDENCE_BYTES} B of evidence")

        measure(environment, "jobs")
        measure(environment, "jobs", "--json")
        measure(environment, "jobs", "--state", "unresolved", "--code", "501")
        measure(environment, "evidence", "--all", str(tmp_path / "archive"))
        measure(environment, "evidence", "--all", str(tmp_path / "archive"))
        measure(environment, "retry", "--state", "unresolved", "--code", "501")
        deployment.ledger.redis.close()


def end_some(deployment):
    """As many jobs as go in one exchange, with a call and an outcome each."""
    unresolved = not_cancelled(Status.UNRESOLVED, Reason.GAVE_UP, code="501", message="Error de base de datos")
    jobs = [one.job for one in deployment.client().submit_many(cfdi() for _ in range(AT_ONCE))]
    for job in jobs[::2]:
        deployment.end(job, unresolved)
    for job in jobs[1::2]:
        deployment.end(job, cancelled(base64.b64encode(os.urandom(EVIDENCE_BYTES))[:EVIDENCE_BYTES]))


def measure(environment, *arguments):
    """Run one command, and print its time and its peak memory."""
    started = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    took_s = time.monotonic() - started
    (peak_kib,) = re.findall(r"^VmHWM:\s*(\d+) kB$", ran.stderr, re.MULTILINE)
    shown = " ".join("DIR" if "/" in one else one for one in arguments)
    print(f"anula {shown}: {took_s:.1f} s, {int(peak_kib) / 1024:.0f} MiB")
