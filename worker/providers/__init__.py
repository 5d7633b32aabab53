"""The providers: one folder each, behind one interface (`base`)."""

from config.accounts import Account, NsBpeAccount
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
