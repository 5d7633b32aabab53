"""The settings of a process: read once, and what is wrong is named without its value."""

import pytest

from config import settings
from config.accounts import Environment
from config.problem import ConfigurationProblem
from config.retries import policies
from config.settings import Settings


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_everything_has_a_default():
    found = settings.load()

    assert found.redis_url == "redis://127.0.0.1:6379/0"
    assert (str(found.accounts), found.namespace, found.outcome_retention_days) == ("accounts.toml", "anula", 30)


def test_the_environment_wins_over_the_env_file(in_an_empty_directory, monkeypatch):
    (in_an_empty_directory / ".env").write_text("ANULA_NAMESPACE=one\nANULA_TICK_S=0.5\nOTHER=x\n")
    monkeypatch.setenv("ANULA_NAMESPACE", "two")

    found = settings.load()

    assert (found.namespace, found.tick_s) == ("two", 0.5)


def test_secrets_are_looked_up_in_both(in_an_empty_directory, monkeypatch):
    (in_an_empty_directory / ".env").write_text("ONE=from file\nTWO=from file\n")
    monkeypatch.setenv("TWO", "from environment")

    found = settings.environment()

    assert (found["ONE"], found["TWO"]) == ("from file", "from environment")


@pytest.mark.parametrize("url", ["redis://h:1/0", "rediss://u:p@h/1", "sentinel://a:1,b:2/primary/0"])
def test_three_kinds_of_redis_are_known(monkeypatch, url):
    monkeypatch.setenv("ANULA_REDIS_URL", url)

    assert settings.load().redis_url == url


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ANULA_REDIS_URL", "http://hunter2@h"),
        ("ANULA_NAMESPACE", "Hunter2"),
        ("ANULA_NAMESPACE", "a:hunter2"),
        ("ANULA_TICK_S", "hunter2"),
        ("ANULA_TICK_S", "0"),
        ("ANULA_TICK_S", "-1"),
        ("ANULA_TICK_S", "nan"),
        ("ANULA_EVIDENCE_TOTAL_S", "inf"),
        ("ANULA_OUTCOME_RETENTION_DAYS", "inf"),
        ("ANULA_ABUSE_PER_MINUTE", "1.5"),
        ("ANULA_LOG_LEVEL", "hunter2"),
        ("ANULA_LOG_FORMAT", "xml"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_without_itself(monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationProblem) as problem:
        settings.load()

    assert str(problem.value).startswith(f"{name}: ")
    assert "unter2" not in str(problem.value)
    assert "\n" not in str(problem.value)


def test_every_wrong_value_is_named(monkeypatch):
    monkeypatch.setenv("ANULA_TICK_S", "x")
    monkeypatch.setenv("ANULA_NAMESPACE", "X")

    with pytest.raises(ConfigurationProblem, match=r"ANULA_NAMESPACE.*; ANULA_TICK_S"):
        settings.load()


def test_every_setting_is_described():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_lease_of_a_call_is_longer_than_the_longest_call():
    found = Settings(total_timeout_s=10, lease_margin_s=0.5)

    assert found.call_lease_s > found.total_timeout_s


@pytest.mark.parametrize(
    ("environment", "first_s", "cap_s"), [(Environment.TEST, 20, 300), (Environment.PRODUCTION, 60, 3_600)]
)
def test_in_process_is_asked_sooner_in_the_test_environment(environment, first_s, cap_s):
    policy = policies(Settings(), environment).in_process

    assert (policy.first_s, policy.cap_s) == (first_s, cap_s)


def test_a_set_wait_counts_in_both_environments():
    settings_ = Settings(in_process_first_s=1, in_process_cap_s=2, in_process_total_s=3)

    for environment in Environment:
        policy = policies(settings_, environment).in_process
        assert (policy.first_s, policy.cap_s, policy.total_s) == (1, 2, 3)


@pytest.mark.parametrize(
    "url",
    [
        *("redis://h:1/x", "redis://h:1/0/1", "redis://h/0?foo=bar", "redis://h/0#1", "redis://h:0", "redis://h:99999"),
        *("redis://h?ssl_cert_reqs=none", "redis://", "redis:///0", "redis://:hunter2@/0", "redis://h h/0"),
    ],
)
def test_nothing_in_the_address_of_redis_is_ignored(monkeypatch, url):
    monkeypatch.setenv("ANULA_REDIS_URL", url)

    with pytest.raises(ConfigurationProblem, match=r"ANULA_REDIS_URL: must be redis://.*NUMBER OF THE DATABASE"):
        settings.load()


def test_the_one_documented_end_of_the_address_is_accepted(monkeypatch):
    monkeypatch.setenv("ANULA_REDIS_URL", "rediss://h:1/0?ssl_cert_reqs=none")

    assert settings.load().redis_url.endswith("?ssl_cert_reqs=none")


@pytest.mark.parametrize("scheme", ["redis", "rediss", "sentinel", "sentinels"])
@pytest.mark.parametrize(
    "password",
    [
        "Qx7#Kpw",
        "Qx7/Kpw",
        "#Qx7Kpw",
        "Qx7?Kpw",
        "[Qx7]Kpw",
        "Qx7[Kpw",
        "Qx7]Kpw",
        "Qx7\nKpw",
        "Qx7%ffKpw",
        "Qx7@K#pw/@x",
    ],
)
def test_a_password_that_must_be_written_otherwise_is_not_quoted(monkeypatch, scheme, password):
    monkeypatch.setenv("ANULA_REDIS_URL", f"{scheme}://Vz9user:{password}@h:1/{'primary/' if 'n' in scheme else ''}0")

    with pytest.raises(ConfigurationProblem) as problem:
        settings.load()

    said = str(problem.value)
    assert said.startswith("ANULA_REDIS_URL: ")
    assert "%23" in said
    assert not [part for part in ("Qx7", "Kpw", "Vz9user") if part in said]
    assert problem.value.__cause__ is None


def test_settings_that_a_program_makes_itself_quote_no_password_either():
    with pytest.raises(ValueError) as problem:
        Settings(redis_url="redis://:Qx7#Kpw@h/0")

    assert "Qx7" not in f"{problem.value} {problem.value!r}"


def test_a_setting_that_does_not_exist_is_refused_by_programs_too():
    with pytest.raises(ValueError, match="redis_ulr"):
        Settings(redis_ulr="redis://h")  # type: ignore[call-arg]


# Names that are none


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("ANULA_REDIS_ULR=redis://h", "did you mean ANULA_REDIS_URL?"),
        ("anula_redis_url=redis://h", "did you mean ANULA_REDIS_URL?"),
        ("ANUAL_REDIS_URL=redis://h", "did you mean ANULA_REDIS_URL?"),
        ("ANULA_XYZZY=1", "ANULA_XYZZY is no setting:"),
    ],
)
def test_an_unknown_name_in_the_env_file_is_an_error_with_its_line(in_an_empty_directory, line, hint):
    (in_an_empty_directory / ".env").write_text(f"# ours\n{line}\n")

    with pytest.raises(ConfigurationProblem) as problem:
        settings.load()

    assert str(problem.value).startswith(".env, line 2: ")
    assert hint in str(problem.value)
    assert "redis://" not in str(problem.value)


