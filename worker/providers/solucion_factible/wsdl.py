"""The WSDL and what zeep makes of it: the envelope of a call. zeep never sends and never reads an answer."""

from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import zeep
from lxml import etree
from zeep.wsdl.bindings.soap import Soap11Binding, Soap12Binding

OPERATION = "cancelarSectorPrimario"
OWN = Path(__file__).with_name("cancelacion.wsdl")
"""The WSDL that comes with the project: a start never depends on the provider's server."""
_BINDINGS = {"1.1": Soap11Binding, "1.2": Soap12Binding}
_SETTINGS = {"forbid_dtd": True, "forbid_entities": True, "forbid_external": True, "xml_huge_tree": False}


class WsdlUnusable(Exception):
    """The WSDL is no WSDL, or not one that this call can be built from; the message says which."""


@dataclass(frozen=True, slots=True, repr=False)
class Envelope:
    """A call ready to be sent."""

    content: bytes
    headers: dict[str, str] = field(default_factory=dict)


class _NothingElse:
    """zeep's transport, for a WSDL that has to stand in one document."""

    def load(self, url: str) -> bytes:
        raise WsdlUnusable(f"it refers to another document ({url}); everything has to stand in one")


class EnvelopeBuilder:
    """Builds envelopes by a WSDL's namespaces, elements and SOAP action; may be shared by threads."""

    def __init__(self, wsdl: bytes, *, soap_version: Literal["1.1", "1.2"], endpoint: str) -> None:
        """Load `wsdl` and build one envelope for trial.

        Raises:
            WsdlUnusable: nothing can be built from it.
        """
        self._soap_version = soap_version
        try:
            self._client = loaded(wsdl, endpoint)
            self._service, self._action = _bound(self._client, soap_version, endpoint)
            self.build(username="user", password="password", uuid="uuid")  # noqa: S106 - a trial
        except WsdlUnusable:
            raise
        except Exception as failure:  # noqa: BLE001 - see the next line
            # zeep raises whatever it stumbles over: KeyError, TypeError, IndexError and its own
            raise WsdlUnusable(f"{type(failure).__name__}: {failure}") from None

    def build(self, *, username: str, password: str, uuid: str) -> Envelope:
        """The envelope of one call, with the HTTP headers that belong to it."""
        envelope = self._client.create_message(self._service, OPERATION, usuario=username, password=password, uuid=uuid)
        content = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
        if self._soap_version == "1.1":
            headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{self._action}"'}
        else:
            headers = {"Content-Type": f'application/soap+xml; charset=utf-8; action="{self._action}"'}
        return Envelope(content, headers)


def loaded(wsdl: bytes, endpoint: str) -> zeep.Client:
    """A WSDL, which has to stand in one document, as zeep sees it; zeep raises whatever it stumbles over."""
    client = zeep.Client(BytesIO(wsdl), transport=_NothingElse(), settings=zeep.Settings(**_SETTINGS))
    for service in client.wsdl.services.values():
        for port in service.ports.values():
            # Some ports of the provider's WSDL have no address, and zeep names the first port's in wsa:To
            port.binding_options = {"address": endpoint}
    return client


def binding_of(client: zeep.Client, soap_version: str) -> Any:
    """The SOAP version's binding that has the operation, whatever the WSDL calls it.

    Raises:
        WsdlUnusable: there is none.
    """
    for binding in client.wsdl.bindings.values():
        if isinstance(binding, _BINDINGS[soap_version]) and OPERATION in binding.all():
            return binding
    raise WsdlUnusable(f"it has no SOAP {soap_version} binding with the operation {OPERATION}")


def _bound(client: zeep.Client, soap_version: str, endpoint: str) -> tuple[Any, str]:
    """The service proxy of the SOAP version, and the operation's SOAP action."""
    binding = binding_of(client, soap_version)
    return client.create_service(str(binding.name), endpoint), binding.get(OPERATION).soapaction or ""
