"""The users of docs/redis.md on a real server: word for word, or as the page says for older ones."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import redis

PAGE = Path(__file__).parents[2] / "docs" / "redis.md"
READER = "erp-reader"
BRACKETS_SINCE = (7, 0)
SETINFO_SINCE = (7, 2)
ROLES = ("admin", "erp", "erp-consumer", "erp-celery", "importer", "viewer", "operator", "worker", "flower")


def recipes() -> Mapping[str, list[str]]:
    """The rules of each user of the page, in its order."""
    (block,) = re.findall(r"```acl\n(.*?)```", PAGE.read_text(), re.DOTALL)
    lines = [line.split() for line in block.splitlines()]
    return {name: rules for _, name, *rules in lines}


def apply(url: str) -> None:
    """Make these users; from then on nobody comes in without a name. Before 7.0 the producer is two users."""
    with redis.Redis.from_url(url) as client:
        version = version_of(client)
        users = {name: _for(version, rules) for name, rules in recipes().items()}
        default = users.pop("default")
        if version < BRACKETS_SINCE:
            users |= _two_producers(users["erp"])
        for name, rules in users.items():
            client.execute_command("ACL", "SETUSER", name, *_selectors(rules))
        client.execute_command("ACL", "SETUSER", "default", *default)


def reader(url: str) -> str:
    """The producer that reads outcomes."""
    with redis.Redis.from_url(url_for("admin", url)) as client:
        return "erp" if version_of(client) >= BRACKETS_SINCE else READER


def version_of(client: Any) -> tuple[int, ...]:
    """The version of Redis that a server says it speaks."""
    return tuple(int(part) for part in client.info("server")["redis_version"].split("."))


def _two_producers(rules: list[str]) -> Mapping[str, list[str]]:
    """One for each pair of brackets, without them."""
    shared = [one for one in _selectors(rules) if not one.startswith("(")]
    hands_in, reads = (one.strip("()").split() for one in _selectors(rules) if one.startswith("("))
    plainly = [re.sub("^%[RW]", "", one) for one in reads]
    return {
        "erp": [*shared, *(re.sub("^%[RW]", "", one) for one in hands_in)],
        READER: [*(one.replace(password("erp"), password(READER)) for one in shared), *plainly],
    }


def _for(version: tuple[int, ...], rules: list[str]) -> list[str]:
    known = [one for one in rules if one != "+client|setinfo" or version >= SETINFO_SINCE]
    return known if version >= BRACKETS_SINCE else [re.sub("^%R", "", one) for one in known]


def url_for(role: str, url: str) -> str:
    """Where the server is for this user."""
    return url.replace("redis://", f"redis://{role}:{password(role)}@")


def password(role: str) -> str:
    """The word that stands in the page in its place."""
    return f"{role.upper()}-PASSWORD"


def _selectors(rules: list[str]) -> list[str]:
    """What stands in brackets is one rule."""
    return [found.strip() for found in re.findall(r"\([^)]*\)|\S+", " ".join(rules))]
