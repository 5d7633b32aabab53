"""What SEFAZ has on record of one ticket (`retConsSitBPe`), in whatever shape the provider passes its events on."""

from collections.abc import Iterator
from dataclasses import dataclass

from worker.answer import Evidence
from worker.providers import quoting
from worker.providers.ns_bpe import codes, event
from worker.providers.ns_bpe.wire import Json, an_object, items, number, text_of


@dataclass(frozen=True, slots=True, repr=False)
class RegisteredEvent:
    """One event of a ticket.

    Attributes:
        keys: The access keys that it names.
        is_linked_cancellation: It is our ticket's, registered and linked.
        evidence: Its XML, where it was passed on as text.
    """

    keys: frozenset[str]
    is_linked_cancellation: bool
    cStat: str | None = None
    protocol: str | None = None
    registered_at: str | None = None
    evidence: Evidence | None = None


def cancellation(situation: Json, chBPe: str) -> RegisteredEvent | None:
    """The registered and linked cancellation of `chBPe`, if there is one."""
    return next((found for found in _events(situation, chBPe) if found.is_linked_cancellation), None)


def names_another_key(situation: Json, chBPe: str) -> bool:
    """Whether it names keys, and ours is not among them."""
    named = {text_of(situation.get("chBPe"))}
    for protocol in items(situation.get("protBPe")):
        held = an_object(protocol)
        named |= {text_of(held.get("chBPe")), text_of(an_object(held.get("infProt")).get("chBPe"))}
    for found in _events(situation, chBPe):
        named |= found.keys
    named.discard(None)
    return bool(named and chBPe not in named)


def is_of_the_other_environment(situation: Json, tpAmb: str) -> bool:
    """Whether it names an environment, and not the one that was asked in."""
    return text_of(situation.get("tpAmb")) not in {None, tpAmb}


def _events(situation: Json, chBPe: str) -> Iterator[RegisteredEvent]:
    for item in items(situation.get("procEventoBPe")):
        xml = item if isinstance(item, str) else an_object(item).get("xml")
        yield _from_xml(str(xml), chBPe) if text_of(xml) else _from_fields(an_object(item), chBPe)


def _from_xml(text: str, chBPe: str) -> RegisteredEvent:
    """An event as XML, of which only a whole one counts."""
    xml = event.read(text, chBPe)
    return RegisteredEvent(
        keys=xml.keys,
        is_linked_cancellation=xml.is_cancellation_of(chBPe, codes.LINKED_EVENT),
        cStat=quoting.code(min(xml.cStat, default=None)),
        protocol=quoting.code(xml.nProt),
        registered_at=quoting.code(xml.dhRegEvento),
        evidence=xml.evidence,
    )


def _from_fields(item: Json, chBPe: str) -> RegisteredEvent:
    """An event turned into JSON: the fields of the authority's part, at any of the depths that the schema has."""
    answered = an_object(item.get("retEventoBPe")) or item
    fields = an_object(answered.get("infEvento")) or answered
    key, cStat = text_of(fields.get("chBPe")), number(text_of(fields.get("cStat")))
    is_cancellation = text_of(fields.get("tpEvento")) == codes.CANCELLATION_EVENT
    return RegisteredEvent(
        keys=frozenset({key} if key else ()),
        is_linked_cancellation=is_cancellation and key == chBPe and cStat in codes.LINKED_EVENT,
        cStat=cStat,
        protocol=quoting.code(text_of(fields.get("nProt"))),
        registered_at=quoting.code(text_of(fields.get("dhRegEvento"))),
    )
