"""The project's WSDL of Solución Factible with this server's address in it."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from lxml import etree

from worker.sandbox.xml import parse

OPERATION = "cancelarSectorPrimario"
_XS = "{http://www.w3.org/2001/XMLSchema}"
_SOAP_ADDRESSES = (
    "{http://schemas.xmlsoap.org/wsdl/soap/}address",
    "{http://schemas.xmlsoap.org/wsdl/soap12/}address",
)


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Of the operation and its parameters, and of the fields in the answer."""

    operation: str
    types: str


def wsdl(address: str) -> bytes:
    """The WSDL; every port of it is at `address`."""
    root = parse(_text())
    for place in root.iter(*_SOAP_ADDRESSES):
        place.set("location", address)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


@cache
def namespaces() -> Namespaces:
    """The namespaces that the WSDL names: they are guesses in it, and so are never written down twice."""
    root = parse(_text())
    return Namespaces(
        operation=_schema_with(root, f'{_XS}element[@name="{OPERATION}"]'),
        types=_schema_with(root, f'{_XS}complexType[@name="StatusCancelacionResponse"]'),
    )


def _schema_with(root: etree._Element, path: str) -> str:
    return next(
        schema.get("targetNamespace", "") for schema in root.iter(f"{_XS}schema") if schema.find(path) is not None
    )


@cache
def _text() -> bytes:
    """Read as data: importing the adapter's package would bring the adapter along."""
    return (files("worker.providers") / "solucion_factible" / "cancelacion.wsdl").read_bytes()
