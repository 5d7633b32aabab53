"""The programs in examples/ do what their pages say: one suite for every language, where the machine can run it."""

import hashlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.support import acl
from tests.support.hand_driven import a_uuid
from tests.support.http_server import CERTIFICATE
from tests.support.languages import LANGUAGES, ROOT, WITH_CLIENT, CannotRunError, Language, Programs, Reader, programs
from tests.support.lossy_proxy import lossy_proxy
from tests.support.refusing_proxy import refusing_proxy
from tests.support.sandbox import N_PROT, X_JUST, Sandbox, running_sandbox
from tests.support.site import Site, running_site
from tests.support.tls_proxy import tls_proxy
from tests.support.valkey import LocalValkey, running_valkey
from tests.support.waiting import wait_until
from worker.sandbox.numbers import sandbox_chbpe, sandbox_uuid

pytestmark = pytest.mark.integration
WAYS = ("stream", "queue")
DOCUMENTED = ROOT / "docs" / "outcome-examples.jsonl"


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
        one.start_worker()
        yield one


@pytest.fixture(scope="module", params=LANGUAGES, ids=lambda language: language.name)
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Language, Path]:
    """A language and the folder where its programs run."""
    try:
        return request.param, request.param.prepare(tmp_path_factory.mktemp(request.param.name))
    except CannotRunError as reason:
        pytest.skip(f"examples/{request.param.name}: {reason}")


@pytest.fixture
def erp(prepared: tuple[Language, Path], site: Site, tmp_path: Path) -> Programs:
    """The programs at the site with the worker."""
    return programs(*prepared, tmp_path / "erp", site.environment)


@pytest.fixture
def quiet(erp: Programs, shared_valkey: LocalValkey, namespace: str) -> Iterator["Stream"]:
    """The programs where no worker is, with a stream of outcomes that the test writes."""
    with redis.Redis.from_url(shared_valkey.url, decode_responses=True) as client:
        yield Stream(replace(erp, environment={**erp.environment, "ANULA_NAMESPACE": namespace}), client, namespace)


class Stream:
    """A stream of outcomes and who reads it."""

    def __init__(self, erp: Programs, client: Any, namespace: str) -> None:
        self.erp, self.redis, self.key = erp, client, f"{namespace}:outcomes"

    def publish(self, **fields: Any) -> str:
        """Put an outcome on it as the ledger does; gives its document."""
        outcome = {**OUTCOME, "document": a_uuid(), **fields}
        outcome["job"] = f"solucion-factible:{outcome['document']}"
        text = json.dumps(outcome, ensure_ascii=False)
        named = {name: outcome[name] for name in ("job", "account", "status")}
        self.redis.xadd(self.key, {**named, "outcome": text})
        self.redis.publish(self.key, text)
        return str(outcome["document"])

    @property
    def pending(self) -> int:
        """How many entries the group `erp` was given and has not acknowledged; -1 before there is a group."""
        groups = self.redis.xinfo_groups(self.key) if self.redis.exists(self.key) else []
        return int(groups[0]["pending"]) if groups else -1

    def until_listened_to(self, way: str) -> None:
        """Wait for who listens to the channel, since what is published before is missed; a stream is read later."""
        if way == "channel":
            wait_until(lambda: self.redis.pubsub_numsub(self.key)[0][1] == 1, limit_s=30)

    def give(self, consumer: str) -> list[str]:
        """Give all that is new to a consumer that does nothing with it; the documents."""
        reply = self.redis.xreadgroup("erp", consumer, {self.key: ">"})
        (pages,) = reply.values() if isinstance(reply, dict) else [page for _, page in reply]
        entries = pages[0] if isinstance(pages[0], list) else pages
        return [json.loads(fields["outcome"])["document"] for _, fields in entries]


OUTCOME: dict[str, Any] = {
    "run": 1,
    "provider": "solucion-factible",
    "account": "norte",
    "references": ["order-7"],
    "status": "revoked",
    "reason": "revoked",
    "code": None,
    "message": None,
    "provider_status": {},
    "protocol": None,
    "registered_at": None,
    "evidence": None,
    "warnings": [],
    "errors": [],
    "submission": None,
    "attempts": 0,
    "submitted_at": "2026-03-01T12:00:00Z",
    "finished_at": "2026-03-01T12:00:01Z",
    "replayed": False,
}


OF_NOTHING = hashlib.sha256(b"").hexdigest()


