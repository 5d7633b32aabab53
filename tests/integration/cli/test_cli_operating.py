"""`anula retry`, `revoke`, `accounts`: an operator's moves."""

from urllib.parse import urlsplit

import pytest

from tests.support.hand_driven import A_UUID, a_uuid, bpe, cancelled, cfdi, not_cancelled
from tests.support.lossy_proxy import lossy_proxy
from worker.answer import Reason
from worker.cli.retry import BATCH
from worker.ledger.scripts import source
from worker.ledger.steps import Effects
from worker.outcome import Status

pytestmark = pytest.mark.integration


@pytest.fixture
def client(deployment):
    return deployment.client()


def ended(deployment, verdict, **more):
    job = deployment.client().submit(cfdi(**more)).job
    deployment.end(job, verdict)
    return job


# retry


def test_a_retry_is_a_new_run_with_the_same_references(anula, deployment, client):
    job = ended(deployment, not_cancelled(), reference="order 7")

    ran = anula("retry", job)

    assert (ran.status, ran.lines) == (0, [f"{job} run 2"])
    record = client.status(job)
    assert (record.state, record.run, record.references) == ("queued", 2, ("order 7",))


def test_what_cannot_be_retried_is_told_apart_and_the_rest_is_retried(anula, deployment, client):
    rejected = ended(deployment, not_cancelled())
    done = ended(deployment, cancelled())
    is_open = client.submit(cfdi()).job
    unknown = f"solucion-factible:{a_uuid()}"

    ran = anula("retry", done, is_open, rejected, unknown)

    assert (ran.status, ran.lines) == (1, [f"{rejected} run 2"])
    assert [line.split(" is ")[-1].split(":")[0] for line in ran.errors[:2]] == ["cancelled", "still open"]
    assert unknown in ran.errors[2]
    assert "3 of 4 not retried" in ran.errors[-1]


def test_a_job_whose_deadline_has_passed_is_not_retried(anula, deployment, client):
    job = client.submit(cfdi(deadline="2026-01-01T00:00:00Z")).job
    deployment.ledger.expire(client.status(job), not_cancelled(reason=Reason.DEADLINE_PASSED))

    ran = anula("retry", job)

    assert ran.status == 1
    assert "deadline has passed" in ran.err


def test_all_jobs_in_a_state_are_retried_once(anula, deployment, client):
    unresolved = [ended(deployment, not_cancelled(Status.UNRESOLVED, code="999")) for _ in range(3)]
    other_code = ended(deployment, not_cancelled(Status.UNRESOLVED, code="501"))
    rejected = ended(deployment, not_cancelled())

    assert anula("retry", "--state", "unresolved", "--code", "999").lines == [f"{job} run 2" for job in unresolved]
    assert anula("retry", "--state", "unresolved", "--account", "rodoviaria").status == 0
    assert anula("retry", "--state", "unresolved", "--account", "norte").lines == [f"{other_code} run 2"]
    assert client.status(rejected).state == "rejected"
    nothing = anula("retry", "--state", "unresolved")
    assert (nothing.status, nothing.out) == (0, "")


def test_what_was_done_and_refused_of_many_batches_is_told_job_by_job(anula, deployment):
    rejected = [ended(deployment, not_cancelled()) for _ in range(BATCH + 2)]
    done = ended(deployment, cancelled())

    ran = anula("retry", *rejected[:4], done, *rejected[4:])

    assert (ran.status, ran.lines) == (1, [f"{job} run 2" for job in rejected])
    assert [line.split(":", 1)[1] for line in ran.errors] == [
        f" {done}: is cancelled: nothing to retry",
        " 1 of 103 not retried, for the reasons above",
    ]


