"""`rediss://`: certificates are checked, by the ledger's client and by Celery's, unless the URL says otherwise."""

from collections.abc import Iterator

import certifi
import pytest

from config.settings import Settings
from tests.support.hand_driven import a_uuid, cfdi
from tests.support.http_server import CERTIFICATE
from tests.support.sandbox import running_sandbox
from tests.support.site import running_site
from tests.support.tls_proxy import TlsProxy, tls_proxy
from tests.support.valkey import LocalValkey
from tests.support.waiting import wait_until
from worker.cli import problems
from worker.client import Unavailable
from worker.ledger.connect import connect
from worker.sandbox.numbers import sandbox_uuid
from worker.unavailable import translated

pytestmark = pytest.mark.integration


@pytest.fixture
def proxy(shared_valkey: LocalValkey) -> Iterator[TlsProxy]:
    shared_valkey.empty()
    with tls_proxy(shared_valkey.port) as one:
        yield one


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_server_whose_authority_is_named_is_trusted(proxy, host):
    with connect(Settings(redis_url=proxy.url(host), redis_ca_file=CERTIFICATE)) as client:
        assert client.ping()


@pytest.mark.parametrize("ca_file", [None, certifi.where()])
def test_a_server_of_another_authority_is_refused_in_one_clear_line(proxy, ca_file, capsys):
    settings = Settings(redis_url=proxy.url(login="user:hidden@"), redis_ca_file=ca_file)

    with connect(settings) as client, pytest.raises(Unavailable) as refused, translated(settings.redis_url):
        client.ping()

    assert not refused.value.passes
    assert problems.report(refused.value) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"Redis at 127.0.0.1:{proxy.port}/0 cannot serve: its certificate is not trusted (self-signed" in line
    assert "ANULA_REDIS_CA_FILE" in line
    assert "hidden" not in line


def test_a_certificate_for_another_name_is_refused(shared_valkey):
    with tls_proxy(shared_valkey.port, host="127.0.0.2") as proxy:
        settings = Settings(redis_url=proxy.url(), redis_ca_file=CERTIFICATE)

        with (
            connect(settings) as client,
            pytest.raises(Unavailable, match=r"not trusted.*127\.0\.0\.2"),
            translated(settings.redis_url),
        ):
            client.ping()


def test_only_the_url_itself_can_switch_the_check_off(proxy):
    with connect(Settings(redis_url=proxy.url() + "?ssl_cert_reqs=none")) as client:
        assert client.ping()


def test_a_worker_runs_over_tls_with_all_its_connections(tmp_path, proxy, namespace):
    with (
        running_sandbox() as sandbox,
        running_site(
            tmp_path,
            redis_url=proxy.url(),
            namespace=namespace,
            sandbox_url=sandbox.url,
            extra={"ANULA_REDIS_CA_FILE": str(CERTIFICATE)},
        ) as site,
    ):
        worker = site.start_worker()

        job = site.client.submit({"provider": "solucion-factible", "uuid": sandbox_uuid(200)}).job

        assert site.outcome(job)["status"] == "cancelled"
        log = worker.log.read_text()
        assert "insecure SSL" not in log
        assert "Cannot connect" not in log


def test_a_worker_that_does_not_trust_the_server_says_so_and_sends_nothing(tmp_path, proxy, namespace):
    with running_site(tmp_path, redis_url=proxy.url(), namespace=namespace, sandbox_url="http://127.0.0.1:1") as site:
        worker = site.start_worker(until_ready=False)

        wait_until(lambda: "redis_away" in worker.log.read_text(), limit_s=30)
        for line in worker.log.read_text().splitlines():
            if "redis_away" in line:
                assert "its certificate is not trusted" in line
        assert proxy.accepted == 0
        with pytest.raises(Unavailable, match="not trusted"):
            site.client.submit(cfdi(a_uuid()))