def a_document(behaviour: int | str) -> str:
    """A CFDI of the sandbox that no other test uses."""
    return sandbox_uuid(behaviour, uuid.uuid4().int % 10**12)


def evidence(content: str) -> dict[str, str]:
    """Evidence with the sha256 of nothing."""
    return {"media_type": "application/xml", "sha256": OF_NOTHING, "encoding": "utf-8", "content": content}


def told(reader: Reader) -> list[str]:
    """The lines about outcomes, without their warnings."""
    return [line for line in reader.lines if not line.startswith("  ")]


def last_id(stream: Stream) -> str:
    """The id of the newest outcome."""
    return str(stream.redis.xrevrange(stream.key, count=1)[0][0])


def consumers(stream: Stream) -> set[str]:
    """Who has read in the group so far."""
    if stream.pending < 0:
        return set()
    return {one["name"] for one in stream.redis.xinfo_consumers(stream.key, "erp")}


# Handing in


@pytest.mark.parametrize("way", WAYS)
def test_a_document_that_was_handed_in_is_cancelled_and_its_evidence_saved(erp, site, sandbox, way):
    document = a_document(200)

    assert erp.submit(way, document, "pedido São João 7")

    with erp.reading("since", str(erp.evidence.parent / "last-id")) as reader:
        line = reader.told(document)
    assert line.startswith(f"cancelled (cancelled) solucion-factible:{document} run 1 [pedido São João 7]: book the")
    (file,) = erp.evidence.glob(f"{document}*")
    outcome = site.outcome(f"solucion-factible:{document}")
    assert file.name in line
    assert file.read_bytes().decode() == outcome["evidence"]["content"]


@pytest.mark.parametrize("way", WAYS)
def test_a_bpe_goes_in_with_protocol_and_reason(erp, way):
    key = sandbox_chbpe(135, uuid.uuid4().int % 10**9)

    erp.submit(way, key, N_PROT, X_JUST)

    with erp.reading("channel"), erp.reading("group", f"g-{key}", "one") as reader:
        assert reader.told(key).startswith(f"cancelled (cancelled) ns-bpe:{key} run 1 []: book the cancellation")


@pytest.mark.parametrize("way", WAYS)
def test_an_invalid_request_comes_back_under_the_key_that_was_printed(erp, way):
    submission = erp.submit(way, "not-a-uuid", "order-8")

    with erp.reading("since", str(erp.evidence.parent / "last-id")) as reader:
        line = reader.told(submission)
    assert line.startswith(f"rejected (invalid-request) - run - [order-8]: correct what was handed in as {submission}:")
    assert line.endswith("uuid: must be 8-4-4-4-12 hex digits")


def test_what_cannot_be_known_is_for_a_person(erp):
    document = a_document("cut-after-then-204")

    erp.submit("stream", document)

    with erp.reading("since", str(erp.evidence.parent / "last-id")) as reader:
        assert "a person has to look: 204 " in reader.told(f"unresolved (may-have-acted) solucion-factible:{document}")


def test_a_document_that_stands_cancelled_comes_back_replayed(erp, sandbox, site):
    document = a_document(200)
    first = erp.submit("stream", document, "first")
    site.outcome(f"solucion-factible:{document}")

    assert erp.submit("stream", document, "second") != first

    with erp.reading("since", str(erp.evidence.parent / "last-id")) as reader:
        assert reader.told(f"(cancelled) solucion-factible:{document}").endswith(".xml")
        assert reader.told(f"(cancelled) (replayed) solucion-factible:{document} run 1 [second]: book")


@pytest.mark.parametrize("way", WAYS)
def test_a_lost_reply_leads_to_one_job_and_one_call(erp, site, sandbox, shared_valkey, way):
    document = a_document(200)
    with lossy_proxy(shared_valkey.port) as proxy:
        proxy.lose_replies(1, to=document.encode() if way == "stream" else b"LPUSH")

        done = erp.try_to_submit(way, document, "order-9", ANULA_REDIS_URL=proxy.url)

        assert proxy.lost == 1
    assert done.returncode == 0, done
    outcome = site.outcome(f"solucion-factible:{document}")
    assert (outcome["references"], outcome["run"]) == (["order-9"], 1)
    assert sandbox.document(document)["asked"] == 1


