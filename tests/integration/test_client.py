"""What producers rely on: the client against a real Valkey, the worker played by hand."""

import json
import subprocess
import sys
import threading
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from config.problem import ConfigurationProblem
from tests.support.following import following
from tests.support.hand_driven import (
    ACCOUNTS,
    ACUSE,
    a_deployment,
    a_uuid,
    an_access_key,
    bpe,
    cancelled,
    cfdi,
    not_cancelled,
)
from tests.support.lossy_proxy import lossy_proxy
from tests.support.valkey import running_valkey
from tests.support.waiting import wait_until
from worker.client import Client, InvalidItem, InvalidRequest, LedgerFull, NotPossible, Unavailable
from worker.ledger.outcome_stream import OutcomeStream

pytestmark = pytest.mark.integration


@pytest.fixture
def deployment(tmp_path, redis_url, namespace):
    return a_deployment(tmp_path, redis_url, namespace)


@pytest.fixture
def client(deployment):
    return deployment.client()


def test_importing_the_client_loads_no_provider_library_and_no_celery():
    program = "import sys, worker.client; print([m for m in ('celery', 'zeep', 'httpx', 'lxml', 'typer') if m in sys.modules])"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_damaged_record_keeps_no_other_request_of_many_from_submission(client):
    requests = [cfdi() for _ in range(1_001)]
    damaged = f"solucion-factible:{requests[1]['uuid']}"
    client.ledger.redis.set(client.ledger.key("job", damaged), "somebody else's")

    with pytest.raises(NotPossible, match=f"^{damaged}: its record in Redis is damaged"):
        client.submit_many(requests)

    assert all(client.status(one["uuid"]) for one in requests if one is not requests[1])
    with pytest.raises(NotPossible):
        client.submit(requests[1])


