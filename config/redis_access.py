"""Where Redis is, and how it is spoken to: one address for the ledger's client and for Celery's."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote, unquote, urlsplit

from config.settings import Settings

SENTINEL_PORT = 26379
_SENTINEL_SCHEMES = ("sentinel://", "sentinels://")
_TLS_SCHEMES = ("rediss://", "sentinels://")


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
        if not settings.redis_url.startswith(_SENTINEL_SCHEMES):
            return None
        parts = urlsplit(settings.redis_url)
        master, _, database = parts.path.strip("/").partition("/")
        password = settings.sentinel_password
        return cls(
            hosts=tuple(_address(host) for host in parts.netloc.rpartition("@")[2].split(",")),
            master=unquote(master),
            database=int(database or 0),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
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
    if not settings.redis_url.startswith(_TLS_SCHEMES):
        return {}
    checked = {"ssl_cert_reqs": "none" if urlsplit(settings.redis_url).query == "ssl_cert_reqs=none" else "required"}
    return checked | ({"ssl_ca_certs": str(settings.redis_ca_file)} if settings.redis_ca_file else {})


def to_sentinels(settings: Settings, sentinels: Sentinels) -> dict[str, Any]:
    """How the Sentinels themselves are spoken to, under the client library's names.

    Without the library's ten tries each: the next Sentinel is the second try.
    """
    limits = {"socket_timeout": settings.redis_timeout_s, "socket_connect_timeout": settings.redis_timeout_s}
    checked = tls(settings)
    return {**limits, **sentinels.own_login, "retry": None, **({"ssl": True, **checked} if checked else {})}


def passwords(settings: Settings) -> Collection[str]:
    """What must not be shown of these settings, as it is and as it stands in the URL."""
    in_url = re.search(r"^\w+://[^:@/]*:(.*)@", settings.redis_url)
    found = {in_url[1], unquote(in_url[1])} if in_url else set()
    if settings.sentinel_password:
        found.add(settings.sentinel_password.get_secret_value())
    return {one for one in found if one} | {quote(one, safe="") for one in found if one}


def _address(host: str) -> tuple[str, int]:
    name, _, port = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "")
    return name.strip("[]"), int(port or SENTINEL_PORT)


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
