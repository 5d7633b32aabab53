"""Fixtures for every test: a clean environment, and one real Valkey per test process."""

import os
import re
import signal
import uuid
from collections.abc import Iterator

import hypothesis
import pytest

pytest.register_assert_rewrite("tests.support")
# How long an example takes says something about the machine, not about the code
hypothesis.settings.register_profile("anula", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("anula")

from tests.support.valkey import LocalValkey, running_valkey  # noqa: E402  (assertions are rewritten from here on)

_OURS_OR_A_PROXY = re.compile(r"ANULA_.*|(HTTP|HTTPS|ALL|NO)_PROXY", re.IGNORECASE)


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """Settings and proxies of whoever runs the tests reach neither a test nor a process that it starts."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if _OURS_OR_A_PROXY.fullmatch(name):
                patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def ctrl_c_as_it_was() -> Iterator[None]:
    """A command that a test runs in this process leaves Ctrl-C to the system, as at a program's end."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def shared_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalValkey]:
    """The Valkey of this test process. To stop or break a server, start another: `running_valkey`."""
    with running_valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="session")
def valkey_url(shared_valkey: LocalValkey) -> str:
    """Where the shared Valkey is, with whatever earlier tests have left in it."""
    return shared_valkey.url


@pytest.fixture
def redis_url(shared_valkey: LocalValkey) -> str:
    """Where the shared Valkey is, emptied for this test."""
    shared_valkey.empty()
    return shared_valkey.url


@pytest.fixture
def namespace() -> str:
    """A namespace that no other test uses."""
    return f"test-{uuid.uuid4().hex[:12]}"
