"""The providers: one folder each, behind one interface (`base`)."""

from collections.abc import Iterator
from pathlib import Path

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


def has_wsdl(account: Account) -> bool:
    """Whether the account's calls are built by a WSDL."""
    return not isinstance(account, NsBpeAccount)


def save_wsdl(account: Account, sender: Sender, file: Path) -> Check:
    """Write the WSDL that the provider serves now to a file.

    Raises:
        ValueError: the account's calls are not built by a WSDL.
    """
    if isinstance(account, NsBpeAccount):
        raise ValueError(account.name)
    from worker.providers.solucion_factible import examination  # noqa: PLC0415 - see above

    return examination.save_wsdl(account, sender, file, endpoint=endpoint_of(account))
