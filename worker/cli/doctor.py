"""`anula doctor`: checks everything that Anula needs."""

from typing import Any

import typer

from worker.check import Check, Result
from worker.cli.options import JsonList
from worker.cli.problems import Failed
from worker.cli.screen import json_list, say

app = typer.Typer(add_completion=False)


@app.command()
def doctor(json: JsonList = False) -> None:
    """Check everything that Anula needs: Redis, accounts, secrets, WSDL, endpoints; one line each.

    Nothing is changed, and no provider is asked for anything but its WSDL. Warnings do not count as failures.
    """
    from config import settings as settings_file
    from worker.doctor.examination import examine

    found: list[Check] = []

    def noted() -> Any:
        for check in examine(settings_file.load(), settings_file.environment()):
            found.append(check)
            yield check

    if json:
        json_list(_json(check) for check in noted())
    else:
        for check in noted():
            say(_line(check))
    bad = [check.about for check in found if check.result is Result.FAILED]
    if bad:
        raise Failed(f"{len(bad)} of {len(found)} checks failed ({', '.join(bad)}): do what the lines above say")


def _line(check: Check) -> str:
    remedy = f" -> {check.remedy}" if check.remedy else ""
    return f"{check.result:<8} {check.about}: {check.found}{remedy}"


def _json(check: Check) -> dict[str, Any]:
    return {"check": check.about, "result": check.result, "found": check.found, "remedy": check.remedy}
