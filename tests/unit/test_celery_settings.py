"""What keeps Celery's known failures out (docs/reliability.md, F1 to F18)."""

from config.celery import CONCURRENCY, celery_settings
from config.settings import Settings

SETTINGS = celery_settings(Settings())


def test_the_broker_s_pool_holds_more_connections_than_the_worker_has_threads():
    assert SETTINGS["broker_transport_options"]["max_connections"] >= 2 * CONCURRENCY + 16


def test_no_connection_to_the_broker_waits_for_ever():
    options = SETTINGS["broker_transport_options"]

    assert 0 < options["socket_timeout"] <= 10
    assert 0 < options["health_check_interval"] <= 5
    assert isinstance(options["health_check_interval"], int)


def test_nothing_is_published_but_wake_ups():
    assert SETTINGS["result_backend"] is None
    assert SETTINGS["task_ignore_result"]
