"""The commands of `anula`: finds one, runs it, and turns whatever goes wrong into one line and an exit status."""

import io
import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from worker.cli import ctrl_c, problems

COMMANDS = {
    "submit": ("submit", "Submit a cancellation, or many as JSON lines."),
    "import": ("csv_import", "Submit the cancellations in a CSV file."),
    "status": ("status", "Show where jobs stand, and what happened to them."),
    "jobs": ("jobs", "List jobs, oldest first."),
    "outcomes": ("outcomes", "Print outcomes as JSON lines."),
    "evidence": ("evidence", "Print the acuse or event XML of a job, byte for byte."),
    "retry": ("retry", "Start a new run of jobs that ended without a cancellation."),
    "revoke": ("revoke", "End open jobs before their document is cancelled."),
    "accounts": ("accounts", "Show the accounts; suspend or resume one."),
    "stats": ("stats", "Show counts, ages and rates."),
    "top": ("top", "Watch the work as it goes on."),
    "doctor": ("doctor", "Check everything that Anula needs."),
    "schema": ("schema", "Print the JSON Schema of a request or of an outcome."),
    "sandbox": ("sandbox", "Serve both providers on this machine, for tests."),
    "demo": ("demo", "Show the whole way of a cancellation on this machine."),
}
"""Each command with its module in this folder, and what it does: for the list that `--help` prints."""


class _Commands(TyperGroup):
    """Loads the module of the command that is asked for, and no other."""

    _is_listing = False

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer gives it
        """The commands whose module is there."""
        return [name for name, (module, _) in COMMANDS.items() if find_spec(f"worker.cli.{module}")]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name; while the help is printed only what the help needs."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module, sentence = COMMANDS[cmd_name]
        if self._is_listing:
            return TyperCommand(cmd_name, help=sentence)
        command = typer.main.get_command(import_module(f"worker.cli.{module}").app)
        ctrl_c.interrupts_the_command()
        return command

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        self._is_listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._is_listing = False


app = typer.Typer(cls=_Commands, add_completion=False, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def anula(
    ctx: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Cancel fiscal documents at Solución Factible (CFDI) and NS (BP-e): one outcome for each request.

    Exit status: 0 done; 1 failed; 2 wrong usage or invalid input; 3 --wait ended and not everything is cancelled.
    """
    if show_version:
        from importlib.metadata import version

        print(version("anula"))
    elif ctx.invoked_subcommand is None:
        ctx.get_help()
        raise typer.Exit(problems.WRONG_USAGE)


def run(arguments: list[str]) -> int:
    """Run one command; its exit status."""
    if sys.stderr is None:  # closed: `print` would put complaints on standard output
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for the life of the process
    if sys.stdout is None:
        problems.complain("standard output is closed, nothing was done: send it to a file, or to /dev/null")
        return problems.FAILED
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    return _run(arguments)


def _run(arguments: list[str]) -> int:
    try:
        status = typer.main.get_command(app).main(arguments, prog_name="anula", standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:  # pressed once more while the first was dealt with, or while the last words were written
        return problems.INTERRUPTED
    except BrokenPipeError:
        _close_stdout()
        return problems.FAILED
    except OSError as problem:
        if problem.errno in problems.NO_ROOM:
            _close_stdout()
        return problems.report(problem)
    except Exception as problem:  # noqa: BLE001 - no traceback reaches a user; DEBUG shows it
        return problems.report(problem)
    return int(status or 0)


def _close_stdout() -> None:
    """Nobody reads on: what is still buffered must not be written, and complained about, at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
