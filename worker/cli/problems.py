"""What went wrong, in one line, and with which exit status (docs/cli.md)."""

import errno
import sys
import traceback
from collections.abc import Sequence

import typer

from worker.cli.screen import clean

FAILED, WRONG_USAGE, NOT_ALL_CANCELLED = 1, 2, 3
INTERRUPTED = 130
"""As shells say it of a program that Ctrl-C has ended."""
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What keeps output from being written: not a bug of ours."""


class Failed(Exception):
    """It did not work; the message says what and what to do. Several lines: several things did not."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class InvalidInput(Exception):
    """What was handed in cannot be used: a line for each error."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


def complain(line: str) -> None:
    """One line on standard error."""
    print(f"anula: {clean(line)}", file=sys.stderr)


def report(problem: Exception) -> int:
    """Say what went wrong, and give the exit status."""
    status, lines = _judged(problem)
    for line in lines:
        complain(line)
    return status


def _judged(problem: Exception) -> tuple[int, Sequence[str]]:
    if isinstance(problem, typer.TyperException):
        return problem.exit_code, [_usage(problem)]
    if isinstance(problem, InvalidInput):
        return WRONG_USAGE, problem.lines
    if isinstance(problem, Failed):
        return FAILED, problem.lines
    return _of_the_outside(problem)


def _usage(problem: typer.TyperException) -> str:
    context = getattr(problem, "ctx", None)
    hint = f" (see {context.command_path} --help)" if context else ""
    words = problem.format_message().replace("Value error, ", "").rstrip(".")
    return f"{words}{hint}"


def _of_the_outside(problem: Exception) -> tuple[int, Sequence[str]]:
    # Loaded only now: until something goes wrong, a command loads only what it needs
    from config.problem import ConfigurationProblem
    from config.secrets import SecretMissing
    from worker.invalid import InvalidRequest
    from worker.ledger.admitting import LedgerFull
    from worker.ledger.not_possible import NotPossible
    from worker.unavailable import Unavailable

    match problem:
        case InvalidRequest():
            return WRONG_USAGE, [error_line(error.field, error.problem) for error in problem.errors]
        case Unavailable():
            return FAILED, [f"{problem}: {problem.remedy}"]
        case LedgerFull():
            return FAILED, [f"{problem}: give it more memory, or keep outcomes shorter (ANULA_OUTCOME_RETENTION_DAYS)"]
        case ConfigurationProblem() | SecretMissing() | NotPossible():
            return FAILED, [str(problem)]
        case OSError(errno=number) if number in NO_ROOM:
            return FAILED, [f"the output cannot be written ({problem.strerror}): make room, or send it elsewhere"]
        case _:
            return FAILED, [_unexpected(problem)]


def error_line(field: str, problem: str) -> str:
    """One thing wrong with a request."""
    return f"{field}: {problem}" if field else problem


def _unexpected(problem: Exception) -> str:
    """A bug of ours; its traceback is for those who ask for it."""
    if _is_debugging():
        traceback.print_exception(problem, file=sys.stderr)
    words = f"{type(problem).__name__}: {problem}" if str(problem) else type(problem).__name__
    return f"unexpected error: {words} (ANULA_LOG_LEVEL=DEBUG shows the traceback)"


def _is_debugging() -> bool:
    from config import settings
    from config.problem import ConfigurationProblem

    try:
        return settings.load().log_level == "DEBUG"
    except ConfigurationProblem:
        return False
