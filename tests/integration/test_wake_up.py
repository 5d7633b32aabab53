"""Wake-ups and a broker that is away: an outage like any other of Redis, not a bug."""

from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from config.celery import celery_settings
from config.settings import Settings
from tests.support.valkey import running_valkey
from worker.app import WakeUp
from worker.ledger.records import Released
from worker.ledger.trouble import is_outage

pytestmark = pytest.mark.integration

RELEASED = [Released("ns-bpe:1", 1, 1, 0)]


def application(redis_url: str) -> Celery:
    """An application of its own, on our broker, that knows the one task."""
    celery: Any = Celery("test", amqp="worker.broker:Amqp", set_as_current=False)
    celery.conf.update(celery_settings(Settings(redis_url=redis_url)))
    celery.conf.include = []

    @celery.task(name="anula.cancel")
    def cancel(*, job: str, token: int) -> None:
        """Is only published here."""

    return celery


def test_wake_ups_that_cannot_be_published_are_an_outage(tmp_path: Path):
    with running_valkey(tmp_path) as server:
        celery = application(server.url)
        wake_up = WakeUp(celery)
        wake_up(RELEASED)
        server.kill()

        with pytest.raises(Exception) as open_before:
            wake_up(RELEASED)
        with pytest.raises(Exception) as not_to_be_opened:
            wake_up(RELEASED)

        server.start()
        wake_up(RELEASED)
        celery.close()
    assert is_outage(open_before.value)
    assert is_outage(not_to_be_opened.value)
