"""The main job with a real Valkey, a real sandbox and a real Celery worker process."""

import json
import uuid
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from jsonschema import Draft202012Validator

from tests.support.sandbox import N_PROT, X_JUST, Sandbox, running_sandbox
from tests.support.site import Site, Worker, running_site
from tests.support.valkey import LocalValkey
from tests.support.waiting import wait_until
from worker import outcome
from worker.ledger.records import text
from worker.sandbox.numbers import sandbox_chbpe, sandbox_uuid

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(in_process_s=1.0) as one:
        yield one


@pytest.fixture(scope="module")
def site(sandbox: Sandbox, shared_valkey: LocalValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A deployment with one worker, for every test of this module; each uses documents of its own."""
    directory = tmp_path_factory.mktemp("site")
    namespace = f"t{uuid.uuid4().hex[:12]}"
    with running_site(directory, redis_url=shared_valkey.url, namespace=namespace, sandbox_url=sandbox.url) as one:
        keyless = '[accounts.keyless]\nprovider = "ns-bpe"\nenvironment = "test"\ntoken_env = "NO_SUCH_TOKEN"\n'
        one.write_accounts(keyless + f'utc_offset = "-03:00"\nendpoint = "{sandbox.url}"\n')
        one.start_worker()
        yield one


def bpe(key: str, **more: str) -> dict[str, str]:
    return {"provider": "ns-bpe", "account": "rodoviaria", "chBPe": key, "nProt": N_PROT, "xJust": X_JUST, **more}


def cfdi(uuid_: str, **more: str) -> dict[str, str]:
    return {"provider": "solucion-factible", "uuid": uuid_, **more}


def test_a_request_on_the_stream_ends_in_one_outcome_with_its_evidence(site: Site, sandbox: Sandbox):
    key = sandbox_chbpe(135, 1)

    site.ledger.redis.xadd(f"{site.namespace}:requests", {"request": json.dumps(bpe(key, reference="erp-1"))})
    found = site.outcome(f"ns-bpe:{key}")

    assert (found["status"], found["reason"], found["code"]) == ("cancelled", "cancelled", "135")
    assert (found["references"], found["attempts"], found["run"]) == (["erp-1"], 1, 1)
    assert found["evidence"]["sha256"] == sandbox.document(key)["evidence_sha256"]
    assert sandbox.document(key)["asked"] == 1
    wait_until(lambda: site.ledger.redis.xlen(f"{site.namespace}:requests") == 0)


def test_a_celery_message_on_the_wrong_queue_is_taken_in_once_as_on_the_right_one(site: Site):
    key, task_id = sandbox_chbpe(135, 61), str(uuid.uuid4())
    producer = Celery("erp", broker=site.redis_url, set_as_current=False)
    send = partial(producer.send_task, "anula.submit", task_id=task_id, ignore_result=True)

    for queue in (site.namespace, f"{site.namespace}.run", f"{site.namespace}.run"):
        send(kwargs={"request": bpe(key, reference="celery")}, queue=queue)
        found = site.outcome(f"ns-bpe:{key}")

    assert (found["status"], found["references"]) == ("cancelled", ["celery"])
    sent = {"task_id": "another", "queue": f"{site.namespace}.run"}
    send(kwargs={"request": bpe(key, reference="later")}, **sent)
    wait_until(lambda: len(site.outcomes(f"ns-bpe:{key}")) > 1)
    assert [one["references"] for one in site.outcomes(f"ns-bpe:{key}")] == [["celery"], ["later"]]
    producer.close()


@pytest.mark.parametrize(
    "message", [{"kwargs": {"request": {"provider": "nobody"}}}, {"args": ["junk"]}, {"kwargs": {"more": 1}}]
)
def test_an_invalid_celery_message_on_the_wrong_queue_is_refused(site: Site, message: dict[str, Any]):
    task_id = str(uuid.uuid4())
    producer = Celery("erp", broker=site.redis_url, set_as_current=False)

    producer.send_task("anula.submit", **message, task_id=task_id, queue=f"{site.namespace}.run", ignore_result=True)
    refused = wait_until(lambda: [one for one in site.outcomes() if one["submission"] == task_id])

    assert [one["reason"] for one in refused] == ["invalid-request"]
    producer.close()


def test_a_celery_message_on_the_intake_queue_ends_in_one_outcome(site: Site):
    uuid_ = sandbox_uuid(200, 2)
    producer = Celery("erp", broker=site.redis_url, set_as_current=False)

    producer.send_task("anula.submit", kwargs={"request": cfdi(uuid_, reference="erp-2")}, queue=site.namespace)
    producer.close()
    found = site.outcome(f"solucion-factible:{uuid_}")

    assert (found["status"], found["code"], found["references"]) == ("cancelled", "200", ["erp-2"])
    assert "Acuse" in found["evidence"]["content"]


def test_the_client_hands_in_and_sees_the_outcome(site: Site):
    uuid_ = sandbox_uuid(204, 3)

    submission = site.client.submit(cfdi(uuid_))
    found = site.outcome(submission.job)

    assert (found["status"], found["reason"], found["evidence"]) == ("rejected", "not-cancellable", None)


def test_in_process_is_asked_again_until_it_ends(site: Site):
    uuid_ = sandbox_uuid(211, 4)

    found = site.outcome(site.client.submit(cfdi(uuid_)).job)

    assert (found["status"], found["code"]) == ("cancelled", "200")
    assert found["attempts"] >= 2


def test_a_cut_after_the_provider_acted_is_looked_up_and_never_asked_again(site: Site, sandbox: Sandbox):
    key = sandbox_chbpe("cut-after", 5, first_calls=1)

    found = site.outcome(site.client.submit(bpe(key)).job)

    assert (found["status"], found["reason"], found["attempts"]) == ("cancelled", "already-cancelled", 1)
    assert found["evidence"]["sha256"] == sandbox.document(key)["evidence_sha256"]
    assert sandbox.document(key)["asked"] == 1


def history(site: Site, job: str) -> Sequence[Mapping[str, Any]]:
    record = site.client.status(job)
    assert record
    return record.history


def test_what_nobody_could_read_is_told_in_history_and_log(site: Site):
    key, uuid_ = sandbox_chbpe("error-before", 7, first_calls=1), sandbox_uuid("soap-fault", 8)

    site.outcome(site.client.submit(bpe(key)).job)
    fault = site.client.submit(cfdi(uuid_)).job
    wait_until(lambda: history(site, fault))

    excerpt = history(site, f"ns-bpe:{key}")[0]["excerpt"]
    assert excerpt.startswith("HTTP 502 ")
    assert "text/html" in excerpt
    assert "<html" in excerpt
    assert excerpt[:20] in site.workers[0].log.read_text()
    told = history(site, fault)[0]
    assert told["message"]
    assert "Fault" in told["excerpt"]


def test_evidence_that_is_not_there_yet_is_fetched_as_a_phase_of_the_run(site: Site, sandbox: Sandbox):
    key = sandbox_chbpe("xml-later", 6)

    found = site.outcome(site.client.submit(bpe(key)).job)

    assert found["status"] == "cancelled"
    assert found["evidence"]["sha256"] == sandbox.document(key)["evidence_sha256"]
    assert sandbox.document(key)["downloaded"] >= 1


def test_a_second_submission_of_a_cancelled_document_replays_its_outcome(site: Site, sandbox: Sandbox):
    key = sandbox_chbpe(135, 7)
    job = site.client.submit(bpe(key, reference="first")).job
    site.outcome(job)

    again = site.client.submit(bpe(key, reference="second"))
    wait_until(lambda: len(site.outcomes(job)) == 2)

    first, second = site.outcomes(job)
    assert again.replayed
    assert second == {**first, "replayed": True, "references": ["second"]}
    assert sandbox.document(key)["asked"] == 1


def test_a_deadline_that_has_passed_ends_the_run_without_a_call(site: Site, sandbox: Sandbox):
    key = sandbox_chbpe(135, 8)

    found = site.outcome(site.client.submit(bpe(key, deadline="2026-01-01T00:00:00Z")).job)

    assert (found["status"], found["reason"], found["attempts"]) == ("rejected", "deadline-passed", 0)
    assert sandbox.document(key)["asked"] == 0


@pytest.mark.parametrize(
    ("submitted", "problem"),
    [
        ('{"provider": "ns-bpe"', "not valid JSON"),
        ('["a list"]', "must be a JSON object"),
        ("x" * 1_000_000, "longer than"),
        ('{"provider": "solucion-factible", "uuid": 5}', "must be text"),
    ],
)
def test_junk_on_the_request_stream_becomes_an_outcome_with_its_errors(site: Site, submitted: str, problem: str):
    entry = site.ledger.redis.xadd(f"{site.namespace}:requests", {"request": submitted})

    wait_until(lambda: any(one["submission"] == text(entry) for one in site.outcomes()))
    found = next(one for one in site.outcomes() if one["submission"] == text(entry))

    assert (found["status"], found["reason"], found["run"]) == ("rejected", "invalid-request", None)
    assert any(problem in error["problem"] for error in found["errors"])


def test_junk_on_the_intake_queue_becomes_an_outcome_with_its_errors(site: Site):
    before = len(site.outcomes())

    site.ledger.redis.lpush(site.namespace, b"not json", b"\x80\x04pickle", b"j" * 1_000_000, b'{"headers": 1}', b"[]")

    wait_until(lambda: len(site.outcomes()) >= before + 5)
    assert {one["reason"] for one in site.outcomes()[before:]} == {"invalid-request"}


@pytest.mark.parametrize("junk", [b"junk", b"5", b"[1]", b"\xff\xfe", b"{}", b'{"body": 1, "properties": {}}', b"null"])
def test_junk_on_the_workers_own_queue_does_not_end_the_worker(site: Site, junk: bytes):
    number = 100 + zlib.crc32(junk) % 1_000_000

    site.ledger.redis.lpush(f"{site.namespace}.run", junk)
    wait_until(lambda: site.ledger.redis.llen(f"{site.namespace}.run") == 0)
    found = site.outcome(site.client.submit(cfdi(sandbox_uuid(204, number))).job)

    assert found["status"] == "rejected"
    assert site.workers[0].is_running


def test_an_account_whose_secret_is_missing_is_not_served_and_the_log_says_why(site: Site):
    key = sandbox_chbpe(135, 9)
    site.ledger.redis.xadd(f"{site.namespace}:requests", {"request": json.dumps(bpe(key, account="keyless"))})
    wait_until(lambda: site.ledger.record(f"ns-bpe:{key}"))
    another = site.client.submit(cfdi(sandbox_uuid(204, 9))).job
    site.outcome(another)

    record = site.ledger.record(f"ns-bpe:{key}")
    [account] = [one for one in site.ledger.account_states() if one.name == "keyless"]
    told = [line for line in site.workers[0].log.read_text().splitlines() if "account_not_served" in line]
    assert record is not None
    assert (record.state, record.attempts) == ("queued", 0)
    assert (account.suspended_at, account.workers, account.waiting) == (None, 0, 1)
    assert len(told) == 1
    assert "environment variable NO_SUCH_TOKEN is not set" in told[0]


SUR = """
[accounts.sur]
provider = "solucion-factible"
environment = "test"
username = "sandbox-1@example.com"
password_env = "NORTE_PASSWORD"
endpoint = "{url}/ws/services/Cancelacion"
"""


def test_a_request_for_an_account_of_another_worker_is_left_for_it_and_its_job_carried_out_by_it(
    site: Site, sandbox: Sandbox, tmp_path: Path
):
    document = sandbox_uuid(200, 77)
    with running_site(
        tmp_path, redis_url=site.redis_url, namespace=site.namespace, sandbox_url=sandbox.url
    ) as other_site:
        other_site.write_accounts(SUR.format(url=sandbox.url))
        other = Worker(other_site, 1, ())
        other_site.workers.append(other)
        other.start()
        wait_until(lambda: site.ledger.is_elsewhere("a test", "solucion-factible", "sur"))

        for number in range(20):
            request = cfdi(sandbox_uuid(200, 700 + number), account="sur")
            site.ledger.redis.xadd(f"{site.namespace}:requests", {"request": json.dumps(request)})
        site.ledger.redis.xadd(f"{site.namespace}:requests", {"request": json.dumps(cfdi(document, account="norte"))})

        jobs = [f"solucion-factible:{sandbox_uuid(200, 700 + number)}" for number in range(20)]
        found = [site.outcome(job, limit_s=60) for job in jobs]
        assert site.outcome(f"solucion-factible:{document}")["status"] == "cancelled"

    assert {(one["status"], one["attempts"]) for one in found} == {("cancelled", 1)}
    assert [call["code"] for call in sandbox.calls() if call["account"] == "sandbox-1@example.com"] == ["200/201"] * 20


def test_every_outcome_of_this_module_validates_against_the_printed_schema(site: Site):
    validator = Draft202012Validator(outcome.schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)

    for one in site.outcomes():
        validator.validate(one)
    assert site.outcomes()
