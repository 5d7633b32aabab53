"""The cancellation event's XML (`procEventoBPe`): kept byte for byte, read to see whether it says the same."""

from dataclasses import dataclass

from worker.answer import Evidence
from worker.providers import quoting, untrusted_xml
from worker.providers.ns_bpe.codes import CANCELLATION_EVENT
from worker.providers.untrusted_xml import Element, all_named, first_text

UNREADABLE = "the event XML cannot be read; it is kept as it came"
_ID_LENGTH = len("ID110111") + 44 + len("01")


@dataclass(frozen=True, slots=True, repr=False)
class EventXml:
    """An event's XML and what stands in it; a field is None where it does not stand there.

    Attributes:
        is_readable: It is XML with an event in it.
    """

    evidence: Evidence
    is_readable: bool = False
    chBPe: str | None = None
    tpEvento: str | None = None
    cStat: str | None = None
    nProt: str | None = None
    dhRegEvento: str | None = None

    def disagreements(self, *, chBPe: str, cStat: str | None, nProt: str | None) -> tuple[str, ...]:
        """One warning for each field that the answer around it states differently."""
        if not self.is_readable:
            return (UNREADABLE,)
        stated = {"chBPe": chBPe, "tpEvento": CANCELLATION_EVENT, "cStat": cStat, "nProt": nProt}
        found = {"chBPe": self.chBPe, "tpEvento": self.tpEvento, "cStat": self.cStat, "nProt": self.nProt}
        return tuple(
            f"{name} is {quoting.code(found[name])} in the event XML and {quoting.code(wanted)} in the answer"
            for name, wanted in stated.items()
            if wanted and found[name] and found[name] != wanted
        )


def read(text: str) -> EventXml:
    """The event in `text`, which was decoded on its way: whatever encoding it declares, it now is UTF-8."""
    content = text.encode("utf-8", "surrogatepass")
    root = untrusted_xml.parsed(content, encoding="utf-8")
    registered = _registered(root) if root is not None else None
    if root is None or registered is None:
        return EventXml(Evidence(content, "text/plain" if root is None else "application/xml"))
    return EventXml(
        Evidence(content),
        is_readable=True,
        chBPe=first_text(registered, "chBPe") or _key_in_id(root),
        tpEvento=first_text(registered, "tpEvento") or first_text(root, "tpEvento"),
        cStat=first_text(registered, "cStat"),
        nProt=first_text(registered, "nProt"),
        dhRegEvento=first_text(registered, "dhRegEvento"),
    )


def _registered(root: Element) -> Element | None:
    """The authority's part: the request part before it has a `nProt` of its own, that of the ticket."""
    return next(all_named(root, "retEventoBPe"), None)


def _key_in_id(root: Element) -> str | None:
    for element in all_named(root, "infEvento"):
        identifier = element.get("Id") or ""
        if len(identifier) == _ID_LENGTH:
            return identifier[8:-2]
    return None
