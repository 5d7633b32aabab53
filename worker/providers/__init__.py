"""The providers: one folder each, behind one interface (`base`)."""

from collections.abc import Iterator

from config.accounts import Account, NsBpeAccount
from worker.check import Check
from worker.providers.base import Adapter
from worker.sender import Sender


def adapter_for(account: Account, sender: Sender) -> Adapter:
    """The adapter of an account; build it once per process, since it may keep what it has loaded.

    Only the chosen provider's libraries are imported: a worker for BP-e alone never loads zeep.
    """
    if isinstance(account, NsBpeAccount):
        from worker.providers.ns_bpe.adapter import NsBpe  # noqa: PLC0415 - see above

        return NsBpe(account, sender)
    from worker.providers.solucion_factible.adapter import SolucionFactible  # noqa: PLC0415 - see above

    return SolucionFactible(account, sender)


def endpoint_of(account: Account) -> str:
    """Where an account's calls go."""
    if account.endpoint:
        return account.endpoint
    if isinstance(account, NsBpeAccount):
        from worker.providers.ns_bpe import adapter as ns_bpe  # noqa: PLC0415 - see above

        return ns_bpe.ENDPOINTS[account.environment]
    from worker.providers.solucion_factible import adapter as solucion_factible  # noqa: PLC0415 - see above

    return solucion_factible.ENDPOINTS[account.environment]


def examine_provider(account: Account, sender: Sender) -> Iterator[Check]:
    """What has to be right for this account beside its secret and its endpoint."""
    if isinstance(account, NsBpeAccount):
        return
    from worker.providers.solucion_factible import examination  # noqa: PLC0415 - see above

    yield examination.wsdl(account, sender, endpoint=endpoint_of(account))
