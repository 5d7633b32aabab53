"""Names of variables that look like ours and are none: a mistyped setting must not leave its default in force."""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from config.env_file import Variable

PREFIX = "ANULA_"
_SLIGHTLY_ALIKE, _ALIKE, _NEARLY_THE_SAME = 0.6, 0.75, 0.9
"""Shares of two names that are the same (difflib): worth a hint, a slip, and a slip in the prefix itself."""
_SERVICE_LINK = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$")
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://")


def unknown_in_env_file(found: Mapping[str, Variable], known: Collection[str], file: Path) -> Iterator[str]:
    """What is wrong with each name in a `.env` file that begins with `ANULA_`, or nearly so, and is not known."""
    for name, variable in found.items():
        alike = _alike(name, known, _SLIGHTLY_ALIKE if _is_ours(name) else _NEARLY_THE_SAME)
        if name not in known and (_is_ours(name) or alike):
            yield f"{file}, line {variable.line}: {_words(name, alike)}"


def unknown_in_environment(found: Mapping[str, str], known: Collection[str]) -> Iterator[str]:
    """What is wrong with each name in the environment that is nearly that of a setting.

    Others are left alone: the environment belongs to more programs than this one.
    """
    for name, value in found.items():
        alike = _alike(name, known, _ALIKE if _is_ours(name) else _NEARLY_THE_SAME)
        if alike and name not in known and not _is_service_link(name, value):
            yield _words(name, alike)


def strange(found: Mapping[str, str], known: Collection[str]) -> list[str]:
    """The names in the environment that begin with `ANULA_` and that nothing reads."""
    return [
        name
        for name, value in found.items()
        if _is_ours(name) and name not in known and not _is_service_link(name, value)
    ]


def _is_ours(name: str) -> bool:
    return name.upper().startswith(PREFIX)


def _alike(name: str, known: Collection[str], least: float) -> str | None:
    return next(iter(get_close_matches(name.upper(), known, n=1, cutoff=least)), None)


def _is_service_link(name: str, value: str) -> bool:
    """Whether Kubernetes has set it for a Service called `anula-…`: `ANULA_REDIS_PORT=tcp://10.0.0.7:6379`.

    Source: its documentation, "Service", "Environment variables".
    """
    is_bare_port = name.endswith("_PORT") and not name.endswith("_SERVICE_PORT")
    return bool(_SERVICE_LINK.search(name)) and (not is_bare_port or bool(_SERVICE_ADDRESS.match(value)))


def _words(name: str, alike: str | None) -> str:
    hint = f" (did you mean {alike}?)" if alike else ""
    return f"{name} is no setting{hint}: docs/settings.md lists them"
