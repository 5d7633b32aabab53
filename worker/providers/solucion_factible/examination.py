"""Whether calls are built as the provider's own WSDL says: the namespaces of the project's are guessed."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from config.accounts import Environment, SolucionFactibleAccount
from worker.answer import Answer
from worker.check import Check, Result, failed, ok, warning
from worker.providers.solucion_factible.signature import Signature, signature
from worker.providers.solucion_factible.wsdl import EnvelopeBuilder, WsdlUnusable
from worker.providers.solucion_factible.wsdl_source import WsdlSource
from worker.sender import Sender


def wsdl(account: SolucionFactibleAccount, sender: Sender, *, endpoint: str) -> Check:
    """The account's WSDL: calls can be built from it, and the provider's live one says the same."""
    about, live = f"wsdl {account.name}", _live(endpoint)
    ours = WsdlSource(account, sender, endpoint=endpoint).document()
    if isinstance(ours, Answer):
        return failed(about, ours.message or "it cannot be read", "correct `wsdl` in the accounts file")
    try:
        EnvelopeBuilder(ours, soap_version=account.soap_version, endpoint=endpoint)
        asked = signature(ours, soap_version=account.soap_version)
    except WsdlUnusable as wrong:
        return failed(about, f"nothing can be built from it: {wrong}", "correct `wsdl` in the accounts file")
    theirs = _download(account, sender, endpoint=endpoint)
    if isinstance(theirs, Answer):
        return _not_compared(account, theirs.message or live)
    try:
        differing = asked.differences(signature(theirs, soap_version=account.soap_version))
    except WsdlUnusable as wrong:
        return _not_compared(account, f"{live}: {wrong}")
    if differing:
        found = f"it differs from the provider's own, {live}, in: {', '.join(differing)}"
        remedy = f'set wsdl = "{live}", or a file that `anula doctor --save-wsdl FILE` writes'
        return failed(about, found, remedy)
    return ok(about, f"it agrees with {live}")


def _not_compared(account: SolucionFactibleAccount, why: str) -> Check:
    """In production nothing rests on a guess: its own WSDL, or the comparison, is wanted."""
    about = f"wsdl {account.name}"
    found = f"calls can be built; it could not be compared with the provider's own: {why}"
    if account.environment is Environment.PRODUCTION and account.wsdl is None:
        remedy = "try again when it can be reached, or set `wsdl` to the provider's own (anula doctor --save-wsdl FILE)"
        return failed(about, found, remedy)
    return warning(about, found, "try again when it can be reached")


def save_wsdl(account: SolucionFactibleAccount, sender: Sender, file: Path, *, endpoint: str) -> Check:
    """Write the provider's live WSDL to a file for `wsdl`; one that no call can be built from is not written."""
    about, live = f"wsdl {account.name}", _live(endpoint)
    theirs = _download(account, sender, endpoint=endpoint)
    if isinstance(theirs, Answer):
        return failed(about, f"nothing saved: {theirs.message}", "try again when it can be reached")
    try:
        EnvelopeBuilder(theirs, soap_version=account.soap_version, endpoint=endpoint)
        found = signature(theirs, soap_version=account.soap_version)
    except WsdlUnusable as wrong:
        return failed(
            about, f"nothing saved: no call can be built from {live}: {wrong}", "ask the provider for its WSDL"
        )
    comparison = _compared_with_the_one_in_use(account, sender, found, endpoint=endpoint)
    try:
        _write(file, theirs)
    except OSError as problem:
        return failed(about, f"{file} cannot be written ({problem.strerror})", "name another file")
    remedy = f'set wsdl = "{file.resolve()}" in the accounts file, and restart the workers'
    return Check(about, Result.OK, f"{live} is saved as {file}; {comparison}", remedy)


def _compared_with_the_one_in_use(
    account: SolucionFactibleAccount, sender: Sender, theirs: Signature, *, endpoint: str
) -> str:
    in_use = WsdlSource(account, sender, endpoint=endpoint).document()
    if isinstance(in_use, Answer):
        return "the one in use cannot be read"
    try:
        differing = signature(in_use, soap_version=account.soap_version).differences(theirs)
    except WsdlUnusable as wrong:
        return f"the one in use cannot be used: {wrong}"
    return f"the one in use differs in: {', '.join(differing)}" if differing else "the one in use agrees with it"


def _live(endpoint: str) -> str:
    return f"{endpoint}?wsdl"


def _download(account: SolucionFactibleAccount, sender: Sender, *, endpoint: str) -> bytes | Answer:
    live = account.model_copy(update={"wsdl": _live(endpoint)})
    return WsdlSource(live, sender, endpoint=endpoint).document()


def _write(file: Path, content: bytes) -> None:
    """By way of another name: a worker that starts meanwhile finds the old WSDL or the new one, never half of one."""
    descriptor, part = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(descriptor, "wb") as written:
            written.write(content)
        Path(part).chmod(0o644)
        Path(part).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(part).unlink()
        raise