def test_a_damaged_record_keeps_no_other_job_from_its_new_run(anula, deployment):
    first, damaged, last = (ended(deployment, not_cancelled()) for _ in range(3))
    key = deployment.ledger.key("job", damaged)
    deployment.ledger.redis.hset(key, "history", "x")
    before = deployment.ledger.redis.hgetall(key)

    ran = anula("retry", first, damaged, last)

    assert (ran.status, ran.lines) == (1, [f"{first} run 2", f"{last} run 2"])
    assert ran.errors[0].startswith(f"anula: {damaged}: its record in Redis is damaged (history is no JSON")
    assert deployment.ledger.redis.hgetall(key) == before
    assert "is damaged" in anula("revoke", damaged, a_uuid()).errors[0]


def test_a_lost_reply_starts_no_second_run(anula, deployment, client, redis_url, monkeypatch):
    rejected = [ended(deployment, not_cancelled()) for _ in range(3)]
    client.ledger.redis.script_load(source("retry"))
    with lossy_proxy(urlsplit(redis_url).port) as proxy:
        monkeypatch.setenv("ANULA_REDIS_URL", proxy.url)
        proxy.lose_replies(1, to=b"EVALSHA")

        ran = anula("retry", *rejected)

        assert proxy.lost == 1
    assert (ran.status, ran.lines) == (0, [f"{job} run 2" for job in rejected])
    assert [client.status(job).run for job in rejected] == [2, 2, 2]


def test_what_may_have_been_done_is_told_when_redis_goes_away(anula, deployment, client, redis_url, monkeypatch):
    rejected = [ended(deployment, not_cancelled()) for _ in range(3)]
    client.ledger.redis.script_load(source("retry"))
    with lossy_proxy(urlsplit(redis_url).port) as proxy:
        monkeypatch.setenv("ANULA_REDIS_URL", proxy.url)
        proxy.lose_replies(2, to=b"EVALSHA")

        ran = anula("retry", *rejected)

    assert (ran.status, ran.out, len(ran.errors)) == (1, "", 2)
    assert f"{rejected[0]} and the 2 after it may be retried or not" in ran.errors[0]
    assert anula("retry", "--state", "rejected").out == ""
    assert [client.status(job).run for job in rejected] == [2, 2, 2]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (A_UUID, "--state", "rejected"),
        (A_UUID, "--account", "norte"),
        ("--state", "cancelled"),
        ("--state", "queued"),
    ],
)
def test_what_is_to_be_retried_has_to_be_clear(anula, arguments):
    ran = anula("retry", *arguments)

    assert (ran.status, len(ran.errors)) == (2, 1)


# revoke


def test_an_open_job_is_revoked_and_its_outcome_says_so(anula, client):
    job = client.submit(cfdi(reference="order 7")).job

    ran = anula("revoke", job)

    assert (ran.status, ran.lines, ran.err) == (0, [f"{job} revoked"], "")
    (outcome,) = client.outcomes()
    assert (outcome["status"], outcome["reason"], outcome["references"]) == ("revoked", "revoked", ["order 7"])
    assert outcome["warnings"] == []


def test_a_revoked_job_that_was_asked_for_before_may_still_be_cancelled(anula, deployment, client):
    job = client.submit(cfdi()).job
    deployment.park(job, wait_s=60, in_process=True)

    ran = anula("revoke", job)

    assert ran.status == 0
    (outcome,) = client.outcomes()
    assert "may still be cancelled" in outcome["warnings"][0]
    assert "may still be cancelled" in ran.err


def test_a_lost_reply_is_no_failure_of_revoke(anula, client, redis_url, monkeypatch):
    job = client.submit(cfdi()).job
    client.ledger.redis.script_load(source("revoke"))
    with lossy_proxy(urlsplit(redis_url).port) as proxy:
        monkeypatch.setenv("ANULA_REDIS_URL", proxy.url)
        proxy.lose_replies(1, to=b"EVALSHA")

        ran = anula("revoke", job)

        assert proxy.lost == 1
    assert (ran.status, ran.lines) == (0, [f"{job} revoked"])


