"""The address of Redis, taken apart here and nowhere else: other parsers quote a password in their errors."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

REDIS_PORT, SENTINEL_PORT = 6379, 26379
SCHEMES = ("redis://", "rediss://", "sentinel://", "sentinels://")
_TLS_SCHEMES = ("rediss://", "sentinels://")
_MAX_PORT = 65_535
_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^/?#,@:\[\]\s]+)(?::[0-9]{1,5})?"
_LOGIN = r"(?:(?P<login>[^/?#\[\]\x00-\x1f\x7f]*)@)?"
_END = r"(?P<unchecked>\?ssl_cert_reqs=none)?"
_SERVER = re.compile(rf"rediss?://{_LOGIN}(?P<place>(?P<hosts>{_HOST})(?:/(?P<database>[0-9]{{0,5}}))?){_END}")
_SENTINELS = re.compile(
    rf"sentinels?://{_LOGIN}(?P<place>(?P<hosts>{_HOST}(?:,{_HOST})*)/(?P<master>[^/?#\s]+)(?:/(?P<database>[0-9]{{1,5}}))?)"
    rf"/?{_END}"
)
_IN_A_PASSWORD = "write # in a password as %23, / as %2F, ? as %3F, [ as %5B, ] as %5D, @ as %40, % as %25"  # noqa: S105 - words


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """What an address says.

    Attributes:
        hosts: Name and port of the server, or of every Sentinel.
        master: The name that the Sentinels know the primary by; None where the address is that of the server.
        written_password: The password as it is written in the address.
        is_tls: Servers, and Sentinels, speak TLS.
        is_checked: Certificates are checked.
        place: The part of the address that may be shown.
    """

    hosts: tuple[tuple[str, int], ...]
    master: str | None
    database: int
    username: str | None
    password: str | None = field(repr=False)
    written_password: str | None = field(repr=False)
    is_tls: bool
    is_checked: bool
    place: str


def read(url: str) -> RedisUrl:
    """The parts of an address. Another database would be another ledger, so nothing in it is ignored.

    Raises:
        ValueError: it is no such address; the message quotes nothing of it.
    """
    if not url.startswith(SCHEMES):
        raise ValueError(f"must begin with {', '.join(SCHEMES)}")
    by_sentinels, is_tls = url.startswith("sentinel"), url.startswith(_TLS_SCHEMES)
    found = (_SENTINELS if by_sentinels else _SERVER).fullmatch(url)
    if found is None or (found["unchecked"] and not is_tls):
        raise ValueError(_form(url))
    default_port = SENTINEL_PORT if by_sentinels else REDIS_PORT
    hosts = tuple(_address(host, default_port) for host in found["hosts"].split(","))
    if any(not 0 < port <= _MAX_PORT for _, port in hosts):
        raise ValueError(_form(url))
    username, _, password = (found["login"] or "").partition(":")
    return RedisUrl(
        hosts=hosts,
        master=_plain(found["master"]) if by_sentinels else None,
        database=int(found["database"] or 0),
        username=_plain(username) or None,
        password=_plain(password) or None,
        written_password=password or None,
        is_tls=is_tls,
        is_checked=not found["unchecked"],
        place=found["place"],
    )


def _form(url: str) -> str:
    scheme = url.partition("://")[0]
    rest = "HOST:PORT,HOST:PORT/MASTER/DB" if scheme.startswith("sentinel") else "HOST[:PORT][/NUMBER OF THE DATABASE]"
    return f"must be {scheme}://[USER:PASSWORD@]{rest} ({_IN_A_PASSWORD})"


def _address(host: str, default_port: int) -> tuple[str, int]:
    name, _, port = host.rpartition(":") if re.search(r":[0-9]+$", host) else (host, "", "")
    return name.strip("[]"), int(port or default_port)


def _plain(written: str) -> str:
    try:
        return unquote_to_bytes(written).decode("utf-8")
    except ValueError:
        raise ValueError(f"a %.. in user or password is no UTF-8 character ({_IN_A_PASSWORD})") from None
