"""The one job of every peer: call the provider, and publish what came of it. Runs in the peers' own environment."""

import hashlib
import json
import os
import ssl
import threading
from typing import Any

import httpx
import redis

REDIS_URL = os.environ["PEER_REDIS_URL"]
PROVIDER_URL = os.environ["PEER_PROVIDER_URL"]
SLOTS = int(os.environ["PEER_SLOTS"])
OUTCOMES = "outcomes"
_tls = ssl.create_default_context()
_of_thread = threading.local()


def document(number: int) -> str:
    """The number-th document: 44 characters, as an access key."""
    return f"43260199999999000191630000000{number:09d}100000"


def call(key: str) -> dict[str, Any]:
    """One exchange with the provider; a client of its own for each thread, with one connection."""
    client = getattr(_of_thread, "client", None)
    if client is None:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        client = _of_thread.client = httpx.Client(verify=_tls, limits=limits, timeout=150, trust_env=False)
    body = {
        "chBPe": key,
        "tpAmb": 2,
        "dhEvento": "2026-01-01T12:00:00-03:00",
        "nProt": "143260000012345",
        "xJust": "Passageiro desistiu da viagem",
    }
    answer = client.post(f"{PROVIDER_URL}/v1/bpe/cancel", json=body, headers={"x-auth-token": "sandbox-token"})
    answer.raise_for_status()
    decoded: dict[str, Any] = answer.json()
    return decoded


def outcome(key: str, answer: dict[str, Any]) -> str:
    """The outcome's JSON text, with the evidence in it."""
    event = answer["retEvento"]
    evidence = {"content": event["xml"], "sha256": hashlib.sha256(event["xml"].encode()).hexdigest()}
    return json.dumps({"job": key, "status": "cancelled", "code": str(event["cStat"]), "evidence": evidence})


def connect() -> redis.Redis:
    """A client for outcomes; it connects at the first command."""
    return redis.Redis.from_url(REDIS_URL)


def publish(client: redis.Redis, key: str, text: str) -> None:
    """Append an outcome to the stream."""
    client.xadd(OUTCOMES, {"job": key, "status": "cancelled", "outcome": text})
