"""A Redis Cluster endpoint is refused in one line, by everybody, also where this user may not ask what the server is."""

import subprocess
import sys

import pytest
import redis

from config.problem import ConfigurationProblem
from tests.support.ledgers import World
from tests.support.requests import sf
from tests.support.site import ROOT, Site, running_site
from tests.support.valkey import running_valkey
from worker.check import Result
from worker.client import Client
from worker.doctor.examination import examine

pytestmark = pytest.mark.integration

REFUSED = "Redis Cluster does not work"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """One node that has every slot, and one that has none, which is what a node is before its cluster is made."""
    folder = tmp_path_factory.mktemp
    settings = {"cluster-enabled": "yes"}
    with (
        running_valkey(folder("all"), settings=settings) as everything,
        running_valkey(folder("none"), settings=settings) as nothing,
    ):
        with redis.Redis.from_url(everything.url) as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE" if _has_ranges(client) else "ADDSLOTS", *_slots(client))
            client.execute_command("ACL", "SETUSER", "blind", "on", "nopass", "~*", "+@all", "-info", "-cluster")
        yield {
            "all": everything.url,
            "none": nothing.url,
            "blind": everything.url.replace("redis://", "redis://blind:x@"),
        }


def _has_ranges(client):
    return int(client.info("server")["redis_version"].partition(".")[0]) >= 7


def _slots(client):
    return (0, 16383) if _has_ranges(client) else range(16384)


@pytest.fixture(params=["all", "none", "blind"])
def site(request, cluster, tmp_path, namespace):
    with running_site(
        tmp_path, redis_url=cluster[request.param], namespace=namespace, sandbox_url="http://127.0.0.1:9"
    ) as one:
        yield one


def test_a_client_refuses_it(site: Site):
    with site.client as client, pytest.raises(ConfigurationProblem, match=REFUSED):
        client.submit(sf(1, account="norte"))


def test_a_client_without_accounts_refuses_it(site: Site, tmp_path):
    settings = site.settings.model_copy(update={"accounts": tmp_path / "none.toml"})
    with Client(settings, needs_accounts=False) as client, pytest.raises(ConfigurationProblem, match=REFUSED):
        client.status("solucion-factible:0D62B12C-BC6C-4626-E211-FC8FE727A5BC")


def test_the_doctor_says_so_and_looks_at_the_rest(site: Site):
    found = {check.about: check for check in examine(site.settings, site.environment)}

    assert found["redis"].result is Result.FAILED
    assert REFUSED in found["redis"].found
    assert "version" not in found
    assert "endpoint norte" in found


def test_a_worker_ends_with_one_line(site: Site):
    command = [sys.executable, "-m", "celery", "--app", "worker.app", "worker"]
    ended = subprocess.run(
        command, cwd=ROOT, env=site.environment, capture_output=True, text=True, timeout=90, check=False
    )

    assert ended.returncode == 1
    assert [line for line in ended.stderr.splitlines() if REFUSED in line]
    assert "Traceback" not in ended.stderr


def test_one_server_is_fine_also_where_it_may_not_be_asked(world: World, redis_url):
    world.redis.execute_command("ACL", "SETUSER", "blind", "on", "nopass", "~*", "+@all", "-info", "-cluster")
    blind = World(redis_url.replace("redis://", "redis://blind:x@"), world.namespace)

    blind.ledger.check_server()
    world.ledger.check_server()

    blind.redis.close()
    world.redis.execute_command("ACL", "DELUSER", "blind")
