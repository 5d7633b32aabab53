"""The SAT's acuse as the sandbox makes it up: the real form, and a signature that says it is none."""

import base64
from datetime import UTC, datetime, timedelta, timezone

from worker.sandbox.behaviours import Form

_MEXICO = timezone(timedelta(hours=-6))
_FAKE = base64.b64encode(b"SANDBOX: THIS IS NOT A SIGNATURE").decode()
_ISSUER = "XAXX010101000"
_OTHER_UUID = "5A5A5A5A-FFFF-4000-A000-FFFFFFFFFFFF"
_SIGNATURE = (
    '<Signature Id="SelloSAT" xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>'
    '<CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>'
    '<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#hmac-sha512"/>'
    '<Reference URI=""><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha512"/>'
    f"<DigestValue>{_FAKE}</DigestValue></Reference></SignedInfo><SignatureValue>{_FAKE}</SignatureValue>"
    "<KeyInfo><KeyName>SANDBOX-FAKE-KEY</KeyName></KeyInfo></Signature>"
)


def acuse(uuid: str, *, estatus: int, now: float, form: Form) -> bytes:
    """The acuse about `uuid` (docs/providers/solucion-factible.md)."""
    named = {Form.OTHER_UUID: _OTHER_UUID, Form.LOWER_CASE: uuid.lower()}.get(form, uuid)
    root = ' xmlns="http://cancelacfd.sat.gob.mx"' if form is Form.DEFAULT_NAMESPACE else ""
    encoding = "iso-8859-1" if form is Form.LATIN_1 else "utf-8"
    remark = "<!-- cancelación ficticia del sandbox -->"
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?>'
        f'<Acuse{root} Fecha="{_stamp(now)}" RfcEmisor="{_ISSUER}">{remark}'
        f'<Folios xmlns="http://cancelacfd.sat.gob.mx"><UUID>{named}</UUID><EstatusUUID>{estatus}</EstatusUUID></Folios>'
        f"{_SIGNATURE}</Acuse>"
    )
    return text.encode(encoding)


def _stamp(now: float) -> str:
    """Seven decimals and no zone, as the SAT writes it."""
    return datetime.fromtimestamp(now, UTC).astimezone(_MEXICO).strftime("%Y-%m-%dT%H:%M:%S.%f0")


def dressed(content: bytes, form: Form) -> str:
    """What `acuseSat` holds: base64, or the XML itself."""
    if form is Form.XML_ACUSE:
        return content.decode("utf-8")
    if form is Form.BROKEN_ACUSE:
        return "*** not an acuse ***"
    return base64.b64encode(content).decode("ascii")
