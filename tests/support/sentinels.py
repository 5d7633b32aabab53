"""A primary, a replica and three Sentinels, all real and all with passwords, that fail over within seconds."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import redis
from celery import Celery

from config.celery import celery_settings
from config.settings import Settings
from tests.support.tls_proxy import tls_proxy
from tests.support.valkey import a_free_port, server_program
from tests.support.waiting import wait_until

PASSWORD = "not-a-real-p@ss/word:of,redis"
SENTINEL_PASSWORD = "not-a-real-p@ss/word:of,sentinels"
MASTER = "anula-primary"
TLS_HOST = "127.0.0.1"
"""What the certificate of the tests is for."""
_DOWN_AFTER_MS = 1_500
_START_TRIES = 10


@dataclass
class Node:
    """One server process; port and directory stay the same from start to start."""

    directory: Path
    password: str
    lines: tuple[str, ...]
    options: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = field(default_factory=a_free_port)
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it; returns when it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        config = self.directory / "server.conf"
        if not config.exists():  # a Sentinel keeps what it has learned in it
            config.write_text(
                "\n".join((f"port {self.port}", f"bind {self.host}", f"dir {self.directory}", *self.lines))
            )
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(server_program()), str(config), *self.options], stdout=log, stderr=log
            )
        wait_until(self._answers, limit_s=15)

    def client(self) -> Any:
        """A client of this very server."""
        return redis.Redis(host=self.host, port=self.port, password=self.password, decode_responses=True)

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def freeze(self) -> None:
        """Let it stand still, its connections open."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.ConnectionError:
            assert self._process is not None
            assert self._process.poll() is None, (self.directory / "server.log").read_text()[-2000:]
            return False


@dataclass
class Watched:
    """The servers, and the Sentinels that watch them."""

    servers: tuple[Node, Node]
    sentinels: tuple[Node, ...]

    @property
    def url(self) -> str:
        """All Sentinels, the master's name, and the password of Redis."""
        hosts = ",".join(f"{one.host}:{one.port}" for one in self.sentinels)
        return f"sentinel://:{quote(PASSWORD, safe='')}@{hosts}/{MASTER}/0"

    @property
    def settings(self) -> Mapping[str, str]:
        """What a process needs beside the URL."""
        return {"ANULA_SENTINEL_PASSWORD": SENTINEL_PASSWORD}

    @property
    def primary(self) -> Node:
        """The server that most Sentinels take for the primary."""
        told = [one.client().sentinel_get_master_addr_by_name(MASTER) for one in self.sentinels]
        ports = [int(address[1]) for address in told if address]
        port = max(ports, key=ports.count)
        return next(one for one in self.servers if one.port == port)

    @property
    def replica(self) -> Node:
        """The other one."""
        primary = self.primary
        return next(one for one in self.servers if one is not primary)

    def has_replica(self) -> bool:
        """Whether the primary has one that is up to date."""
        info = self.primary.client().info("replication")
        return bool(info["role"] == "master" and info["connected_slaves"] and info["slave0"]["state"] == "online")


@contextmanager
def tls_in_front_of(watched: Watched, *, servers_at: str = TLS_HOST, same_ports: bool = True) -> Iterator[str]:
    """TLS for Sentinels at `TLS_HOST`, which name the servers at `servers_at`, where they have TLS too; gives the URL."""
    inner = watched.servers[0].host
    with ExitStack() as proxies:
        for node in watched.servers:
            proxies.enter_context(tls_proxy(node.port, servers_at, server_host=inner, at_port=node.port))
        hosts = ",".join(
            f"{TLS_HOST}:{proxies.enter_context(one).port}"
            for one in (
                tls_proxy(
                    node.port,
                    TLS_HOST,
                    server_host=inner,
                    at_port=node.port if same_ports else 0,
                    renamed=(inner, servers_at),
                )
                for node in watched.sentinels
            )
        )
        yield f"sentinels://:{quote(PASSWORD, safe='')}@{hosts}/{MASTER}/0"


@contextmanager
def watched_servers(directory: Path, host: str = "127.0.0.1") -> Iterator[Watched]:
    """All of it, for the length of the block."""
    plain = (
        "appendonly yes",
        "appendfsync always",
        'save ""',
        "repl-diskless-sync-delay 0",
        "repl-ping-replica-period 1",
        f"replica-announce-ip {host}",
    )
    login = (f'requirepass "{PASSWORD}"', f'masterauth "{PASSWORD}"')
    first = Node(directory / "one", PASSWORD, (*plain, *login), host=host)
    second = Node(directory / "two", PASSWORD, (*plain, *login, f"replicaof {host} {first.port}"), host=host)
    watching = (
        f"sentinel announce-ip {host}",
        f'requirepass "{SENTINEL_PASSWORD}"',
        f"sentinel monitor {MASTER} {host} {first.port} 2",
        f'sentinel auth-pass {MASTER} "{PASSWORD}"',
        f"sentinel down-after-milliseconds {MASTER} {_DOWN_AFTER_MS}",
        f"sentinel failover-timeout {MASTER} 3000",
    )
    sentinels = tuple(
        Node(directory / f"sentinel-{number}", SENTINEL_PASSWORD, watching, ("--sentinel",), host=host)
        for number in range(3)
    )
    found = Watched((first, second), sentinels)
    try:
        for node in (first, second, *sentinels):
            node.start()
        wait_until(found.has_replica, limit_s=20)
        wait_until(lambda: all(_knows_the_others(one) for one in sentinels), limit_s=20)
        yield found
    finally:
        for node in (*sentinels, first, second):
            node.kill()


def assert_no_password_is_told(settings: Settings, worker: str) -> None:
    """What Flower asks every worker for."""
    application = Celery("asks", amqp="worker.broker:Amqp", set_as_current=False)
    application.conf.update(celery_settings(settings))
    with application.connection_for_read() as connection:
        inspect = application.control.inspect(destination=[worker], timeout=10, connection=connection)
        told = repr((inspect.stats(), inspect.conf(with_defaults=True)))
    assert "broker" in told
    for secret in (PASSWORD, SENTINEL_PASSWORD, "not-a-real-p"):
        assert secret not in told


def _knows_the_others(sentinel: Node) -> bool:
    seen = sentinel.client().sentinel_master(MASTER)
    return int(seen["num-other-sentinels"]) == 2 and int(seen["num-slaves"]) == 1
