"""The options of `celery worker`: those that do not fit are refused in one line, before anything is connected.

They are looked at while the command line is parsed, because `--detach` gives up standard error right after that.
"""

import logging
import os
import re
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NoReturn

import click
from celery.platforms import Pidfile
from celery.utils.nodenames import node_format
from click.core import ParameterSource

from config import settings as settings_file
from config.celery import celery_settings, run_queue
from config.problem import ConfigurationProblem
from config.settings import Settings
from worker import bootstrap, process

_THREADS = ("threads", "celery.concurrency.thread")
_PREFORK = re.compile(r"\0(--pool[=\0]|-[A-Za-z]*P\0?)prefork\0")
_ONLY_THREADS = "--pool: a worker runs calls on threads and on nothing else; leave it out, or give --pool threads"
_NO_AUTOSCALE = "--autoscale: a pool of threads has one size; leave it out, and give --concurrency"
_WITHOUT_EFFECT = {
    "time_limit": "--time-limit",
    "soft_time_limit": "--soft-time-limit",
    "max_tasks_per_child": "--max-tasks-per-child",
    "max_memory_per_child": "--max-memory-per-child",
}
"""What Celery accepts and a pool of threads ignores."""


def refuse(problem: object) -> NoReturn:
    """End the process with one line and status 1."""
    process.leave(problem, as_json=settings_file.wants_json())


def refuse_another_broker(conf: Any, settings: Settings) -> None:
    """Celery prefers `--broker` and CELERY_BROKER_URL, which would part its connections from the ledger's."""
    ours = str(celery_settings(settings)["broker_url"])
    if {conf.broker_read_url, conf.broker_write_url} != {ours}:
        refuse("Redis is where ANULA_REDIS_URL says: leave out --broker, and unset CELERY_BROKER_URL")


def checked(settings: Settings) -> click.Option:
    """An option that nobody gives: Celery parses it last, and with it everything that was given is looked at."""

    def look(context: click.Context, _option: click.Parameter, _value: Any) -> None:
        if context.resilient_parsing:
            return
        for problem in _misfits(context, settings):
            refuse(problem)
        _use_our_level(context, settings)

    return click.Option(["--checked"], is_flag=True, hidden=True, expose_value=False, callback=look)


def refuse_misfit(worker: Any, settings: Settings, *, needs: type) -> None:
    """The same of a worker that is about to start, however it was made; `needs` is the boot step of its dispatcher."""
    if needs not in worker.app.steps["worker"]:
        refuse("a worker without its dispatcher releases nothing")
    autoscale, queues = worker.options.get("autoscale"), worker.app.amqp.queues.consume_from
    for problem in _of_the_engine(pool=worker.pool_cls, autoscale=autoscale, queues=queues, settings=settings):
        refuse(problem)


def _of_the_engine(*, pool: Any, autoscale: Any, queues: Collection[str], settings: Settings) -> Iterator[str]:
    name = pool if isinstance(pool, str) else getattr(pool, "__module__", "")
    if name not in _THREADS:
        yield _ONLY_THREADS
    if autoscale:
        yield _NO_AUTOSCALE
    # Without it the worker releases jobs and never calls; what its consumer takes off another queue may be lost
    wanted = run_queue(settings)
    if set(queues) != {wanted}:
        yield f"--queues, --exclude-queues: a worker serves the queue {wanted} and no other; leave them out"


def _misfits(context: click.Context, settings: Settings) -> Iterator[str]:
    given = context.params
    if _is_given(context, "pool") and _asks_for_prefork(context):
        yield _ONLY_THREADS  # Celery takes it for its own default, and passes over it
    queues = set(given["queues"] or [run_queue(settings)]) - set(given["exclude_queues"] or [])
    yield from _of_the_engine(pool=given["pool"], autoscale=given["autoscale"], queues=queues, settings=settings)
    if given["prefetch_multiplier"] != 1 or given["disable_prefetch"]:
        yield "--prefetch-multiplier, --disable-prefetch: a worker takes a job for each free thread; leave them out"
    for name, option in _WITHOUT_EFFECT.items():
        if given[name]:
            yield f"{option}: does nothing to threads; every call has its own limit (ANULA_TOTAL_TIMEOUT_S)"
    yield from _unusable_parts()
    yield from _unusable_files(given)


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) in {ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT}


def _asks_for_prefork(context: click.Context) -> bool:
    option = next(one for one in context.command.params if one.name == "pool")
    if context.get_parameter_source("pool") is ParameterSource.ENVIRONMENT:
        return option.resolve_envvar_value(context) == "prefork"
    return bool(_PREFORK.search("\0".join(["", *sys.argv, ""])))


def _unusable_parts() -> Iterator[str]:
    try:
        parts = bootstrap.parts()
        for account in parts.accounts.by_name.values():
            parts.adapter(account)
    except ConfigurationProblem as problem:
        yield str(problem)


def _unusable_files(given: dict[str, Any]) -> Iterator[str]:
    """A detached worker has no standard error: what is wrong with its files has to be said before."""
    log_file, pid_file = (node_format(given[name], given["hostname"]) for name in ("logfile", "pidfile"))
    if given["detach"] and not log_file:
        yield "--detach: a detached worker has no standard error; give it a --logfile"
    if log_file:
        try:
            Path(log_file).open("a").close()
        except OSError as failure:
            yield f"--logfile: {log_file} cannot be written ({failure.strerror})"
    if pid_file:
        lock = Pidfile(pid_file)
        if lock.is_locked() and not lock.remove_if_stale():
            yield f"--pidfile: {pid_file} is that of a running process ({lock.read_pid()})"
        elif not os.access(Path(pid_file).absolute().parent, os.W_OK):
            yield f"--pidfile: {pid_file} cannot be written"


def _use_our_level(context: click.Context, settings: Settings) -> None:
    """Where no level was given, ANULA_LOG_LEVEL counts instead of Celery's default."""
    if not _is_given(context, "loglevel"):
        context.params["loglevel"] = logging.getLevelNamesMapping()[settings.log_level]
