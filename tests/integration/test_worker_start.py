"""A worker as it starts and ends: its name, and the format of its first and last lines."""

import json
import signal
import subprocess
import sys
from contextlib import ExitStack
from functools import partial

import pytest

from tests.support.site import ROOT, Site, running_site
from tests.support.waiting import wait_until

pytestmark = pytest.mark.integration

WORKER = [sys.executable, "-m", "celery", "--app", "worker.app", "worker", "--loglevel", "INFO"]


@pytest.fixture
def site(tmp_path, redis_url, namespace):
    """A deployment whose workers have nothing to do."""
    with running_site(tmp_path, redis_url=redis_url, namespace=namespace, sandbox_url="http://127.0.0.1:9") as one:
        yield one


@pytest.fixture
def start(site: Site):
    """Starts a worker; gives its process and the file that holds all it writes."""
    with ExitStack() as started:

        def run(*options, **environment):
            log = site.directory / f"{len(list(site.directory.glob('*.log')))}.log"
            with log.open("wb") as output:
                process = subprocess.Popen(
                    [*WORKER, *options], cwd=ROOT, env=site.environment | environment, stdout=output, stderr=output
                )
            started.callback(process.wait)
            started.callback(process.kill)
            return process, log

        yield run


def lines(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


def is_ready_under_its_own_name(process, log):
    return f"worker-{process.pid}@" in log.read_text() and " ready." in log.read_text()


def test_two_workers_of_a_machine_have_different_names_and_write_nothing_but_json(start):
    workers = [start(ANULA_LOG_FORMAT="json") for _ in range(2)]

    for process, log in workers:
        wait_until(partial(is_ready_under_its_own_name, process, log), limit_s=60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0

    written = [line for _, log in workers for line in lines(log)]
    assert all({"event", "level", "timestamp"} <= set(line) for line in written)
    assert len({line["event"] for line in written if line["event"].endswith(" ready.")}) == 2
    assert [line["event"] for line in written].count("worker: Warm shutdown (MainProcess)") == 2


@pytest.mark.parametrize(
    "wrong, problem, as_json",
    [
        ({"ANULA_NAMESPACE": "No Spaces"}, "ANULA_NAMESPACE", True),
        ({"ANULA_NAMESPACE": "No Spaces"}, "ANULA_NAMESPACE", False),
        ({"ANULA_ACCOUNTS": "/none.toml"}, "/none.toml not found", True),
    ],
    ids=["settings-json", "settings-text", "accounts-json"],
)
def test_a_worker_that_cannot_work_says_why_in_one_line(start, wrong, problem, as_json):
    process, log = start("--without-mingle", **wrong, ANULA_LOG_FORMAT="json" if as_json else "text")

    assert process.wait(60) == 1

    if as_json:
        (said,) = [line for line in lines(log) if line["event"] == "not_started"]
        assert problem in said["problem"]
    else:
        assert [problem in line for line in log.read_text().splitlines() if line.startswith("anula: ")] == [True]
