"""The event XML (procEventoBPe) as the sandbox makes it up: the real form, and a signature that says it is none."""

import base64
from datetime import UTC, datetime, timedelta, timezone
from xml.sax.saxutils import escape

from worker.sandbox.behaviours import Form
from worker.sandbox.bpe_behaviours import CSTAT_TEXTS
from worker.sandbox.documents import Document, Event
from worker.sandbox.numbers import sandbox_chbpe

EVENT_TYPE = "110111"
_BRASILIA = timezone(timedelta(hours=-3))
_FAKE = base64.b64encode(b"SANDBOX: THIS IS NOT A SIGNATURE").decode()
_UNKNOWN_EVENT = Event("2026-01-01T12:00:00-03:00", "143260000000000", "Cancelado fora deste sandbox")


def registered_at(document: Document) -> str:
    """`dhRegEvento` of a cancelled document."""
    moment = datetime.fromtimestamp(document.cancelled_at or 0.0, UTC).astimezone(_BRASILIA)
    return moment.isoformat(timespec="seconds")


def other_key(document: Document) -> str:
    """A valid key that is not this document's."""
    number = int(document.id[25:34])
    return sandbox_chbpe("other-key", (number + 1) % 10**9)


def event_xml(document: Document, *, cstat: int, tp_amb: str) -> str:
    """The same text every time for the same cancellation (docs/providers/ns-bpe.md)."""
    form = document.plan.behaviour.form
    key = other_key(document) if form is Form.XML_OTHER_KEY else document.id
    protocol = "143269999999999" if form is Form.XML_OTHER_PROTOCOL else document.protocol
    event = document.event or _UNKNOWN_EVENT
    agency = key[:2]
    return (
        '<?xml version="1.0" encoding="utf-8"?><procEventoBPe versao="1.00" xmlns="http://www.portalfiscal.inf.br/bpe">'
        f'<eventoBPe versao="1.00"><infEvento Id="ID{EVENT_TYPE}{key}01"><cOrgao>{agency}</cOrgao>'
        f"<tpAmb>{tp_amb}</tpAmb><CNPJ>{key[6:20]}</CNPJ><chBPe>{key}</chBPe><dhEvento>{event.dh_evento}</dhEvento>"
        f'<tpEvento>{EVENT_TYPE}</tpEvento><nSeqEvento>1</nSeqEvento><detEvento versaoEvento="1.00"><evCancBPe>'
        f"<descEvento>Cancelamento</descEvento><nProt>{event.n_prot}</nProt><xJust>{escape(event.x_just)}</xJust>"
        '</evCancBPe></detEvento></infEvento><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo/>'
        f"<SignatureValue>{_FAKE}</SignatureValue></Signature></eventoBPe>"
        f'<retEventoBPe versao="1.00"><infEvento Id="ID{protocol}"><tpAmb>{tp_amb}</tpAmb><verAplic>SANDBOX</verAplic>'
        f"<cOrgao>{agency}</cOrgao><cStat>{cstat}</cStat><xMotivo>{CSTAT_TEXTS[cstat]}</xMotivo><chBPe>{key}</chBPe>"
        f"<tpEvento>{EVENT_TYPE}</tpEvento><xEvento>Cancelamento</xEvento><nSeqEvento>1</nSeqEvento>"
        f"<dhRegEvento>{registered_at(document)}</dhRegEvento><nProt>{protocol}</nProt></infEvento></retEventoBPe>"
        "</procEventoBPe>"
    )
