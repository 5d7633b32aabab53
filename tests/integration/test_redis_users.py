"""The users of docs/redis.md: each can do its work, and nothing else. The recipes are read from the page."""

import json
import uuid
from collections.abc import Iterator

import httpx
import pytest
import redis
from celery import Celery
from redis.exceptions import NoPermissionError

from tests.support import acl
from tests.support.acl import url_for
from tests.support.flower import running_flower
from tests.support.hand_driven import cfdi
from tests.support.sandbox import N_PROT, X_JUST, Sandbox, running_sandbox
from tests.support.site import Site, running_site
from tests.support.valkey import LocalValkey, running_valkey
from tests.support.waiting import wait_until
from worker import verdicts
from worker.client import Client, Unavailable
from worker.sandbox.numbers import sandbox_chbpe, sandbox_uuid

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalValkey]:
    with running_valkey(tmp_path_factory.mktemp("valkey")) as one:
        acl.apply(one.url)
        yield one


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as one:
        yield one


@pytest.fixture(scope="module")
def site(server: LocalValkey, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose worker is the user `worker`."""
    with running_site(
        tmp_path_factory.mktemp("site"),
        redis_url=url_for("worker", server.url),
        namespace="anula",
        sandbox_url=sandbox.url,
    ) as one:
        one.start_worker("--task-events", "--without-gossip", "--without-mingle")
        yield one


@pytest.fixture
def as_user(server: LocalValkey):
    clients = []

    def connected(role: str) -> redis.Redis:
        clients.append(redis.Redis.from_url(url_for(role, server.url), decode_responses=True))
        return clients[-1]

    yield connected
    for one in clients:
        one.close()


@pytest.fixture
def nothing_refused(as_user):
    """Nothing is refused while a user does its work; an older server refuses the client library its name."""
    admin = as_user("admin")
    admin.execute_command("ACL", "LOG", "RESET")
    yield
    may_be = set() if acl.version_of(admin) >= acl.SETINFO_SINCE else {"client"}
    log = [(one["username"], one["object"], one["context"]) for one in admin.execute_command("ACL", "LOG")]
    assert [one for one in log if one[1] not in may_be] == []


def client_as(site: Site, role: str) -> Client:
    url = url_for(role, site.redis_url.replace(f"worker:{acl.password('worker')}@", ""))
    return Client(site.settings.model_copy(update={"redis_url": url}), site.accounts)


def test_the_page_has_a_recipe_for_everybody():
    assert [*acl.recipes()] == ["default", *acl.ROLES]


@pytest.mark.usefixtures("nothing_refused")
def test_the_producer_hands_in_and_reads_the_outcome(site, as_user, server):
    erp, reader = as_user("erp"), as_user(acl.reader(server.url))
    document = sandbox_uuid(200, 1)
    subscription = reader.pubsub()
    subscription.subscribe("anula:outcomes")
    last = reader.xrevrange("anula:outcomes", count=1)

    erp.xadd("anula:requests", {"request": json.dumps(cfdi(document))})
    erp.wait(0, 10)

    def read():
        found = reader.xread({"anula:outcomes": last[0][0] if last else "0"}, count=10)
        entries = [] if not found else (found["anula:outcomes"][0] if isinstance(found, dict) else found[0][1])
        return [one for one in entries if one[1]["job"].endswith(document)]

    wait_until(read)
    assert wait_until(lambda: (subscription.get_message() or {}).get("type") == "message")
    subscription.close()


@pytest.mark.parametrize(
    "command",
    [
        ["XADD", "anula:outcomes", "*", "outcome", "{}"],
        ["XRANGE", "anula:requests", "-", "+"],
        ["XDEL", "anula:requests", "1-1"],
        ["XTRIM", "anula:outcomes", "MAXLEN", "0"],
        ["XTRIM", "anula:requests", "MAXLEN", "0"],
        ["XGROUP", "CREATE", "anula:outcomes", "g", "0"],
        ["LPUSH", "anula", "x"],
        ["LPUSH", "anula.run", "x"],
        ["HGETALL", "anula:meta"],
        ["HSET", "anula:account:norte", "suspended_at", "1"],
        ["DEL", "anula:outcomes"],
        ["PUBLISH", "anula:outcomes", "x"],
        ["SUBSCRIBE", "anula:other"],
        ["EVAL", "return redis.call('DEL', 'anula:outcomes')", "0"],
        ["KEYS", "*"],
        ["CONFIG", "GET", "*"],
        ["ACL", "LIST"],
        ["FLUSHALL"],
        ["SET", "anything", "x"],
        ["XADD", "other:requests", "*", "request", "{}"],
    ],
    ids=" ".join,
)
def test_the_producer_is_refused_everything_else(as_user, command):
    with pytest.raises(NoPermissionError):
        as_user("erp").execute_command(*command)


@pytest.mark.usefixtures("nothing_refused")
def test_a_consumer_reads_in_its_group(site, as_user, server):
    as_user("operator").xgroup_create("anula:outcomes", "erp", id="0", mkstream=True)
    as_user("erp").xadd("anula:requests", {"request": "not json"})
    consumer = as_user("erp-consumer")

    def given():
        found = consumer.xreadgroup("erp", "one", {"anula:outcomes": ">"}, count=10)
        return found and (found["anula:outcomes"][0] if isinstance(found, dict) else found[0][1])

    entries = wait_until(given)

    assert consumer.xack("anula:outcomes", "erp", *[entry for entry, _ in entries]) == len(entries)
    consumer.xautoclaim("anula:outcomes", "erp", "two", 0)
    assert consumer.xpending("anula:outcomes", "erp")["pending"] == 0


@pytest.mark.parametrize("role", ["erp-consumer", "erp-celery", "flower"])
@pytest.mark.parametrize(
    "command",
    [
        ["XADD", "anula:outcomes", "*", "outcome", "{}"],
        ["XADD", "anula:requests", "*", "request", "{}"],
        ["XDEL", "anula:outcomes", "1-1"],
        ["HGETALL", "anula:job:x"],
        ["DEL", "anula:outcomes"],
        ["EVALSHA", "0" * 40, "1", "anula:meta"],
        ["CONFIG", "GET", "*"],
    ],
    ids=" ".join,
)
def test_whoever_only_looks_or_hands_in_changes_no_job(as_user, role, command):
    with pytest.raises(NoPermissionError):
        as_user(role).execute_command(*command)


@pytest.mark.usefixtures("nothing_refused")
def test_a_celery_client_hands_in(site, server):
    document = sandbox_uuid(200, 2)
    producer = Celery("erp", broker=url_for("erp-celery", server.url), set_as_current=False)

    producer.send_task("anula.submit", kwargs={"request": cfdi(document)}, queue="anula")
    producer.close()

    assert site.outcome(f"solucion-factible:{document}")["status"] == "cancelled"


@pytest.mark.usefixtures("nothing_refused")
def test_an_importer_submits_and_reads(site):
    documents = [sandbox_uuid(200, n) for n in range(10, 15)]
    with client_as(site, "importer") as client:
        since = client.last_id()
        submitted = client.submit_many([cfdi(one) for one in documents])
        found = list(client.outcomes_of(submitted, since=since, limit_s=20))
        joined = client.submit(cfdi(sandbox_uuid(211, 5)))
        client.submit(cfdi(sandbox_uuid(211, 5), reference="again", priority="interactive"))

        assert {one["status"] for one in found} == {"cancelled"}
        assert client.submit(cfdi(documents[0])).replayed
        assert client.status(joined.job) is not None
        assert list(client.outcomes(group=a_name(), consumer="one"))


@pytest.mark.usefixtures("nothing_refused")
def test_an_operator_moves_jobs_and_accounts(site):
    with client_as(site, "operator") as client:
        held = client.submit(cfdi(sandbox_uuid("211-for-ever", 6))).job
        ended = client.submit(cfdi(sandbox_uuid(204, 7))).job
        wait_until(lambda: client.last_outcome(ended))

        assert client.ask(lambda ledger: ledger.retry(ended, by="test")) == 2
        assert client.ask(lambda ledger: ledger.suspend("rodoviaria", "a test", by="test"))
        assert client.ask(lambda ledger: ledger.resume("rodoviaria", by="test"))
        wait_until(lambda: revoked(client, held))
        assert client.ask(lambda ledger: ledger.account_states())


def revoked(client: Client, job: str) -> bool:

    record = client.status(job)
    assert record is not None
    if not record.is_open:
        return record.state == "revoked"
    client.ask(lambda ledger: ledger.revoke(record, verdicts.revoked(record), by="test"))
    return False


@pytest.mark.usefixtures("nothing_refused")
def test_the_worker_does_all_its_work(site, sandbox):
    key, later = sandbox_chbpe("cut-after", 8, first_calls=1), sandbox_chbpe("xml-later", 9)
    plain = {"provider": "ns-bpe", "nProt": N_PROT, "xJust": X_JUST}
    with client_as(site, "importer") as client:
        jobs = [client.submit({**plain, "chBPe": one}).job for one in (key, later)]
        over = client.submit({**plain, "chBPe": sandbox_chbpe(135, 10), "deadline": "2026-01-01T00:00:00Z"}).job

    assert [site.outcome(job)["status"] for job in (*jobs, over)] == ["cancelled", "cancelled", "rejected"]
    assert "failed" not in site.workers[0].log.read_text()


def test_the_worker_is_kept_to_its_namespace(as_user):
    worker = as_user("worker")
    for command in (
        ["HSET", "other:meta", "environment", "test"],
        ["SET", "anula2:x", "1"],
        ["FLUSHALL"],
        ["CONFIG", "SET", "maxmemory", "1"],
        ["KEYS", "*"],
        ["SHUTDOWN"],
    ):
        with pytest.raises(NoPermissionError):
            worker.execute_command(*command)


@pytest.mark.usefixtures("nothing_refused")
def test_flower_sees_workers_and_tasks(site, server):
    environment = {"ANULA_REDIS_URL": url_for("flower", server.url)}
    with running_flower(site, environment=environment) as flower:
        wait_until(lambda: flower.get("/api/workers?refresh=1").json())
        job = site.client.submit(cfdi(sandbox_uuid(200, 20))).job

        assert wait_until(lambda: flower_task(flower, job))["state"]


def flower_task(flower: httpx.Client, job: str):
    return flower.get("/api/tasks", params={"limit": 1000}).json().get(job)


def test_a_refused_user_is_told_where_to_look(site):
    with client_as(site, "erp") as client, pytest.raises(Unavailable) as told:
        client.submit(cfdi())

    assert not told.value.passes
    assert "docs/redis.md" in told.value.remedy


def a_name() -> str:
    return f"g{uuid.uuid4().hex[:8]}"