def test_what_cannot_be_revoked_is_told_apart(anula, deployment, client):
    running, done, fetching = client.submit(cfdi()).job, ended(deployment, cancelled()), client.submit(bpe()).job
    deployment.begin(running)
    deployment.park(fetching, wait_s=60, pending={"reaction": "cancelled"})

    ran = anula("revoke", running, done, fetching, a_uuid())

    assert (ran.status, ran.out) == (1, "")
    said = ["in a call right now", "is cancelled already", "only its evidence", "is unknown"]
    assert len(ran.errors) == 4
    assert all(words in line for words, line in zip(said, ran.errors, strict=True))
    assert len(list(client.outcomes())) == 1


# accounts


def test_accounts_show_what_they_hold_and_why_they_stand_still(anula, deployment, client):
    deployment.enroll()
    client.submit_many([cfdi(), cfdi(), bpe()])
    assert anula("accounts", "suspend", "norte", "--reason", "password is being changed").status == 0

    table = anula("accounts").lines
    norte, rodoviaria = anula("accounts", "--json").json

    assert [line.split()[0] for line in table] == ["account", "norte", "rodoviaria"]
    assert "suspended since" in table[1]
    assert "password is being changed, by " in table[1]
    assert "ready" in table[2]
    assert (norte["account"], norte["waiting"], norte["suspended_reason"]) == ("norte", 2, "password is being changed")
    assert (rodoviaria["waiting"], rodoviaria["suspended_at"], rodoviaria["provider"]) == (1, None, "ns-bpe")
    assert "@" in norte["suspended_by"]


def test_accounts_tell_how_many_of_their_jobs_keep_failing(anula, deployment, client):
    deployment.enroll()
    job = client.submit(cfdi()).job
    deployment.park(job, wait_s=600, effects=Effects(feeds="failure"))
    client.submit(cfdi())

    assert "2, 1 failing" in anula("accounts").lines[1]
    assert [one["failing"] for one in anula("accounts", "--json").json] == [1, 0]


def test_an_account_is_suspended_and_resumed_once(anula, deployment):
    deployment.enroll()
    suspend = ("accounts", "suspend", "norte", "--reason", "audit")

    assert anula(*suspend).lines == ["norte suspended"]
    assert "before" in anula(*suspend).out
    assert anula("accounts", "resume", "norte").lines == ["norte resumed"]
    assert anula("accounts", "resume", "norte").lines == ["norte was not suspended"]
    history = anula("accounts", "--json").json[0]["history"]
    assert [entry["what"] for entry in history] == ["suspended", "resumed"]
    assert all(entry["at"].endswith("Z") for entry in history)


def test_an_account_that_caused_its_suspension_names_the_job(anula, deployment):
    deployment.enroll()
    deployment.ledger.suspend("norte", "601 wrong password", by="", job="solucion-factible:X")

    assert "601 wrong password, job solucion-factible:X" in anula("accounts").lines[1]


def test_accounts_without_a_worker_are_shown_as_such(anula):
    lines = anula("accounts").lines

    assert len(lines) == 3
    assert all("no worker has started with it" in line for line in lines[1:])


def test_an_account_that_only_has_jobs_is_not_ready(anula, deployment):
    deployment.client().submit(cfdi())

    [shown] = [line for line in anula("accounts").lines if line.startswith("norte")]
    assert "no worker has started with it" in shown
    assert [one["has_started"] for one in anula("accounts", "--json").json] == [False, False]


def test_an_unknown_account_is_a_failure(anula, deployment):
    deployment.enroll()

    assert anula("accounts", "suspend", "nrote", "--reason", "x").status == 1
    ran = anula("accounts", "resume", "nrote")
    assert (ran.status, len(ran.errors)) == (1, 1)


def test_a_suspension_needs_a_reason(anula, deployment):
    deployment.enroll()

    assert anula("accounts", "suspend", "norte").status == 2
    assert anula("accounts", "suspend", "norte", "--reason", " ").status == 2
