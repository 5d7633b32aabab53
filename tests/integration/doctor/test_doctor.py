"""`anula doctor` against a real Valkey and the sandbox: every check, once right and once wrong."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from config import settings as settings_file
from config.problem import ConfigurationProblem
from config.settings import Settings
from tests.support import acl
from tests.support.http_server import CERTIFICATE, closed_address, reply, running_server
from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.site import ROOT, SECRETS
from tests.support.valkey import LocalValkey, running_valkey
from worker.check import Check, Result
from worker.client import Client
from worker.doctor import server as server_checks
from worker.doctor.examination import examine, save_wsdl
from worker.ledger.connect import connect

pytestmark = pytest.mark.integration

GOOD = {
    "appendonly": "yes",
    "appendfsync": "always",
    "save": "",
    "maxmemory": "200mb",
    "maxmemory-policy": "noeviction",
}
ACCOUNTS = """
[accounts.norte]
provider = "solucion-factible"
environment = "test"
username = "erp@example.com"
password_file = "{folder}/norte.secret"
endpoint = "{sandbox}/ws/services/Cancelacion"

[accounts.rodoviaria]
provider = "ns-bpe"
environment = "test"
token_env = "RODOVIARIA_TOKEN"
utc_offset = "-03:00"
endpoint = "{sandbox}"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalValkey]:
    with running_valkey(tmp_path_factory.mktemp("valkey"), settings=GOOD) as one:
        yield one


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as one:
        yield one


@dataclass
class Patient:
    settings: Settings
    accounts: str
    secret: str = "password"

    def write(self, *changes: tuple[str, str]) -> None:
        text = self.accounts
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        self.settings.accounts.write_text(text)

    def checks(self, **changed: object) -> dict[str, Check]:
        settings = self.settings.model_copy(update=changed)
        return {check.about: check for check in examine(settings, settings_file.environment())}

    def results(self) -> dict[str, Result]:
        return {about: check.result for about, check in self.checks().items()}


@pytest.fixture
def patient(tmp_path, server, sandbox, namespace, monkeypatch) -> Patient:
    """A deployment with which everything is right."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RODOVIARIA_TOKEN", "long-token")
    secret = tmp_path / "norte.secret"
    secret.write_text("password\n")
    secret.chmod(0o600)
    settings = Settings(redis_url=server.url, namespace=namespace, accounts=tmp_path / "accounts.toml")
    one = Patient(settings, ACCOUNTS.format(folder=tmp_path, sandbox=sandbox.url))
    one.write()
    return one


@pytest.fixture
def configured(server):
    """Sets the server's configuration for one test."""
    with connect(Settings(redis_url=server.url)) as client:
        yield lambda **values: [client.config_set(name.replace("_", "-"), value) for name, value in values.items()]
        for name, value in GOOD.items():
            client.config_set(name, value)


def test_with_everything_right_every_check_is_ok(patient, sandbox):
    before = len(sandbox.calls())
    found = patient.checks()

    assert {about: check for about, check in found.items() if check.result is not Result.OK} == {}
    assert [*found] == [
        *("accounts", "redis", "version", "persistence", "eviction", "memory", "clock", "environment", "groups"),
        *("secret norte", "endpoint norte", "wsdl norte", "secret rodoviaria", "endpoint rodoviaria"),
    ]
    assert len(sandbox.calls()) == before


def test_nothing_is_changed(patient, server):
    patient.checks()

    with connect(patient.settings) as client:
        assert client.keys(f"{patient.settings.namespace}*") == []


@pytest.mark.parametrize(
    ("wrong", "about", "result"),
    [
        ({"appendonly": "no"}, "persistence", Result.FAILED),
        ({"appendfsync": "everysec"}, "persistence", Result.WARNING),
        ({"maxmemory_policy": "allkeys-lru"}, "eviction", Result.FAILED),
        ({"maxmemory": "0"}, "memory", Result.WARNING),
        ({"maxmemory": "2500000"}, "memory", Result.FAILED),
    ],
)
def test_a_server_that_is_set_wrong_is_told(patient, configured, wrong, about, result):
    with connect(patient.settings) as client:
        used = client.info("memory")["used_memory"]
    configured(**{name: str(int(used * 1.02)) if value == "2500000" else value for name, value in wrong.items()})

    check = patient.checks()[about]

    assert check.result is result
    assert check.remedy


def test_a_clock_that_is_off_is_told(patient):
    with connect(patient.settings) as client:
        late = server_checks.read(client, clock=lambda: time.time() - 300)

    assert 299 < late.clock_ahead_s < 301
    assert server_checks.clock(late).result is Result.FAILED