@pytest.mark.parametrize("way", WAYS)
def test_what_is_handed_in_again_under_its_key_changes_nothing_after_its_end(erp, site, way):
    document, key = a_document(204), f"{uuid.uuid4()}"
    assert erp.try_to_submit(way, document, "order-9", SUBMISSION=key).stdout.strip() == key
    assert site.outcome(f"solucion-factible:{document}")["status"] == "rejected"

    erp.try_to_submit(way, document, "order-9", SUBMISSION=key)

    later = a_document(200)
    erp.submit(way, later)
    site.outcome(f"solucion-factible:{later}")
    outcomes = [one for one in site.client.outcomes() if one["document"] == document]
    assert [(one["run"], one["references"]) for one in outcomes] == [(1, ["order-9"])]
    assert site.ledger.record(f"solucion-factible:{document}").run == 1


@pytest.mark.parametrize("way", WAYS)
def test_a_redis_that_is_away_is_told_with_the_key_to_go_on_with(erp, way):
    done = erp.try_to_submit(way, a_uuid(), ANULA_REDIS_URL="redis://127.0.0.1:1/0", SUBMISSION="kept-key")

    assert done.returncode == 1
    assert "not confirmed, hand it in again with SUBMISSION=kept-key: " in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [[], ["a", "b", "c", "d", "e"]])
def test_other_arguments_are_told_how_it_is_used(erp, arguments):
    done = erp.try_to_submit("stream", *arguments)

    assert done.returncode == 2
    assert "usage: " in done.stderr


REFUSALS = (
    "READONLY You can't write against a read only replica.",
    "UNBLOCKED force unblock",
    "LOADING Redis is loading",
)


@pytest.mark.parametrize("way", ["since", "group"])
def test_a_reader_goes_on_after_a_refusal_and_makes_a_group_that_is_gone_anew(erp, site, shared_valkey, way):
    document = a_document(200)
    group = f"g-{document}"
    arguments = ("since", str(erp.evidence.parent / "last-id")) if way == "since" else ("group", group, "one")
    with refusing_proxy(shared_valkey.port) as proxy, erp.reading(*arguments, ANULA_REDIS_URL=proxy.url) as reader:
        for words in REFUSALS:
            proxy.refuse(words)
            reader.told(words.partition(" ")[2])
            proxy.let_pass()
        if way == "group":
            outcomes = site.ledger.key("outcomes")
            wait_until(lambda: group in [one["name"].decode() for one in site.ledger.redis.xinfo_groups(outcomes)])
            site.ledger.redis.xgroup_destroy(outcomes, group)
            reader.told("NOGROUP")
        erp.submit("stream", document)

        assert reader.told(f"solucion-factible:{document}").startswith("cancelled (cancelled)")
        assert reader.process.poll() is None


def test_python_s_own_client_returns_with_the_job_and_reads_it_in_a_group(site, tmp_path):
    """What imports Anula itself, and so has no counterpart in the other languages."""
    erp = programs(WITH_CLIENT, WITH_CLIENT.prepare(tmp_path), tmp_path / "erp", site.environment)
    document = a_document(200)

    assert erp.submit("client", document, "order-7") == f"solucion-factible:{document} run 1"

    with erp.reading(f"g-{document}", "one") as reader:
        assert reader.told(document).startswith(f"cancelled (cancelled) solucion-factible:{document} run 1 [order-7]")


def test_python_s_own_client_tells_what_is_wrong_at_once(site, tmp_path):
    erp = programs(WITH_CLIENT, WITH_CLIENT.prepare(tmp_path), tmp_path / "erp", site.environment)

    invalid = erp.try_to_submit("client", "not-a-uuid")
    nowhere = "redis://127.0.0.1:1/0"
    away = erp.try_to_submit("client", a_uuid(), ANULA_REDIS_URL=nowhere, ANULA_REDIS_TIMEOUT_S="0.3")

    assert (invalid.returncode, invalid.stderr) == (2, "uuid: must be 8-4-4-4-12 hex digits\n")
    assert away.returncode == 1
    assert "it may be in: hand it in again with SUBMISSION=" in away.stderr


# Reading


def test_reading_goes_on_from_the_id_that_was_kept(quiet, tmp_path):
    first, place = quiet.publish(), str(tmp_path / "last-id")
    with quiet.erp.reading("since", place) as reader:
        reader.told(first)
        wait_until(lambda: last_id(quiet) in Path(place).read_text())
    later = quiet.publish()

    with quiet.erp.reading("since", place) as reader:
        reader.told(later)

        assert first not in "".join(reader.lines)


