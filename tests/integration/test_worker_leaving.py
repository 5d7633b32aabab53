"""Whoever asks a worker to leave, and how often: calls under way hand in their answers first."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sandbox import N_PROT, X_JUST, Sandbox, running_sandbox
from tests.support.site import Site, running_site
from tests.support.waiting import wait_until
from worker.sandbox.numbers import sandbox_chbpe

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as one:
        yield one


@pytest.fixture
def site(tmp_path: Path, redis_url: str, namespace: str, sandbox: Sandbox) -> Iterator[Site]:
    with running_site(tmp_path, redis_url=redis_url, namespace=namespace, sandbox_url=sandbox.url) as one:
        yield one


@pytest.mark.parametrize(
    ("number", "environment"),
    [
        (signal.SIGQUIT, {}),
        (signal.SIGINT, {}),
        (signal.SIGTERM, {"REMAP_SIGTERM": "SIGQUIT"}),
    ],
)
def test_a_worker_that_is_asked_twice_still_hands_in_the_call_under_way(site, sandbox, number, environment):
    key = sandbox_chbpe(135, number)
    sandbox.fault("delay-after", seconds=2, document=key, calls=1)
    site.extra = environment
    worker = site.start_worker()
    job = site.client.submit({"provider": "ns-bpe", "chBPe": key, "nProt": N_PROT, "xJust": X_JUST}).job
    wait_until(lambda: sandbox.document(key)["in_flight"] == 1)

    worker.signal(number)
    wait_until(lambda: "shutdown" in worker.log.read_text())
    worker.signal(number)

    assert worker.wait() == 0
    assert [(one["status"], one["attempts"]) for one in site.outcomes(job)] == [("cancelled", 1)]
    assert sandbox.document(key)["asked"] == 1
    assert "Traceback" not in worker.log.read_text()
