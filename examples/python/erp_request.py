"""A cancellation request from the program's arguments; in an ERP, from the order that is cancelled."""

import os
import sys
import uuid
from typing import Any

USAGE = """usage: {0} UUID [REFERENCE]                  a CFDI at Solución Factible
       {0} CHBPE NPROT XJUST [REFERENCE]    a BP-e at NS"""


def submission() -> str:
    """The key under which a repeat is recognised: SUBMISSION where this is one, else a fresh one.

    In an ERP: made once for each new cancellation, and kept with the order until it was confirmed. Never the number of
    the document or the order: what a person hands in once more would be taken for a repeat.
    """
    return os.environ.get("SUBMISSION") or str(uuid.uuid4())


def from_arguments() -> dict[str, Any]:
    """The request (docs/requests.md); every value is text. Another number of arguments ends the program."""
    match sys.argv[1:]:
        case [uuid, *reference] if len(reference) <= 1:
            request = {"provider": "solucion-factible", "uuid": uuid}
        case [key, protocol, reason, *reference] if len(reference) <= 1:
            request = {"provider": "ns-bpe", "chBPe": key, "nProt": protocol, "xJust": reason}
        case _:
            sys.stderr.write(USAGE.format(sys.argv[0]) + "\n")
            sys.exit(2)
    return request | ({"reference": reference[0]} if reference else {})
