"""Celery's settings under Celery's names; why each differs from the default (docs/reliability.md)."""

import math
from typing import Any
from urllib.parse import quote

from config import redis_access, redis_url
from config.redis_access import Sentinels
from config.settings import Settings

CONCURRENCY = 32
"""Calls at a time and process; the work is waiting on the network (docs/adr/0004-threads.md)."""


def run_queue(settings: Settings) -> str:
    """The one queue that workers serve: released jobs wait on it for a thread."""
    return f"{settings.namespace}.run"


def celery_settings(settings: Settings) -> dict[str, Any]:
    """Celery's configuration for these settings."""
    broker_url, options = _broker(settings)
    return {
        "broker_url": broker_url,
        "broker_transport": f"worker.broker:{'SentinelTransport' if options else 'Transport'}",
        "broker_connection_max_retries": None,
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": {
            **options,
            "global_keyprefix": "",
            "fanout_prefix": f"/{settings.namespace}/{{db}}.",  # kombu cuts it off at the first dot
            # Half-open connections are noticed between one and two of these after a consumer hears nothing (F3)
            "health_check_interval": math.ceil(settings.redis_timeout_s),
            "max_connections": 1_000,  # F7: more than any concurrency needs
            "socket_connect_timeout": settings.redis_timeout_s,
            "socket_keepalive": True,
            "socket_timeout": 2 * settings.redis_timeout_s,
        },
        # Without it, and whatever the URL says, kombu talks in the clear: its transport is chosen by name
        "broker_use_ssl": redis_access.tls(settings) or None,
        "event_queue_prefix": f"{settings.namespace}.events",
        "include": ["tasks.cancel", "tasks.submit"],
        "result_backend": None,
        "task_acks_late": True,
        "task_create_missing_queues": True,
        "task_default_queue": run_queue(settings),
        "task_ignore_result": True,
        "task_routes": {"anula.submit": {"queue": settings.namespace}, "anula.cancel": {"queue": run_queue(settings)}},
        "task_serializer": "json",
        "accept_content": ["json"],
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_concurrency": CONCURRENCY,
        "worker_hijack_root_logger": False,
        "worker_pool": "threads",
        "worker_prefetch_multiplier": 1,
        "worker_redirect_stdouts": False,
        "worker_send_task_events": True,
    }


def _broker(settings: Settings) -> tuple[str, dict[str, Any]]:
    """Kombu's URL and transport options; kombu writes every Sentinel as an address of its own, TLS or not.

    User and password are percent-encoded anew, so that kombu finds no other parts in them than we did.
    """
    sentinels, address = Sentinels.named(settings), redis_url.read(settings.redis_url)
    login = ":".join(quote(one or "", safe="") for one in (address.username, address.password))
    at = f"{login}@" if address.username or address.password else ""
    scheme = "sentinel" if sentinels else "rediss" if address.is_tls else "redis"
    urls = (f"{scheme}://{at}{_in_url(host)}:{port}/{address.database}" for host, port in address.hosts)
    if sentinels is None:
        return ";".join(urls), {}
    return ";".join(urls), {
        "master_name": sentinels.master,
        "sentinel_kwargs": redis_access.to_sentinels(settings, sentinels),
    }


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
