"""The acuse: the SAT's signed receipt, kept byte for byte and read only to see whether it says the same."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from worker.answer import Evidence
from worker.providers import evidence_reader, quoting, visible
from worker.providers.evidence_reader import Legible
from worker.providers.untrusted_xml import Element, all_named, name, whole_text

_UUID = re.compile(
    r"[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}|(?<![0-9A-Z])[0-9A-F]{32}(?![0-9A-Z])"
)
_ESTATUS_UUID = re.compile(r"ESTATUSUUID[^0-9]{0,40}([0-9]+)")
_LONE_ESTATUS = re.compile(r">\s*(2(?:0[1-9]|1[0-2]))\s*<")
"""The SAT's codes, 201 to 212, where the name around one is damaged."""
_NAMES = re.compile(r"ESTATUSUUID|[<:/]UUID")


@dataclass(frozen=True, slots=True, repr=False)
class Acuse:
    """An acuse and what it says about one document.

    Attributes:
        legible: WHOLE where it is one XML document that names a UUID.
        estatus_uuid: The SAT's codes for the document, normally one; every code that can be seen, where it is damaged
            or puts none beside the document.
        names_another: It names documents, and ours is not among them.
    """

    evidence: Evidence
    legible: Legible
    estatus_uuid: frozenset[str] = frozenset()
    names_another: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class _Seen:
    uuids: frozenset[str]
    estatus_uuid: frozenset[str]
    names: bool

    def __bool__(self) -> bool:
        return bool(self.uuids or self.estatus_uuid or self.names)


def read(text: str, uuid: str) -> Acuse:
    """The acuse in `text`, plain XML or base64: the documentation says string, generated clients say bytes."""
    content = text.encode("utf-8", "surrogateescape")
    received, ours = evidence_reader.read(content), _bare(uuid)
    root = received.root
    named = _named(root) if root is not None else set()
    if root is not None and named:
        said = _estatus_of(root, ours) or visible.found_in(received.evidence.content, _look)[1].estatus_uuid
        return Acuse(received.evidence, Legible.WHOLE, said, names_another=ours not in named)
    legible, seen = visible.found_in(content, _look)
    names_another = bool(seen.uuids) and ours not in seen.uuids
    return Acuse(received.evidence, legible, seen.estatus_uuid, names_another=names_another)


def _bare(uuid: str) -> str:
    """A UUID as its digits alone, so that case, hyphens and braces make no other document of it."""
    return re.sub(r"[\s{}-]", "", uuid).upper()


def _named(root: Element) -> set[str]:
    return {_bare(whole_text(element)) for element in all_named(root, "UUID")} - {""}


def _estatus_of(root: Element, ours: str) -> frozenset[str]:
    """Every `EstatusUUID` that belongs to our `UUID` among its siblings."""
    codes = (
        quoting.code(whole_text(estatus))
        for element in all_named(root, "UUID")
        if _bare(whole_text(element)) == ours
        for estatus in _beside(element)
    )
    return frozenset(code for code in codes if code)


def _beside(uuid: Element) -> Iterator[Element]:
    """Those up to the next `UUID`; all among its siblings where it is the only one or does not come first."""
    parent = uuid.getparent()
    siblings = [uuid] if parent is None else list(parent)
    names = [name(one) for one in siblings]
    of_all = [one for one, its in zip(siblings, names, strict=True) if its == "EstatusUUID"]
    if names.count("UUID") == 1 or "EstatusUUID" in names[: names.index("UUID")]:
        yield from of_all
        return
    for sibling in uuid.itersiblings():
        if name(sibling) == "UUID":
            return
        if sibling in of_all:
            yield sibling


def _look(level: list[str]) -> _Seen:
    """What these texts show of an acuse."""
    texts = [text.upper() for text in level]
    codes = (found[1] for text in texts for form in (_ESTATUS_UUID, _LONE_ESTATUS) for found in form.finditer(text))
    return _Seen(
        uuids=frozenset(_bare(found[0]) for text in texts for found in _UUID.finditer(text)),
        estatus_uuid=frozenset(code for code in map(quoting.code, codes) if code),
        names=any(_NAMES.search(text) for text in texts),
    )
