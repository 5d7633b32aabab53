"""SOAP envelopes, 1.1 and 1.2: reading the request, writing the answer as Axis2 does."""

from dataclasses import dataclass, field
from enum import StrEnum
from xml.sax.saxutils import escape

from lxml import etree

from worker.sandbox.behaviours import Form
from worker.sandbox.reply import Reply
from worker.sandbox.wsdl import OPERATION, namespaces
from worker.sandbox.xml import NotXml, parse


class SoapVersion(StrEnum):
    """The envelope's namespace."""

    V11 = "http://schemas.xmlsoap.org/soap/envelope/"
    V12 = "http://www.w3.org/2003/05/soap-envelope"


_CONTENT_TYPES = {SoapVersion.V11: "text/xml", SoapVersion.V12: "application/soap+xml"}
_OTHER = {SoapVersion.V11: SoapVersion.V12, SoapVersion.V12: SoapVersion.V11}
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


@dataclass(frozen=True, slots=True)
class SoapRequest:
    """The parameters of `cancelarSectorPrimario`; None where one is missing."""

    version: SoapVersion
    usuario: str | None
    password: str | None = field(repr=False)
    uuid: str | None


class SoapProblem(Exception):
    """A request that ends in a SOAP Fault before the operation is reached."""

    def __init__(self, version: SoapVersion, text: str) -> None:
        super().__init__(text)
        self.version = version
        self.text = text


def read(body: bytes, content_type: str) -> SoapRequest:
    """The request in an envelope; headers (WS-Addressing and others) are ignored.

    Raises:
        SoapProblem: not this operation's envelope.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    version = SoapVersion.V12 if media_type == "application/soap+xml" else SoapVersion.V11
    try:
        envelope = parse(body)
    except NotXml:
        raise SoapProblem(version, "The message is not well-formed XML, or has a DTD") from None
    version = _version_of(envelope, version)
    if media_type != _CONTENT_TYPES[version]:
        raise SoapProblem(version, "Transport level information does not match with SOAP Message namespace URI")
    operation = next(iter(envelope.findall(f"{{{version}}}Body/*")), None)
    expected = f"{{{namespaces().operation}}}{OPERATION}"
    if operation is None or operation.tag != expected:
        raise SoapProblem(version, f"The operation cannot be found: the first element of Body must be {expected}")
    return SoapRequest(version, *(_parameter(operation, name, version) for name in ("usuario", "password", "uuid")))


def _version_of(envelope: etree._Element, version: SoapVersion) -> SoapVersion:
    for known in SoapVersion:
        if envelope.tag == f"{{{known}}}Envelope":
            return known
    raise SoapProblem(version, "The root element must be a SOAP 1.1 or 1.2 Envelope")


def _parameter(operation: etree._Element, name: str, version: SoapVersion) -> str | None:
    found = operation.findall(f"{{{namespaces().operation}}}{name}")
    if not found and operation.find(name) is not None:
        raise SoapProblem(version, f"Unexpected subelement {name}: it must be qualified")
    if not found or found[0].get(_NIL) in ("true", "1"):
        return None
    return "".join(str(part) for part in found[0].itertext())


def answer(version: SoapVersion, *, status: int, mensaje: str, acuse: str | None, form: Form) -> bytes:
    """The envelope of an answer: fields in alphabetical order, qualified (docs/providers/solucion-factible.md)."""
    fields = {
        "acuseSat": '<ax:acuseSat xsi:nil="true"/>' if acuse is None else f"<ax:acuseSat>{escape(acuse)}</ax:acuseSat>",
        "mensaje": f"<ax:mensaje>{escape(mensaje)}</ax:mensaje>",
        "status": f"<ax:status>{'OK' if form is Form.TEXT_STATUS else status}</ax:status>",
    }
    if form is Form.NO_STATUS:
        del fields["status"]
    if form is Form.EXTRA_FIELD:
        fields["version"] = "<ax:version>2</ax:version>"
    order = sorted(fields, reverse=form is Form.OTHER_ORDER)
    spaces = namespaces()
    return _envelope(
        version,
        f'<ns:{OPERATION}Response xmlns:ns="{escape(spaces.operation)}" xmlns:ax="{escape(spaces.types)}" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><ns:return xsi:type="ax:StatusCancelacionResponse">'
        f"{''.join(fields[name] for name in order)}</ns:return></ns:{OPERATION}Response>",
    )


def answered(version: SoapVersion, *, status: int, mensaje: str, acuse: str | None, form: Form, code: str) -> Reply:
    """The HTTP answer, in the version of the request unless the form says otherwise."""
    version = _OTHER[version] if form is Form.OTHER_SOAP_VERSION else version
    body = answer(version, status=status, mensaje=mensaje, acuse=acuse, form=form)
    return Reply(code, body, f"{_CONTENT_TYPES[version]}; charset=UTF-8")


def fault(version: SoapVersion, text: str, *, by_client: bool = True) -> Reply:
    """A SOAP Fault with HTTP 500, as Axis2 sends it."""
    who11, who12 = ("Client", "Sender") if by_client else ("Server", "Receiver")
    if version is SoapVersion.V11:
        detail = f"<faultcode>soapenv:{who11}</faultcode><faultstring>{escape(text)}</faultstring><detail/>"
    else:
        detail = (
            f"<soapenv:Code><soapenv:Value>soapenv:{who12}</soapenv:Value></soapenv:Code>"
            f'<soapenv:Reason><soapenv:Text xml:lang="en-US">{escape(text)}</soapenv:Text></soapenv:Reason>'
        )
    body = _envelope(version, f"<soapenv:Fault>{detail}</soapenv:Fault>")
    return Reply("fault", body, f"{_CONTENT_TYPES[version]}; charset=UTF-8", 500)


def _envelope(version: SoapVersion, content: str) -> bytes:
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        f'<soapenv:Envelope xmlns:soapenv="{version}"><soapenv:Body>{content}</soapenv:Body></soapenv:Envelope>'
    ).encode()
