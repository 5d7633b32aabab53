"""The numbers of documents, and the jobs that are named after them (docs/requests.md)."""

import re
from operator import mul

from config.accounts import ProviderName

UUID = r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"
CHBPE = r"^[0-9]{6}[A-Z0-9]{12}[0-9]{26}$"
_WEIGHTS = tuple(2 + place % 8 for place in reversed(range(43)))
_WEIGHT_OF_48 = 48 * sum(_WEIGHTS)


def check_digit(first_43: str) -> str:
    """The 44th character of an access key: modulo 11, a letter counts its code less 48 (docs/providers/ns-bpe.md)."""
    remainder = (sum(map(mul, first_43.encode("ascii"), _WEIGHTS)) - _WEIGHT_OF_48) % 11
    return "0" if remainder < 2 else str(11 - remainder)  # noqa: PLR2004 - the rule's own number


def job_id(provider: str, document: str) -> str:
    """The job of a document; one document has one job."""
    return f"{provider}:{document}"


def job_named(text: str) -> str | None:
    """The job id that `text` means, a job id or a bare document; None where it is neither."""
    provider, separator, document = text.strip().rpartition(":")
    if re.fullmatch(UUID, document) and (not separator or provider == ProviderName.SOLUCION_FACTIBLE):
        return job_id(ProviderName.SOLUCION_FACTIBLE, document.upper())
    if re.fullmatch(CHBPE, document.upper()) and (not separator or provider == ProviderName.NS_BPE):
        return job_id(ProviderName.NS_BPE, document.upper())
    return None
