"""From what stands in an answer to the answer's value: status and acuse against the tables."""

import re
from dataclasses import replace

from worker.answer import Answer, Reaction
from worker.providers import quoting, transport_answers
from worker.providers.evidence_reader import Legible
from worker.providers.rule import Rule
from worker.providers.solucion_factible import acuse, codes
from worker.providers.solucion_factible.acuse import Acuse
from worker.providers.solucion_factible.wire import Reply

NO_ACUSE = "the provider sent no acuse"
UNREADABLE_ACUSE = "the acuse cannot be read; it is kept as it came"
DAMAGED_ACUSE = "the acuse is damaged and proves nothing; it is kept as it came"
NO_ESTATUS = "the acuse does not say what became of the UUID"
ANOTHER_UUID = "the acuse names another UUID"
_INTEGER = re.compile(r"[+-]?[0-9]{1,10}")


def to_cancel(reply: Reply, *, http_status: int, uuid: str, secret: str) -> Answer:
    """The answer to the request to cancel `uuid`; never CANCELLED unless the provider says so about this UUID."""
    words = quoting.message(reply.fault or reply.mensaje, secret=secret)
    code = _number(reply.status)
    receipt = acuse.read(reply.acuse, uuid) if reply.acuse else None
    if code is None:
        return transport_answers.unreadable(_said(reply, receipt) or {"http": str(http_status)}, message=words)
    said = _said(reply, receipt)
    rule = codes.STATUS.get(code)
    if rule is None:
        return transport_answers.unreadable(said, code=code, message=words)
    if receipt is not None and receipt.names_another:
        unreadable = transport_answers.unreadable(said, code=code, message=words)
        return replace(unreadable, warnings=(ANOTHER_UUID,))
    if rule.reaction is not Reaction.CANCELLED:
        return rule.answer(code=code, message=words, provider_status=said)
    rule, warnings = _confirmed(rule, receipt)
    evidence = receipt.evidence if receipt else None
    return rule.answer(code=code, message=words, provider_status=said, evidence=evidence, warnings=warnings)


def _confirmed(rule: Rule, receipt: Acuse | None) -> tuple[Rule, tuple[str, ...]]:
    """What remains of "processed" once the SAT's own receipt was read, and what there is to warn of."""
    if receipt is None:
        return rule, (NO_ACUSE,)
    if receipt.legible is Legible.NOT:
        return rule, (UNREADABLE_ACUSE,)
    rules = {codes.ESTATUS_UUID.get(estatus, codes.OTHER_ESTATUS_UUID) for estatus in receipt.estatus_uuid}
    disagreeing = [found for found in rules if found.reaction is not Reaction.CANCELLED]
    if receipt.legible is Legible.PARTLY:
        return (disagreeing[0] if disagreeing else codes.DAMAGED_ACUSE), (DAMAGED_ACUSE,)
    if not rules:
        return rule, (NO_ESTATUS,)
    return (disagreeing[0] if disagreeing else _plainest(rules)), ()


def _plainest(rules: set[Rule]) -> Rule:
    """Of "received" and "cancelled before", both for one UUID, the second is the stronger claim."""
    already = codes.ESTATUS_UUID["202"]
    return already if already in rules else rules.pop()


def _number(text: str | None) -> str | None:
    """An `xs:int` in its plain form, so that `+200` and `0200` are 200; None where it is none."""
    return str(int(text)) if text and _INTEGER.fullmatch(text) else None


def _said(reply: Reply, receipt: Acuse | None) -> dict[str, str]:
    said = {"status": quoting.code(reply.status)}
    if receipt is not None and receipt.estatus_uuid:
        said["EstatusUUID"] = ", ".join(sorted(receipt.estatus_uuid))
    return {layer: code for layer, code in said.items() if code}
