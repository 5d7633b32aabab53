"""Solución Factible as an adapter: cancels; there is no way to ask what became of a document."""

import re
from dataclasses import replace
from http import HTTPStatus

from config.accounts import Environment, SolucionFactibleAccount
from worker.answer import Answer, Reaction
from worker.providers import quoting, transport_answers
from worker.providers.base import Credentials
from worker.providers.body import unwrapped
from worker.providers.solucion_factible import answers, wire
from worker.providers.solucion_factible.wire import Reply
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
        if isinstance(received, NotReceived):
            return transport_answers.of_failure(received, secret=credentials.secret)
        body = unwrapped(received)
        answer = self._answer(received, wire.read(body), uuid=request.document, secret=credentials.secret)
        return transport_answers.told(answer, received, body, secret=credentials.secret)

    def _answer(self, received: Received, reply: Reply, *, uuid: str, secret: str) -> Answer:
        is_success = HTTPStatus.OK <= received.status < HTTPStatus.MULTIPLE_CHOICES
        if is_success or (received.status in transport_answers.BEFORE_THE_SERVICE and reply.may_be_own):
            answer = answers.to_cancel(reply, http_status=received.status, uuid=uuid, secret=secret)
        else:
            http = transport_answers.http_status(received)
            answer = transport_answers.of_status(received) or transport_answers.unreadable(http)
            answer = replace(answer, message=quoting.message(reply.fault, secret=secret))
        if received.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE and answer.code is None:
            said = quoting.message(reply.fault or received.reason, secret=secret)
            return replace(answer, message=": ".join(filter(None, (self._other_soap_version(), said))))
        return answer

    def _other_soap_version(self) -> str:
        """What to try where the provider does not take the content type, which is the SOAP version's."""
        other = "1.1" if self._account.soap_version == "1.2" else "1.2"
        return f'set soap_version = "{other}" for account {self._account.name} in the accounts file'
