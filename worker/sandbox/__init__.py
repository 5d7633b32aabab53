"""Both providers' interfaces on this machine, for tests of an integration (docs/sandbox.md).

What has to listen is imported only when it does: document numbers and options need no web server.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

from worker.sandbox.options import SandboxOptions

__all__ = ["SandboxOptions", "serve", "started"]


def serve(options: SandboxOptions, *, announce: Callable[[str], None] = lambda _address: None) -> None:
    """Serve until SIGTERM or SIGINT, then return; `announce` is given the address (port 0 takes a free one).

    Raises:
        OSError: the port is taken or the host is none of this machine's.
    """
    from worker.sandbox.server import run  # noqa: PLC0415 - see above

    run(options, announce)


def started(options: SandboxOptions) -> AbstractContextManager[str]:
    """A sandbox in a thread of this process; the context gives its address and stops it at the end."""
    from worker.sandbox.server import run_in_thread  # noqa: PLC0415 - see above

    return run_in_thread(options)