def test_redis_away_is_one_failure_and_the_rest_is_looked_at(patient):
    found = patient.checks(redis_url="redis://user:hidden@127.0.0.1:1/0")

    assert found["redis"].result is Result.FAILED
    assert "127.0.0.1:1/0" in found["redis"].found
    assert "hidden" not in repr(found)
    assert "version" not in found
    assert found["endpoint norte"].result is Result.OK


def test_a_server_that_forbids_looking_is_a_warning(patient, tmp_path_factory):
    with running_valkey(tmp_path_factory.mktemp("other"), settings=GOOD) as other:
        with connect(Settings(redis_url=other.url)) as admin:
            for rules in (["+@all", "-config", "nopass"], ["+@all", "-config", "-info", "-xinfo", "nopass"]):
                name = f"u{len(rules)}"
                admin.execute_command("ACL", "SETUSER", name, "on", "~*", "&*", *rules)
        managed = patient.checks(redis_url=other.url.replace("redis://", "redis://u3:x@"))
        blind = patient.checks(redis_url=other.url.replace("redis://", "redis://u5:x@"))

    assert {about for about, check in managed.items() if check.result is not Result.OK} == {"persistence"}
    assert managed["persistence"].result is Result.WARNING
    assert "CONFIG GET" in managed["persistence"].found
    assert {about: check.result for about, check in blind.items() if check.result is not Result.OK} == {
        "server": Result.WARNING,
        "groups": Result.WARNING,
    }


def test_the_operator_of_the_recipes_may_see_everything(patient, tmp_path_factory):
    with running_valkey(tmp_path_factory.mktemp("other"), settings=GOOD) as other:
        acl.apply(other.url)
        with connect(Settings(redis_url=acl.url_for("operator", other.url))) as client:
            client.xgroup_create("anula:outcomes", "erp", mkstream=True)

        found = patient.checks(redis_url=acl.url_for("operator", other.url), namespace="anula")

    assert {about: check for about, check in found.items() if check.result is not Result.OK} == {}


@pytest.mark.parametrize("text", ["", "not TOML [", "[accounts.norte]\nprovider = 'x'\n"])
def test_a_wrong_accounts_file_is_one_failure_and_redis_is_looked_at(patient, text):
    patient.settings.accounts.write_text(text)

    found = patient.checks()

    assert found["accounts"].result is Result.FAILED
    assert found["persistence"].result is Result.OK
    assert "secret norte" not in found


def test_a_namespace_of_the_other_environment_is_a_failure(patient):
    with Client(patient.settings) as client:
        client.ledger.agree_environment(client.accounts.environment)
    assert patient.results()["environment"] is Result.OK

    patient.write(('environment = "test"', 'environment = "production"'))

    assert patient.results()["environment"] is Result.FAILED


def test_a_secret_that_is_missing_is_a_failure(patient, tmp_path, monkeypatch):
    (tmp_path / "norte.secret").unlink()
    monkeypatch.delenv("RODOVIARIA_TOKEN")

    results = patient.results()

    assert (results["secret norte"], results["secret rodoviaria"]) == (Result.FAILED, Result.FAILED)


@pytest.mark.parametrize(
    ("mode", "result"), [(0o600, Result.OK), (0o640, Result.OK), (0o644, Result.WARNING), (0o602, Result.WARNING)]
)
def test_a_secret_file_that_others_can_read_is_a_warning(patient, tmp_path, mode, result):
    (tmp_path / "norte.secret").chmod(mode)
    (tmp_path / ".env").write_text("RODOVIARIA_TOKEN=long-token\n")
    (tmp_path / ".env").chmod(mode)

    results = patient.results()

    assert (results["secret norte"], results["env file"]) == (result, result)


@pytest.mark.parametrize(("length", "result"), [(1, Result.WARNING), (7, Result.WARNING), (8, Result.OK)])
def test_a_secret_that_is_too_short_to_be_hidden_within_words_is_a_warning(patient, tmp_path, length, result):
    (tmp_path / "norte.secret").write_text("x" * length)

    check = patient.checks()["secret norte"]

    assert check.result is result
    assert ("shorter than 8" in check.found) is (result is Result.WARNING)


def test_an_endpoint_that_cannot_be_reached_is_a_failure(patient, sandbox):
    patient.write((f'endpoint = "{sandbox.url}"', f'endpoint = "{closed_address()}"'))

    check = patient.checks()["endpoint rodoviaria"]

    assert check.result is Result.FAILED
    assert "refused" in check.found


