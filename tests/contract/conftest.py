"""What every suite against the adapters starts from: each provider in turn, and a real HTTP server in its place."""

from collections.abc import Iterator

import pytest

from tests.support.http_server import HttpServer, running_server
from tests.support.provider_kits import KITS
from worker.sender import Limits, Sender

HASTY = Limits(connect_s=5, read_s=0.3, total_s=0.6)
PATIENT = Limits(connect_s=10, read_s=10, total_s=20)


@pytest.fixture(params=KITS, ids=lambda kit: kit.provider)
def kit(request):
    return request.param


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def senders() -> Iterator[dict[str, Sender]]:
    senders = {"patient": Sender(PATIENT), "hasty": Sender(HASTY)}
    yield senders
    for sender in senders.values():
        sender.close()


@pytest.fixture
def adapter(kit, server, senders):
    return kit.adapter(senders["patient"], endpoint=server.url)


@pytest.fixture
def hasty(kit, server, senders):
    return kit.adapter(senders["hasty"], endpoint=server.url)
