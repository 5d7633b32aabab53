"""`make redis`: the server of the README's first cancellation."""

import signal
import subprocess
from contextlib import contextmanager

import pytest
import redis

from tests.support.site import ROOT
from tests.support.valkey import a_free_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.integration


@contextmanager
def made(directory, port):
    # What the target needs is there; made anew, it would be taken from under the other tests
    command = ["make", "--assume-old=.venv/.ready", "redis", f"ARGS=--port {port} --dir {directory}"]
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        with client_at(port) as client:
            wait_until(lambda: process.poll() is not None or answers(client))
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    with client_at(port) as client:
        wait_until(lambda: not answers(client))


def client_at(port):
    return redis.Redis.from_url(f"redis://127.0.0.1:{port}", decode_responses=True)


def answers(client):
    try:
        return client.ping()
    except redis.ConnectionError:
        return False


def test_it_keeps_its_data_and_ends_with_sigterm(tmp_path):
    port = a_free_port()
    with made(tmp_path, port) as client:
        client.set("kept", "yes")
        settings = client.config_get("append*") | client.config_get("maxmemory-policy")

    with made(tmp_path, port) as client:
        assert client.get("kept") == "yes"

    assert settings["appendfsync"] == "always"
    assert settings["maxmemory-policy"] == "noeviction"