@pytest.mark.parametrize(
    ("ca_file", "result", "words"),
    [
        (f'\nca_file = "{CERTIFICATE}"', Result.OK, "reached"),
        ("", Result.FAILED, "not trusted"),
        ('\nca_file = "/none"', Result.FAILED, "CA file"),
    ],
)
def test_an_endpoint_s_certificate_is_checked_and_nothing_is_sent(patient, sandbox, ca_file, result, words):
    with running_server(tls=True) as provider:
        patient.write((f'endpoint = "{sandbox.url}"', f'endpoint = "{provider.url}"{ca_file}'))

        check = patient.checks()["endpoint rodoviaria"]

    assert (check.result, provider.seen) == (result, [])
    assert words in check.found


def test_a_ca_file_that_is_not_there_is_a_failure_though_the_endpoint_needs_none(patient, sandbox):
    patient.write((f'endpoint = "{sandbox.url}"', f'endpoint = "{sandbox.url}"\nca_file = "/none"'))

    check = patient.checks()["endpoint rodoviaria"]

    assert check.result is Result.FAILED
    assert "CA file /none cannot be used (FileNotFoundError)" in check.found
    assert "ca_file" in check.remedy


def test_a_wsdl_file_that_is_not_there_is_a_failure(patient):
    patient.write(("norte.secret", 'norte.secret"\nwsdl = "/none.wsdl'))

    check = patient.checks()["wsdl norte"]

    assert check.result is Result.FAILED
    assert "/none.wsdl cannot be read (FileNotFoundError)" in check.found
    assert "`wsdl`" in check.remedy


def test_a_wsdl_that_cannot_be_compared_is_a_warning_in_test_and_a_failure_in_production(patient, sandbox):
    away = (f'endpoint = "{sandbox.url}/ws/services/Cancelacion"', f'endpoint = "{closed_address()}"')
    patient.write(away)
    assert patient.results()["wsdl norte"] is Result.WARNING

    patient.write(away, ('environment = "test"', 'environment = "production"'))

    assert patient.results()["wsdl norte"] is Result.FAILED


def test_a_wsdl_that_differs_is_a_failure(patient, tmp_path):
    from worker.providers.solucion_factible.wsdl import OWN

    other = tmp_path / "other.wsdl"
    other.write_bytes(OWN.read_bytes().replace(b"http://cancelacion.ws.cfdi", b"http://elsewhere.ws.cfdi"))
    patient.write(("norte.secret", f'norte.secret"\nwsdl = "{other}'))

    check = patient.checks()["wsdl norte"]

    assert check.result is Result.FAILED
    assert "request" in check.found


@pytest.mark.parametrize(("hours", "result"), [(1, Result.OK), (13, Result.WARNING), (23, Result.FAILED)])
@pytest.mark.parametrize("delivered", [False, True])
def test_a_group_that_lags_near_the_retention_is_told(patient, hours, result, delivered):
    stream = f"{patient.settings.namespace}:outcomes"
    with connect(patient.settings) as client:
        client.xadd(stream, {"outcome": "{}"}, id=f"{int(time.time() - hours * 3600) * 1000}-0")
        client.xgroup_create(stream, "erp", id="0")
        client.xgroup_create(stream, "quick", id="$")
        if delivered:
            client.xreadgroup("erp", "one", {stream: ">"})

        found = patient.checks(outcome_retention_days=1)

        assert (found["group erp"].result, found["group quick"].result) == (result, Result.OK)
        client.xack(stream, "erp", f"{int(time.time() - hours * 3600) * 1000}-0")


def test_a_variable_that_looks_like_a_setting_and_is_none_is_told(patient, monkeypatch):
    monkeypatch.setenv("ANULA_BROKER", "redis://elsewhere")
    monkeypatch.setenv("ANULA_REDIS_PORT", "tcp://10.0.0.7:6379")

    check = patient.checks()["variables"]

    assert (check.result, check.found) == (Result.WARNING, "nothing reads ANULA_BROKER")


def test_a_virtual_environment_called_env_is_no_file_with_secrets(patient, tmp_path):
    (tmp_path / ".env").mkdir()
    (tmp_path / ".env" / "pyvenv.cfg").touch()

    assert "env file" not in patient.checks()


# The command


