"""One answer beside what was asked, and the values that can be made of it."""

from dataclasses import dataclass, replace

from worker.answer import Answer, Reaction
from worker.providers import quoting, transport_answers
from worker.providers.ns_bpe import codes
from worker.providers.ns_bpe.event import EventXml
from worker.providers.ns_bpe.wire import Reply
from worker.providers.rule import Rule
from worker.sender import Received

ANOTHER_KEY = "the answer is about another key"
OTHER_ENVIRONMENT = "the answer is about the other environment (tpAmb)"


@dataclass(frozen=True, slots=True, repr=False)
class Reading:
    """An answer under interpretation.

    Attributes:
        text: The whole answer's characters.
        chBPe: The key that was asked about.
        tpAmb: The environment that was asked in.
        xml: The event's XML, where the answer brings one.
        secret: Must not be quoted back.
    """

    received: Received
    text: str
    reply: Reply
    xml: EventXml | None
    chBPe: str
    tpAmb: str
    secret: str

    def by(self, rule: Rule) -> Answer:
        """The answer that `rule` makes of it."""
        said = {"status": quoting.code(self.reply.status), "cStat": quoting.code(self.reply.cStat_as_received)}
        layers = {layer: code for layer, code in said.items() if code}
        decided_by_http = str(self.received.status) if rule is codes.HTTP.get(self.received.status) else None
        return rule.answer(
            code=quoting.code(self.reply.cStat) or said["status"] or decided_by_http,
            message=quoting.message(self.reply.words, secret=self.secret),
            provider_status=layers or transport_answers.http_status(self.received),
        )

    def by_http(self) -> Answer | None:
        """What the HTTP status says, None where it leaves the matter to the body; the provider's own words beat a
        bare 500, 502 or 504, and whatever may be its own beats what is said before the service.
        """
        answer = transport_answers.of_status(self.received)
        if self.received.status in transport_answers.BEFORE_THE_SERVICE and self.reply.may_be_own:
            return None
        if answer is None or not self.reply.is_own:
            return answer
        if answer.reaction is Reaction.UNKNOWN:
            return None
        said = self.by(codes.UNREADABLE)
        return replace(answer, code=said.code, message=said.message, provider_status=said.provider_status)

    def unreadable(self, *warnings: str) -> Answer:
        """The answer that nobody can make sense of."""
        return replace(self.by(codes.UNREADABLE), warnings=warnings)

    def names_another_key(self) -> bool:
        """Whether the answer, or the event's XML in it, is about another key, be it beside ours."""
        named = {self.reply.chBPe} if self.reply.chBPe else set()
        return bool((named | (self.xml.keys if self.xml else set())) - {self.chBPe})

    def registered(self, rule: Rule) -> Answer:
        """A registered event, with what the answer and, where that is silent, the XML tell of it."""
        answer, xml = self.by(rule), self.xml
        protocol, registered_at = self.reply.nProt, self.reply.dhRegEvento
        if xml is None:
            return replace(answer, protocol=quoting.code(protocol), registered_at=quoting.code(registered_at))
        differing = xml.disagreements(cStat=self.reply.cStat, nProt=protocol)
        return replace(
            answer,
            protocol=quoting.code(protocol or xml.nProt),
            registered_at=quoting.code(registered_at or xml.dhRegEvento),
            evidence=xml.evidence,
            warnings=answer.warnings + differing,
        )