def test_two_consumers_of_a_group_share_the_outcomes(quiet):
    with quiet.erp.reading("group", "erp", "one") as one, quiet.erp.reading("group", "erp", "two") as two:
        wait_until(lambda: consumers(quiet) == {"one", "two"}, limit_s=30)
        documents = [quiet.publish() for _ in range(60)]
        wait_until(lambda: len(one.lines) + len(two.lines) >= 60, limit_s=30)

    told = [line.split()[2].partition(":")[2] for line in one.lines + two.lines]
    assert sorted(told) == sorted(documents), "each of them once"
    assert one.lines
    assert two.lines
    assert quiet.pending == 0


def test_what_a_dead_consumer_was_given_is_taken_over(quiet):
    quiet.redis.xgroup_create(quiet.key, "erp", id="0", mkstream=True)
    documents = [quiet.publish() for _ in range(25)]
    assert quiet.give("dead") == documents

    with quiet.erp.reading("group", "erp", "two", "0.5") as reader:
        for document in documents:
            reader.told(document)
        wait_until(lambda: quiet.pending == 0)


def test_what_could_not_be_handled_stays_and_is_taken_over_by_another(quiet, tmp_path):
    """The one consumer cannot save evidence: a file is where its folder should be."""
    (tmp_path / "file").write_text("")
    document = quiet.publish(status="cancelled", reason="cancelled", evidence=evidence(""))
    with quiet.erp.reading("group", "erp", "one", EVIDENCE_DIR=str(tmp_path / "file")) as reader:
        wait_until(lambda: "is not handled yet" in "".join(reader.lines), limit_s=30)
    assert quiet.pending == 1

    with quiet.erp.reading("group", "erp", "two", "0.5") as reader:
        reader.told(document)
        wait_until(lambda: quiet.pending == 0)


def test_a_consumer_that_comes_back_begins_with_what_it_was_given(quiet):
    quiet.redis.xgroup_create(quiet.key, "erp", id="0", mkstream=True)
    documents = [quiet.publish() for _ in range(25)]
    assert quiet.give("one") == documents

    with quiet.erp.reading("group", "erp", "one", "1000") as reader:
        for document in documents:
            reader.told(document)
        wait_until(lambda: quiet.pending == 0)


def test_an_outcome_that_was_removed_by_age_holds_up_nobody(quiet):
    quiet.redis.xgroup_create(quiet.key, "erp", id="0", mkstream=True)
    for consumer in ("one", "dead"):
        quiet.publish()
        quiet.give(consumer)
    quiet.redis.xtrim(quiet.key, maxlen=0, approximate=False)

    with quiet.erp.reading("group", "erp", "one", "0.5") as reader:
        reader.told(quiet.publish())
        wait_until(lambda: quiet.pending == 0)

    assert "was removed by age before it was handled" in reader.lines[0]


def test_what_is_no_outcome_stays_and_holds_up_nobody(quiet):
    junk = [{"outcome": text} for text in ("junk", "[]", "5", "null", "{}")] + [{"other": "field"}]
    for fields in junk:
        quiet.redis.xadd(quiet.key, fields)
    document = quiet.publish()

    with quiet.erp.reading("group", "erp", "one", "1000") as reader:
        reader.told(document)
        wait_until(lambda: quiet.pending == len(junk))


def test_every_outcome_that_is_documented_is_handled(quiet, tmp_path):
    texts = DOCUMENTED.read_text(encoding="utf-8").splitlines()
    for text in texts:
        quiet.redis.xadd(quiet.key, {"outcome": text})

    with quiet.erp.reading("since", str(tmp_path / "last-id")) as reader:
        wait_until(lambda: len(told(reader)) == len(texts), limit_s=30, what=lambda: str(reader.lines))

    shown = [json.loads(text) for text in texts]
    assert [line.split(")")[0] for line in told(reader)] == [f"{one['status']} ({one['reason']}" for one in shown]
    evidence_of = {f"{one['document']}-run-{one['run']}.xml" for one in shown if one["evidence"]}
    assert {file.name for file in quiet.erp.evidence.iterdir()} == evidence_of


def test_the_channel_delivers(quiet):
    with quiet.erp.reading("channel") as reader:
        quiet.until_listened_to("channel")
        document = quiet.publish(warnings=["the document may still be cancelled"])

        assert "an operator has ended it" in reader.told(document)
        reader.told("  warning: the document may still be cancelled")


