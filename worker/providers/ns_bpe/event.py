"""The cancellation event's XML (`procEventoBPe`): kept byte for byte, read to see whether it says the same."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from worker.answer import Evidence, Reaction
from worker.providers import evidence_reader, quoting, visible
from worker.providers.evidence_reader import Legible
from worker.providers.ns_bpe import codes
from worker.providers.ns_bpe.wire import number
from worker.providers.untrusted_xml import Element, all_named, whole_text

UNREADABLE = "the event XML cannot be read; it is kept as it came"
DAMAGED = "the event XML is damaged and proves nothing"
DISAGREES = "the event XML is not that of a registered cancellation"
_KEY = re.compile(r"[0-9]{6}[0-9A-Z]{12}[0-9]{26}")
"""An access key (BP-e schema, `TChBPe`)."""
_ID = re.compile(r"ID[0-9]{6}([0-9]{6}[0-9A-Z]{12}[0-9]{26})[0-9]{2}")
"""The `Id` of an event's request part: type, key and sequence (BP-e schema, `TEvento`)."""
_NAMES = frozenset({"chBPe", "cStat", "tpEvento"})


@dataclass(frozen=True, slots=True, repr=False)
class EventXml:
    """An event's XML and what it says.

    Attributes:
        legible: WHOLE where it is one XML document with the authority's part of an event in it.
        keys: Every access key that it is about, normally one.
        tpEvento, cStat: Every type of event and every code of the authority in it, normally one each.
        nProt, dhRegEvento: From the authority's part; None where it does not say.
    """

    evidence: Evidence
    legible: Legible
    keys: frozenset[str] = frozenset()
    tpEvento: frozenset[str] = frozenset()
    cStat: frozenset[str] = frozenset()
    nProt: str | None = None
    dhRegEvento: str | None = None

    def is_cancellation_of(self, chBPe: str, cStats: frozenset[str]) -> bool:
        """Whether it is whole, and the cancellation of this very key under one of these codes."""
        is_cancellation = self.tpEvento == {codes.CANCELLATION_EVENT} and self.keys == {chBPe}
        return self.legible is Legible.WHOLE and is_cancellation and bool(self.cStat) and self.cStat <= cStats

    def speaks_against_it(self) -> bool:
        """Whether it is of another type, or none that the authority has registered."""
        rules = [codes.CANCEL.get(code) for code in self.cStat]
        is_registered = all(rule is not None and rule.reaction is Reaction.CANCELLED for rule in rules)
        return not is_registered or not self.tpEvento <= {codes.CANCELLATION_EVENT}

    def disagreements(self, *, cStat: str | None, nProt: str | None) -> tuple[str, ...]:
        """One warning for each field that the answer around it states differently, or that nobody can read it."""
        if self.legible is Legible.NOT:
            return (UNREADABLE,)
        stated = {"tpEvento": codes.CANCELLATION_EVENT, "cStat": cStat, "nProt": nProt}
        found = {"tpEvento": self.tpEvento, "cStat": self.cStat, "nProt": {self.nProt} - {None}}
        return tuple(
            f"{name} is {quoting.code(', '.join(sorted(map(str, found[name]))))} in the event XML"
            f" and {quoting.code(wanted)} in the answer"
            for name, wanted in stated.items()
            if wanted and found[name] and found[name] != {wanted}
        )


def read(text: str, chBPe: str) -> EventXml:
    """The event in `text`, plain XML or base64, which should be about `chBPe`."""
    content = text.encode("utf-8", "surrogatepass")
    received = evidence_reader.read(content)
    registered = next(all_named(received.root, "retEventoBPe"), None) if received.root is not None else None
    if received.root is None or registered is None:
        legible, seen = visible.found_in(content, lambda texts: _look(texts, chBPe))
        return EventXml(received.evidence, legible, keys=seen - _NAMES)
    return EventXml(
        received.evidence,
        Legible.WHOLE,
        keys=frozenset(_keys(received.root)),
        tpEvento=frozenset(_texts(received.root, "tpEvento")),
        cStat=frozenset(number(code) or "" for code in _texts(received.root, "cStat")),
        nProt=next(_texts(registered, "nProt"), None),
        dhRegEvento=next(_texts(registered, "dhRegEvento"), None),
    )


def keys_in(text: str, chBPe: str) -> frozenset[str]:
    """The access keys that can be seen in `text`; digits in which `chBPe` is found name no other key."""
    others = _KEY.findall(text.replace(chBPe, " "))
    return frozenset([*others, chBPe] if chBPe in text else others)


def _keys(root: Element) -> Iterator[str]:
    yield from _texts(root, "chBPe")
    for element in all_named(root, "infEvento"):
        found = _ID.fullmatch((element.get("Id") or "").strip())
        if found:
            yield found[1]


def _texts(part: Element, name: str) -> Iterator[str]:
    return (text for text in map(whole_text, all_named(part, name)) if text)


def _look(texts: list[str], chBPe: str) -> frozenset[str]:
    """The keys that these texts show, and the names of fields."""
    keys = {key for text in texts for key in keys_in(text, chBPe)}
    return frozenset(keys | {name for name in _NAMES if any(name in text for text in texts)})
