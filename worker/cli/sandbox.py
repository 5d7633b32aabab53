"""`anula sandbox`: both providers on this machine."""

from typing import Annotated

import typer

from config.accounts import Environment
from worker.cli.problems import Failed
from worker.cli.screen import say
from worker.sandbox import SandboxOptions, serve

app = typer.Typer(add_completion=False)

_DEFAULTS = SandboxOptions()


@app.command()
def sandbox(
    *,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = _DEFAULTS.host,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port; 0 takes a free one.")] = _DEFAULTS.port,
    in_process_seconds: Annotated[
        float, typer.Option(min=0, metavar="N", help='How long "in process" (211) lasts.')
    ] = _DEFAULTS.in_process_s,
    xml_later_seconds: Annotated[
        float, typer.Option(min=0, metavar="N", help="How long the event XML of an xml-later document takes.")
    ] = _DEFAULTS.xml_later_s,
    latency_seconds: Annotated[
        float, typer.Option(min=0, metavar="N", help="How long every call takes at least.")
    ] = _DEFAULTS.latency_s,
    environment: Annotated[
        Environment, typer.Option(help="Which tpAmb BP-e requests must carry.")
    ] = _DEFAULTS.environment,
) -> None:
    """Serve both providers on this machine, for tests of your integration; Ctrl-C ends it."""
    options = SandboxOptions(
        host=host,
        port=port,
        in_process_s=in_process_seconds,
        xml_later_s=xml_later_seconds,
        latency_s=latency_seconds,
        environment=environment,
    )
    try:
        serve(options, announce=lambda address: say(f"sandbox at {address}"))
    except ModuleNotFoundError as missing:
        raise Failed(
            f"{missing.name} is missing: install the sandbox's parts with pip install 'anula[sandbox]'"
        ) from None
    except OSError as problem:
        raise Failed(
            f"cannot listen at {host}:{port} ({problem.strerror or problem}): choose another --host or --port"
        ) from None