def test_evidence_that_is_no_utf_8_is_saved_byte_for_byte(erp, sandbox, site):
    document = a_document("latin-1")

    erp.submit("stream", document)

    with erp.reading("since", str(erp.evidence.parent / "last-id")) as reader:
        reader.told(document)
    assert site.outcome(f"solucion-factible:{document}")["evidence"]["encoding"] == "base64"
    (file,) = erp.evidence.glob(f"{document}*")
    assert hashlib.sha256(file.read_bytes()).hexdigest() == sandbox.document(document)["evidence_sha256"]


def test_damaged_evidence_is_neither_saved_nor_acknowledged(quiet, tmp_path):
    quiet.publish(status="cancelled", evidence=evidence("<changed/>"))

    with quiet.erp.reading("group", "erp", "one") as reader:
        reader.told("the evidence does not have its sha256")
    assert quiet.pending == 1
    with quiet.erp.reading("since", str(tmp_path / "last-id")) as reader:
        reader.told("the evidence does not have its sha256")
        assert reader.process.wait(20) == 1
    assert not list(quiet.erp.evidence.glob("*"))
    assert not (tmp_path / "last-id").exists()


@pytest.mark.parametrize("way", [["since", "last-id"], ["group", "erp", "one"], ["channel"]], ids=lambda way: way[0])
def test_reading_goes_on_when_redis_is_back(quiet, tmp_path, way):
    way = [str(tmp_path / one) if one == "last-id" else one for one in way]
    (tmp_path / "server").mkdir()
    with (
        running_valkey(tmp_path / "server", appendonly=True) as server,
        redis.Redis.from_url(server.url, decode_responses=True) as client,
        quiet.erp.reading(*way, ANULA_REDIS_URL=server.url) as reader,
    ):
        there = Stream(quiet.erp, client, quiet.key.partition(":")[0])
        there.until_listened_to(way[0])
        reader.told(there.publish())
        server.kill()
        wait_until(lambda: [line for line in reader.lines if "Redis" in line], limit_s=30)

        server.start()

        there.until_listened_to(way[0])
        reader.told(there.publish())


def test_tls_with_a_private_authority_works_and_without_it_is_refused(quiet, shared_valkey, tmp_path):
    document = quiet.publish()
    authority = tmp_path / "authority.pem"
    authority.write_text(CERTIFICATE.read_text().partition("-----BEGIN PRIVATE KEY")[0])
    with tls_proxy(shared_valkey.port) as proxy:
        trusted = {"ANULA_REDIS_URL": proxy.url("localhost"), "ANULA_REDIS_CA_FILE": str(authority)}
        for way in WAYS:
            assert quiet.erp.try_to_submit(way, a_uuid(), **trusted).returncode == 0, way
            refused = quiet.erp.try_to_submit(way, a_uuid(), ANULA_REDIS_URL=proxy.url("localhost"))
            assert refused.returncode == 1, way
            assert "not confirmed" in refused.stderr
        with quiet.erp.reading("since", str(tmp_path / "last-id"), **trusted) as reader:
            reader.told(document)


def test_the_users_of_the_redis_page_are_enough(quiet, tmp_path):
    (tmp_path / "server").mkdir()
    with running_valkey(tmp_path / "server") as server:
        acl.apply(server.url)
        admin = redis.Redis.from_url(acl.url_for("admin", server.url), decode_responses=True)
        there = Stream(quiet.erp, admin, "anula")
        admin.xgroup_create(there.key, "erp", id="0", mkstream=True)
        as_user = {
            role: {"ANULA_REDIS_URL": acl.url_for(role, server.url), "ANULA_NAMESPACE": "anula"}
            for role in ("erp", "erp-celery", "erp-consumer")
        }

        assert quiet.erp.try_to_submit("stream", a_uuid(), **as_user["erp"]).returncode == 0
        assert quiet.erp.try_to_submit("queue", a_uuid(), **as_user["erp-celery"]).returncode == 0
        assert (admin.xlen("anula:requests"), admin.llen("anula")) == (1, 1)
        document = there.publish()
        with quiet.erp.reading("since", str(tmp_path / "last-id"), **as_user["erp"]) as reader:
            reader.told(document)
        with quiet.erp.reading("group", "erp", "one", **as_user["erp-consumer"]) as reader:
            reader.told(document)
            wait_until(lambda: there.pending == 0)
        with quiet.erp.reading("channel", **as_user["erp"]) as reader:
            there.until_listened_to("channel")
            reader.told(there.publish())
        admin.close()
