"""What a document of the sandbox can do: one value per behaviour, and how it stands in a document number."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Layer(StrEnum):
    """Who says the code of an NS BP-e answer (docs/providers/ns-bpe.md)."""

    AUTHORITY = "cStat"
    PROVIDER = "status"
    HTTP = "http"


class FaultKind(StrEnum):
    """What can go wrong with one exchange; everything from `DELAY_AFTER` on acts first unless it says otherwise."""

    DELAY = "delay"
    CUT_BEFORE = "cut-before"
    ERROR_BEFORE = "error-before"
    BUSY_429 = "busy-429"
    BUSY_503 = "busy-503"
    REDIRECT = "redirect"
    DELAY_AFTER = "delay-after"
    CUT_AFTER = "cut-after"
    ERROR_AFTER = "error-after"
    HANG = "hang"
    GARBAGE = "garbage"
    EMPTY = "empty"
    HALF = "half"
    DRIP_BODY = "drip-body"
    DRIP_HEADERS = "drip-headers"
    GZIP_BOMB = "gzip-bomb"
    HUGE = "huge"
    WRONG_TYPE = "wrong-type"


FAULT_MEANINGS: Mapping[FaultKind, str] = {
    FaultKind.DELAY: "waits (3 s), then acts and answers",
    FaultKind.CUT_BEFORE: "cuts the TCP connection, nothing done",
    FaultKind.ERROR_BEFORE: "HTTP 502 with HTML, nothing done",
    FaultKind.BUSY_429: "HTTP 429 with Retry-After: 2, nothing done",
    FaultKind.BUSY_503: "HTTP 503 with Retry-After: 2, nothing done",
    FaultKind.REDIRECT: "HTTP 307 to another address, nothing done",
    FaultKind.DELAY_AFTER: "acts, waits (3 s), answers",
    FaultKind.CUT_AFTER: "acts, then cuts the TCP connection without an answer",
    FaultKind.ERROR_AFTER: "acts, then HTTP 502 with HTML",
    FaultKind.HANG: "acts, then keeps the connection open without an answer (600 s)",
    FaultKind.GARBAGE: "acts, then HTTP 200 with bytes that are neither XML nor JSON",
    FaultKind.EMPTY: "acts, then HTTP 200 with an empty body",
    FaultKind.HALF: "acts, sends half of the answer, cuts the connection",
    FaultKind.DRIP_BODY: "acts, sends the body one byte at a time (1 s apart)",
    FaultKind.DRIP_HEADERS: "acts, sends the headers one byte at a time (1 s apart)",
    FaultKind.GZIP_BOMB: "acts, answers a small gzip body that unpacks to 256 MiB",
    FaultKind.HUGE: "acts, answers 64 MiB",
    FaultKind.WRONG_TYPE: "acts, sends the right answer as Content-Type image/png",
}


FAULT_NUMBERS: Mapping[int, FaultKind] = {
    1: FaultKind.DELAY,
    2: FaultKind.DELAY_AFTER,
    3: FaultKind.CUT_BEFORE,
    4: FaultKind.CUT_AFTER,
    5: FaultKind.ERROR_BEFORE,
    6: FaultKind.ERROR_AFTER,
    7: FaultKind.BUSY_429,
    8: FaultKind.BUSY_503,
    9: FaultKind.GARBAGE,
    10: FaultKind.EMPTY,
    11: FaultKind.HALF,
    12: FaultKind.DRIP_BODY,
    13: FaultKind.DRIP_HEADERS,
    14: FaultKind.GZIP_BOMB,
    15: FaultKind.HUGE,
    16: FaultKind.WRONG_TYPE,
    17: FaultKind.REDIRECT,
    18: FaultKind.HANG,
}
"""How a fault stands in a document number, the same for both providers."""


class Form(StrEnum):
    """How an answer is dressed; `PLAIN` is as documented."""

    PLAIN = "plain"
    NO_ACUSE = "no-acuse"
    XML_ACUSE = "xml-acuse"
    DEFAULT_NAMESPACE = "default-namespace"
    OTHER_UUID = "other-uuid"
    LOWER_CASE = "lower-case"
    LATIN_1 = "latin-1"
    BROKEN_ACUSE = "broken-acuse"
    OTHER_ORDER = "other-order"
    EXTRA_FIELD = "extra-field"
    NO_STATUS = "no-status"
    TEXT_STATUS = "text-status"
    OTHER_SOAP_VERSION = "other-soap-version"
    SOAP_FAULT = "soap-fault"
    STRINGS = "strings"
    ERROS = "erros"
    STATUS_135 = "status-135"
    TOP_LEVEL_XML = "top-level-xml"
    MOTIVO = "motivo"
    OTHER_KEY = "other-key"
    NO_EVENT = "no-event"
    XML_LATER = "xml-later"
    XML_NEVER = "xml-never"
    XML_OTHER_PROTOCOL = "xml-other-protocol"
    XML_OTHER_KEY = "xml-other-key"
    NUMBER_PROTOCOL = "number-protocol"
    NO_SUFFIX = "no-suffix"
    OTHER_TEXT = "other-text"
    HTML = "html"
    ONE_OBJECT = "one-object"
    NO_LIST = "no-list"
    EVENT_ONLY = "event-only"
    LOOK_UP_OTHER_KEY = "look-up-other-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One behaviour of a document.

    Attributes:
        place: How it stands in a document number (`worker.sandbox.numbers`).
        code: What a cancellation request is answered: SF `status`, or for BP-e the code of `layer`.
        acts: The document stands cancelled after the call although the answer does not say so.
        cancelled_before: The document was cancelled before anyone asked here.
        look_up: What a look-up answers instead of the truth: a cStat, or a negative body status.
        estatus: The SAT's `EstatusUUID` in the acuse of a first 200.
        calls: How many cancellation requests are treated so where the number does not say; 0 is every one.
        then: The behaviour after those calls, or when "in process" has ended; empty is the ordinary one.
    """

    name: str
    place: str
    meaning: str
    code: int
    layer: Layer = Layer.AUTHORITY
    form: Form = Form.PLAIN
    fault: FaultKind | None = None
    acts: bool = False
    cancelled_before: bool = False
    look_up: int | None = None
    estatus: int = 201
    calls: int = 0
    then: str = ""


def by_name(*behaviours: Behaviour) -> Mapping[str, Behaviour]:
    """The behaviours under their names; names and places must be unique."""
    table = {behaviour.name: behaviour for behaviour in behaviours}
    if len(table) != len(behaviours) or len({behaviour.place for behaviour in behaviours}) != len(behaviours):
        raise ValueError("two behaviours share a name or a place")
    return table
