"""`anula` as a process: what it loads, how it ends, and what a user sees when something is in the way."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from importlib.metadata import entry_points
from urllib.parse import urlsplit

import pytest

from tests.support.hand_driven import A_UUID, ACCOUNTS, a_deployment, a_uuid, bpe, cancelled, cfdi
from tests.support.lossy_proxy import lossy_proxy
from tests.support.processes import heeding_ctrl_c
from tests.support.valkey import running_valkey
from tests.support.waiting import wait_until
from worker.cli import main as cli
from worker.cli.commands import COMMANDS
from worker.client import Client

pytestmark = pytest.mark.integration

ANULA = [sys.executable, "-c", "from worker.cli.main import main; main()"]
FORBIDDEN = ("celery", "kombu", "zeep", "httpx", "lxml", "starlette", "uvicorn")


def started(deployment, *arguments, **options):
    environment = os.environ | deployment.environment() | options.pop("environment", {})
    with heeding_ctrl_c():
        return subprocess.Popen(
            [*ANULA, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )


def outcomes_of(deployment, count):
    client = deployment.client()
    for submission in client.submit_many(cfdi() for _ in range(count)):
        deployment.end(submission.job, cancelled())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["jobs"],
        ["accounts"],
        ["outcomes"],
        ["schema", "outcome"],
        ["submit", "--from-json", "-"],
        ["revoke", A_UUID],
        ["retry", "--state", "unresolved"],
        ["evidence", A_UUID],
        ["sandbox", "--help"],
    ],
)
def test_no_command_loads_celery_or_a_providers_library(deployment, arguments):
    program = (
        "import sys\nfrom worker.cli.main import main\n"
        f"try: main({arguments!r})\n"
        f"finally: print([m for m in {FORBIDDEN!r} if m in sys.modules], file=sys.stderr)"
    )
    environment = os.environ | deployment.environment()

    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
    )

    assert done.stderr.splitlines()[-1] == "[]", done.stderr


def test_the_help_needs_neither_redis_nor_pydantic():
    program = (
        "import sys\nfrom worker.cli.main import main\n"
        "try: main(['--help'])\n"
        "finally: print([m for m in ('redis', 'pydantic') if m in sys.modules], file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr.strip()) == (0, "[]")


def test_the_help_is_there_quickly():
    def took_s():
        began = time.process_time() + children_s()
        subprocess.run([*ANULA, "--help"], capture_output=True, check=True)
        return time.process_time() + children_s() - began

    assert min(took_s() for _ in range(3)) < 0.5


def children_s():
    spent = os.times()
    return spent.children_user + spent.children_system


def test_the_installed_script_is_this_command():
    (script,) = entry_points(group="console_scripts", name="anula")

    assert script.load() is cli.main


def test_whoever_stops_reading_ends_the_command_quietly(deployment):
    outcomes_of(deployment, 300)  # more than a pipe holds
    process = started(deployment, "outcomes")
    process.stdout.readline()
    process.stdout.close()

    assert process.wait(10) == 1
    assert process.stderr.read() == ""
    process.stderr.close()


def test_an_outcome_that_could_not_be_written_is_given_again(deployment):
    outcomes_of(deployment, 200)
    process = started(deployment, "outcomes", "--group", "erp", "--consumer", "one")
    read = [json.loads(process.stdout.readline())["job"] for _ in range(3)]
    process.stdout.close()
    process.wait(10)
    process.stderr.close()

    rest = [one["job"] for one in deployment.client().outcomes(group="erp", consumer="one")]

    everything = [one["job"] for one in deployment.client().outcomes()]
    assert read == everything[:3]
    assert rest == everything[-len(rest) :]
    assert len(rest) > 50


def test_ctrl_c_ends_a_command_with_130_and_without_a_word(deployment):
    outcomes_of(deployment, 1)
    process = started(deployment, "outcomes", "--follow")
    process.stdout.readline()

    process.send_signal(signal.SIGINT)

    assert process.wait(10) == 130
    assert process.communicate() == ("", "")


def test_following_prints_each_outcome_at_once(deployment):
    process = started(deployment, "outcomes", "--follow")
    for _ in range(2):
        outcomes_of(deployment, 1)
        assert json.loads(process.stdout.readline())["status"] == "cancelled"
    process.kill()
    process.communicate()


def test_a_terminal_sees_a_progress_bar_and_the_outcome(deployment):
    document = a_uuid()
    terminal, inner = pty.openpty()
    environment = os.environ | deployment.environment() | {"TERM": "xterm", "COLUMNS": "120"}
    process = subprocess.Popen(
        [*ANULA, "submit", "solucion-factible", document, "--wait"], env=environment, stdout=inner, stderr=inner
    )
    os.close(inner)
    shown = b""

    def seen(words):
        nonlocal shown
        try:
            shown += os.read(terminal, 4096)
        except OSError:
            return True
        return words in shown

    wait_until(lambda: seen(b"waiting for outcomes"))
    deployment.end(f"solucion-factible:{document}", cancelled())
    wait_until(lambda: seen(b"cancelled (cancelled)"))

    while not seen(b"never shown"):
        pass
    assert process.wait(10) == 0
    os.close(terminal)


def test_a_lost_reply_to_a_submission_admits_nothing_twice(deployment, redis_url):
    document = a_uuid()
    with lossy_proxy(urlsplit(redis_url).port) as proxy:
        proxy.lose_replies(2, to=b"EVALSHA")
        process = started(
            deployment,
            *("submit", "solucion-factible", document, "--json"),
            environment={"ANULA_REDIS_URL": proxy.url},
        )
        out, err = process.communicate(timeout=20)

    assert json.loads(out) == {"job": f"solucion-factible:{document}", "run": 1, "joined": False, "replayed": False}
    assert (proxy.lost, err) == (2, "")


# What is in the way


def test_redis_away_is_one_line(anula, monkeypatch):
    monkeypatch.setenv("ANULA_REDIS_URL", "redis://user:hidden@127.0.0.1:1/0")

    for command in (
        ["jobs"],
        ["submit", "solucion-factible", a_uuid()],
        ["outcomes"],
        ["accounts"],
        ["revoke", a_uuid()],
    ):
        ran = anula(*command)

        assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
        assert "Redis at 127.0.0.1:1/0" in ran.err
        assert "ANULA_REDIS_URL" in ran.err
        assert "hidden" not in ran.err


def test_redis_going_away_in_the_middle_tells_how_to_go_on(deployment, redis_url, anula, monkeypatch):
    requests = [cfdi() for _ in range(3)]
    with lossy_proxy(urlsplit(redis_url).port) as proxy:
        monkeypatch.setenv("ANULA_REDIS_URL", proxy.url)
        proxy.lose_replies(100, to=b"EVALSHA")

        ran = anula("submit", "--from-json", "-", stdin="\n".join(map(json.dumps, requests)))

    assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
    assert "0 of 3 were submitted" in ran.err
    submission = ran.err.split("--submission ")[1].split(",")[0]
    monkeypatch.setenv("ANULA_REDIS_URL", redis_url)
    again = anula(
        "submit", "--from-json", "-", "--json", "--submission", submission, stdin="\n".join(map(json.dumps, requests))
    )
    assert [(one["run"], one["joined"]) for one in again.json_lines] == [(1, False)] * 3


def test_a_full_redis_is_one_line_that_says_what_to_do(tmp_path, namespace, anula, monkeypatch):
    with running_valkey(tmp_path / "valkey", settings={"maxmemory": "4mb"}) as server:
        (tmp_path / "files").mkdir()
        full = a_deployment(tmp_path / "files", server.url, namespace)
        number = 0
        while full.ledger.redis.info("memory")["used_memory"] < 3.8 * 1024 * 1024:
            full.ledger.redis.set(f"filler:{number}", "x" * 20_000)
            number += 1
        monkeypatch.setenv("ANULA_REDIS_URL", server.url)

        ran = anula("submit", "solucion-factible", a_uuid())

    assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
    assert "memory" in ran.err


@pytest.mark.parametrize(
    "text, said",
    [
        (None, "not found"),
        ("[accounts.norte", "not valid TOML"),
        ("", "no [accounts.NAME] table"),
        (
            ACCOUNTS.replace('environment = "test"', 'environment = "test"\nsecret = "x"', 1),
            "line 5: account norte, secret",
        ),
        (ACCOUNTS.replace('"test"', '"production"', 1), "of the production environment"),
    ],
)
def test_a_wrong_accounts_file_is_one_line(anula, deployment, text, said):
    deployment.accounts_path.unlink()
    if text is not None:
        deployment.accounts_path.write_text(text)

    for command in (["submit", "solucion-factible", a_uuid()], ["jobs"], ["accounts"]):
        ran = anula(*command)

        assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
        assert said in ran.err


def test_a_namespace_of_the_other_environment_is_refused_by_every_command(anula, deployment):
    deployment.client().submit(cfdi())
    before = deployment.records()
    deployment.accounts_path.write_text(ACCOUNTS.replace('"test"', '"production"'))

    for command in (["submit", "solucion-factible", a_uuid()], ["jobs"], ["outcomes"], ["retry", a_uuid()]):
        ran = anula(*command)

        assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
        assert "belongs to test" in ran.err
    assert deployment.records() == before


def test_a_wrong_setting_is_one_line(anula, monkeypatch):
    monkeypatch.setenv("ANULA_NAMESPACE", "No Spaces")

    ran = anula("jobs")

    assert (ran.status, len(ran.errors)) == (1, 1)
    assert "ANULA_NAMESPACE" in ran.err


def test_a_missing_secret_is_one_line(anula, deployment):
    job = deployment.client().submit(bpe()).job
    deployment.end(job, cancelled(evidence=None))

    ran = anula("evidence", job, "--fetch")

    assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
    assert "RODOVIARIA_TOKEN is not set" in ran.err


def test_a_bug_of_ours_is_one_line_and_its_traceback_is_for_those_who_ask(anula, monkeypatch):
    def failing(*_):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Client, "status", failing)

    quiet = anula("status", A_UUID)
    monkeypatch.setenv("ANULA_LOG_LEVEL", "DEBUG")
    loud = anula("status", A_UUID)

    assert (quiet.status, len(quiet.errors)) == (1, 1)
    assert "ANULA_LOG_LEVEL=DEBUG" in quiet.err
    assert "Traceback" in loud.err


@pytest.mark.parametrize(
    "arguments",
    [["--no-such-option"], ["cancel"], ["jobs", "--limit", "0"], ["jobs", "--limit", "x"], ["status"], ["schema", "x"]],
)
def test_wrong_usage_is_one_line_and_2(anula, arguments):
    ran = anula(*arguments)

    assert (ran.status, ran.out, len(ran.errors)) == (2, "", 1)


def test_every_command_has_a_help_and_the_list_tells_the_same(anula):
    listed = anula("--help").out
    for name in COMMANDS:
        if name not in listed.split():
            continue
        ran = anula(name, "--help")

        assert ran.status == 0
        assert len(ran.out) > 200


def test_the_version_is_told(anula):
    assert anula("--version").out.strip()


# Odd streams, odd values


def ended_in_shell(deployment, redirected, *arguments):
    environment = os.environ | deployment.environment()
    line = f'exec "$@" {redirected}'
    return subprocess.run(
        ["/bin/sh", "-c", line, "sh", *ANULA, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_following_ends_when_nobody_reads_the_pipe_any_more(deployment):
    outcomes_of(deployment, 1)
    process = started(deployment, "outcomes", "--follow")
    process.stdout.readline()
    process.stdout.close()

    assert process.wait(10) == 1
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_closed_standard_output_is_one_line_and_nothing_is_done(deployment):
    done = ended_in_shell(deployment, ">&-", "submit", "solucion-factible", A_UUID)

    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "standard output is closed" in done.stderr
    assert deployment.records() == {}


def test_a_closed_standard_error_puts_no_complaint_on_standard_output(deployment):
    done = ended_in_shell(deployment, "2>&-", "evidence", A_UUID)

    assert (done.returncode, done.stdout) == (1, "")


def test_a_closed_standard_input_is_wrong_usage(deployment):
    done = ended_in_shell(deployment, "<&-", "submit", "--from-json", "-")

    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "standard input is closed" in done.stderr


@pytest.mark.parametrize("command", [["outcomes"], ["jobs"], ["jobs", "--json"], ["schema", "request"]])
def test_output_for_which_there_is_no_room_is_one_line(deployment, command):
    outcomes_of(deployment, 1)

    done = ended_in_shell(deployment, ">/dev/full", *command)

    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "the output cannot be written" in done.stderr


@pytest.mark.parametrize("text", [b"\xff\xfe", b"no assignment", b"ANULA_REDIS_ULR=redis://h/0", b"A='open"])
def test_a_settings_file_that_cannot_be_used_is_one_line(anula, deployment, text):
    (deployment.accounts_path.parent / ".env").write_bytes(text)

    for command in (["jobs"], ["submit", "solucion-factible", A_UUID], ["doctor"], ["outcomes"], ["accounts"]):
        ran = anula(*command)

        assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
        assert ran.err.startswith("anula: .env")
    assert deployment.records() == {}


@pytest.mark.parametrize("password", ["Qx7#Kpw", "Qx7/Kpw", "Qx7?Kpw", "[Qx7]Kpw"])
def test_a_password_that_must_be_written_otherwise_is_quoted_by_no_command(anula, monkeypatch, password):
    monkeypatch.setenv("ANULA_REDIS_URL", f"redis://user:{password}@127.0.0.1:1/0")
    monkeypatch.setenv("ANULA_LOG_LEVEL", "DEBUG")

    for command in (["jobs"], ["submit", "solucion-factible", A_UUID], ["doctor"], ["outcomes"], ["accounts"]):
        ran = anula(*command)

        assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
        assert "%23" in ran.err
        assert not [part for part in ("Qx7", "Kpw") if part in ran.err]


@pytest.mark.parametrize(
    "arguments",
    [
        ["outcomes", "--group", "", "--consumer", "one"],
        ["outcomes", "--group", "erp", "--consumer", ""],
        ["outcomes", "--group", "\udcff", "--consumer", "one"],
        ["outcomes", "--group", "erp", "--consumer", "one", "--take-over-after", "inf"],
        ["outcomes", "--group", "erp", "--consumer", "one", "--take-over-after", "1e300"],
        ["submit", "solucion-factible", A_UUID, "--submission", ""],
        ["submit", "solucion-factible", A_UUID, "--submission", "\udcff"],
        ["submit", "--submission", "a b", "--from-json", "-"],
    ],
)
def test_a_value_that_cannot_be_meant_is_wrong_usage(anula, deployment, arguments):
    ran = anula(*arguments)

    assert (ran.status, ran.out, len(ran.errors)) == (2, "", 1)
    assert deployment.records() == {}


def test_a_limit_beyond_everything_limits_nothing(anula, deployment):
    outcomes_of(deployment, 1)

    ran = anula("jobs", "--limit", str(10**23), "--json")

    assert (ran.status, len(ran.json)) == (0, 1)