def test_settings_and_accounts_come_from_the_environment(tmp_path, monkeypatch, redis_url, namespace):
    (tmp_path / "accounts.toml").write_text(ACCOUNTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANULA_REDIS_URL", redis_url)
    monkeypatch.setenv("ANULA_NAMESPACE", namespace)

    with Client() as client:
        submission = client.submit(cfdi())

        assert known(client, submission.job).state == "queued"


def known(client, job):
    record = client.status(job)
    assert record is not None
    return record


# Submitting


def test_a_submission_is_in_the_ledger_when_it_returns(client):
    document = a_uuid()

    submission = client.submit(cfdi(document.lower(), reference="order 7", priority="bulk"))

    assert submission.job == f"solucion-factible:{document}"
    assert (submission.run, submission.joined, submission.replayed) == (1, False, False)
    record = known(client, document)
    assert (record.state, record.lane, record.references, record.account) == ("queued", "bulk", ("order 7",), "norte")


def test_a_second_request_for_an_open_job_joins_it(client):
    document = a_uuid()
    client.submit(cfdi(document, reference="first", priority="bulk"))

    second = client.submit(cfdi(document, reference="second"))

    assert (second.run, second.joined, second.replayed) == (1, True, False)
    record = known(client, document)
    assert (record.references, record.lane) == (("first", "second"), "interactive")


def test_a_request_for_a_cancelled_document_gets_its_outcome_again(client, deployment):
    document = a_uuid()
    first = client.submit(cfdi(document, reference="first"))
    deployment.end(first.job, cancelled())

    again = client.submit(cfdi(document, reference="second"))

    assert (again.run, again.joined, again.replayed) == (1, False, True)
    original, repeat = client.outcomes()
    assert (original["replayed"], original["references"]) == (False, ["first"])
    assert (repeat["replayed"], repeat["references"]) == (True, ["second"])
    assert repeat["evidence"] == original["evidence"]


def test_a_request_after_a_rejection_is_a_new_run(client, deployment):
    document = a_uuid()
    deployment.end(client.submit(cfdi(document, reference="first")).job, not_cancelled())

    again = client.submit(cfdi(document, reference="second"))

    assert (again.run, again.joined, again.replayed) == (2, False, False)
    assert known(client, document).references == ("second",)


def test_an_invalid_request_is_refused_with_every_error_and_changes_nothing(client, deployment):
    with pytest.raises(InvalidRequest) as refused:
        client.submit(bpe(nProt="1", xJust="short", chBPe="x"))

    assert {error.field for error in refused.value.errors} == {"nProt", "xJust", "chBPe"}
    assert deployment.records() == {}


def test_many_are_submitted_in_their_order(client):
    requests = [cfdi(reference=str(number)) for number in range(2_500)]

    submissions = client.submit_many(iter(requests))

    assert [one.job.partition(":")[2] for one in submissions] == [one["uuid"] for one in requests]
    assert client.ledger.redis.zcard(client.ledger.key("open")) == 2_500


def test_an_invalid_request_among_many_stops_its_batch_before_it_is_submitted(client):
    requests = [cfdi() for _ in range(1_500)]
    requests[1_200]["uuid"] = "nonsense"

    with pytest.raises(InvalidItem) as refused:
        client.submit_many(requests)

    assert (refused.value.index, refused.value.submitted) == (1_200, 1_000)
    assert client.ledger.redis.zcard(client.ledger.key("open")) == 1_000


@pytest.mark.parametrize("losses", [1, 2, 3])
def test_a_lost_reply_admits_nothing_twice(deployment, redis_url, losses):
    document = a_uuid()
    with lossy_proxy(urlsplit(redis_url).port) as proxy:
        client = deployment.client(redis_url=proxy.url)
        client.submit(cfdi())
        proxy.lose_replies(losses, to=b"EVALSHA")

        submission = client.submit(cfdi(document, reference="once"))

        assert proxy.lost == losses
        client.close()
    assert (submission.run, submission.joined, submission.replayed) == (1, False, False)
    assert known(deployment.client(), document).warnings == ()


def test_a_lost_reply_to_a_batch_admits_nothing_twice(deployment, redis_url):
    documents = [a_uuid() for _ in range(300)]
    with lossy_proxy(urlsplit(redis_url).port) as proxy:
        client = deployment.client(redis_url=proxy.url)
        client.submit(cfdi())
        proxy.lose_replies(1, to=b"EVALSHA")

        submissions = client.submit_many(cfdi(document) for document in documents)

        assert proxy.lost == 1
        client.close()
    assert not any(one.joined or one.replayed for one in submissions)


def test_a_replay_whose_reply_was_lost_is_published_once(deployment, redis_url):
    document = a_uuid()
    deployment.end(deployment.client().submit(cfdi(document)).job, cancelled())
    with lossy_proxy(urlsplit(redis_url).port) as proxy:
        client = deployment.client(redis_url=proxy.url)
        client.submit(cfdi())
        proxy.lose_replies(2, to=b"EVALSHA")

        assert client.submit(cfdi(document)).replayed
        client.close()

    assert [one["replayed"] for one in deployment.client().outcomes()] == [False, True]


def test_a_submission_may_be_repeated_under_its_id_even_after_its_run_has_ended(client, deployment):
    request = cfdi()
    first = client.submit(request, submission="mine")
    deployment.end(first.job, not_cancelled())

    assert client.submit(request, submission="mine") == first
    assert client.submit(request).run == 2


def test_many_may_be_repeated_under_their_id(client):
    requests = [cfdi() for _ in range(5)]
    first = client.submit_many(requests, submission="mine")

    assert client.submit_many(requests, submission="mine") == first


# What stands in the way


def test_redis_away_is_said_in_one_clear_error_with_the_id_to_repeat_under(deployment):
    client = deployment.client(redis_url="redis://user:secret@127.0.0.1:1/0", redis_timeout_s=0.3)

    client._has_agreed = True

    with pytest.raises(Unavailable) as away:
        client.submit(cfdi())

    assert "127.0.0.1:1" in str(away.value)
    assert "secret" not in str(away.value)
    assert away.value.submission


def test_a_full_redis_refuses_and_nothing_is_admitted(tmp_path, namespace):
    with running_valkey(tmp_path / "valkey", settings={"maxmemory": "4mb"}) as server:
        (tmp_path / "files").mkdir()
        deployment = a_deployment(tmp_path / "files", server.url, namespace)
        client = deployment.client()
        filler = deployment.ledger.redis
        number = 0
        while filler.info("memory")["used_memory"] < 3.8 * 1024 * 1024:
            filler.set(f"filler:{number}", "x" * 20_000)
            number += 1

        with pytest.raises(LedgerFull):
            client.submit(cfdi())

        assert filler.zcard(client.ledger.key("open")) == 0


def test_a_namespace_of_the_other_environment_is_refused_once_and_for_all(tmp_path, deployment):
    deployment.client().submit(cfdi())
    path = tmp_path / "production.toml"
    path.write_text(ACCOUNTS.replace('"test"', '"production"'))
    settings = deployment.settings.model_copy(update={"accounts": path})

    for attempt in range(2):
        with pytest.raises(ConfigurationProblem, match="belongs to test"):
            Client(settings).submit(cfdi())
        assert attempt in (0, 1)


def test_a_status_is_asked_by_job_or_document(client):
    key = an_access_key()
    job = client.submit(bpe(key)).job

    assert known(client, key).job == known(client, job).job == f"ns-bpe:{key}"
    assert client.status(a_uuid()) is None
    with pytest.raises(ValueError):
        client.status("nonsense")


# Outcomes


def ended(deployment, count):
    client = deployment.client()
    jobs = [one.job for one in client.submit_many(cfdi(reference=str(number)) for number in range(count))]
    for job in jobs:
        deployment.end(job, cancelled())
    return jobs


def test_outcomes_are_read_from_the_oldest_or_after_an_id(deployment, client):
    jobs = ended(deployment, 3)

    everything = list(client.outcomes())

    assert [one["job"] for one in everything] == jobs
    assert [one["job"] for one in client.outcomes(since=everything[0].id)] == jobs[1:]
    assert list(client.outcomes(since="$")) == []
    assert json.loads(everything[0].text) == everything[0]


def test_following_gives_outcomes_as_they_are_published(deployment, client):
    ended(deployment, 1)
    following = client.outcomes(since="$", follow=True)
    got: list[Any] = []
    reader = threading.Thread(target=lambda: got.extend(islice(following, 2)), daemon=True)
    reader.start()

    jobs = ended(deployment, 2)

    reader.join(10)
    assert [one["job"] for one in got] == jobs


def test_following_outlives_an_outage(tmp_path, namespace):
    with running_valkey(tmp_path / "valkey", appendonly=True) as server:
        (tmp_path / "files").mkdir()
        deployment = a_deployment(tmp_path / "files", server.url, namespace)
        following = deployment.client().outcomes(follow=True)
        first = ended(deployment, 1)
        assert next(following)["job"] == first[0]
        got: list[Any] = []
        reader = threading.Thread(target=lambda: got.append(next(following)), daemon=True)
        reader.start()

        server.kill()
        server.start()
        second = wait_until(lambda: _ended_again(deployment), what="the ledger after the restart")

        reader.join(20)
        assert [one["job"] for one in got] == second


@pytest.mark.parametrize("as_consumer", [{}, {"group": "erp", "consumer": "one"}], ids=["alone", "in a group"])
def test_following_outlives_an_outage_in_its_very_first_wait(tmp_path, namespace, caplog, as_consumer):
    with running_valkey(tmp_path / "valkey", appendonly=True) as server:
        (tmp_path / "files").mkdir()
        deployment = a_deployment(tmp_path / "files", server.url, namespace)
        following = deployment.client().outcomes(follow=True, **as_consumer)
        got: list[Any] = []
        reader = threading.Thread(target=lambda: got.append(next(following)), daemon=True)
        reader.start()
        wait_until(lambda: deployment.ledger.redis.info("clients")["blocked_clients"] == 1)

        server.kill()
        wait_until(lambda: "waiting for it" in caplog.text or not reader.is_alive())
        server.start()
        later = wait_until(lambda: _ended_again(deployment), what="the ledger after the restart")

        reader.join(20)
        assert [one["job"] for one in got] == later


def _ended_again(deployment):
    try:
        return ended(deployment, 1)
    except (Unavailable, redis.RedisError):
        return None


def test_an_id_that_is_none_is_refused_at_once(client):
    with pytest.raises(ValueError):
        client.outcomes(since="yesterday")
    with pytest.raises(ValueError):
        client.outcomes(group="erp")


def test_an_outcome_is_acknowledged_only_when_the_caller_comes_back(deployment, client):
    jobs = ended(deployment, 3)
    pending = lambda: client.ledger.redis.xpending(client.ledger.key("outcomes"), "erp")["pending"]  # noqa: E731

    reading = client.outcomes(group="erp", consumer="one")
    assert next(reading)["job"] == jobs[0]
    assert pending() == 3
    assert next(reading)["job"] == jobs[1]
    assert pending() == 2
    reading.close()

    assert [one["job"] for one in client.outcomes(group="erp", consumer="one")] == jobs[1:]
    assert pending() == 0
    assert list(client.outcomes(group="erp", consumer="one")) == []


def test_what_a_dead_consumer_left_goes_to_another_one(deployment, client):
    jobs = ended(deployment, 4)
    dying = client.outcomes(group="erp", consumer="dying")
    assert next(dying)["job"] == jobs[0]
    dying.close()
    living = partial(deployment.client().outcomes, group="erp", consumer="living", follow=True, take_over_after_s=0.4)

    with following(living) as reader:
        later = ended(deployment, 2)

        wait_until(lambda: len(reader.got) >= 6, what="all six outcomes")
        wait_until(lambda: client.ledger.redis.xpending(client.ledger.key("outcomes"), "erp")["pending"] == 0)
    assert sorted(reader.got) == sorted(jobs + later)


def test_two_consumers_share_the_outcomes(deployment, client):
    one = client.outcomes(group="erp", consumer="one")
    other = client.outcomes(group="erp", consumer="other")
    jobs = ended(deployment, 150)

    first = next(one)
    got = [first["job"]] + [outcome["job"] for outcome in other] + [outcome["job"] for outcome in one]

    assert sorted(got) == sorted(jobs)


def test_what_is_being_handled_slowly_is_not_taken_over_with_the_rest_of_its_page(deployment, client):
    jobs = ended(deployment, 3)
    reading = client.outcomes(group="erp", consumer="slow", take_over_after_s=0.4)
    assert next(reading)["job"] == jobs[0]
    wait_until(lambda: _idle_ms(client) > 250, what="the page to age")
    aged_ms = _idle_ms(client)

    assert next(reading)["job"] == jobs[1]

    assert _idle_ms(client) < aged_ms


def _idle_ms(client):
    pending = client.ledger.redis.xpending_range(client.ledger.key("outcomes"), "erp", "-", "+", 10)
    return max(one["time_since_delivered"] for one in pending)


def test_entries_that_were_trimmed_or_are_no_outcomes_stop_nobody(deployment, client):
    jobs = ended(deployment, 2)
    stream = client.ledger.key("outcomes")
    client.ledger.redis.xadd(stream, {"outcome": "{"})
    client.ledger.redis.xadd(stream, {"something": "else"})
    reading = client.outcomes(group="erp", consumer="one")
    assert next(reading)["job"] == jobs[0]
    reading.close()
    client.ledger.redis.xtrim(stream, minid=OutcomeStream(client.ledger).after("0-0").outcomes[1].id, approximate=False)
    later = ended(deployment, 1)

    assert [one["job"] for one in client.outcomes(group="erp", consumer="one")] == [jobs[1], *later]
    assert client.ledger.redis.xpending(stream, "erp")["pending"] == 0
    assert [one["job"] for one in client.outcomes()] == [jobs[1], *later]


def test_a_lost_reply_to_a_consumer_loses_no_outcome(deployment, redis_url):
    jobs = ended(deployment, 3)
    with lossy_proxy(urlsplit(redis_url).port) as proxy:
        client = deployment.client(redis_url=proxy.url)
        reading = client.outcomes(group="erp", consumer="one")
        proxy.lose_replies(1, to=b"\r\n>\r\n")

        assert [one["job"] for one in reading] == jobs

        assert proxy.lost == 1
        client.close()


def test_waiting_gives_each_runs_outcome_once(deployment, client):
    since = client.last_id()
    submissions = client.submit_many(cfdi() for _ in range(3))
    for submission in submissions:
        deployment.end(submission.job, cancelled())

    found = list(client.outcomes_of([*submissions, submissions[0]], since=since, limit_s=0))

    assert [one["job"] for one in found] == [one.job for one in submissions]


def test_waiting_finds_what_ended_before_it_began(deployment, client):
    submission = client.submit(cfdi())
    deployment.end(submission.job, cancelled())

    found = list(client.outcomes_of([submission], since=client.last_id(), limit_s=0))

    assert [one["job"] for one in found] == [submission.job]


def test_waiting_ends_with_its_time(client):
    submission = client.submit(cfdi())

    assert list(client.outcomes_of([submission], since="0-0", limit_s=0.2)) == []


def test_waiting_does_not_hang_on_a_run_that_is_history(deployment, client):
    first = client.submit(cfdi())
    deployment.end(first.job, not_cancelled())
    client.ledger.retry(first.job, by="someone@here")

    assert list(client.outcomes_of([first], since=client.last_id())) == []


def test_the_last_outcome_holds_the_evidence(deployment, client):
    submission = client.submit(cfdi())
    assert client.last_outcome(submission.job) is None
    deployment.end(submission.job, cancelled())

    last = client.last_outcome(submission.job)

    assert last is not None
    assert last["evidence"]["content"].encode() == ACUSE
