"""What the other tests rely on when they start, kill and restart a server."""

import os

import pytest
import redis

from tests.support.valkey import running_valkey

pytestmark = pytest.mark.integration


def test_two_servers_do_not_share_anything(tmp_path):
    with running_valkey(tmp_path / "a") as one, running_valkey(tmp_path / "b") as other:
        with redis.Redis.from_url(one.url) as client:
            client.set("key", "value")

        with redis.Redis.from_url(other.url) as client:
            assert client.get("key") is None


def test_a_killed_server_comes_back_at_its_port_with_what_it_had_confirmed(tmp_path):
    with running_valkey(tmp_path, appendonly=True) as server:
        with redis.Redis.from_url(server.url) as client:
            client.set("key", "value")
        url = server.url

        server.kill()
        assert not server.is_running
        server.start()

        assert server.url == url
        with redis.Redis.from_url(server.url) as client:
            assert client.get("key") == b"value"


def test_settings_go_by_valkeys_own_names(tmp_path):
    with (
        running_valkey(tmp_path, settings={"maxmemory-policy": "noeviction", "maxmemory": "64mb"}) as server,
        redis.Redis.from_url(server.url, decode_responses=True) as client,
    ):
        assert client.config_get("maxmemory") == {"maxmemory": str(64 * 1024 * 1024)}


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_finds_the_shared_server_empty(redis_url, turn):
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0, turn
        client.set("left", "behind")


def test_the_environment_holds_no_settings_and_no_proxies():
    assert not [name for name in os.environ if name.startswith("ANULA_") or name.lower().endswith("_proxy")]
