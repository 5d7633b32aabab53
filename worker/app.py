"""The Celery application: `celery --app worker.app worker` and `flower`. Builds nothing and connects to nothing yet."""

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import structlog
from celery import Celery, bootsteps, signals
from celery.worker import state
from kombu.exceptions import BatchPublishError, OperationalError

from worker.name_collision import collision

if found := collision():
    sys.exit(f"anula: {found}")

from config import logs
from config import settings as settings_file
from config.accounts import Accounts
from config.celery import celery_settings
from config.problem import ConfigurationProblem
from config.settings import Settings
from worker import bootstrap, process, threads, worker_options
from worker.dispatcher import Dispatcher
from worker.intake import Intake
from worker.leaving import LastResort, take_over_signals
from worker.ledger.records import Released
from worker.presence import Presence
from worker.providers.base import Inquirer

log = structlog.get_logger(__name__)


def _application() -> Celery:
    """The application for this environment; a wrong setting ends the process with one line."""
    try:
        settings = settings_file.load()
    except ConfigurationProblem as problem:
        worker_options.refuse(problem)
    application = Celery("anula", amqp="worker.broker:Amqp")
    application.conf.update(celery_settings(settings))
    worker_options.refuse_another_broker(application.conf, settings)
    application.user_options["worker"].add(worker_options.checked(settings))
    application.steps["worker"].add(DispatcherStep)
    return application


class DispatcherStep(bootsteps.StartStopStep):
    """Starts the dispatcher with the worker, after its pool."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self._dispatcher: Dispatcher | None = None
        self._last_resort = LastResort(worker)

    def start(self, worker: Any) -> None:
        """Build the parts and start releasing."""
        try:
            parts = bootstrap.parts()
            accounts = parts.accounts.by_name.values()
            enrolment = [(account, isinstance(parts.adapter(account), Inquirer)) for account in accounts]
            threads.start_all(worker.pool.executor, worker.concurrency)
            threads.start(self._last_resort)
        except ConfigurationProblem as problem:
            _say(problem)
            sys.exit(1)
        _warn_of_open_secrets(parts.accounts)
        name = f"{worker.hostname}/{os.getpid()}"
        self._dispatcher = Dispatcher(
            settings=parts.settings,
            ledger=parts.ledger,
            intake=Intake(parts.ledger, parts.accounts, worker=name),
            presence=Presence(parts.ledger, parts.runner.serving, name=name, enrolment=enrolment),
            wake_up=WakeUp(worker.app),
            slots=worker.concurrency,
            free_slots=lambda: _free_slots(worker),
            refused=_leave,
        )
        signals.worker_shutting_down.connect(self._shutting_down, weak=False)
        take_over_signals(worker)
        try:
            threads.start(self._dispatcher)
        except ConfigurationProblem as problem:
            _say(problem)
            sys.exit(1)

    def close(self, worker: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Release nothing more; the calls under way are waited for."""
        if self._dispatcher:
            self._dispatcher.stop()

    stop = terminate = close

    def _shutting_down(self, **_: Any) -> None:
        self.close(None)
        self._last_resort.begin()


def _warn_of_open_secrets(accounts: Accounts) -> None:
    """A secret that everybody on this machine can read is none."""
    for account in accounts.by_name.values():
        if account.secret_source.is_readable_by_others:
            file = str(account.secret_source.file)
            log.warning("secret_readable_by_others", account=account.name, file=file, remedy=f"chmod 600 {file}")


class WakeUp:
    """Publishes one `anula.cancel` message for each released job, all of them in one exchange with the broker."""

    def __init__(self, application: Celery) -> None:
        self._application = application

    def __call__(self, released: Sequence[Released]) -> None:
        """Publish; a message that is lost on the way is released again when its lease ends.

        Raises:
            ConnectionError: the broker is away, which to us is Redis being away.
        """
        try:
            self._publish(released)
        except (BatchPublishError, OperationalError) as away:
            raise ConnectionError(f"wake-ups could not be published: {away}") from away

    def _publish(self, released: Sequence[Released]) -> None:
        task = self._application.tasks["anula.cancel"]
        with self._application.producer_pool.acquire(block=True) as producer, producer.batch():
            for one in released:
                task.apply_async(
                    kwargs={"job": one.job, "token": one.token},
                    task_id=one.job,
                    retries=one.calls,
                    producer=producer,
                    retry=False,
                )


def _free_slots(worker: Any) -> int:
    """Calls that this process could run beside those it has taken."""
    return max(0, int(worker.concurrency) - len(state.reserved_requests))


def _leave(problem: ConfigurationProblem) -> NoReturn:
    """Found out only after the start: this worker must not run against this Redis."""
    _say(problem)
    os._exit(1)


def _say(problem: ConfigurationProblem) -> None:
    """One line on standard error, and in the log file: a detached worker has no standard error."""
    sys.stderr.write(f"{process.last_words(problem, as_json=settings_file.wants_json())}\n")
    if logs.goes_to_file():
        log.critical("worker_refused", problem=str(problem))


@signals.celeryd_init.connect
def _before_the_first_line(instance: Any, options: Mapping[str, Any], **_: Any) -> None:
    process.name_by_itself(instance)
    _set_up_logging(options.get("loglevel"), options.get("logfile"))
    process.route_warnings()
    if settings_file.wants_json():
        process.keep_to_json(instance)


@signals.worker_init.connect
def _refuse_misfits(sender: Any, **_: Any) -> None:
    if sender.app is app:
        worker_options.refuse_misfit(sender, settings_file.load(), needs=DispatcherStep)


@signals.setup_logging.connect
def _set_up_logging(loglevel: int | None = None, logfile: str | None = None, **_: Any) -> None:
    settings: Settings = settings_file.load()
    if loglevel is not None:
        settings = settings.model_copy(update={"log_level": logging.getLevelName(loglevel)})
    file = Path(logfile) if logfile else None
    try:
        secrets = bootstrap.parts().secrets
    except ConfigurationProblem:
        logs.configure(settings, file=file)
    else:
        logs.configure(settings, secrets, file=file)


app = _application()
