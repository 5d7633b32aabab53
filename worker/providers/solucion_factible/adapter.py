"""Solución Factible as an adapter: cancels; there is no way to ask what became of a document."""

import re
from dataclasses import replace
from http import HTTPStatus

from config.accounts import Environment, SolucionFactibleAccount
from worker.answer import Answer, Reaction
from worker.providers import quoting, transport_answers
from worker.providers.base import Credentials
from worker.providers.solucion_factible import answers, wire
from worker.providers.solucion_factible.wsdl_source import WsdlSource
from worker.request import Request, SolucionFactibleRequest
from worker.sender import NotReceived, Received, Sender

ENDPOINTS = {
    Environment.PRODUCTION: "https://solucionfactible.com/ws/services/Cancelacion",
    Environment.TEST: "https://testing.solucionfactible.com/ws/services/Cancelacion",
}
"""The WSDL's addresses as public clients use them, without `?wsdl`."""
_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0, section 2.2."""


class SolucionFactible:
    """One account; build it once per process, since it keeps the loaded WSDL."""

    def __init__(self, account: SolucionFactibleAccount, sender: Sender) -> None:
        self._account = account
        self._sender = sender
        self._endpoint = account.endpoint or ENDPOINTS[account.environment]
        self._wsdl = WsdlSource(account, sender, endpoint=self._endpoint)

    def cancel(self, request: Request, credentials: Credentials) -> Answer:
        """Ask for the cancellation; the first call loads the WSDL.

        Raises:
            TooLate: `credentials.may_send` said no.
        """
        if not isinstance(request, SolucionFactibleRequest):
            raise TypeError(f"a request for {request.provider}")
        if _NOT_IN_XML.search(credentials.secret) or _NOT_IN_XML.search(self._account.username):
            problem = "user or password has a character that XML cannot carry"
            return Answer(reaction=Reaction.ACCOUNT, message=problem, unsent=True)
        builder = self._wsdl.builder()
        if isinstance(builder, Answer):
            return builder
        envelope = builder.build(username=self._account.username, password=credentials.secret, uuid=request.document)
        received = self._sender.post(
            self._endpoint,
            content=envelope.content,
            headers=envelope.headers,
            ca_file=self._account.ca_file,
            may_send=credentials.may_send,
        )
        return self._answer(received, uuid=request.document, secret=credentials.secret)

    def _answer(self, received: Received | NotReceived, *, uuid: str, secret: str) -> Answer:
        if isinstance(received, NotReceived):
            return transport_answers.of_failure(received)
        reply = wire.read(received.body)
        if not HTTPStatus.OK <= received.status < HTTPStatus.MULTIPLE_CHOICES:
            http = transport_answers.http_status(received)
            answer = transport_answers.of_status(received) or transport_answers.unreadable(http)
            return replace(answer, message=quoting.message(reply.fault, secret=secret))
        return answers.to_cancel(reply, http_status=received.status, uuid=uuid, secret=secret)
