"""NS BP-e as an adapter: cancels, looks up, and downloads the event."""

from collections.abc import Callable

from config.accounts import Environment, NsBpeAccount
from worker.answer import Answer
from worker.providers import transport_answers
from worker.providers.base import Credentials
from worker.providers.body import Body, unwrapped
from worker.providers.ns_bpe import answers, event, wire
from worker.providers.ns_bpe.reading import Reading
from worker.request import NsBpeRequest, Request
from worker.sender import NotReceived, Received, Sender

BASE_URL = "https://bpe.ns.eti.br"
"""One host for both environments; `tpAmb` in the body tells them apart (the provider's page "BPe Cancellation")."""
ENDPOINTS = {Environment.PRODUCTION: BASE_URL, Environment.TEST: BASE_URL}
CANCEL_PATH = "/v1/bpe/cancel"
STATUS_PATH = "/v1/bpe/status"
EVENT_PATH = "/v1/bpe/get/event"
TOKEN_HEADER = "X-AUTH-TOKEN"  # noqa: S105 - the header's name


class NsBpe:
    """One account. Each method makes one call and raises `TooLate` where `credentials.may_send` said no."""

    def __init__(self, account: NsBpeAccount, sender: Sender) -> None:
        self._account = account
        self._sender = sender
        self._base_url = (account.endpoint or ENDPOINTS[account.environment]).rstrip("/")

    def cancel(self, request: Request, credentials: Credentials) -> Answer:
        """Ask for the cancellation; the answer comes from SEFAZ itself."""
        asked = _ours(request)
        body = wire.cancel_body(asked, self._account.environment)
        return self._asked(CANCEL_PATH, body, asked, credentials=credentials, read=answers.to_cancel)

    def look_up(self, request: Request, credentials: Credentials) -> Answer:
        """Ask what SEFAZ has on record."""
        asked = _ours(request)
        body = wire.status_body(asked, self._account.environment)
        found = self._asked(STATUS_PATH, body, asked, credentials=credentials, read=answers.to_look_up)
        return transport_answers.of_inquiry(found)

    def evidence(self, request: Request, credentials: Credentials) -> Answer:
        """Download the event's XML; it may not be there at once."""
        asked = _ours(request)
        body = wire.event_body(asked, self._account.environment)
        found = self._asked(EVENT_PATH, body, asked, credentials=credentials, read=answers.to_download)
        return transport_answers.of_inquiry(found)

    def _asked(
        self,
        path: str,
        body: bytes,
        asked: NsBpeRequest,
        *,
        credentials: Credentials,
        read: Callable[[Reading], Answer],
    ) -> Answer:
        received = self._post(path, body, credentials)
        if isinstance(received, NotReceived):
            return transport_answers.of_failure(received, secret=credentials.secret)
        answered = unwrapped(received)
        answer = read(self._reading(received, answered, asked, secret=credentials.secret))
        return transport_answers.told(answer, received, answered, secret=credentials.secret)

    def _post(self, path: str, body: bytes, credentials: Credentials) -> Received | NotReceived:
        return self._sender.post(
            self._base_url + path,
            content=body,
            headers={"Content-Type": "application/json", TOKEN_HEADER: credentials.secret},
            ca_file=self._account.ca_file,
            may_send=credentials.may_send,
        )

    def _reading(self, received: Received, body: Body, asked: NsBpeRequest, *, secret: str) -> Reading:
        reply = wire.read(body)
        return Reading(
            received=received,
            text=body.text,
            reply=reply,
            xml=event.read(reply.xml, asked.chBPe) if reply.xml else None,
            chBPe=asked.chBPe,
            tpAmb=str(wire.TP_AMB[self._account.environment]),
            secret=secret,
        )


def _ours(request: Request) -> NsBpeRequest:
    if not isinstance(request, NsBpeRequest):
        raise TypeError(f"a request for {request.provider}")
    return request
