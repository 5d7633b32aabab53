"""Reads the raw SOAP answer by local names: the namespaces of the live service were never seen, and zeep's own
parser loses a plain XML acuse and trips over an added field (docs/providers/solucion-factible.md).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from worker.providers import untrusted_xml
from worker.providers.body import Body
from worker.providers.untrusted_xml import Element, all_named, first_text, name, text_of

SOAP_NAMESPACES = {
    "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
    "1.2": "http://www.w3.org/2003/05/soap-envelope",
}
"""SOAP 1.1, section 3; SOAP 1.2 part 1, section 5.1."""
_ENVELOPES = {f"{{{namespace}}}Envelope" for namespace in SOAP_NAMESPACES.values()}
_MAY_BE_AN_ENVELOPE = re.compile(r"\A<(?:\?xml\b|[\w.-]+:)|<(?:[\w.-]+:)?Envelope\b")
_SHOWS_WHOSE_IT_IS_IN = 2_000


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """What an answer holds, each part as text; None where it is missing, blank, or not there exactly once.

    Attributes:
        fault: The text of a SOAP fault; then nothing else is set.
        acuse: Exactly as received: the characters between the tags, or the bytes of the part that they refer to; the
            whole answer where it holds the acuse as elements, since nothing can be taken out of a document unaltered.
            Bytes that are no UTF-8 are in it as `surrogateescape` has them, so that none is lost.
        is_readable: It is one SOAP envelope, whole, with one acuse at the most.
        may_be_own: The service wrote it, or nobody can say that it did not.
    """

    status: str | None = None
    mensaje: str | None = None
    acuse: str | None = None
    fault: str | None = None
    is_readable: bool = True
    may_be_own: bool = True


def read(body: Body) -> Reply:
    """The parts of an answer, in either SOAP version: what it says does not depend on the envelope's."""
    envelope = None if body.problem else untrusted_xml.parsed(body.text.encode(), encoding="utf-8")
    if envelope is None:
        return Reply(is_readable=False, may_be_own=_may_be_an_envelope(body))
    if envelope.tag not in _ENVELOPES:
        return Reply(is_readable=False, may_be_own=name(envelope) == "Envelope")
    bodies = [child for child in envelope if name(child) == "Body"]
    if len(bodies) != 1 or len(bodies[0]) != 1:
        return Reply(is_readable=False)
    content = bodies[0][0]
    acuses = [acuse for acuse in all_named(content, "acuseSat") if len(acuse) or text_of(acuse) or acuse.get("href")]
    if len(acuses) > 1:
        return Reply(is_readable=False)
    if any(body.referred(reference) is None for reference in set(_references(content))):
        return Reply(is_readable=False)
    if name(content) == "Fault":
        # SOAP 1.1 says faultstring, 1.2 Reason/Text
        return Reply(fault=first_text(content, "faultstring") or first_text(content, "Text") or "SOAP fault")
    return Reply(
        status=text_of(_single(content, "status")),
        mensaje=text_of(_single(content, "mensaje")),
        acuse=_acuse(acuses[0], body) if acuses else None,
    )


def _may_be_an_envelope(body: Body) -> bool:
    """Whether what is no XML may have been an envelope, and no page of HTML."""
    begins = _MAY_BE_AN_ENVELOPE.search(body.text[:_SHOWS_WHOSE_IT_IS_IN])
    return body.problem is not None or begins is not None or not body.is_text


def _acuse(acuse: Element, body: Body) -> str | None:
    reference = next(_references(acuse), None)
    if reference is None and not len(acuse):
        return acuse.text
    original = body.content if reference is None else body.referred(reference) or b""
    text = original.decode("utf-8", "surrogateescape")
    return text if text.strip() else None


def _references(root: Element) -> Iterator[str]:
    """References to other parts: as XOP has them (`Include`), SOAP with attachments (`href`), or text of the acuse."""
    for element in root.iter("*"):
        if name(element) == "Include":
            yield element.get("href") or ""
            continue
        for reference in (element.get("href"), text_of(element) if name(element) == "acuseSat" else None):
            if reference and reference.strip().lower().startswith("cid:"):
                yield reference


def _single(content: Element, wanted: str) -> Element | None:
    found = list(all_named(content, wanted))
    return found[0] if len(found) == 1 else None
