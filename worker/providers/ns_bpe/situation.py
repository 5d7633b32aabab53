"""What SEFAZ has on record of one ticket (`retConsSitBPe`), in whatever shape the provider passes its events on."""

from collections.abc import Iterator
from dataclasses import dataclass

from worker.answer import Evidence
from worker.providers import quoting
from worker.providers.ns_bpe import codes, event
from worker.providers.ns_bpe.wire import Json, an_object, items, number, text_of


@dataclass(frozen=True, slots=True, repr=False)
class RegisteredEvent:
    """One event of a ticket; `evidence` only where its XML was passed on as text."""

    chBPe: str | None
    tpEvento: str | None
    cStat: str | None
    protocol: str | None
    registered_at: str | None
    evidence: Evidence | None = None


def cancellation(situation: Json, chBPe: str) -> RegisteredEvent | None:
    """The registered and linked cancellation of `chBPe`, if there is one."""
    for found in _events(situation):
        is_ours = found.chBPe == chBPe and found.tpEvento == codes.CANCELLATION_EVENT
        if is_ours and found.cStat in codes.LINKED_EVENT:
            return found
    return None


def names_another_key(situation: Json, chBPe: str) -> bool:
    """Whether it names keys, and ours is not among them."""
    named = {text_of(situation.get("chBPe"))}
    for protocol in items(situation.get("protBPe")):
        held = an_object(protocol)
        named |= {text_of(held.get("chBPe")), text_of(an_object(held.get("infProt")).get("chBPe"))}
    named.discard(None)
    return bool(named and chBPe not in named)


def is_of_the_other_environment(situation: Json, tpAmb: str) -> bool:
    """Whether it names an environment, and not the one that was asked in."""
    return text_of(situation.get("tpAmb")) not in {None, tpAmb}


def _events(situation: Json) -> Iterator[RegisteredEvent]:
    for item in items(situation.get("procEventoBPe")):
        xml = text_of(item) or text_of(an_object(item).get("xml"))
        yield _from_xml(xml) if xml else _from_fields(an_object(item))


def _from_xml(text: str) -> RegisteredEvent:
    xml = event.read(text)
    return RegisteredEvent(
        chBPe=xml.chBPe,
        tpEvento=xml.tpEvento,
        cStat=number(xml.cStat),
        protocol=quoting.code(xml.nProt),
        registered_at=quoting.code(xml.dhRegEvento),
        evidence=xml.evidence,
    )


def _from_fields(item: Json) -> RegisteredEvent:
    """An event turned into JSON: the fields of the authority's part, at any of the depths that the schema has."""
    answered = an_object(item.get("retEventoBPe")) or item
    fields = an_object(answered.get("infEvento")) or answered
    return RegisteredEvent(
        chBPe=text_of(fields.get("chBPe")),
        tpEvento=text_of(fields.get("tpEvento")),
        cStat=number(text_of(fields.get("cStat"))),
        protocol=quoting.code(text_of(fields.get("nProt"))),
        registered_at=quoting.code(text_of(fields.get("dhRegEvento"))),
    )
