"""Whether calls are built as the provider's own WSDL asks for: the namespaces of ours are guessed."""

from config.accounts import Environment, SolucionFactibleAccount
from worker.answer import Answer
from worker.check import Check, failed, ok, warning
from worker.providers.solucion_factible.signature import signature
from worker.providers.solucion_factible.wsdl import EnvelopeBuilder, WsdlUnusable
from worker.providers.solucion_factible.wsdl_source import WsdlSource
from worker.sender import Sender


def wsdl(account: SolucionFactibleAccount, sender: Sender, *, endpoint: str) -> Check:
    """The account's WSDL: calls can be built from it, and the provider's live one says the same."""
    about, live = f"wsdl {account.name}", f"{endpoint}?wsdl"
    ours = WsdlSource(account, sender, endpoint=endpoint).document()
    if isinstance(ours, Answer):
        return failed(about, ours.message or "it cannot be read", "correct `wsdl` in the accounts file")
    try:
        EnvelopeBuilder(ours, soap_version=account.soap_version, endpoint=endpoint)
        asked = signature(ours, soap_version=account.soap_version)
    except WsdlUnusable as wrong:
        return failed(about, f"nothing can be built from it: {wrong}", "correct `wsdl` in the accounts file")
    theirs = WsdlSource(account.model_copy(update={"wsdl": live}), sender, endpoint=endpoint).document()
    if isinstance(theirs, Answer):
        return _not_compared(account, theirs.message or live)
    try:
        differing = asked.differences(signature(theirs, soap_version=account.soap_version))
    except WsdlUnusable as wrong:
        return _not_compared(account, f"{live}: {wrong}")
    if differing:
        found = f"it differs from the provider's own, {live}, in: {', '.join(differing)}"
        return failed(about, found, f'set wsdl = "{live}", or a file with what stands there')
    return ok(about, f"it agrees with {live}")


def _not_compared(account: SolucionFactibleAccount, why: str) -> Check:
    """In production nothing rests on a guess: its own WSDL, or the comparison, is wanted."""
    about, found = (
        f"wsdl {account.name}",
        f"calls can be built; it could not be compared with the provider's own: {why}",
    )
    if account.environment is Environment.PRODUCTION and account.wsdl is None:
        return failed(
            about, found, "set wsdl to the provider's own (a saved file), or try again when it can be reached"
        )
    return warning(about, found, "try again when it can be reached")
