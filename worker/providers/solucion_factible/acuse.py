"""The acuse: the SAT's signed receipt, kept byte for byte and read only to see whether it says the same."""

import base64
from dataclasses import dataclass

from worker.answer import Evidence
from worker.providers import quoting, untrusted_xml
from worker.providers.untrusted_xml import Element, all_named, name, text_of


@dataclass(frozen=True, slots=True, repr=False)
class Acuse:
    """An acuse and what it says about one document.

    Attributes:
        estatus_uuid: The SAT's codes for the document, normally one.
        is_readable: It is XML that names a document.
        names_another: It names documents, and ours is not among them.
    """

    evidence: Evidence
    estatus_uuid: frozenset[str] = frozenset()
    is_readable: bool = True
    names_another: bool = False


def read(text: str, uuid: str) -> Acuse:
    """The acuse in `text`, plain XML or base64: the documentation says string, generated clients say bytes."""
    content = _content(text)
    root = untrusted_xml.parsed(content) if content else None
    named = {(text_of(element) or "").upper() for element in all_named(root, "UUID")} if root is not None else set()
    if root is None or content is None or not named:
        return Acuse(Evidence(text.encode("utf-8", "surrogateescape"), "text/plain"), is_readable=False)
    return Acuse(
        Evidence(content),
        estatus_uuid=_estatus_of(root, uuid.upper()),
        names_another=uuid.upper() not in named,
    )


def _content(text: str) -> bytes | None:
    if text.lstrip().startswith("<"):
        return text.lstrip().encode("utf-8", "surrogateescape")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        return None


def _estatus_of(root: Element, uuid: str) -> frozenset[str]:
    """Every `EstatusUUID` that follows our `UUID` among the same siblings, before the next `UUID`."""
    found = set()
    for element in all_named(root, "UUID"):
        if (text_of(element) or "").upper() != uuid:
            continue
        for sibling in element.itersiblings():
            if name(sibling) == "UUID":
                break
            if name(sibling) == "EstatusUUID":
                found.add(quoting.code(sibling.text) or "")
    return frozenset(found - {""})
