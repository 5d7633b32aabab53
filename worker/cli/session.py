"""What most commands begin with: a client, the jobs that were named, and who is asking."""

import os
import pwd
import socket
from collections.abc import Sequence

import typer

from worker.client import Client
from worker.documents import job_named


def jobs_named(arguments: Sequence[str]) -> list[str]:
    """The job ids of what was named: job ids or bare documents. The same job twice is one.

    Raises:
        BadParameter: one is neither.
    """
    jobs = {argument: job_named(argument) for argument in arguments}
    unknown = [argument for argument, job in jobs.items() if job is None]
    if unknown:
        raise typer.BadParameter(f"neither a job id nor a document (UUID or access key): {', '.join(unknown)}")
    return list(dict.fromkeys(job for job in jobs.values() if job))


def account_named(client: Client, name: str | None) -> str | None:
    """The account of this name, or None where none was named.

    Raises:
        BadParameter: neither configured nor known to the ledger.
    """
    configured = client.configured.by_name if client.configured else ()
    if name is None or name in configured:
        return name
    known = [account.name for account in client.ask(lambda ledger: ledger.account_states())]
    if name in known:
        return name
    raise typer.BadParameter(
        f"--account: there is no account {name} (configured: {', '.join(sorted(configured or known))})"
    )


def operator() -> str:
    """Who is asking: the user of the operating system, at this machine."""
    user = os.getuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        name = str(user)
    return f"{name}@{socket.gethostname()}"
