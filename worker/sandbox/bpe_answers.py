"""The JSON of NS BP-e's answers, tidy as documented and untidy as seen (docs/providers/ns-bpe.md)."""

from typing import Any

from worker.sandbox.behaviours import Behaviour, Form, Layer
from worker.sandbox.bpe_behaviours import CSTAT_TEXTS, STATUS_TEXTS
from worker.sandbox.documents import Document
from worker.sandbox.event_xml import EVENT_TYPE, event_xml, other_key, registered_at
from worker.sandbox.reply import Reply, html_reply, json_reply

STILL_PROCESSING = 996
ALREADY_DONE = 631
_WITHOUT_XML = (Form.XML_LATER, Form.XML_NEVER)
_REGISTERED_TEXT = "Processamento de evento realizado com sucesso"


def registered(document: Document, *, cstat: int, tp_amb: str) -> Reply:
    """A cancellation that worked; dressed in the document's form."""
    form = document.plan.behaviour.form
    if form is Form.NO_EVENT:
        return json_reply({"status": 200, "motivo": _REGISTERED_TEXT}, code="200")
    event = _event(document, cstat, key=other_key(document) if form is Form.OTHER_KEY else document.id)
    whole: dict[str, Any] = {
        "status": 135 if form is Form.STATUS_135 else 200,
        "motivo": _REGISTERED_TEXT,
        "retEvento": event,
    }
    if form not in _WITHOUT_XML:
        place = whole if form is Form.TOP_LEVEL_XML else event
        place["xml"] = event_xml(document, cstat=cstat, tp_amb=tp_amb)
    if form is Form.NUMBER_PROTOCOL:
        event["nProt"] = int(document.protocol or 0)
    if form is Form.STRINGS:
        whole["status"], event["cStat"] = str(whole["status"]), str(cstat)
    return json_reply(whole, code=str(cstat))


def _event(document: Document, cstat: int | str, *, key: str) -> dict[str, Any]:
    return {
        "cStat": cstat,
        "xMotivo": CSTAT_TEXTS[int(cstat)],
        "chBPe": key,
        "dhRegEvento": registered_at(document),
        "nProt": document.protocol,
    }


def rejected(cstat: int, document: Document | None = None) -> Reply:
    """A code of the authority under `erro`; 631 ends in the original protocol."""
    form = document.plan.behaviour.form if document else Form.PLAIN
    text = "Rejeição: Outro motivo" if form is Form.OTHER_TEXT else CSTAT_TEXTS[cstat]
    if document and cstat == ALREADY_DONE and form is not Form.NO_SUFFIX:
        text += f" [nProt:{document.protocol}][dhRegEvento:{registered_at(document)}]"
    status = -2 if cstat == STILL_PROCESSING else -3
    whole: dict[str, Any] = {"status": status, "motivo": CSTAT_TEXTS[cstat] if status == -2 else STATUS_TEXTS[-3]}  # noqa: PLR2004 - the provider's code
    if form is Form.ERROS:
        return json_reply({**whole, "erros": [text]}, code=f"{status}/{cstat}")
    whole["erro"] = {"cStat": cstat, ("motivo" if form is Form.MOTIVO else "xMotivo"): text}
    if form is Form.STRINGS:
        whole["status"], whole["erro"]["cStat"] = str(status), str(cstat)
    return json_reply(whole, code=f"{status}/{cstat}")


def refused(status: int) -> Reply:
    """A code of the provider alone."""
    return json_reply({"status": status, "motivo": STATUS_TEXTS[status]}, code=str(status))


def http_error(status: int, *, form: Form = Form.PLAIN) -> Reply:
    """An HTTP error: 400 without a body, 401 and 403 in the provider's JSON, the rest in a proxy's HTML."""
    code = f"http-{status}"
    if status == 400:  # noqa: PLR2004 - HTTP's own number
        return Reply(code, status=status)
    if status in (401, 403) and form is not Form.HTML:
        text = "Token inválido ou não informado" if status == 401 else "Token sem permissão"  # noqa: PLR2004 - likewise
        return json_reply({"status": status, "motivo": text}, code=code, status=status)
    return html_reply(status)


