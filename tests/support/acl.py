"""The users of docs/redis.md on a real Valkey, word for word."""

import re
from collections.abc import Mapping
from pathlib import Path

import redis

PAGE = Path(__file__).parents[2] / "docs" / "redis.md"
ROLES = ("admin", "erp", "erp-consumer", "erp-celery", "importer", "operator", "worker", "flower")


def recipes() -> Mapping[str, list[str]]:
    """The rules of each user of the page, in its order."""
    (block,) = re.findall(r"```acl\n(.*?)```", PAGE.read_text(), re.DOTALL)
    lines = [line.split() for line in block.splitlines()]
    return {name: rules for _, name, *rules in lines}


def apply(url: str) -> None:
    """Make these users; from then on nobody comes in without a name."""
    with redis.Redis.from_url(url) as client:
        users = dict(recipes())
        default = users.pop("default")
        for name, rules in users.items():
            client.execute_command("ACL", "SETUSER", name, *_selectors(rules))
        client.execute_command("ACL", "SETUSER", "default", *default)


def url_for(role: str, url: str) -> str:
    """Where the server is for this user."""
    return url.replace("redis://", f"redis://{role}:{password(role)}@")


def password(role: str) -> str:
    """The word that stands in the page in its place."""
    return f"{role.upper()}-PASSWORD"


def _selectors(rules: list[str]) -> list[str]:
    """What stands in brackets is one rule."""
    return [found.strip() for found in re.findall(r"\([^)]*\)|\S+", " ".join(rules))]
