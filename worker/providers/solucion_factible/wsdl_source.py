"""Where an account's WSDL comes from, loaded at first use and kept from then on."""

import threading
import time
from http import HTTPStatus
from pathlib import Path

from config.accounts import SolucionFactibleAccount
from worker.answer import Answer, Reaction
from worker.providers import quoting
from worker.providers.body import unwrapped
from worker.providers.solucion_factible.wsdl import OWN, EnvelopeBuilder, WsdlUnusable
from worker.sender import Failing, NotReceived, Sender

FETCH_S = 15.0
"""Limit of fetching a WSDL. The call that waits for it has the rest of its lease, so this is kept short."""


class WsdlSource:
    """One account's envelope builder. Threads that come while it is being loaded wait and share what came of it."""

    def __init__(self, account: SolucionFactibleAccount, sender: Sender, *, endpoint: str) -> None:
        self._account = account
        self._sender = sender
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._builder: EnvelopeBuilder | None = None
        self._failure: Answer | None = None
        self._failed_at = 0.0

    def builder(self) -> EnvelopeBuilder | Answer:
        """The builder, or why there is none: TRANSIENT if the WSDL could not be fetched, ACCOUNT if it is wrong.

        A failure is not kept: the next call tries again.
        """
        if self._builder is not None:
            return self._builder
        asked_at = time.monotonic()
        with self._lock:
            if self._builder is not None:
                return self._builder
            if self._failure is not None and self._failed_at >= asked_at:
                return self._failure
            loaded = self._load()
            if isinstance(loaded, Answer):
                self._failure, self._failed_at = loaded, time.monotonic()
            else:
                self._builder = loaded
            return loaded

    def _load(self) -> EnvelopeBuilder | Answer:
        wsdl = self.document()
        if isinstance(wsdl, Answer):
            return wsdl
        try:
            return EnvelopeBuilder(wsdl, soap_version=self._account.soap_version, endpoint=self._endpoint)
        except WsdlUnusable as wrong:
            return self._problem(Reaction.ACCOUNT, f"cannot be used: {wrong}")

    def document(self) -> bytes | Answer:
        """The WSDL as it is now; nothing is kept of it."""
        source = self._account.wsdl
        if source is not None and "://" in source:
            return self._download(source)
        try:
            return (Path(source) if source else OWN).read_bytes()
        except OSError as failure:
            return self._problem(Reaction.ACCOUNT, f"cannot be read ({type(failure).__name__})")

    def _download(self, address: str) -> bytes | Answer:
        received = self._sender.get(address, ca_file=self._account.ca_file, total_s=FETCH_S)
        if isinstance(received, NotReceived):
            is_ours = received.kind is Failing.MISCONFIGURED
            reaction = Reaction.ACCOUNT if is_ours else Reaction.TRANSIENT
            return self._problem(reaction, f"could not be fetched: {received.detail}")
        if received.status != HTTPStatus.OK:
            return self._problem(Reaction.TRANSIENT, f"could not be fetched: HTTP {received.status}")
        found = unwrapped(received)
        if found.problem:
            return self._problem(Reaction.TRANSIENT, f"could not be fetched: {found.problem}")
        return found.content.lstrip(b" \t\r\n")

    def _problem(self, reaction: Reaction, what: str) -> Answer:
        text = f"WSDL {self._account.wsdl or 'of the project'} {what}"
        return Answer(reaction=reaction, message=quoting.message(text, secret=""), unsent=True)
