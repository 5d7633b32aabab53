"""`anula doctor`: checks everything that Anula needs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from worker.check import Check, Result
from worker.cli.options import JsonList
from worker.cli.problems import Failed
from worker.cli.screen import json_list, say

app = typer.Typer(add_completion=False)


@app.command()
def doctor(
    *,
    json: JsonList = False,
    save_wsdl: Annotated[
        Path | None,
        typer.Option("--save-wsdl", metavar="FILE", help="Check nothing, but write the provider's own WSDL to a file."),
    ] = None,
    account: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --save-wsdl: as the provider serves it to this account.")
    ] = None,
) -> None:
    """Check everything that Anula needs: Redis, accounts, secrets, WSDL, endpoints; one line each.

    Nothing is changed, and no provider is asked for anything but its WSDL. Warnings do not count as failures.
    """
    if account is not None and save_wsdl is None:
        raise typer.BadParameter("--account goes with --save-wsdl")
    found = list[Check]()
    noted = _noted(_checks(save_wsdl, account), found)
    if json:
        json_list(map(_json, noted))
    else:
        for check in noted:
            say(_line(check))
    bad = [check.about for check in found if check.result is Result.FAILED]
    if bad:
        raise Failed(f"{len(bad)} of {len(found)} checks failed ({', '.join(bad)}): do what the lines above say")


def _checks(save_wsdl: Path | None, account: str | None) -> Iterator[Check]:
    from config import settings as settings_file
    from worker.doctor import examination

    settings = settings_file.load()
    if save_wsdl:
        yield examination.save_wsdl(settings, save_wsdl, account=account)
    else:
        yield from examination.examine(settings, settings_file.environment())


def _noted(checks: Iterator[Check], found: list[Check]) -> Iterator[Check]:
    for check in checks:
        found.append(check)
        yield check


def _line(check: Check) -> str:
    remedy = f" -> {check.remedy}" if check.remedy else ""
    return f"{check.result:<8} {check.about}: {check.found}{remedy}"


def _json(check: Check) -> dict[str, Any]:
    return {"check": check.about, "result": check.result, "found": check.found, "remedy": check.remedy}
