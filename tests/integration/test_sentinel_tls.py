"""`sentinels://`: Sentinels and servers alike are spoken to over TLS, and their certificates are checked."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from config.settings import Settings
from tests.support.flower import running_flower
from tests.support.hand_driven import cfdi
from tests.support.http_server import CERTIFICATE
from tests.support.sandbox import running_sandbox
from tests.support.sentinels import (
    MASTER,
    PASSWORD,
    SENTINEL_PASSWORD,
    Watched,
    assert_no_password_is_told,
    tls_in_front_of,
    watched_servers,
)
from tests.support.site import running_site
from tests.support.waiting import wait_until
from worker.check import Result
from worker.cli import problems
from worker.client import Unavailable
from worker.doctor.examination import examine
from worker.ledger.connect import connect
from worker.sandbox.numbers import sandbox_uuid
from worker.unavailable import translated

pytestmark = pytest.mark.integration

TRUSTING = {"ANULA_SENTINEL_PASSWORD": SENTINEL_PASSWORD, "ANULA_REDIS_CA_FILE": str(CERTIFICATE)}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watched_servers(tmp_path_factory.mktemp("watched"), "127.0.0.2") as found:
        yield found


@pytest.fixture(scope="module")
def url(watched: Watched) -> Iterator[str]:
    """Where all of it speaks TLS."""
    with tls_in_front_of(watched) as found:
        yield found


@contextmanager
def refused(settings: Settings) -> Iterator[pytest.ExceptionInfo[Unavailable]]:
    with connect(settings) as client, pytest.raises(Unavailable) as found, translated(settings.redis_url):
        client.ping()
    yield found


def settings_for(url: str, **more: Any) -> Settings:
    return Settings(redis_url=url, sentinel_password=SecretStr(SENTINEL_PASSWORD), **more)


def test_sentinels_and_the_primary_are_trusted_where_their_authority_is_named(url):
    with connect(settings_for(url, redis_ca_file=CERTIFICATE)) as client:
        assert client.info("replication")["role"] == "master"


def test_sentinels_of_another_authority_are_refused_in_one_clear_line(url, capsys):
    with refused(settings_for(url)) as found:
        assert not found.value.passes
        assert problems.report(found.value) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot serve: its certificate is not trusted (self-signed" in line
    assert "ANULA_REDIS_CA_FILE" in line
    assert "not-a-real-p" not in line


def test_a_primary_whose_certificate_is_for_another_name_is_refused(watched):
    with (
        tls_in_front_of(watched, servers_at="127.0.0.3", same_ports=False) as url,
        refused(settings_for(url, redis_ca_file=CERTIFICATE)) as found,
    ):
        assert "not trusted" in str(found.value)
        assert "127.0.0.3" in str(found.value)
        assert not found.value.passes


def test_only_the_url_itself_can_switch_the_check_off(url):
    with connect(settings_for(f"{url}?ssl_cert_reqs=none")) as client:
        assert client.ping()


def test_a_primary_that_no_sentinel_knows_is_told_in_one_line(url, capsys):
    with refused(settings_for(url.replace(MASTER, "another"), redis_ca_file=CERTIFICATE)) as found:
        assert not found.value.passes
        assert problems.report(found.value) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert "the Sentinels know no primary 'another'" in line
    assert "`sentinel monitor`" in line


def test_sentinels_that_ask_for_a_password_say_so_in_one_line(url, capsys):
    with refused(Settings(redis_url=url, redis_ca_file=CERTIFICATE)) as found:
        assert not found.value.passes
        assert problems.report(found.value) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert "ANULA_SENTINEL_PASSWORD" in line


def test_doctor_and_flower_reach_it_as_the_worker_does(tmp_path, url):
    with (
        running_sandbox() as sandbox,
        running_site(tmp_path, redis_url=url, namespace=a_namespace(), sandbox_url=sandbox.url, extra=TRUSTING) as site,
        running_flower(site) as flower,
    ):
        site.start_worker()
        wait_until(lambda: flower.get("/api/workers?refresh=1").json())
        job = site.client.submit(sandbox_request(1)).job
        site.outcome(job)

        wait_until(lambda: job in flower.get("/api/tasks").json())
        found = {check.about: check for check in examine(site.settings, site.environment)}

    assert (found["redis"].result, found["version"].result) == (Result.OK, Result.OK)
    assert found["replicas"].found.startswith("one replica")


def test_work_goes_on_after_a_failover_over_tls(tmp_path, watched, url):
    limits = {"ANULA_REPLICA_TIMEOUT_S": "0.1", "ANULA_REDIS_TIMEOUT_S": "2", "ANULA_BEGIN_WITHIN_S": "3"}
    extra = {**TRUSTING, **limits}
    with (
        running_sandbox(latency_s=0.3) as sandbox,
        running_site(tmp_path, redis_url=url, namespace=a_namespace(), sandbox_url=sandbox.url, extra=extra) as site,
    ):
        worker = site.start_worker()
        jobs = [one.job for one in site.client.submit_many(sandbox_request(n) for n in range(20))]
        wait_until(lambda: len(site.outcomes()) >= 3)

        killed, promoted = watched.primary, watched.replica
        killed.kill()

        wait_until(lambda: watched.primary is promoted, limit_s=20)
        wait_until(lambda: {one["job"] for one in site.outcomes()} == set(jobs), limit_s=60)
        assert {one["status"] for one in site.outcomes()} == {"cancelled"}
        assert len(site.outcomes()) == len(jobs)
        assert_no_password_is_told(site.settings, worker.name)
        assert site.ledger.redis.keys("*unacked*") == [], "the broker went on without our transport"
        log = worker.log.read_text()
        assert "insecure SSL" not in log
        assert not [secret for secret in (PASSWORD, SENTINEL_PASSWORD) if secret in log]


def a_namespace() -> str:
    return f"t{uuid.uuid4().hex[:12]}"


def sandbox_request(number: int) -> dict[str, str]:
    return {"provider": "solucion-factible", "uuid": sandbox_uuid(200, number)}


def test_a_worker_that_does_not_trust_the_sentinels_says_so_and_waits(tmp_path, watched, url):
    with running_site(
        tmp_path,
        redis_url=url,
        namespace=a_namespace(),
        sandbox_url="http://127.0.0.1:1",
        extra=watched.settings,
    ) as site:
        worker = site.start_worker(until_ready=False)

        wait_until(lambda: "redis_away" in worker.log.read_text(), limit_s=30)
        assert worker.is_running
        for line in worker.log.read_text().splitlines():
            if "redis_away" in line:
                assert "its certificate is not trusted" in line
        with pytest.raises(Unavailable, match="not trusted"):
            site.client.submit(cfdi())
