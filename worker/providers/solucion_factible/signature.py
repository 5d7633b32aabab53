"""What a WSDL says about the one operation, so that two of them can be compared."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Literal

from worker.providers.solucion_factible.wsdl import OPERATION, WsdlUnusable, binding_of, loaded


@dataclass(frozen=True, slots=True)
class Signature:
    """The operation as one SOAP version's binding has it. Names are `{namespace}name`.

    Attributes:
        parameters, answer: Names and types of their fields, in order.
    """

    action: str
    request: str
    parameters: tuple[str, ...]
    response: str
    answer: tuple[str, ...]

    def differences(self, other: "Signature") -> list[str]:
        """In which parts the other one says something else."""
        return [one.name for one in fields(self) if getattr(self, one.name) != getattr(other, one.name)]


def signature(wsdl: bytes, *, soap_version: Literal["1.1", "1.2"]) -> Signature:
    """The operation's signature.

    Raises:
        WsdlUnusable: it is no WSDL, or has no such operation.
    """
    try:
        binding = binding_of(loaded(wsdl, "http://localhost/"), soap_version)
        operation = binding.get(OPERATION)
        request, response = operation.input.body, operation.output.body
        returned = [element for _, element in response.type.elements]
        return Signature(
            action=operation.soapaction or "",
            request=str(request.qname),
            parameters=tuple(_fields(request.type)),
            response=f"{response.qname} {' '.join(str(one.qname) for one in returned)}",
            answer=tuple(line for one in returned for line in _fields(one.type)),
        )
    except WsdlUnusable:
        raise
    except Exception as failure:  # noqa: BLE001 - zeep raises whatever it stumbles over
        raise WsdlUnusable(f"{type(failure).__name__}: {failure}") from None


def _fields(kind: Any) -> Iterator[str]:
    for _, element in kind.elements:
        yield f"{element.qname} {element.type.name or ''}"