def layered(behaviour: Behaviour) -> Reply:
    """What a behaviour says that does not reach the authority."""
    if behaviour.layer is Layer.HTTP:
        return http_error(behaviour.code, form=behaviour.form)
    return refused(behaviour.code)


def situation(document: Document | None, key: str, *, tp_amb: str, registered_as: int) -> Reply:
    """The answer to a look-up."""
    if document is None:
        return not_looked_up(217, key, tp_amb=tp_amb)
    is_cancelled = document.cancelled_at is not None
    behaviour = document.plan.behaviour
    is_outdated = is_cancelled and behaviour.look_up in (100, 150) and not behaviour.acts
    told = None if is_outdated else behaviour.look_up
    if told is not None and told < 0:
        return json_reply(
            {"status": told, "motivo": STATUS_TEXTS[told], "erro": {"cStat": "", "xMotivo": STATUS_TEXTS[told]}},
            code=str(told),
        )
    form = behaviour.form
    cstat = 100 if form is Form.EVENT_ONLY or not is_cancelled else 101
    cstat = cstat if told is None else told
    named = other_key(document) if form is Form.LOOK_UP_OTHER_KEY else document.id
    answer: dict[str, Any] = {
        "tpAmb": tp_amb,
        "verAplic": "SANDBOX",
        "cStat": str(cstat),
        "xMotivo": CSTAT_TEXTS[cstat],
    }
    answer |= {"cUF": key[:2], "chBPe": named, "protBPe": [_authorised(named)] if cstat in (100, 101, 102, 150) else []}
    if is_cancelled and form is not Form.NO_LIST and told in (None, 101):
        event = _proc_event(document, named, registered_as)
        answer["procEventoBPe"] = event if form is Form.ONE_OBJECT else [event]
    return _looked_up(answer, code=str(cstat))


def not_looked_up(cstat: int, key: str, *, tp_amb: str) -> Reply:
    """A look-up that the authority rejects."""
    answer = {"tpAmb": tp_amb, "cStat": str(cstat), "xMotivo": CSTAT_TEXTS[cstat], "chBPe": key}
    return _looked_up(answer, code=str(cstat))


def _looked_up(answer: dict[str, Any], *, code: str) -> Reply:
    return json_reply(
        {"status": 200, "motivo": "Consulta realizada com sucesso", "retConsSitBPe": answer}, code=f"200/{code}"
    )


def _authorised(key: str) -> dict[str, Any]:
    return {"versao": "1.00", "infProt": {"chBPe": key, "cStat": "100", "xMotivo": CSTAT_TEXTS[100]}}


def _proc_event(document: Document, key: str, cstat: int) -> dict[str, Any]:
    told = {"chBPe": key, "tpEvento": EVENT_TYPE, "nSeqEvento": "1"}
    result = {**_event(document, str(cstat), key=key), "tpEvento": EVENT_TYPE, "nSeqEvento": "1"}
    return {"versao": "1.00", "eventoBPe": {"infEvento": told}, "retEventoBPe": {"infEvento": result}}


def download(document: Document, *, cstat: int, tp_amb: str) -> Reply:
    """The event with its XML, the same bytes as in the answer to the cancellation."""
    event = _event(document, str(cstat), key=document.id)
    whole = {"status": 200, "motivo": "Evento localizado com sucesso", "retEvento": event}
    whole["xml"] = event_xml(document, cstat=cstat, tp_amb=tp_amb)
    return json_reply(whole, code=f"200/{cstat}")


def no_event() -> Reply:
    """There is no event to download, or not yet."""
    return json_reply({"status": -2, "motivo": "Evento não localizado"}, code="-2")
