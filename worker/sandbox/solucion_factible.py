"""Solución Factible's side of the sandbox: `cancelarSectorPrimario` (docs/providers/solucion-factible.md)."""

import hashlib
import re
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from worker.sandbox import acuse, soap
from worker.sandbox.accounts import user_label
from worker.sandbox.behaviours import Behaviour, Form
from worker.sandbox.calls import Kind
from worker.sandbox.connection import ClientGone, Connection, RequestTooLong
from worker.sandbox.documents import Document, Documents
from worker.sandbox.exchange import Asked, State, Turn, exchange
from worker.sandbox.reply import Reply, html_reply
from worker.sandbox.sf_behaviours import MESSAGES, SF_BEHAVIOURS
from worker.sandbox.wsdl import wsdl

PATH = "/ws/services/Cancelacion"
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_REPEATED = 202
"""The SAT's `EstatusUUID` for a document that was cancelled before."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the provider says; `estatus` is 0 where no acuse comes with it."""

    status: int
    estatus: int = 0
    form: Form = Form.PLAIN

    @property
    def code(self) -> str:
        """As the record of calls shows it."""
        return f"{self.status}/{self.estatus}" if self.estatus else str(self.status)


class SolucionFactibleService:
    """The ASGI application behind the service's path."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the WSDL to GET, the operation to POST."""
        request = Request(scope)
        if request.method != "POST":
            await _described(request)(scope, receive, send)
            return
        connection = Connection(scope, receive, send)
        try:
            asked = soap.read(await connection.read(), request.headers.get("content-type", ""))
        except soap.SoapProblem as problem:
            await connection.reply(soap.fault(problem.version, problem.text))
        except RequestTooLong:
            await connection.reply(html_reply(413))
        except ClientGone:
            return
        else:
            await self._cancel(asked, connection)

    async def _cancel(self, request: soap.SoapRequest, connection: Connection) -> None:
        asked = Asked(Kind.CANCEL, user_label(request.usuario or ""), request.uuid or "")
        await exchange(self._state, connection, asked, lambda turn: self._answer(request, turn))

    def _answer(self, request: soap.SoapRequest, turn: Turn) -> Reply:
        verdict = self._judge(request, turn)
        if verdict.form is Form.SOAP_FAULT:
            return soap.fault(request.version, "Internal error", by_client=False)
        content = None
        if verdict.estatus and verdict.form is not Form.NO_ACUSE and turn.document:
            content = _signed(turn.document, verdict, turn.now)
        return soap.answered(
            request.version,
            status=verdict.status,
            mensaje=MESSAGES[verdict.status],
            acuse=content,
            form=verdict.form,
            code=verdict.code,
        )

    def _judge(self, request: soap.SoapRequest, turn: Turn) -> Verdict:
        refused = self._state.accounts.check_password(request.usuario or "", request.password or "")
        if refused:
            return Verdict(refused)
        if not request.uuid:
            return Verdict(611)
        if not _UUID.fullmatch(request.uuid):
            return Verdict(621)
        if turn.document is None:
            return Verdict(623)
        return _cancelled(self._state.documents, turn.document, turn)


def _cancelled(documents: Documents, document: Document, turn: Turn) -> Verdict:
    behaviour = document.behaviour_at(turn.number)
    if behaviour.code == SF_BEHAVIOURS["211"].code:
        documents.start_process(document, turn.now)
        if documents.process_ended_at(document, turn.now) is None:
            return Verdict(behaviour.code)
        behaviour = document.then()
    if behaviour.acts and document.cancelled_at is None:
        documents.cancel(document, turn.now)
    if behaviour.code != SF_BEHAVIOURS["200"].code or behaviour.form is Form.SOAP_FAULT:
        return Verdict(behaviour.code, form=behaviour.form)
    return Verdict(behaviour.code, _estatus(documents, document, behaviour, turn.now), behaviour.form)


def _estatus(documents: Documents, document: Document, behaviour: Behaviour, now: float) -> int:
    """What the SAT says of the document; cancels it where nothing stands against that."""
    if document.cancelled_at is not None:
        first_after_process = document.in_process_at is not None and document.evidence_sha256 is None
        return behaviour.estatus if first_after_process else _REPEATED
    if behaviour.estatus == SF_BEHAVIOURS["200"].estatus and behaviour.form is not Form.OTHER_UUID:
        documents.cancel(document, now)
    return behaviour.estatus


def _signed(document: Document, verdict: Verdict, now: float) -> str:
    content = acuse.acuse(document.id, estatus=verdict.estatus, now=now, form=verdict.form)
    document.evidence_sha256 = hashlib.sha256(content).hexdigest()
    return acuse.dressed(content, verdict.form)


def _described(request: Request) -> Response:
    if "wsdl" not in {name.lower() for name in request.query_params}:
        return Response("Cancelacion: add ?wsdl", media_type="text/plain")
    return Response(wsdl(f"{str(request.base_url).rstrip('/')}{PATH}"), media_type="text/xml")
