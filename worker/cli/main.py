"""Where the program `anula` begins. At its top it imports next to nothing: Ctrl-C may come while the rest is loaded."""

import sys

from worker.cli import ctrl_c


def main(arguments: list[str] | None = None) -> None:
    """Run one command, and leave with its exit status."""
    ctrl_c.ends_the_process()
    try:
        sys.exit(_run(sys.argv[1:] if arguments is None else arguments))
    finally:
        ctrl_c.ends_the_process()


def _run(arguments: list[str]) -> int | str:
    """The exit status, or the one line with which the program leaves."""
    from worker.name_collision import collision

    found = collision()
    if found:
        return f"anula: {found}"
    from worker.cli.commands import run

    return run(arguments)