@pytest.mark.parametrize("name", ["ANULA_REDIS_ULR", "ANULA_REDIS_HOST", "ANULA_ACCOUNT", "ANUAL_REDIS_URL"])
def test_a_slip_in_the_environment_is_an_error(monkeypatch, name):
    monkeypatch.setenv(name, "hunter2")

    with pytest.raises(ConfigurationProblem, match=rf"^{name} is no setting \(did you mean ANULA_\w+\?\)") as problem:
        settings.load()

    assert "hunter2" not in str(problem.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ANULA_ENABLED", "yes"),
        ("ANULA_REDIS_PORT", "tcp://10.0.0.7:6379"),
        ("ANULA_REDIS_PORT_6379_TCP_ADDR", "10.0.0.7"),
        ("ANULA_REDIS_SERVICE_HOST", "10.0.0.7"),
        ("ANULA_REDIS_SERVICE_PORT_REDIS", "6379"),
    ],
)
def test_variables_of_other_programs_are_left_alone(monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    assert settings.load().redis_url == "redis://127.0.0.1:6379/0"


def test_a_port_that_somebody_has_set_by_hand_is_no_service_link(monkeypatch):
    monkeypatch.setenv("ANULA_REDIS_PORT", "6380")

    with pytest.raises(ConfigurationProblem, match="ANULA_REDIS_PORT is no setting"):
        settings.load()


def test_the_variable_of_an_account_may_begin_as_settings_do(in_an_empty_directory, monkeypatch):
    (in_an_empty_directory / ".env").write_text("ANULA_NORTE_PASSWORD=one\n")
    (in_an_empty_directory / "accounts.toml").write_text('[accounts.norte]\npassword_env = "ANULA_NORTE_PASSWORD"\n')

    assert settings.load()
    assert settings.environment()["ANULA_NORTE_PASSWORD"] == "one"


def test_outcomes_are_kept_for_a_century_at_most(monkeypatch):
    monkeypatch.setenv("ANULA_OUTCOME_RETENTION_DAYS", "1e12")

    with pytest.raises(ConfigurationProblem, match="ANULA_OUTCOME_RETENTION_DAYS"):
        settings.load()
