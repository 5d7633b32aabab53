"""NS BP-e's side of the sandbox: cancel, status, get/event (docs/providers/ns-bpe.md)."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from config.accounts import Environment, ProviderName
from worker.sandbox import bpe_answers as answers
from worker.sandbox.accounts import token_label
from worker.sandbox.behaviours import Form, Layer
from worker.sandbox.bpe_behaviours import BPE_BEHAVIOURS, REGISTERED
from worker.sandbox.calls import Kind
from worker.sandbox.connection import ClientGone, Connection, RequestTooLong
from worker.sandbox.documents import Document, Event
from worker.sandbox.event_xml import event_xml
from worker.sandbox.exchange import Asked, State, Turn, exchange
from worker.sandbox.numbers import provider_of
from worker.sandbox.reply import Reply, html_reply

PATHS: Mapping[str, Kind] = {
    "/v1/bpe/cancel": Kind.CANCEL,
    "/v1/bpe/status": Kind.LOOK_UP,
    "/v1/bpe/get/event": Kind.DOWNLOAD,
}
_MANDATORY: Mapping[Kind, tuple[str, ...]] = {
    Kind.CANCEL: ("chBPe", "tpAmb", "dhEvento", "nProt", "xJust"),
    Kind.LOOK_UP: ("chBPe", "tpAmb"),
    Kind.DOWNLOAD: ("chBPe", "tpAmb", "tpDown", "tpEvento", "nSeqEvento"),
}
_CLOCK_TOLERANCE = timedelta(minutes=5)
_XJUST = re.compile(r"[!-ÿ][ -ÿ]{13,253}[!-ÿ]")
_DH_EVENTO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(-(0\d|1[01])|\+(0\d|1[0-2])):00", re.ASCII)
_N_PROT = re.compile(r"[0-9]{15}")
_BEFORE_DUPLICATES = (108, 109, 286, 296, 678, 656, 996, 997, 999)
"""What the authority says before it looks whether the event is there already."""
_ABUSE_TOKEN = "678"  # noqa: S105 - a code, not a secret


@dataclass(frozen=True, slots=True)
class BpeRequest:
    """The fields of a request, as text; numbers are taken too, as the documentation has them."""

    kind: Kind
    fields: Mapping[str, str]

    @property
    def key(self) -> str:
        """The access key, in upper case."""
        return self.fields.get("chBPe", "").upper()


class NsBpeService:
    """The ASGI application behind one of the three paths."""

    def __init__(self, state: State, kind: Kind) -> None:
        self._state = state
        self._kind = kind
        self._tp_amb = "1" if state.options.environment == Environment.PRODUCTION else "2"
        self._answers: Mapping[Kind, Callable[[BpeRequest, Turn], Reply]] = {
            Kind.CANCEL: self._cancel,
            Kind.LOOK_UP: self._look_up,
            Kind.DOWNLOAD: self._download,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        connection = Connection(scope, receive, send)
        token = Headers(scope=scope).get("x-auth-token", "")
        try:
            request = _read(self._kind, await connection.read())
        except RequestTooLong:
            await connection.reply(html_reply(413))
        except ClientGone:
            return
        else:
            asked = Asked(self._kind, token_label(token), request.key if request else "")
            await exchange(self._state, connection, asked, lambda turn: self._answer(request, token, turn))

    def _answer(self, request: BpeRequest | None, token: str, turn: Turn) -> Reply:
        refused = self._state.accounts.check_token(token)
        if refused == _ABUSE_TOKEN:
            return answers.rejected(int(refused))
        if refused:
            return answers.refused(int(refused)) if refused.startswith("-") else answers.http_error(int(refused))
        if request is None:
            return answers.http_error(400)
        if any(not request.fields.get(name) for name in _MANDATORY[request.kind]):
            return answers.refused(-400)
        if provider_of(request.key) is not ProviderName.NS_BPE:
            return answers.refused(-2)
        return self._answers[request.kind](request, turn)

    def _cancel(self, request: BpeRequest, turn: Turn) -> Reply:
        document = turn.document
        behaviour = document.behaviour_at(turn.number) if document else None
        if document and behaviour and behaviour.layer is not Layer.AUTHORITY:
            if behaviour.acts:
                self._registered(request, document, turn)
            return answers.layered(behaviour)
        code = behaviour.code if behaviour else 217
        if code in _BEFORE_DUPLICATES:
            return answers.rejected(code, document)
        cstat = self._first_objection(request, turn) or code
        if document and cstat in REGISTERED:
            return self._registered(request, document, turn, cstat=cstat)
        return answers.rejected(cstat, document)

    def _first_objection(self, request: BpeRequest, turn: Turn) -> int:
        """What the authority checks in this order before it decides about the document itself; 0 for nothing."""
        fields = request.fields
        if not (
            _XJUST.fullmatch(fields["xJust"]) and _N_PROT.fullmatch(fields["nProt"]) and _moment(fields["dhEvento"])
        ):
            return 215
        if fields["tpAmb"] != self._tp_amb:
            return 252
        document = turn.document
        if document and document.cancelled_at is not None and document.plan.behaviour is not BPE_BEHAVIOURS["218"]:
            return answers.ALREADY_DONE
        event_at = _moment(fields["dhEvento"])
        if event_at and event_at.timestamp() > turn.now + _CLOCK_TOLERANCE.total_seconds():
            return 635
        return 0

    def _registered(self, request: BpeRequest, document: Document, turn: Turn, *, cstat: int = 135) -> Reply:
        fields = request.fields
        event = Event(fields["dhEvento"], fields["nProt"], fields["xJust"])
        if document.cancelled_at is None:
            self._state.documents.cancel(document, turn.now, event)
        self._note_evidence(document)
        return answers.registered(document, cstat=cstat, tp_amb=self._tp_amb)

    def _note_evidence(self, document: Document) -> None:
        content = event_xml(document, cstat=_registered_as(document), tp_amb=self._tp_amb)
        document.evidence_sha256 = hashlib.sha256(content.encode()).hexdigest()

    def _look_up(self, request: BpeRequest, turn: Turn) -> Reply:
        document = turn.document
        if request.fields["tpAmb"] != self._tp_amb:
            return answers.not_looked_up(252, request.key, tp_amb=self._tp_amb)
        as_cstat = _registered_as(document) if document else 0
        return answers.situation(document, request.key, tp_amb=self._tp_amb, registered_as=as_cstat)

    def _download(self, request: BpeRequest, turn: Turn) -> Reply:
        document = turn.document
        if document is None or document.cancelled_at is None or request.fields["tpEvento"] != "CANC":
            return answers.no_event()
        form = document.plan.behaviour.form
        is_early = form is Form.XML_LATER and turn.now < document.cancelled_at + self._state.options.xml_later_s
        if form is Form.XML_NEVER or is_early:
            return answers.no_event()
        self._note_evidence(document)
        return answers.download(document, cstat=_registered_as(document), tp_amb=self._tp_amb)


def _registered_as(document: Document) -> int:
    """The cStat that the event of this document carries."""
    code = document.plan.behaviour.code
    return code if document.plan.behaviour.layer is Layer.AUTHORITY and code in REGISTERED else 135


def _moment(dh_evento: str) -> datetime | None:
    if not _DH_EVENTO.fullmatch(dh_evento):
        return None
    try:
        return datetime.fromisoformat(dh_evento)
    except ValueError:
        return None


def _read(kind: Kind, body: bytes) -> BpeRequest | None:
    """The request; None where the body is no JSON object of texts and numbers."""
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    fields = {name: _text(field) for name, field in value.items()}
    return BpeRequest(kind, {name: text for name, text in fields.items() if text is not None})


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
