"""No secret anywhere (invariant 6), and secret files that are read at each use."""

import base64
import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
import redis

from tests.support.flower import running_flower
from tests.support.hand_driven import bpe, cfdi
from tests.support.http_server import HttpServer, Script, Talk, running_server
from tests.support.ledgers import job_hash
from tests.support.sandbox import N_PROT, X_JUST, running_sandbox
from tests.support.site import ROOT, Site, running_site
from tests.support.valkey import running_valkey
from tests.support.waiting import wait_until
from worker.cli.main import main
from worker.sandbox.accounts import PASSWORD, TOKEN, USER
from worker.sandbox.numbers import sandbox_chbpe, sandbox_uuid

pytestmark = pytest.mark.integration

SOAP_SECRET = "P&<>\"'ñ%+/\\ -Qx7Ksoap"
TOKEN_SECRET = "T&<>\"'%+/\\-Qx7Ktoken"
REDIS_SECRET = "R&<>\"'%+:@,/-Qx7Kredis"
SECRETS = (SOAP_SECRET, TOKEN_SECRET, REDIS_SECRET, PASSWORD, TOKEN)
CORES = ("Qx7Ksoap", "Qx7Ktoken", "Qx7Kredis", PASSWORD, TOKEN)
"""What stays the same however the rest is escaped."""
WORKER = ("--task-events", "--without-gossip", "--without-mingle", "--loglevel", "DEBUG")
SOAP = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>{}</s:Body></s:Envelope>'

FAULT = "<s:Fault><s:Reason><s:Text>{}</s:Text></s:Reason></s:Fault>"
REFUSAL = "<r><status>213</status><mensaje>{}</mensaje></r>"


def traces(content: str | bytes) -> list[str]:
    """The secrets that stand in some content, plain, escaped, or anywhere in a base64 text."""
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    found = [core for core in CORES if core in text]
    return found + [
        f"base64 of {secret}" for secret in (*SECRETS, *CORES) for form in in_base64(secret) if form in text
    ]


def in_base64(secret: str) -> Iterator[str]:
    """What is the same in every base64 text with the secret somewhere in it."""
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + secret.encode()).decode().rstrip("=")
        yield whole[(0, 2, 3)[offset] : -1]


def test_the_search_finds_every_writing():
    for secret in SECRETS:
        for written in (
            *(secret, escape(secret), quote(secret, safe=""), json.dumps(secret), repr(secret)),
            *(base64.b64encode(f"{'x' * offset}{secret}yz".encode()).decode() for offset in range(4)),
        ):
            assert traces(f"so {written} it is")
    assert traces("nothing here: a password, a token") == []


# A changed file


def with_password_file(site: Site, file: Path) -> None:
    """Account `archivo`, whose password is in a file."""
    site.write_accounts(
        f"""
[accounts.archivo]
provider = "solucion-factible"
environment = "test"
username = "sandbox-7@example.com"
password_file = "{file}"
endpoint = "{site.sandbox_url}/ws/services/Cancelacion"
"""
    )


def suspended(site: Site, account: str) -> str | None:
    return next((one.suspended_reason for one in site.ledger.account_states() if one.name == account), None)


def test_a_changed_secret_file_counts_without_a_restart(tmp_path, redis_url, namespace):
    file = tmp_path / "archivo.secret"
    file.write_text("of yesterday\n")
    file.chmod(0o600)
    with (
        running_sandbox() as sandbox,
        running_site(tmp_path, redis_url=redis_url, namespace=namespace, sandbox_url=sandbox.url) as site,
    ):
        with_password_file(site, file)
        worker = site.start_worker()
        job = site.client.submit(cfdi(sandbox_uuid(200), account="archivo")).job
        wait_until(lambda: suspended(site, "archivo"))

        file.write_text(f"{PASSWORD}\n")
        site.ledger.resume("archivo", by="test")

        assert site.outcome(job)["status"] == "cancelled"
        assert worker.is_running
        assert "secret_readable_by_others" not in worker.log.read_text()


