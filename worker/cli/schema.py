"""`anula schema`: what a request and an outcome look like."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from worker import outcome, request

app = typer.Typer(add_completion=False)


class Subject(StrEnum):
    """What there is a schema of."""

    REQUEST = "request"
    OUTCOME = "outcome"


@app.command()
def schema(subject: Annotated[Subject, typer.Argument(help="Which of the two.")]) -> None:
    """Print the JSON Schema (draft 2020-12) of a request or of an outcome."""
    found = request.schema() if subject is Subject.REQUEST else outcome.schema()
    print(json.dumps(found, indent=2))
