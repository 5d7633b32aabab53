"""Where Redis is, and how it is spoken to: one address for the ledger's client and for Celery's."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote

from config import redis_url
from config.settings import Settings


@dataclass(frozen=True, slots=True)
class Sentinels:
    """What `sentinel://[USER:PASSWORD@]h1:p,h2:p/MASTER/DB` says; user and password are those of Redis.

    `sentinels://` says the same of servers and Sentinels that all speak TLS.

    Attributes:
        own_username, own_password: What the Sentinels themselves ask for.
    """

    hosts: tuple[tuple[str, int], ...]
    master: str
    database: int
    username: str | None
    password: str | None = field(repr=False)
    own_username: str | None = None
    own_password: str | None = field(default=None, repr=False)

    @classmethod
    def named(cls, settings: Settings) -> Self | None:
        """The Sentinels of these settings; None where they name one server."""
        address = redis_url.read(settings.redis_url)
        if address.master is None:
            return None
        password = settings.sentinel_password
        return cls(
            hosts=address.hosts,
            master=address.master,
            database=address.database,
            username=address.username,
            password=address.password,
            own_username=settings.sentinel_username,
            own_password=password.get_secret_value() if password else None,
        )

    @property
    def login(self) -> dict[str, str]:
        """User and password for Redis, under the client library's names."""
        return _given(username=self.username, password=self.password)

    @property
    def own_login(self) -> dict[str, str]:
        """User and password for the Sentinels themselves."""
        return _given(username=self.own_username, password=self.own_password)


def tls(settings: Settings) -> dict[str, str]:
    """How certificates are checked, under the client library's names; empty where nothing is encrypted.

    A query of the URL (`?ssl_cert_reqs=none`) switches the check off, for whoever means it.
    """
    address = redis_url.read(settings.redis_url)
    if not address.is_tls:
        return {}
    checked = {"ssl_cert_reqs": "required" if address.is_checked else "none"}
    return checked | ({"ssl_ca_certs": str(settings.redis_ca_file)} if settings.redis_ca_file else {})


def to_sentinels(settings: Settings, sentinels: Sentinels) -> dict[str, Any]:
    """How the Sentinels themselves are spoken to, under the client library's names.

    Without the library's ten tries each: the next Sentinel is the second try.
    """
    limits = {"socket_timeout": settings.redis_timeout_s, "socket_connect_timeout": settings.redis_timeout_s}
    checked = tls(settings)
    return {**limits, **sentinels.own_login, "retry": None, **({"ssl": True, **checked} if checked else {})}


def to_server(settings: Settings) -> dict[str, Any]:
    """Where the one server of these settings is, who asks, and how certificates are checked, likewise."""
    address = redis_url.read(settings.redis_url)
    ((host, port),) = address.hosts
    login = _given(username=address.username, password=address.password)
    return {"host": host, "port": port, "db": address.database, "ssl": address.is_tls, **tls(settings), **login}


def passwords(settings: Settings) -> Collection[str]:
    """What must not be shown of these settings, as it is and as it stands in the URL."""
    address = redis_url.read(settings.redis_url)
    own = settings.sentinel_password.get_secret_value() if settings.sentinel_password else None
    found = {one for one in (address.password, address.written_password, own) if one}
    return found | {quote(one, safe="") for one in found}


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
