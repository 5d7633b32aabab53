"""A Redis that answers with a refusal, in each of its words: nothing dies, nothing is silent, nothing fills the log."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlsplit

import pytest

from tests.support.following import following
from tests.support.hand_driven import Deployment, a_deployment, cancelled, cfdi
from tests.support.refusing_proxy import SET_UP, RefusingProxy, refusing_proxy
from tests.support.sandbox import running_sandbox
from tests.support.site import Site, Worker, running_site
from tests.support.waiting import wait_until
from worker.client import Client, LedgerFull, Unavailable
from worker.sandbox.numbers import sandbox_uuid

pytestmark = pytest.mark.integration

_EVERYTHING = frozenset[bytes]()
WRITES = {
    "READONLY": "READONLY You can't write against a read only replica.",
    "NOREPLICAS": "NOREPLICAS Not enough good replicas to write.",
    "UNBLOCKED": "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
    "MISCONF": "MISCONF Errors writing to the AOF file: No space left on device",
    "OOM": "OOM command not allowed when used memory > 'maxmemory'.",
    "NOPERM": "NOPERM User worker has no permissions to run the 'evalsha' command",
    "CLUSTERDOWN": "CLUSTERDOWN The cluster is down",
    "TRYAGAIN": "TRYAGAIN Multiple keys request during rehashing of slot",
}
ALL = {
    "LOADING": "LOADING Redis is loading the dataset in memory",
    "MASTERDOWN": "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "BUSY": "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "NOAUTH": "NOAUTH Authentication required.",
    "WRONGPASS": "WRONGPASS invalid username-password pair or user is disabled.",
    "max number of clients": "ERR max number of clients reached",
}
WORDS = {word: (words, SET_UP) for word, words in WRITES.items()} | {
    word: (words, _EVERYTHING) for word, words in ALL.items()
}


@pytest.fixture(scope="module")
def sandbox():
    with running_sandbox() as one:
        yield one


@pytest.fixture
def proxy(redis_url: str) -> Iterator[RefusingProxy]:
    with refusing_proxy(urlsplit(redis_url).port or 0) as one:
        yield one


@pytest.fixture
def site(tmp_path, proxy: RefusingProxy, namespace, sandbox) -> Iterator[Site]:
    extra = {"ANULA_LOG_FORMAT": "json", "ANULA_REDIS_TIMEOUT_S": "2"}
    with running_site(tmp_path, redis_url=proxy.url, namespace=namespace, sandbox_url=sandbox.url, extra=extra) as one:
        yield one


@pytest.fixture
def deployment(tmp_path, redis_url, namespace) -> Deployment:
    one = a_deployment(tmp_path, redis_url, namespace)
    one.enroll()
    return one


def lines(worker: Worker) -> list[dict[str, str]]:
    return [json.loads(line) for line in worker.log.read_text().splitlines(keepends=True) if line.endswith("\n")]


def told(worker: Worker, word: str) -> list[dict[str, str]]:
    return [line for line in lines(worker) if line["event"].startswith("redis_") and line.get("word") == word]


def is_told_or_ended(worker: Worker, word: str) -> bool:
    return bool(told(worker, word)) or not worker.is_running


def go_through_all_words(worker: Worker, proxy: RefusingProxy) -> None:
    for word, (words, passing) in WORDS.items():
        proxy.refuse(words, but=passing)
        wait_until(partial(is_told_or_ended, worker, word), limit_s=40, what=word)
        assert worker.is_running, worker.log.read_text()[-3000:]
    proxy.let_pass()


def assert_nothing_filled_the_log(worker: Worker) -> None:
    found = lines(worker)
    assert [line for line in found if "exception" in line] == []
    assert max(Counter(line.get("word") for line in found if line["event"].startswith("redis_")).values()) <= 5
    for word in WORDS:
        assert all(line["remedy"] for line in told(worker, word))
        assert not any("start it" in line["remedy"] for line in told(worker, word))


def test_a_worker_that_runs_outlives_every_word(site, proxy):
    worker = site.start_worker("--without-mingle", "--without-gossip")

    go_through_all_words(worker, proxy)

    wait_until(lambda: lines(worker)[-1]["event"] == "redis_back", limit_s=30)
    job = site.client.submit({"provider": "solucion-factible", "uuid": sandbox_uuid(200, 1)}).job
    assert site.outcome(job, limit_s=30)["status"] == "cancelled"
    assert_nothing_filled_the_log(worker)


def test_a_worker_that_starts_waits_through_every_word(site, proxy):
    proxy.refuse(WRITES["READONLY"])
    worker = site.start_worker("--without-mingle", "--without-gossip", until_ready=False)

    go_through_all_words(worker, proxy)

    wait_until(lambda: worker.is_ready, limit_s=40)
    job = site.client.submit({"provider": "solucion-factible", "uuid": sandbox_uuid(200, 2)}).job
    assert site.outcome(job, limit_s=30)["status"] == "cancelled"
    assert_nothing_filled_the_log(worker)


@pytest.mark.parametrize("word", WORDS)
def test_a_submission_fails_with_its_remedy_and_the_id_to_repeat_it_with(tmp_path, proxy, namespace, word):
    deployment = a_deployment(tmp_path, proxy.url, namespace)
    request, (words, passing) = cfdi(), WORDS[word]
    with deployment.client(redis_timeout_s=0.1) as client:
        proxy.refuse(words, but=passing)

        with pytest.raises((Unavailable, LedgerFull)) as refused:
            client.submit(request)

        assert isinstance(refused.value, LedgerFull if word == "OOM" else Unavailable)
        if isinstance(refused.value, Unavailable):
            assert "start it" not in refused.value.remedy
        assert isinstance(refused.value, LedgerFull | Unavailable)
        proxy.let_pass()
        assert client.submit(request, submission=refused.value.submission).run == 1


@pytest.mark.parametrize("word", ["READONLY", "OOM", "LOADING", "UNBLOCKED"])
def test_a_submission_waits_for_what_passes_soon(tmp_path, proxy, namespace, word):
    deployment = a_deployment(tmp_path, proxy.url, namespace)
    words, passing = WORDS[word]
    with deployment.client(redis_timeout_s=5) as client:
        proxy.refuse(words, but=passing)
        threading.Timer(0.3, proxy.let_pass).start()

        assert client.submit(cfdi()).run == 1


def is_said(caplog: pytest.LogCaptureFixture, words: str) -> bool:
    return words in caplog.text


IN_A_FAILOVER = {word: WORDS[word] for word in ("READONLY", "UNBLOCKED", "LOADING", "OOM", "NOPERM", "WRONGPASS")}


def is_back(caplog: pytest.LogCaptureFixture, times: int) -> bool:
    return caplog.messages.count("Redis is back") >= times


@pytest.mark.parametrize("way", [{}, {"group": "g", "consumer": "c"}], ids=["since", "group"])
def test_who_follows_goes_on_after_a_refusal(deployment, proxy, caplog, way):
    settings = deployment.settings.model_copy(update={"redis_url": proxy.url, "redis_timeout_s": 0.4})
    with Client(settings) as client, following(partial(client.outcomes, follow=True, **way)) as reader:
        for number, (word, (words, passing)) in enumerate(IN_A_FAILOVER.items(), start=1):
            proxy.refuse(words, but=passing)
            said = "no memory left" if word == "OOM" else words.split(" ", 1)[1][:30]
            wait_until(partial(is_said, caplog, said), limit_s=30, what=words)
            proxy.let_pass()
            wait_until(partial(is_back, caplog, number), limit_s=30)

        job = deployment.client().submit(cfdi()).job
        deployment.end(job, cancelled())

        wait_until(lambda: job in reader.got, limit_s=30)
    assert not [one for one in caplog.messages if f":{proxy.port}/" in one and "start it" in one]


def test_a_group_that_is_gone_is_made_anew(deployment, caplog):
    client = deployment.client()
    with following(partial(client.outcomes, follow=True, group="g", consumer="c")) as reader:
        stream = deployment.ledger.key("outcomes")
        wait_until(lambda: deployment.ledger.redis.exists(stream))

        deployment.ledger.redis.xgroup_destroy(stream, "g")
        job = deployment.client().submit(cfdi()).job
        deployment.end(job, cancelled())

        wait_until(lambda: job in reader.got, limit_s=20)
    assert "the group g was gone, and is made anew" in caplog.text
