"""What does not fit is refused at the start: status 1 and one line, before anything is connected or detached."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.site import ROOT, Site, running_site
from tests.support.waiting import wait_until

pytestmark = pytest.mark.integration

CELERY = [sys.executable, "-m", "celery", "--app", "worker.app"]
_EACH_IN_A_CHILD = """
import json, os, signal, sys
import worker.app, tasks.cancel, tasks.submit, celery.bin.celery, celery.apps.worker
from celery.__main__ import main

found = []
for number, (options, variables) in enumerate(json.loads(sys.argv[1])):
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        os.environ.update(variables)
        os.dup2(os.open(f"{number}.err", os.O_CREAT | os.O_WRONLY), 2)
        sys.argv = ["celery", "--app", "worker.app", "worker", *options]
        try:
            main()
        except SystemExit as end:  # as the interpreter does, without taking down all that was loaded
            print(end.code, file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    found.append((os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), open(f"{number}.err").read()))
print(json.dumps(found))
"""
"""Runs `celery worker` with each of the options and variables; the libraries are loaded once."""

NO_OTHER_POOL = "--pool: a worker runs calls on threads and on nothing else"
NO_OTHER_QUEUE = "--queues, --exclude-queues: a worker serves the queue anula.run and no other"
CASES = [
    (["-P", "prefork"], {}, NO_OTHER_POOL),
    (["--pool=prefork"], {}, NO_OTHER_POOL),
    (["-EPprefork"], {}, NO_OTHER_POOL),
    (["--pool", "processes"], {}, NO_OTHER_POOL),
    (["-P", "solo"], {}, NO_OTHER_POOL),
    ([], {"CELERY_WORKER_POOL": "gevent"}, NO_OTHER_POOL),
    ([], {"CELERY_WORKER_POOL": "prefork"}, NO_OTHER_POOL),
    (["--autoscale", "10,2"], {}, "--autoscale: a pool of threads has one size"),
    (["--autoscale=4"], {}, "--autoscale: a pool of threads has one size"),
    (["-Q", "other"], {}, NO_OTHER_QUEUE),
    (["-Q", "anula"], {}, NO_OTHER_QUEUE),
    (["--queues", "anula.run,anula"], {}, NO_OTHER_QUEUE),
    (["-X", "anula.run"], {}, NO_OTHER_QUEUE),
    (["--exclude-queues", "anula.run"], {}, NO_OTHER_QUEUE),
    ([], {"CELERY_WORKER_QUEUES": "other"}, NO_OTHER_QUEUE),
    (["--time-limit", "5"], {}, "--time-limit: does nothing to threads"),
    (["--max-tasks-per-child", "5"], {}, "--max-tasks-per-child: does nothing to threads"),
    (["--prefetch-multiplier", "4"], {}, "--prefetch-multiplier, --disable-prefetch: a worker takes"),
    (["--disable-prefetch"], {}, "--prefetch-multiplier, --disable-prefetch: a worker takes"),
    (["--detach"], {}, "--detach: a detached worker has no standard error; give it a --logfile"),
    (["--logfile", "no-such-folder/w.log"], {}, "--logfile: no-such-folder/w.log cannot be written"),
    (["--pidfile", "no-such-folder/%n.pid", "-n", "w@h"], {}, "--pidfile: no-such-folder/w.pid cannot be written"),
    (["--pidfile", "running.pid"], {}, "--pidfile: running.pid is that of a running process"),
    (["-D", "-f", "w.log", "-P", "solo"], {}, NO_OTHER_POOL),
    (["--detach", "--logfile", "w.log", "--pidfile", "running.pid"], {}, "--pidfile: running.pid is that of a running"),
]


@dataclass
class Refusals:
    """How `celery worker` ended in a directory with a site's files, for each of the cases."""

    directory: Path
    environment: dict[str, str]
    found: list[tuple[int, str]]


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> Refusals:
    directory = tmp_path_factory.mktemp("refusals")
    (directory / "running.pid").write_text(f"{os.getpid()}\n")
    nowhere = "redis://127.0.0.1:1/0"
    with running_site(directory, redis_url=nowhere, namespace="anula", sandbox_url="http://127.0.0.1:1") as site:
        cases = json.dumps([(options, variables) for options, variables, _ in CASES])
        environment = {**site.environment, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", _EACH_IN_A_CHILD, cases],
            cwd=directory,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return Refusals(directory, environment, json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("number", range(len(CASES)), ids=[" ".join((*case[0], *case[1].values())) for case in CASES])
def test_an_option_that_does_not_fit_is_refused_in_one_line(refusals, number):
    status, said = refusals.found[number]

    assert (status, len(said.splitlines())) == (1, 1), said
    assert said.startswith(f"anula: {CASES[number][2]}")


def refused(directory: Path, environment: dict[str, str], *arguments: str) -> str:
    """The one line with which it ended."""
    done = subprocess.run(
        [*CELERY, *arguments], cwd=directory, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done
    return done.stderr


def test_another_broker_is_refused_by_everything_that_celery_runs(refusals):
    environment = refusals.environment | {"CELERY_BROKER_URL": "redis://:Qx7K#hidden@elsewhere/0"}

    said = refused(refusals.directory, environment, "flower")

    assert said.startswith("anula: Redis is where ANULA_REDIS_URL says")
    assert "hidden" not in said


def test_a_detached_worker_with_a_wrong_accounts_file_says_so(refusals):
    environment = refusals.environment | {"ANULA_ACCOUNTS": "no-such.toml"}

    said = refused(refusals.directory, environment, "worker", "--detach", "--logfile", "w.log")

    assert "accounts file no-such.toml not found" in said


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps to a limit of address space")
def test_too_few_threads_are_named_at_the_start_with_what_limits_them(refusals):
    few = resource.RLIMIT_AS, (1 << 30, 1 << 30)
    done = subprocess.run(
        [*CELERY, "--quiet", "worker", "--concurrency", "1000", "--logfile", "few.log"],
        cwd=refusals.directory,
        env=refusals.environment,
        preexec_fn=lambda: resource.setrlimit(*few),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    (line,) = [one for one in done.stderr.splitlines() if one.startswith("anula: ")]
    assert done.returncode == 1
    assert " of 1000 threads could be started: a limit of the user, the container or the service" in line
    assert "Traceback" not in done.stderr
    assert "1000 threads could be started" in (refusals.directory / "few.log").read_text()


# Options that are honoured


@pytest.fixture
def site(tmp_path: Path, redis_url: str, namespace: str) -> Iterator[Site]:
    with running_site(tmp_path, redis_url=redis_url, namespace=namespace, sandbox_url="http://127.0.0.1:1") as one:
        yield one


def test_a_detached_worker_logs_to_its_file_at_the_level_that_was_given(site):
    log, pid = site.directory / "w-one.log", site.directory / "one.pid"
    options = ["--logfile", "w-%n.log", "--pidfile", str(pid), "--hostname", "one@here", "--loglevel", "DEBUG"]
    environment = {**site.environment, "ANULA_LOG_LEVEL": "ERROR", "PYTHONPATH": str(ROOT)}
    command = [*CELERY, "worker", "--detach", *options]

    done = subprocess.run(
        command, cwd=site.directory, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    try:
        wait_until(lambda: log.exists() and "one@here ready" in log.read_text(), limit_s=60)
        log.rename(site.directory / "rotated.log")
        site.write_accounts()
    finally:
        wait_until(pid.exists, limit_s=60)
        os.kill(int(pid.read_text()), signal.SIGTERM)
    wait_until(lambda: not pid.exists(), limit_s=60)

    assert "[debug" in log.read_text(), "opened anew, under its name"


def test_without_a_level_on_the_command_line_that_of_the_settings_counts(site):
    site.extra = {"ANULA_LOG_LEVEL": "ERROR"}
    worker = site.start_worker(until_ready=False)

    wait_until(site.ledger.account_states, limit_s=60)

    assert "[info" not in worker.log.read_text()
    worker.stop()
    assert "[info" not in worker.log.read_text()
