"""Bodies of the three requests, and a tolerant reading of the answers' JSON (docs/providers/ns-bpe.md).

The provider writes numbers as numbers or as text, errors as an object or as a list, and the event's fields inside
`retEvento` or beside it.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from config.accounts import Environment
from worker.providers.body import Body
from worker.request import NsBpeRequest

TP_AMB = {Environment.PRODUCTION: 1, Environment.TEST: 2}
"""`tpAmb`, from the provider's page "BPe Cancellation"."""
_OWN_FIELDS = frozenset({"motivo", "erro", "erros", "retEvento", "retConsSitBPe", "cStat", "xMotivo"})
_NUMBER = re.compile("-?[0-9]{1,9}")
_EVENT = re.compile("<[^<>]{0,80}EventoBPe", re.IGNORECASE)
_HTTP_ERRORS = range(400, 600)

Json = Mapping[str, Any]
_NOTHING: Json = {}


def cancel_body(request: NsBpeRequest, environment: Environment) -> bytes:
    """The request to cancel: the same bytes each time, since SEFAZ recognises a repeat by its content.

    Key and protocol are text, as in the provider's example, because 44 digits fit no number.
    """
    if request.dhEvento is None:
        raise ValueError("the event time has to be fixed before the first call")
    return _encoded(
        {
            "chBPe": request.chBPe,
            "tpAmb": TP_AMB[environment],
            "dhEvento": request.dhEvento,
            "nProt": request.nProt,
            "xJust": request.xJust,
        }
    )


def status_body(request: NsBpeRequest, environment: Environment) -> bytes:
    """The question what SEFAZ has on record."""
    return _encoded({"chBPe": request.chBPe, "tpAmb": TP_AMB[environment]})


def event_body(request: NsBpeRequest, environment: Environment) -> bytes:
    """The request for the XML of the first (and only) cancellation event."""
    key = {"chBPe": request.chBPe, "tpAmb": TP_AMB[environment]}
    return _encoded({**key, "tpDown": "X", "tpEvento": "CANC", "nSeqEvento": "1"})


def _encoded(body: Json) -> bytes:
    """ASCII with escapes: the same text whatever encoding a server assumes."""
    return json.dumps(body, separators=(",", ":")).encode("ascii")


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Reply:
    """What stands in an answer, each part as text; None where it is missing or blank.

    Attributes:
        is_empty: There is no body at all.
        is_own: It is JSON that the provider wrote, not a page of a firewall.
        may_be_own: Nobody can say that the provider did not write it: it is, or it is not whole.
        status: The provider's own code.
        cStat: The authority's code as a number without leading zeros; of several places the innermost counts.
        cStat_as_received: The same, as it was written.
        words: The most telling text: the authority's, else the error's, else the provider's.
        chBPe: The key that the answer is about, where it names one.
        xml: The event's XML, exactly as it came.
        situation: What SEFAZ said to a look-up.
    """

    is_empty: bool = False
    is_own: bool = False
    may_be_own: bool = False
    status: str | None = None
    cStat: str | None = None
    cStat_as_received: str | None = None
    words: str | None = None
    chBPe: str | None = None
    nProt: str | None = None
    dhRegEvento: str | None = None
    xml: str | None = None
    situation: Json = field(default_factory=dict)


def read(body: Body) -> Reply:
    """The reply in `body`; what is not whole, or no JSON object, leaves it without parts."""
    if body.problem:
        return Reply(may_be_own=True)
    if not body.text:
        return Reply(is_empty=True)
    value = _decoded(body.text)
    if value is None:
        return Reply(may_be_own=_may_be_json(body))
    situation, event = an_object(value.get("retConsSitBPe")), an_object(value.get("retEvento"))
    error = _error(value)
    inside_out = (situation, event, error, value)
    cStat, status = _first("cStat", *inside_out), text_of(value.get("status"))
    is_own = not _OWN_FIELDS.isdisjoint(value) or _is_own_status(status)
    return Reply(
        is_own=is_own,
        may_be_own=is_own,
        status=status,
        cStat=number(cStat),
        cStat_as_received=cStat,
        words=_first("xMotivo", *inside_out) or _first("motivo", error) or _listed(value) or _first("motivo", value),
        chBPe=_first("chBPe", *inside_out),
        nProt=_first("nProt", event, value),
        dhRegEvento=_first("dhRegEvento", event, value),
        xml=_xml(event, value),
        situation=situation,
    )


def _may_be_json(body: Body) -> bool:
    """Whether what is no JSON may have been the provider's, and no page of somebody else's."""
    shows_a_field = any(f'"{name}"' in body.text for name in _OWN_FIELDS)
    return body.text.startswith("{") or shows_a_field or not body.is_text


def _decoded(text: str) -> Json | None:
    """The JSON object in `text`, every number as text; one without fields where it is another value, None where it is
    no JSON. Line breaks and tabs within its texts are taken as they are.
    """
    try:
        value = json.loads(
            text,
            strict=False,
            parse_int=str,  # 44 digits of a key, or 44,000 of an attack
            parse_float=str,
            parse_constant=_no_constant,
            object_pairs_hook=_without_contradictions,
        )
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else _NOTHING


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _without_contradictions(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for name, content in pairs:
        if value.setdefault(name, content) != content:
            raise ValueError("a field stands in it twice")
    return value


def _error(value: Json) -> Json:
    """`erro` as an object, as bare text, or as the first object among `erros`."""
    error = value.get("erro")
    return {"xMotivo": error} if text_of(error) else an_object(error) or an_object(value.get("erros"))


def _xml(event: Json, value: Json) -> str | None:
    """The event's XML; under another name or deeper inside too, where a text plainly is one."""
    for place in (event, value):
        if text_of(place.get("xml")):
            return str(place["xml"])
    elsewhere = _texts([content for name, content in value.items() if name != "retConsSitBPe"])
    return next((text for text in elsewhere if _EVENT.search(text)), None)


def _texts(value: object) -> Iterator[str]:
    """Every text in a JSON value, however deep."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict | list):
            left.extend(reversed(list(one.values()) if isinstance(one, dict) else one))


def _listed(value: Json) -> str | None:
    return "; ".join(text for text in map(text_of, items(value.get("erros"))) if text) or None


def _first(name: str, *places: Json) -> str | None:
    return next((text for text in (text_of(place.get(name)) for place in places) if text), None)


def _is_own_status(status: str | None) -> bool:
    """Whether a `status` without any other field of the provider's is its own: gateways write the HTTP error there."""
    return status is not None and _NUMBER.fullmatch(status) is not None and int(status) not in _HTTP_ERRORS


def number(code: str | None) -> str | None:
    """A code as the tables have it: `0135` is 135."""
    return code.lstrip("0") or "0" if code and code.isascii() and code.isdigit() else code


def an_object(value: object) -> Json:
    """`value` if it is an object, the first object if it is a list, else an object without fields."""
    return next((item for item in items(value) if isinstance(item, dict)), _NOTHING)


def items(value: object) -> Sequence[object]:
    """A list's items; anything else is its own only item."""
    return value if isinstance(value, list) else [value]


def text_of(value: object) -> str | None:
    """Text (or a number, which was decoded as such) without surrounding blanks; None for anything else."""
    return value.strip() or None if isinstance(value, str) else None
