"""Document numbers: which number behaves how. Any number of documents exists for each behaviour.

A UUID reads `5A5A5A5A-VVVV-4FFF-Accc-NNNNNNNNNNNN`: V variant, F number of calls, ccc code, N free.
An access key reads `43 2601 99999999000191 63 FFF NNNNNNNNN 1 BBBBBBBB D`: F number of calls, N free, B behaviour,
D check digit. F is how many cancellation requests are treated so before the document becomes an ordinary one; 000 is
all of them (docs/sandbox.md).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from config.accounts import ProviderName
from worker.documents import check_digit
from worker.sandbox import bpe_behaviours, sf_behaviours
from worker.sandbox.behaviours import Behaviour

_UUID = re.compile(r"5A5A5A5A-([0-9A-F]{4})-4([0-9]{3})-(A[0-9]{3})-[0-9A-F]{12}")
_CHBPE = re.compile(r"4326019999999900019163([0-9]{3})[0-9]{9}1([0-9]{8})[0-9]")
_ANY_UUID = re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}")
_ANY_CHBPE = re.compile(r"[0-9]{6}[A-Z0-9]{12}[0-9]{2}63[0-9]{22}")

BEHAVIOURS: Mapping[ProviderName, Mapping[str, Behaviour]] = {
    ProviderName.SOLUCION_FACTIBLE: sf_behaviours.SF_BEHAVIOURS,
    ProviderName.NS_BPE: bpe_behaviours.BPE_BEHAVIOURS,
}
ORDINARY: Mapping[ProviderName, Behaviour] = {
    ProviderName.SOLUCION_FACTIBLE: sf_behaviours.SF_BEHAVIOURS[sf_behaviours.ORDINARY],
    ProviderName.NS_BPE: bpe_behaviours.BPE_BEHAVIOURS[bpe_behaviours.ORDINARY],
}
_BY_PLACE: Mapping[str, Behaviour] = {
    behaviour.place: behaviour for table in BEHAVIOURS.values() for behaviour in table.values()
}

WELL_KNOWN: Mapping[str, str] = {
    # docs/providers/solucion-factible.md: the test UUIDs of Solución Factible's documentation
    "E329DD15-7D0B-44E9-A204-51A7443D1FBE": "204",
    "5B4B180D-5B6C-4392-B204-252215A1AB84": "204",
    "51D8A114-2BA6-40B8-C204-B9721791863B": "204",
    "1BCA95C3-DA01-44C2-D204-59A9114F94BE": "204",
    "F4621025-0864-4E62-E204-59EE41B1101E": "204",
    "C5E58106-6C1E-41C9-A211-FB8BAD1CABB0": "211",
    "38FB9AC9-DD3E-4601-B211-EB02C007C3BA": "211",
    "CB917CA9-60D3-4A81-C211-76BD1A6B756D": "211",
    "7C34D543-E6C9-4990-D211-3F767E0B5142": "211",
    "0D62B12C-BC6C-4626-E211-FC8FE727A5BC": "211",
    # docs/providers/ns-bpe.md: valid access keys
    "43180207364617000135630000000000311000000089": "135",
    "43180207364617000135630000000000301000000081": "135",
    "43220507364617000135630600000000071963550061": "135",
    "43220507364617000135630600000000101813509436": "135",
    "43180107364617000135630000000000101000000085": "135",
    "43221007364617000135630050000030302223853846": "135",
    "43221007364617000135630050000030312988464429": "135",
}
"""Numbers from the providers' documents, and the behaviour of each."""


@dataclass(frozen=True, slots=True)
class Placed:
    """What a document number says: the behaviour, and for how many calls (0: for all of them)."""

    behaviour: Behaviour
    first_calls: int


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of document numbers."""

    provider: ProviderName
    behaviour: str
    document: str
    meaning: str


def sandbox_uuid(code: int | str, n: int = 1, *, first_calls: int = 0) -> str:
    """The `n`-th UUID of a behaviour: a status (`213`) or a name of the table (`"cut-after"`).

    Raises:
        KeyError: there is no such behaviour.
        ValueError: `n` has more than 12 digits, or `first_calls` more than 3.
    """
    variant, group = sf_behaviours.SF_BEHAVIOURS[str(code)].place.split("-")
    return f"5A5A5A5A-{variant}-4{_digits(first_calls, 3)}-{group}-{_digits(n, 12)}"


def sandbox_chbpe(code: int | str, n: int = 1, *, first_calls: int = 0) -> str:
    """The `n`-th access key of a behaviour: a cStat (`220`), a negative status (`-400`) or a name of the table.

    Raises:
        KeyError: there is no such behaviour.
        ValueError: `n` has more than 9 digits, or `first_calls` more than 3.
    """
    name = f"status{code}" if str(code).startswith("-") else str(code)
    place = bpe_behaviours.BPE_BEHAVIOURS[name].place
    first_43 = f"4326019999999900019163{_digits(first_calls, 3)}{_digits(n, 9)}1{place}"
    return first_43 + check_digit(first_43)


def _digits(number: int, width: int) -> str:
    text = f"{number:0{width}d}"
    if number < 0 or len(text) > width:
        raise ValueError(f"{number} does not fit {width} digits")
    return text


def provider_of(document: str) -> ProviderName | None:
    """Whose document a number (in upper case) can be; None where it is neither a UUID nor a valid access key."""
    if _ANY_UUID.fullmatch(document):
        return ProviderName.SOLUCION_FACTIBLE
    if _ANY_CHBPE.fullmatch(document) and check_digit(document[:43]) == document[43]:
        return ProviderName.NS_BPE
    return None


def read_number(document: str) -> Placed | None:
    """What a number (in upper case) says by itself; None where it says nothing."""
    if document in WELL_KNOWN:
        provider = provider_of(document)
        return Placed(BEHAVIOURS[provider][WELL_KNOWN[document]], 0) if provider else None
    if uuid := _UUID.fullmatch(document):
        place, calls = f"{uuid[1]}-{uuid[3]}", uuid[2]
    elif (key := _CHBPE.fullmatch(document)) and provider_of(document):
        place, calls = key[2], key[1]
    else:
        return None
    behaviour = _BY_PLACE.get(place)
    return Placed(behaviour, int(calls) or behaviour.calls) if behaviour else None


def rows() -> Iterable[Row]:
    """One row per behaviour with its first document, then the numbers of the providers' own documents."""
    for name, behaviour in sf_behaviours.SF_BEHAVIOURS.items():
        yield Row(ProviderName.SOLUCION_FACTIBLE, name, sandbox_uuid(name), behaviour.meaning)
    for name, behaviour in bpe_behaviours.BPE_BEHAVIOURS.items():
        yield Row(ProviderName.NS_BPE, name, sandbox_chbpe(name), behaviour.meaning)
    for document, name in WELL_KNOWN.items():
        provider = provider_of(document)
        if provider:
            yield Row(provider, name, document, "from the provider's own documents")


def markdown_table() -> str:
    """The table of docs/sandbox.md."""
    head = "| provider | behaviour | first document | what happens |\n|---|---|---|---|\n"
    return head + "".join(
        f"| {row.provider} | `{row.behaviour}` | `{row.document}` | {row.meaning} |\n" for row in rows()
    )
