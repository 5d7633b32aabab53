"""`sentinel://`: a failover loses nothing that was told as admitted, and work goes on by itself."""

import uuid
from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest

from tests.support.following import following
from tests.support.hand_driven import Deployment, a_deployment, cancelled, cfdi
from tests.support.sandbox import N_PROT, X_JUST, running_sandbox
from tests.support.sentinels import (
    MASTER,
    PASSWORD,
    SENTINEL_PASSWORD,
    Watched,
    assert_no_password_is_told,
    watched_servers,
)
from tests.support.site import running_site
from tests.support.waiting import wait_until
from worker.client import Client, Unavailable
from worker.ledger.admission import Admission, Entry, Source
from worker.sandbox.numbers import sandbox_chbpe, sandbox_uuid

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watched_servers(tmp_path_factory.mktemp("watched")) as found:
        yield found


@pytest.fixture
def deployment(watched: Watched, tmp_path) -> Deployment:
    return a_deployment(tmp_path, watched.url, a_namespace(), sentinel_password=SENTINEL_PASSWORD)


def a_namespace() -> str:
    return f"t{uuid.uuid4().hex[:12]}"


def test_a_submission_is_told_as_admitted_once_a_replica_has_it(deployment, watched):
    job = deployment.client().submit(cfdi()).job

    assert watched.replica.client().exists(f"{deployment.settings.namespace}:job:{job}")


def test_without_a_replica_nobody_is_told_that_a_submission_is_admitted(deployment, watched):
    client = deployment.client(redis_timeout_s=1.0, replica_timeout_s=0.3)
    request = cfdi()
    client.ledger.redis.ping()
    watched.replica.freeze()
    try:
        with pytest.raises(Unavailable, match="no replica has confirmed") as first:
            client.submit(request)
        with pytest.raises(Unavailable), deployment.client(redis_timeout_s=1.0, replica_timeout_s=0.3) as another:
            another.submit(request, submission=first.value.submission)  # on a connection that has written nothing
    finally:
        watched.replica.thaw()

    again = deployment.client().submit(request, submission=first.value.submission)

    assert "replica" in first.value.remedy
    assert (again.run, again.joined, again.replayed) == (1, False, False)


def test_an_entry_of_the_stream_is_taken_in_without_waiting_for_a_replica(deployment, watched):
    ledger = deployment.client().ledger
    place = ledger.key("requests")
    entry = Entry(Source.STREAM, place, ledger.redis.xadd(place, {"request": "{}"}))
    watched.replica.freeze()
    try:
        (admitted,) = ledger.admit([Admission.of(deployment.client().check(cfdi()), entry=entry)])
    finally:
        watched.replica.thaw()

    assert admitted is not None


def test_a_call_goes_on_without_a_replica_and_the_log_says_so_once(deployment, watched, caplog):
    jobs = [deployment.client().submit(cfdi()).job for _ in range(2)]
    watched.replica.freeze()
    try:
        for job in jobs:
            deployment.end(job, cancelled())
    finally:
        watched.replica.thaw()

    assert [deployment.ledger.record(job).state for job in jobs] == ["cancelled", "cancelled"]
    assert len([one for one in caplog.messages if "no replica has confirmed" in one]) == 1


def test_a_failover_in_the_middle_leaves_every_job_with_one_outcome(tmp_path, watched):
    limits = {"ANULA_REPLICA_TIMEOUT_S": "0.1", "ANULA_REDIS_TIMEOUT_S": "2", "ANULA_BEGIN_WITHIN_S": "3"}
    extra = {**watched.settings, **limits}
    with (
        running_sandbox(latency_s=0.3) as sandbox,
        running_site(
            tmp_path, redis_url=watched.url, namespace=a_namespace(), sandbox_url=sandbox.url, extra=extra
        ) as site,
    ):
        worker = site.start_worker()
        producer = Client(site.settings.model_copy(update={"replica_timeout_s": 1.0}), site.accounts)
        requests = [{"provider": "solucion-factible", "uuid": sandbox_uuid(200, n)} for n in range(30)]
        requests += [
            {"provider": "ns-bpe", "chBPe": sandbox_chbpe(135, n), "nProt": N_PROT, "xJust": X_JUST} for n in range(30)
        ]
        jobs = [one.job for one in producer.submit_many(requests)]
        wait_until(lambda: len(site.outcomes()) >= 5)

        killed, promoted = watched.primary, watched.replica
        killed.kill()

        wait_until(lambda: watched.primary is promoted, limit_s=20)
        wait_until(lambda: {one["job"] for one in site.outcomes()} == set(jobs), limit_s=60)
        assert {one["status"] for one in site.outcomes()} == {"cancelled"}
        assert max(Counter(one["job"] for one in site.outcomes()).values()) == 1
        assert max(document_calls(sandbox, jobs)) <= 2

        last = {"provider": "solucion-factible", "uuid": sandbox_uuid(200, 99)}
        with pytest.raises(Unavailable, match="no replica") as refused:
            producer.submit(last)
        killed.start()
        killed.client().replicaof("127.0.0.1", promoted.port)
        wait_until(watched.has_replica, limit_s=20)
        job = producer.submit(last, submission=refused.value.submission).job
        assert site.outcome(job)["status"] == "cancelled"

        assert_no_password_is_told(site.settings, worker.name)
        assert site.ledger.redis.keys("*unacked*") == [], "the broker went on without our transport"
        log = worker.log.read_text()
        for secret in (PASSWORD, SENTINEL_PASSWORD):
            assert secret not in log