def test_a_worker_warns_of_a_secret_file_that_others_can_read(tmp_path, redis_url, namespace):
    file = tmp_path / "archivo.secret"
    file.write_text(PASSWORD)
    file.chmod(0o644)
    with running_site(tmp_path, redis_url=redis_url, namespace=namespace, sandbox_url="http://127.0.0.1:1") as site:
        with_password_file(site, file)
        worker = site.start_worker()

        (line,) = [one for one in worker.log.read_text().splitlines() if "secret_readable_by_others" in one]

    assert "archivo" in line
    assert f"chmod 600 {file}" in line
    assert PASSWORD not in line


# Everything is searched


def echoing(server: HttpServer, *answers: Callable[[str], tuple[int, str, str]]) -> None:
    """Let a provider say what it was sent: `answers` give status, content type and body from the whole request."""

    def script(answer: Callable[[str], tuple[int, str, str]]) -> Script:
        def play(talk: Talk) -> bool:
            seen = server.seen[-1]
            status, kind, body = answer(f"{seen.headers} {seen.body.decode()}")
            content = body.encode()
            head = f"HTTP/1.1 {status} Echo\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
            talk.send(head.encode() + content)
            return True

        return play

    server.will(*(script(one) for one in answers))


def soap_echoes(server: HttpServer) -> None:
    """HTML with status 500; a fault; a `mensaje` with the password in every writing."""
    words = (
        f"{SOAP_SECRET} {escape(SOAP_SECRET)} {quote(SOAP_SECRET)} {base64.b64encode(SOAP_SECRET.encode()).decode()}"
    )
    echoing(
        server,
        lambda said: (500, "text/html", f"<html>{said}</html>"),
        lambda said: (200, "application/soap+xml", SOAP.format(FAULT.format(escape(f"{said} {words}")))),
        lambda _: (200, "application/soap+xml", SOAP.format(REFUSAL.format(escape(words)))),
    )


def rest_echoes(server: HttpServer) -> None:
    """A refusal with the token in every writing; then HTML; then 401 with the token in its words."""
    words = f"{TOKEN_SECRET} {quote(TOKEN_SECRET, safe='')} {base64.b64encode(TOKEN_SECRET.encode()).decode()}"
    echoing(
        server,
        lambda said: (200, "application/json", json.dumps({"status": -2, "motivo": f"{words} {said}"})),
        lambda said: (500, "text/html", f"<html>{said}</html>"),
        lambda said: (401, "application/json", json.dumps({"status": 401, "motivo": f"{words} {said}"})),
    )


ECHOING_ACCOUNTS = """
[accounts.eco]
provider = "solucion-factible"
environment = "test"
username = "eco@example.com"
password_env = "ECO_PASSWORD"
endpoint = "{soap}"

[accounts.ecobus]
provider = "ns-bpe"
environment = "test"
token_env = "ECO_TOKEN"
utc_offset = "-03:00"
endpoint = "{rest}"

[accounts.equivocado]
provider = "solucion-factible"
environment = "test"
username = "{user}"
password_env = "ECO_PASSWORD"
endpoint = "{sandbox}/ws/services/Cancelacion"
"""


@contextmanager
def monitored(url: str) -> Iterator[list[str]]:
    """Every command that a server is sent, messages on their way included."""
    commands: list[str] = []
    listening = threading.Event()

    def listen() -> None:
        with contextlib.suppress(redis.RedisError, OSError, ValueError, AttributeError), client.monitor() as monitor:
            listening.set()
            commands.extend(one["command"] for one in monitor.listen())

    client = redis.Redis.from_url(url, socket_timeout=None)
    threading.Thread(target=listen, daemon=True).start()
    assert listening.wait(10)
    yield commands
    client.close()


class Search:
    """Where a secret was found."""

    def __init__(self) -> None:
        self.found: list[tuple[str, list[str]]] = []
        self.looked_at: dict[str, int] = {}

    def look(self, place: str, content: str | bytes) -> None:
        self.looked_at[place] = self.looked_at.get(place, 0) + len(content)
        if found := traces(content):
            self.found.append((place, found))


