"""Fixtures for tests that drive a ledger by hand."""

from collections.abc import Iterator

import pytest

from tests.support.ledgers import World


@pytest.fixture
def world(redis_url: str, namespace: str) -> Iterator[World]:
    """A ledger of its own, empty."""
    one = World(redis_url, namespace)
    yield one
    one.redis.close()
