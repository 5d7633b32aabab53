"""The behaviours of Solución Factible's documents (docs/providers/solucion-factible.md)."""

from collections.abc import Mapping

from worker.sandbox.behaviours import FAULT_MEANINGS, FAULT_NUMBERS, Behaviour, FaultKind, Form, by_name

MESSAGES: Mapping[int, str] = {
    200: "La cancelación se ha procesado exitosamente.",
    204: "El comprobante no se puede cancelar.",
    211: "La cancelación está en proceso.",
    213: "La solicitud de cancelación fue rechazada por el receptor.",
    500: "Han ocurrido errores internos que impidieron registrar la solicitud de cancelación, intente de nuevo.",
    501: "Ha ocurrido un error interno de comunicación con la base de datos, intente de nuevo.",
    601: "Error de autenticación, el nombre de usuario o contraseña son incorrectos.",
    602: "La cuenta de usuario se encuentra bloqueada.",
    603: "La contraseña de la cuenta ha expirado.",
    604: "Se ha superado el número máximo permitido de intentos fallidos de autenticación.",
    605: "El usuario se encuentra inactivo.",
    611: "Los datos recibidos están incompletos o no se encuentran donde se esperarían.",
    620: "Permiso denegado.",
    621: "Los datos recibidos no son válidos.",
    623: "El UUID proporcionado no se encuentra en el panel de timbrado del usuario.",
    633: "Uso indebido de cuenta de producción en pruebas o cuenta de prueba en producción.",
    999: "Código desconocido.",
}
ORDINARY = "200"
DISAGREEING = range(203, 213)
"""The `EstatusUUID` of a 200 whose acuse says otherwise."""


def _of_code(code: int, meaning: str) -> Behaviour:
    return Behaviour(name=str(code), place=f"0000-A{code}", meaning=meaning, code=code)


def _of_form(number: int, form: Form, meaning: str) -> Behaviour:
    return Behaviour(name=form.value, place=f"{number:04d}-A200", meaning=meaning, code=200, form=form)


def _of_fault(number: int, fault: FaultKind) -> Behaviour:
    return Behaviour(
        name=fault.value, place=f"F{number:03d}-A200", meaning=FAULT_MEANINGS[fault], code=200, fault=fault
    )


_CODES = (
    _of_code(200, "cancelled, acuse with EstatusUUID 201; repeats: 200 and EstatusUUID 202"),
    _of_code(204, "cannot be cancelled"),
    _of_code(211, "in process, then 200"),
    _of_code(213, "rejected by the recipient"),
    _of_code(500, "internal error, not registered"),
    _of_code(501, "database error, not registered"),
    *(_of_code(code, f"account code {code}") for code in (601, 602, 603, 604, 605)),
    _of_code(611, "data incomplete"),
    _of_code(620, "permission denied"),
    _of_code(621, "data invalid"),
    _of_code(623, "not in the stamping panel"),
    _of_code(633, "wrong environment"),
    _of_code(999, "a code that is not documented"),
)
_STORIES = (
    Behaviour(name="211-then-213", place="0213-A211", meaning="in process, then 213", code=211, then="213"),
    Behaviour(name="211-then-204", place="0204-A211", meaning="in process, then 204", code=211, then="204"),
    Behaviour(name="211-for-ever", place="0211-A211", meaning="in process without end", code=211, then="211-for-ever"),
    Behaviour(
        name="200-already", place="0202-A200", meaning="was cancelled before: EstatusUUID 202", code=200,
        cancelled_before=True,
    ),
    *(
        Behaviour(
            name=f"200-estatus-{estatus}", place=f"{estatus:04d}-A200",
            meaning=f"status 200, but EstatusUUID {estatus}: not cancelled", code=200, estatus=estatus,
        )
        for estatus in DISAGREEING
    ),
    Behaviour(
        name="501-acted", place="0001-A501", meaning="501 once, although it was cancelled", code=501, acts=True,
        calls=1,
    ),
    *(
        Behaviour(
            name=f"cut-after-then-{code}", place=f"F004-A{code}", code=200, fault=FaultKind.CUT_AFTER, calls=1,
            meaning=f"the first call acts and is cut; repeats say {code}", then=str(code),
        )
        for code in (204, 611, 621, 623)
    ),
)  # fmt: skip
_FORMS = (
    _of_form(1001, Form.NO_ACUSE, "200 without an acuse"),
    _of_form(1002, Form.XML_ACUSE, "acuse as plain XML instead of base64"),
    _of_form(1003, Form.DEFAULT_NAMESPACE, "acuse with a default namespace at its root"),
    _of_form(1004, Form.OTHER_UUID, "acuse about another UUID (not cancelled)"),
    _of_form(1005, Form.LOWER_CASE, "acuse with the UUID in lower case"),
    _of_form(1006, Form.LATIN_1, "acuse in ISO-8859-1: bytes that are not UTF-8"),
    _of_form(1007, Form.BROKEN_ACUSE, "acuse that is neither base64 nor XML"),
    _of_form(1008, Form.OTHER_ORDER, "fields in another order"),
    _of_form(1009, Form.EXTRA_FIELD, "a field that the WSDL does not know"),
    _of_form(1010, Form.NO_STATUS, "no status (cancelled all the same)"),
    _of_form(1011, Form.TEXT_STATUS, "a status that is not a number (cancelled all the same)"),
    _of_form(1012, Form.OTHER_SOAP_VERSION, "answers in the other SOAP version"),
    _of_form(1013, Form.SOAP_FAULT, "HTTP 500 with a SOAP Fault, not cancelled"),
)
_FAULTS = tuple(_of_fault(number, fault) for number, fault in FAULT_NUMBERS.items())

SF_BEHAVIOURS = by_name(*_CODES, *_STORIES, *_FORMS, *_FAULTS)
"""Every behaviour of a UUID, by name."""