def test_a_planned_failover_ends_no_worker_and_no_reader(tmp_path, watched):
    wait_until(watched.has_replica, limit_s=30)
    with (
        running_sandbox(latency_s=1.0) as sandbox,
        running_site(
            tmp_path, redis_url=watched.url, namespace=a_namespace(), sandbox_url=sandbox.url, extra=quick(watched)
        ) as site,
        following(partial(site.client.outcomes, follow=True, group="g", consumer="c")) as reader,
    ):
        worker = site.start_worker()
        jobs = [one.job for one in site.client.submit_many(sf_requests(10, first=200))]
        wait_until(lambda: sandbox.document(jobs[0].partition(":")[2])["asked"])
        promoted = watched.replica
        _ask_for_replicas(watched, 1)  # else the old primary takes writes until it is told, which nobody sees again
        try:
            watched.sentinels[0].client().execute_command("SENTINEL", "FAILOVER", MASTER)

            wait_until(lambda: watched.primary is promoted, limit_s=30)
            wait_until(watched.has_replica, limit_s=40)
            jobs.append(site.client.submit(sf_requests(1, first=300)[0]).job)
            wait_until(lambda: set(jobs) <= set(reader.got), limit_s=60)
        finally:
            _ask_for_replicas(watched, 0)
        assert worker.is_running
        assert Counter(one["job"] for one in site.outcomes()).most_common(1)[0][1] == 1
        assert "Traceback" not in worker.log.read_text()


def test_a_lost_replica_under_min_replicas_to_write_is_waited_for(tmp_path, watched):
    wait_until(watched.has_replica, limit_s=30)
    primary, replica = watched.primary.client(), watched.replica
    with (
        running_sandbox(latency_s=1.0) as sandbox,
        running_site(
            tmp_path, redis_url=watched.url, namespace=a_namespace(), sandbox_url=sandbox.url, extra=quick(watched)
        ) as site,
    ):
        worker = site.start_worker()
        jobs = [one.job for one in site.client.submit_many(sf_requests(5, first=400))]
        wait_until(lambda: sandbox.document(jobs[0].partition(":")[2])["asked"])
        try:
            primary.config_set("min-replicas-max-lag", 1)
            primary.config_set("min-replicas-to-write", 1)
            replica.kill()
            wait_until(lambda: "NOREPLICAS" in worker.log.read_text(), limit_s=30)
            with pytest.raises(Unavailable, match="NOREPLICAS") as refused:
                Client(site.settings.model_copy(update={"redis_timeout_s": 0.2}), site.accounts).submit(cfdi())
            assert "replica" in refused.value.remedy
            assert worker.is_running
        finally:
            replica.start()
            wait_until(watched.has_replica, limit_s=30)
            primary.config_set("min-replicas-to-write", 0)

        for job in jobs:
            assert site.outcome(job, limit_s=60)["status"] == "cancelled"
        assert max(document_calls(sandbox, jobs)) == 1
        assert "Traceback" not in worker.log.read_text()


def _ask_for_replicas(watched: Watched, count: int) -> None:
    for one in watched.servers:
        one.client().config_set("min-replicas-to-write", count)


def quick(watched: Watched) -> dict[str, str]:
    return {**watched.settings, "ANULA_REPLICA_TIMEOUT_S": "0.1", "ANULA_REDIS_TIMEOUT_S": "2"}


def sf_requests(count: int, *, first: int) -> list[dict[str, str]]:
    return [{"provider": "solucion-factible", "uuid": sandbox_uuid(200, first + n)} for n in range(count)]


def document_calls(sandbox, jobs: list[str]) -> list[int]:
    return [sandbox.document(job.partition(":")[2])["asked"] for job in jobs]
