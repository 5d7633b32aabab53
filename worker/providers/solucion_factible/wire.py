"""Reads the raw SOAP answer by local names: the namespaces of the live service were never seen, and zeep's own
parser loses a plain XML acuse and trips over an added field (docs/providers/solucion-factible.md).
"""

from dataclasses import dataclass

from worker.providers import untrusted_xml
from worker.providers.untrusted_xml import Element, all_named, first_text, name, text_of

SOAP_NAMESPACES = {
    "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
    "1.2": "http://www.w3.org/2003/05/soap-envelope",
}
"""SOAP 1.1, section 3; SOAP 1.2 part 1, section 5.1."""
_ENVELOPES = {f"{{{namespace}}}Envelope" for namespace in SOAP_NAMESPACES.values()}


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """What stands in an answer, each part as text; None where it is missing, blank, or not there exactly once.

    Attributes:
        fault: The text of a SOAP fault; then nothing else is set.
        acuse: Exactly as received between the tags; the whole answer where it is there as elements or several times,
            since nothing can be taken out of a document unaltered.
        is_readable: It is one SOAP envelope.
    """

    status: str | None = None
    mensaje: str | None = None
    acuse: str | None = None
    fault: str | None = None
    is_readable: bool = True


_UNREADABLE = Reply(is_readable=False)


def read(body: bytes) -> Reply:
    """The parts of an answer, in either SOAP version: what it says does not depend on the envelope's."""
    envelope = untrusted_xml.parsed(body)
    if envelope is None or envelope.tag not in _ENVELOPES:
        return _UNREADABLE
    bodies = [child for child in envelope if name(child) == "Body"]
    if len(bodies) != 1 or len(bodies[0]) != 1:
        return _UNREADABLE
    content = bodies[0][0]
    if name(content) == "Fault":
        # SOAP 1.1 says faultstring, 1.2 Reason/Text
        return Reply(fault=first_text(content, "faultstring") or first_text(content, "Text") or "SOAP fault")
    return Reply(
        status=text_of(_single(content, "status")),
        mensaje=text_of(_single(content, "mensaje")),
        acuse=_acuse(content, body),
    )


def _acuse(content: Element, body: bytes) -> str | None:
    found = list(all_named(content, "acuseSat"))
    if not any(len(acuse) or text_of(acuse) for acuse in found):
        return None
    if len(found) == 1 and not len(found[0]):
        return found[0].text
    return body.decode("utf-8", "surrogateescape")


def _single(content: Element, wanted: str) -> Element | None:
    found = list(all_named(content, wanted))
    return found[0] if len(found) == 1 else None
