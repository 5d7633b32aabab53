"""What the ERP does with an outcome (docs/outcomes.md). Being given one twice does no harm: job and run name it."""

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

EVIDENCE = Path(os.environ.get("EVIDENCE_DIR", "evidence"))


def handle(outcome: dict[str, Any]) -> None:
    """Save the evidence and do what the status asks for; here that is a line on standard output.

    Raises:
        ValueError: the evidence is damaged, or the status is none that is known.
        OSError: the evidence cannot be saved.
    """
    again = " (replayed)" if outcome["replayed"] else ""
    name = f"{outcome['job'] or '-'} run {outcome['run'] or '-'} [{', '.join(outcome['references'])}]"
    print(f"{outcome['status']} ({outcome['reason']}){again} {name}: {_what_to_do(outcome)}", flush=True)
    for warning in outcome["warnings"]:
        print(f"  warning: {warning}", flush=True)


def _what_to_do(outcome: dict[str, Any]) -> str:
    file = _saved(outcome) if outcome["evidence"] else None
    said = f"{outcome['code'] or '-'} {outcome['message'] or ''}".strip()
    match outcome["status"], outcome["reason"]:
        case "cancelled", _:
            return f"book the cancellation; evidence: {file or 'none'}"
        case "rejected", "invalid-request":
            errors = "; ".join(f"{error['field']}: {error['problem']}" for error in outcome["errors"])
            return f"correct what was handed in as {outcome['submission']}: {errors}"
        case "rejected", _:
            return f"not cancelled: {said}"
        case "unresolved", _:
            return f"a person has to look: {said}"
        case "revoked", _:
            return "an operator has ended it"
        case unknown, _:
            raise ValueError(f"unknown status {unknown}")


def _saved(outcome: dict[str, Any]) -> Path:
    """The evidence as the provider sent it, byte for byte, in a file of its own."""
    evidence = outcome["evidence"]
    is_base64 = evidence["encoding"] == "base64"
    original = base64.b64decode(evidence["content"]) if is_base64 else evidence["content"].encode("utf-8")
    if hashlib.sha256(original).hexdigest() != evidence["sha256"]:
        raise ValueError("the evidence does not have its sha256")
    EVIDENCE.mkdir(parents=True, exist_ok=True)
    file = EVIDENCE / f"{outcome['document']}-run-{outcome['run']}.xml"
    file.write_bytes(original)
    return file