class CommandLine:
    """`anula` in this process; what it prints is searched."""

    def __init__(
        self, site: Site, search: Search, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._search, self._capsys, self._monkeypatch = search, capsys, monkeypatch
        monkeypatch.chdir(site.directory)
        for name, value in site.environment.items():
            monkeypatch.setenv(name, value)

    def __call__(self, *arguments: str, **environment: str) -> str:
        self._capsys.readouterr()
        with self._monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit):
                main(list(arguments))
        out, err = self._capsys.readouterr()
        self._search.look(f"anula {arguments[0]}", out + err)
        return out


def our_processes() -> dict[str, bytes]:
    """The command lines of the processes that this one has started."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid():
                found[stat.parent.name] = stat.with_name("cmdline").read_bytes()
    return found


def test_no_secret_is_to_be_found_anywhere(tmp_path, capsys, monkeypatch):
    search = Search()
    with (
        running_valkey(tmp_path / "valkey", appendonly=True) as server,
        running_sandbox() as sandbox,
        running_server() as soap,
        running_server() as rest,
        running_site(
            tmp_path,
            redis_url=server.url.replace("redis://", f"redis://anula:{quote(REDIS_SECRET, safe='')}@"),
            namespace="anula",
            sandbox_url=sandbox.url,
            extra=(extra := {"ECO_PASSWORD": SOAP_SECRET, "ECO_TOKEN": TOKEN_SECRET, "ANULA_LOG_LEVEL": "DEBUG"}),
        ) as site,
    ):
        with redis.Redis.from_url(server.url) as admin:
            admin.execute_command("ACL", "SETUSER", "anula", "on", f">{REDIS_SECRET}", "~*", "&*", "+@all")
        soap_echoes(soap)
        rest_echoes(rest)
        site.write_accounts(ECHOING_ACCOUNTS.format(soap=soap.url, rest=rest.url, user=USER, sandbox=sandbox.url))
        with monitored(server.url) as commands, running_flower(site) as flower:
            first = site.start_worker(*WORKER)
            wait_until(lambda: flower.get("/api/workers?refresh=1").json(), limit_s=20)
            jobs = drive(site)
            first.stop()
            extra["ANULA_LOG_FORMAT"] = "json"
            site.start_worker(*WORKER)
            jobs.append(provoke_a_bug(site, 7))
            follower = subprocess.Popen(
                [sys.executable, "-c", "from worker.cli.main import main; main()", "outcomes", "--follow"],
                env=site.environment,
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for pid, line in our_processes().items():
                search.look(f"command line of {pid}", line)
            follower.kill()
            follower.wait(10)

            for path in flower_pages(flower, jobs):
                search.look(f"flower {path}", flower.get(path).text)
            use_the_command_line(CommandLine(site, search, capsys, monkeypatch), site, jobs)
            for key, content in everything_in(server.url).items():
                search.look("a key", key)
                search.look("what is in Redis", repr(content))
                search.look("what is in Redis, read as text", readable(content))
        search.look("commands and messages", "\n".join(commands))
    for log in (*tmp_path.glob("*.log"), tmp_path / "valkey" / "valkey.log"):
        search.look(log.name, log.read_bytes())

    assert search.found == []
    assert search.looked_at.keys() >= {"worker-0.log", "worker-1.log", "flower.log", "valkey.log", "anula doctor"}
    assert min(search.looked_at[place] for place in ("a key", "commands and messages", "worker-0.log")) > 500
    logs = "".join(tmp_path.joinpath(f"worker-{number}.log").read_text() for number in range(2))
    assert logs.count("Traceback") == 2, "a bug in each format was meant to be logged"
    assert '"event": "call"' in logs
    assert any(SOAP_SECRET.encode() in one.body or escape(SOAP_SECRET).encode() in one.body for one in soap.seen)
    assert any(one.headers.get("x-auth-token") == TOKEN_SECRET for one in rest.seen)


def drive(site: Site) -> list[str]:
    """Success, rejection, wrong password, faults that echo what was sent, and a bug in the middle of a call."""
    client = site.client
    plain = {"provider": "ns-bpe", "nProt": N_PROT, "xJust": X_JUST}
    ending = [
        client.submit(cfdi(sandbox_uuid(200, 1), account="norte")).job,
        client.submit(cfdi(sandbox_uuid(204, 2), account="norte")).job,
        client.submit({**plain, "chBPe": sandbox_chbpe(135, 3), "account": "rodoviaria"}).job,
        client.submit(cfdi(account="eco")).job,
        client.submit(bpe(account="ecobus")).job,
    ]
    for job in ending:
        site.outcome(job, limit_s=30)
    wrong = client.submit(cfdi(sandbox_uuid(200, 4), account="equivocado")).job
    refused = client.submit({**plain, "chBPe": sandbox_chbpe(135, 5), "account": "ecobus"}).job
    for account in ("equivocado", "ecobus"):
        wait_until(partial(suspended, site, account), limit_s=20)

    return [*ending, wrong, refused, provoke_a_bug(site, 6)]


def provoke_a_bug(site: Site, number: int) -> str:
    """A record that cannot be read once its call has begun and the secret is at hand."""
    site.ledger.suspend("norte", "a bug is prepared", by="test")
    job = site.client.submit(cfdi(sandbox_uuid(200, number), account="norte")).job
    site.ledger.redis.hset(job_hash(site.ledger, job), "request", "{}")
    site.ledger.resume("norte", by="test")
    assert site.outcome(job)["reason"] == "internal-error"
    return job


def flower_pages(flower: Any, jobs: list[str]) -> list[str]:
    workers = flower.get("/api/workers").json()
    pages = ["/api/workers?refresh=1", "/api/tasks?limit=1000", "/api/task/types", "/api/queues/length"]
    pages += ["/workers", "/tasks", "/broker", "/metrics", "/healthcheck"]
    pages += [f"/worker/{name}" for name in workers]
    return pages + [path for job in jobs for path in (f"/task/{job}", f"/api/task/info/{job}")]


def use_the_command_line(anula: CommandLine, site: Site, jobs: list[str]) -> None:
    for command in (
        ["status", *jobs, "--json"],
        ["status", *jobs],
        ["jobs", "--json"],
        ["accounts"],
        ["accounts", "--json"],
        ["outcomes", "--ids"],
        ["evidence", jobs[0]],
        ["doctor", "--json"],
        ["submit", "solucion-factible", sandbox_uuid(204, 9), "--account", "norte", "--json", "--wait", "20"],
        ["retry", jobs[1]],
        ["revoke", jobs[-4]],
    ):
        anula(*command)
    wrong = site.redis_url.replace("anula:", "anula:wrong-")
    assert anula("jobs", "--json", ANULA_REDIS_URL=wrong) == ""
    anula("doctor", ANULA_REDIS_URL=wrong)


def everything_in(url: str) -> dict[str, Any]:
    """Every key of the server, with all that is in it."""
    client: Any = redis.Redis.from_url(url)
    with client:
        return {key.decode(): _content(client, key) for key in client.keys("*")}


def _content(client: Any, key: bytes) -> Any:
    match client.type(key):
        case b"hash":
            return client.hgetall(key)
        case b"zset":
            return client.zrange(key, 0, -1)
        case b"set":
            return client.smembers(key)
        case b"list":
            return client.lrange(key, 0, -1)
        case b"stream":
            return client.xrange(key)
        case _:
            return client.get(key)


def readable(content: Any) -> str:
    """What is in the bytes of a value: escapes of JSON and base64 evidence undone."""
    plain = repr(content).encode().decode("unicode_escape", "replace")
    for found in re.findall(r"[A-Za-z0-9+/]{40,}={0,2}", plain):
        with contextlib.suppress(ValueError):
            plain += base64.b64decode(found + "=" * (-len(found) % 4)).decode("utf-8", "replace")
    return plain