def ran(patient: Patient, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        **os.environ,
        **SECRETS,
        "PYTHONPATH": str(ROOT),
        "ANULA_REDIS_URL": patient.settings.redis_url,
        "ANULA_NAMESPACE": patient.settings.namespace,
        "ANULA_ACCOUNTS": str(patient.settings.accounts),
    }
    command = [sys.executable, "-c", "from worker.cli.main import main; main()", "doctor", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_command_prints_a_line_for_each_check_and_ends_with_0(patient):
    done = ran(patient)

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == len(patient.checks())
    assert all(line.startswith("ok ") for line in lines)


def test_the_command_ends_with_1_and_one_line_on_a_failure(patient, configured):
    configured(maxmemory_policy="allkeys-lru", appendfsync="everysec")

    done = ran(patient)

    assert done.returncode == 1
    assert "\nfailed   eviction: maxmemory-policy allkeys-lru" in done.stdout
    assert "\nwarning  persistence: " in done.stdout
    assert " -> set maxmemory-policy noeviction\n" in done.stdout
    (line,) = done.stderr.splitlines()
    assert "1 of 14 checks failed (eviction)" in line


def test_the_command_prints_json(patient, configured):
    configured(appendonly="no")

    done = ran(patient, "--json")

    found = {one["check"]: one for one in json.loads(done.stdout)}
    assert done.returncode == 1
    assert found["persistence"] == {
        "check": "persistence",
        "result": "failed",
        "found": "nothing is kept: a restart loses every job",
        "remedy": "set appendonly yes and appendfsync always",
    }
    assert found["redis"]["remedy"] is None


# The provider's own WSDL


def test_the_provider_s_wsdl_is_saved_for_the_accounts_file(patient, tmp_path):
    from worker.providers.solucion_factible.wsdl import OWN

    done = ran(patient, "--save-wsdl", str(tmp_path / "live.wsdl"))

    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert "the one in use agrees with it" in line
    assert f'set wsdl = "{tmp_path}/live.wsdl"' in line
    patient.write(("norte.secret", f'norte.secret"\nwsdl = "{tmp_path}/live.wsdl'))
    assert patient.results()["wsdl norte"] is Result.OK
    assert b"cancelarSectorPrimario" in (tmp_path / "live.wsdl").read_bytes()
    assert OWN.read_bytes().startswith(b"<")


def test_what_differs_from_the_wsdl_in_use_is_told_as_it_is_saved(patient, tmp_path):
    from worker.providers.solucion_factible.wsdl import OWN

    other = tmp_path / "other.wsdl"
    other.write_bytes(OWN.read_bytes().replace(b"http://cancelacion.ws.cfdi", b"http://elsewhere.ws.cfdi"))
    patient.write(("norte.secret", f'norte.secret"\nwsdl = "{other}'))

    check = save_wsdl(patient.settings, tmp_path / "live.wsdl", account="norte")

    assert check.result is Result.OK
    assert "differs in: request" in check.found


@pytest.mark.parametrize("answer", [b"<html/>", b""])
def test_what_no_call_can_be_built_from_is_not_saved(patient, tmp_path, sandbox, answer):
    with running_server(reply(answer)) as provider:
        patient.write((f'endpoint = "{sandbox.url}/ws/services/Cancelacion"', f'endpoint = "{provider.url}"'))

        check = save_wsdl(patient.settings, tmp_path / "live.wsdl", account=None)

    assert check.result is Result.FAILED
    assert "nothing saved" in check.found
    assert [*tmp_path.glob("*.wsdl")] == []


def test_a_wsdl_that_cannot_be_fetched_leaves_the_file_as_it_was(patient, tmp_path, sandbox):
    file = tmp_path / "live.wsdl"
    file.write_text("before")
    patient.write((f'endpoint = "{sandbox.url}/ws/services/Cancelacion"', f'endpoint = "{closed_address()}"'))

    check = save_wsdl(patient.settings, file, account=None)

    assert (check.result, file.read_text()) == (Result.FAILED, "before")


def test_of_accounts_with_different_addresses_one_has_to_be_named(patient, tmp_path, sandbox):
    norte = patient.accounts.partition("[accounts.rodoviaria]")[0]
    sur = norte.replace("accounts.norte", "accounts.sur").replace(sandbox.url, closed_address())
    patient.settings.accounts.write_text(norte + sur)

    with pytest.raises(ConfigurationProblem, match="norte, sur have different endpoints: name one with --account"):
        save_wsdl(patient.settings, tmp_path / "live.wsdl", account=None)

    assert save_wsdl(patient.settings, tmp_path / "live.wsdl", account="norte").result is Result.OK


def test_an_account_without_a_wsdl_has_none_to_save(patient, tmp_path):
    with pytest.raises(ConfigurationProblem, match="no account rodoviaria whose provider has a WSDL"):
        save_wsdl(patient.settings, tmp_path / "live.wsdl", account="rodoviaria")


def test_a_file_that_cannot_be_written_is_a_failure(patient, tmp_path):
    check = save_wsdl(patient.settings, tmp_path / "nowhere" / "live.wsdl", account=None)

    assert check.result is Result.FAILED
    assert "cannot be written (No such file or directory)" in check.found
