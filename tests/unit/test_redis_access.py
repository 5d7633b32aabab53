"""One Redis address, for the ledger's client and for Celery's."""

from typing import Any

import pytest
from pydantic import SecretStr

from config.celery import celery_settings
from config.redis_access import Sentinels, passwords, tls, to_sentinels
from config.settings import Settings
from tests.support.http_server import CERTIFICATE
from worker.broker import Connection, SentinelTransport

SENTINELS = "sentinel://worker:p%40ss%2C%2F%3A@one:26380,two,10.0.0.3:26381/primary/2"


def named(url: str, **more: Any) -> Sentinels:
    found = Sentinels.named(Settings(redis_url=url, **more))
    assert found is not None
    return found


def test_a_sentinel_address_names_hosts_master_database_and_login():
    found = named(SENTINELS, sentinel_username="s", sentinel_password=SecretStr("own"))

    assert found.hosts == (("one", 26380), ("two", 26379), ("10.0.0.3", 26381))
    assert (found.master, found.database) == ("primary", 2)
    assert found.login == {"username": "worker", "password": "p@ss,/:"}
    assert found.own_login == {"username": "s", "password": "own"}
    assert "p@ss" not in repr(found)
    assert "own'" not in repr(found)


def test_tls_reaches_sentinels_and_servers_of_the_ledger_and_of_celery():
    settings = Settings(redis_url=SENTINELS.replace("sentinel", "sentinels", 1), redis_ca_file=CERTIFICATE)
    found = Sentinels.named(settings)
    assert found == named(SENTINELS)

    checked = {"ssl_cert_reqs": "required", "ssl_ca_certs": str(CERTIFICATE)}
    celery = celery_settings(settings)
    assert celery["broker_use_ssl"] == tls(settings) == checked
    assert celery["broker_url"] == celery_settings(Settings(redis_url=SENTINELS))["broker_url"]
    for one in (to_sentinels(settings, found), celery["broker_transport_options"]["sentinel_kwargs"]):
        assert {"ssl": True, **checked}.items() <= one.items()
    assert "ssl" not in to_sentinels(Settings(redis_url=SENTINELS), found)


@pytest.mark.parametrize("url", ["rediss://h/0?ssl_cert_reqs=none", "sentinels://one/primary?ssl_cert_reqs=none"])
def test_only_the_url_itself_can_switch_the_check_off(url):
    settings = Settings(redis_url=url)

    assert tls(settings) == {"ssl_cert_reqs": "none"}
    assert celery_settings(settings)["broker_use_ssl"] == tls(settings)


def test_a_password_alone_is_a_login():
    assert named("sentinel://:secret@one/primary").login == {"password": "secret"}
    assert named("sentinel://one/primary").login == {}


@pytest.mark.parametrize(
    "url",
    [
        "sentinel://one:26379",
        "sentinel:///primary",
        "sentinel://one,/primary",
        "sentinel://one/primary/x",
        "sentinel://:pass/word@one/primary",
        "sentinel://one/primary?ssl_cert_reqs=none",
        "sentinels://one/primary?tls=no",
    ],
)
def test_a_sentinel_address_without_hosts_or_master_is_refused(url):
    with pytest.raises(ValueError, match="HOST:PORT,HOST:PORT/MASTER/DB"):
        Settings(redis_url=url)


def test_celery_is_told_the_same_sentinels_and_logins():
    found = celery_settings(Settings(redis_url=SENTINELS, sentinel_password=SecretStr("own")))

    login = "worker:p%40ss%2C%2F%3A"
    assert found["broker_url"].split(";") == [
        f"sentinel://{login}@one:26380/2",
        f"sentinel://{login}@two:26379/2",
        f"sentinel://{login}@10.0.0.3:26381/2",
    ]
    options = found["broker_transport_options"]
    assert options["master_name"] == "primary"
    assert options["sentinel_kwargs"]["password"] == "own"


def test_what_a_connection_tells_about_itself_holds_no_password():
    found = celery_settings(Settings(redis_url=SENTINELS, sentinel_password=SecretStr("own")))
    connection = Connection(
        found["broker_url"],
        transport=found["broker_transport"],
        transport_options=found["broker_transport_options"],
    )

    told = connection.info()
    told.pop("password")  # Celery leaves it out by itself

    for secret in ("p@ss", "p%40ss", "own"):
        assert secret not in repr(told)
        assert secret not in connection.as_uri()
    assert told["transport_options"]["master_name"] == "primary"


def test_another_sentinel_is_spoken_to_through_our_own_transport():
    found = celery_settings(Settings(redis_url=SENTINELS))
    connection = Connection(found["broker_url"], transport=found["broker_transport"])

    connection.switch(found["broker_url"].split(";")[1])

    assert (connection.hostname, connection.transport_cls) == ("two", "worker.broker:SentinelTransport")
    assert type(connection.transport) is SentinelTransport


def test_certificates_are_checked_where_there_are_any():
    plain, secure = Settings(redis_url="redis://h"), Settings(redis_url="rediss://h", redis_ca_file=CERTIFICATE)

    assert tls(plain) == {}
    assert celery_settings(plain)["broker_use_ssl"] is None
    assert tls(secure) == {"ssl_cert_reqs": "required", "ssl_ca_certs": str(CERTIFICATE)}
    assert celery_settings(secure)["broker_use_ssl"] == tls(secure)
    assert tls(Settings(redis_url="rediss://h")) == {"ssl_cert_reqs": "required"}


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("redis://h/0", set()),
        ("redis://user@h/0", set()),
        ("redis://user:a:b@h/0", {"a:b", "a%3Ab"}),
        ("rediss://:p%40ss@h/0", {"p%40ss", "p@ss", "p%2540ss"}),
        (SENTINELS, {"p%40ss%2C%2F%3A", "p@ss,/:", "p%2540ss%252C%252F%253A"}),
        ("sentinels://:p%40ss@one/primary", {"p%40ss", "p@ss", "p%2540ss"}),
    ],
)
def test_the_passwords_of_the_settings_are_known_as_they_may_be_shown(url, hidden):
    assert set(passwords(Settings(redis_url=url))) == hidden
    assert set(passwords(Settings(redis_url=url, sentinel_password=SecretStr("own")))) == hidden | {"own"}


def test_settings_can_be_printed_without_a_password():
    shown = repr(Settings(redis_url="redis://user:hidden@h/0", sentinel_password=SecretStr("own-hidden")))

    assert "hidden" not in shown
