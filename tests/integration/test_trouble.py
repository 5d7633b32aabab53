"""What Redis says when it refuses, from real servers, in and out of pipelines and scripts."""

import threading

import pytest
import redis
from redis.exceptions import AuthenticationError, NoScriptError, OutOfMemoryError, ReadOnlyError, ResponseError

from tests.support.ledgers import KEEP_S, World, finish, park
from tests.support.requests import NORTE, sf
from tests.support.valkey import running_valkey
from worker.ledger import trouble
from worker.ledger.admitting import LedgerFull
from worker.ledger.ledger import Ledger
from worker.retry import until_taken
from worker.unavailable import Unavailable, translated

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    with running_valkey(tmp_path_factory.mktemp("trouble")) as server:
        yield server


@pytest.fixture
def refusing(own_server, namespace):
    """A ledger with a call under way, on a server that a test may break."""
    world = World(own_server.url, namespace)
    world.enroll(NORTE)
    yield world
    world.redis.config_set("min-replicas-to-write", 0)
    world.redis.config_set("maxmemory", 0)
    world.redis.replicaof("NO", "ONE")
    world.redis.close()


def _no_replica(client):
    client.config_set("min-replicas-to-write", 1)


def _no_memory(client):
    client.config_set("maxmemory", 1)


def _a_replica_now(client):
    client.replicaof("127.0.0.1", "1")
    client.config_set("replica-serve-stale-data", "yes")


BREAKAGES = [(_no_replica, "NOREPLICAS"), (_no_memory, "OOM"), (_a_replica_now, "READONLY")]


@pytest.mark.parametrize(("breaks", "code"), BREAKAGES)
@pytest.mark.parametrize("confirmed", [False, True])
def test_an_answer_in_hand_is_kept_while_redis_refuses_it(refusing, breaks, code, confirmed):
    held = refusing.call(sf(1))
    ledger = Ledger(
        refusing.redis, namespace=refusing.namespace, keep_s=KEEP_S, confirm_within_s=0.05 if confirmed else None
    )
    breaks(refusing.redis)

    with pytest.raises(ResponseError) as refused:
        ledger.finish(held.begun, held.token, held.nonce, finish())

    assert trouble.code(refused.value) == code
    assert trouble.is_outage(refused.value)
    with pytest.raises(ResponseError) as refused:
        refusing.ledger.park(held.begun, held.token, held.nonce, park())
    assert trouble.is_outage(refused.value)


@pytest.mark.parametrize(("breaks", "code"), BREAKAGES)
def test_a_submission_is_told_what_redis_said_without_what_was_asked(refusing, breaks, code):
    breaks(refusing.redis)

    with pytest.raises((Unavailable, LedgerFull)) as told, translated("redis://here:1/0"):
        refusing.redis.pipeline().set(f"{refusing.namespace}:secret-thing", "x").execute()

    if code == "OOM":
        assert isinstance(told.value, LedgerFull)
    else:
        assert isinstance(told.value, Unavailable)
        assert told.value.passes
    assert "secret-thing" not in str(told.value)


def test_an_answer_that_is_not_permitted_is_kept_until_it_is(refusing):
    held = refusing.call(sf(2))
    rights = refusing.redis.execute_command
    rights("ACL", "SETUSER", "default", "-xadd")
    threading.Timer(0.3, rights, ("ACL", "SETUSER", "default", "+xadd")).start()

    taken = until_taken(
        lambda: refusing.ledger.finish(held.begun, held.token, held.nonce, finish()), is_outage=trouble.is_outage
    )

    assert taken == "ended"
    assert len(refusing.outcomes()) == 1


def test_a_script_that_is_wrong_is_no_outage(refusing):
    pipeline = refusing.redis.pipeline(transaction=False)
    pipeline.eval("return redis.call('INCR', KEYS[1], 'OOM', 'MISCONF')", 1, "x")

    with pytest.raises(ResponseError) as bug:
        pipeline.execute()

    assert not trouble.is_outage(bug.value)


def test_a_script_that_was_forgotten_is_loaded_by_the_repeat(refusing):
    with pytest.raises(NoScriptError) as forgotten:
        refusing.redis.pipeline(transaction=False).evalsha("0" * 40, 0).execute()

    assert trouble.is_outage(forgotten.value)


def test_refused_credentials_keep_an_answer_in_hand_but_pass_for_no_one(own_server):
    url = own_server.url.replace("//", "//nobody:wrong@")

    with redis.Redis.from_url(url) as client, pytest.raises(AuthenticationError) as refused:
        client.ping()

    assert trouble.is_outage(refused.value)
    assert not trouble.passes(refused.value)


def _of_6_2(text):
    """As Redis 6.2 tells what a command was refused inside a script; there is none here to ask."""
    return ResponseError(f"Error running script (call to f_{'0a' * 20}): @user_script:12: @user_script: 12: -{text}")


@pytest.mark.parametrize(
    "text",
    [
        "OOM command not allowed when used memory > 'maxmemory'.",
        "READONLY You can't write against a read only replica.",
        "MISCONF Errors writing to the AOF file: No space left on device",
        "NOREPLICAS Not enough good replicas to write.",
    ],
)
@pytest.mark.parametrize("front", ["", "Command # 1 (EVALSHA 0a 1 x:meta {\n of pipeline) of pipeline caused error: "])
def test_what_6_2_wraps_is_unwrapped(text, front):
    error = ResponseError(front + str(_of_6_2(text)))

    assert trouble.code(error) == text.split()[0]
    assert trouble.words(error) == text
    assert trouble.passes(error)
    assert trouble.is_full(error) == text.startswith("OOM")


@pytest.mark.parametrize(
    "error",
    [
        _of_6_2("WRONGTYPE Operation against a key holding the wrong kind of value"),
        ResponseError("Error running script (call to f_0a): @user_script:1: user_script:1: MISCONF is no function"),
        ResponseError("value is not an integer or out of range", status_code="ERR"),
        ValueError("OOM x"),
    ],
)
def test_what_is_wrong_with_us_is_no_outage(error):
    assert not trouble.is_outage(error)


@pytest.mark.parametrize(
    "error",
    [
        OutOfMemoryError("command not allowed", status_code="OOM"),
        ReadOnlyError("x", status_code="READONLY"),
        TimeoutError(),
    ],
)
def test_what_redis_py_knows_by_class_is_an_outage(error):
    assert trouble.is_outage(error)
