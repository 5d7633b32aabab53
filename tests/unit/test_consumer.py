"""What of Celery's own words reaches the log."""

import logging

import pytest
from redis.exceptions import ResponseError

from worker import consumer


@pytest.fixture
def filtered():
    consumer.log_outages_once()
    yield
    for name in ("celery.worker.consumer.consumer", "celery.bootsteps"):
        logger = logging.getLogger(name)
        for one in list(logger.filters):
            logger.removeFilter(one)


def test_a_step_that_ends_badly_because_of_redis_is_no_error(filtered, caplog):
    try:
        try:
            raise ResponseError("NOREPLICAS Not enough good replicas to write.")
        except ResponseError:
            raise AttributeError("connection_errors")  # noqa: B904 - as kombu does
    except AttributeError:
        logging.getLogger("celery.bootsteps").exception("Error on restarting Gossip")

    assert caplog.messages == []


def test_any_other_error_of_a_step_is_logged(filtered, caplog):
    try:
        raise AttributeError("connection_errors")
    except AttributeError:
        logging.getLogger("celery.bootsteps").exception("Error on restarting Gossip")

    assert caplog.messages == ["Error on restarting Gossip"]
