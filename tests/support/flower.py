"""Flower as the Procfile starts it, beside a site."""

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from tests.support.site import ROOT, Site
from tests.support.waiting import wait_until

AUTH = ("operator", "not-a-real-password")


@contextmanager
def running_flower(site: Site, *options: str, environment: Mapping[str, str] | None = None) -> Iterator[httpx.Client]:
    """A Flower process for the length of the block; gives a client of its pages and its API."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["flower", "--read_only", "--address=127.0.0.1", f"--port={port}", f"--basic_auth={':'.join(AUTH)}"]
    with (site.directory / "flower.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "--app", "worker.app", *command, *options],
            cwd=ROOT,
            env={**site.environment, **(environment or {})},
            stdout=log,
            stderr=log,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", auth=AUTH, trust_env=False, timeout=20) as client:
            wait_until(lambda: _answers(client), limit_s=30)
            yield client
    finally:
        process.terminate()
        process.wait(15)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/api/workers").is_success
    except httpx.TransportError:
        return False
