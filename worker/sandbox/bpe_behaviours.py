"""The behaviours of NS BP-e's documents (docs/providers/ns-bpe.md)."""

from collections.abc import Mapping

from worker.sandbox.behaviours import FAULT_MEANINGS, FAULT_NUMBERS, Behaviour, FaultKind, Form, Layer, by_name

CSTAT_TEXTS: Mapping[int, str] = {
    100: "Autorizado o uso do BP-e",
    101: "Cancelamento de BP-e homologado",
    102: "BP-e substituído",
    108: "Serviço Paralisado Momentaneamente (curto prazo)",
    109: "Serviço Paralisado sem Previsão",
    134: "Evento registrado e vinculado ao BP-e com alerta para situação do BP-e",
    135: "Evento registrado e vinculado a BP-e",
    136: "Evento registrado, mas não vinculado a BP-e",
    150: "Autorizado o uso do BP-e, autorização fora de prazo",
    155: "Cancelamento homologado fora de prazo",
    203: "Rejeição: Emissor não habilitado para emissão do BP-e",
    215: "Rejeição: Falha no Schema XML",
    216: "Rejeição: Chave de Acesso difere da cadastrada",
    217: "Rejeição: BP-e não consta na base de dados da SEFAZ",
    218: "Rejeição: BP-e já está cancelado na base de dados da SEFAZ",
    220: "Rejeição: Prazo de cancelamento superior ao previsto na legislação",
    222: "Rejeição: Protocolo de Autorização de Uso difere do cadastrado",
    224: "Rejeição: BP-e já está substituído na base de dados da SEFAZ",
    226: "Rejeição: Código da UF do Emitente diverge da UF autorizadora",
    236: "Rejeição: Chave de Acesso com dígito verificador inválido",
    252: "Rejeição: Tipo de ambiente informado difere do ambiente de recebimento",
    286: "Rejeição: Certificado Transmissor erro no acesso a LCR",
    296: "Rejeição: Certificado Assinatura erro no acesso a LCR",
    413: "Rejeição: BP-e emitido há mais de 6 meses, consulta indisponível",
    504: "Rejeição: BP-e com evento de não embarque registrado",
    600: "Rejeição: Chave de Acesso difere da existente em BD",
    627: "Rejeição: CNPJ do autor do evento inválido",
    628: "Rejeição: Erro no atributo Id do evento",
    629: "Rejeição: O tpEvento informado inválido",
    630: "Rejeição: Falha no Schema XML específico para o evento",
    631: "Rejeição: Duplicidade de evento",
    632: "Rejeição: O autor do evento diverge do emissor do BP-e",
    633: "Rejeição: O autor do evento não é um órgão autorizado a gerar o evento",
    634: "Rejeição: A data do evento não pode ser menor que a data de emissão do BP-e",
    635: "Rejeição: A data do evento não pode ser maior que a data do processamento",
    636: "Rejeição: O número sequencial do evento é maior que o permitido",
    637: "Rejeição: A data do evento não pode ser menor que a data de autorização do BP-e",
    656: "Rejeição: Consumo Indevido",
    678: "Rejeição: Uso Indevido - Consumo sucessivo com Rejeição",
    777: "Rejeição: Código que ninguém documentou",
    996: "Processamento do evento em andamento, consulte novamente",
    997: "Erro de acesso ao banco de dados",
    999: "Rejeição: Erro não catalogado",
}
STATUS_TEXTS: Mapping[int, str] = {
    -2: "Chave de acesso do BP-e inválida",
    -3: "Não foi possível cancelar o BP-e",
    -6: "Não foi possível consultar a SEFAZ",
    -400: "Campos obrigatórios não informados",
    -401: "Sem permissão para utilizar este serviço",
    -500: "Erro interno",
    -999: "Erro interno não catalogado",
}
ORDINARY = "135"
REGISTERED = (135, 155, 136, 134, 101)
"""The cStats with which an event is registered."""
_LOOK_UP_ONLY = (100, 102, 150, 413)


def _of_cstat(cstat: int) -> Behaviour:
    known_before = cstat in (218, 631)
    return Behaviour(
        name=str(cstat), place=f"0000{cstat:04d}", meaning=CSTAT_TEXTS[cstat], code=cstat,
        cancelled_before=known_before, look_up={217: 217, 224: 102}.get(cstat),
    )  # fmt: skip


def _of_status(status: int, meaning: str) -> Behaviour:
    return Behaviour(
        name=f"status{status}", place=f"1000{-status:04d}", meaning=meaning, code=status, layer=Layer.PROVIDER
    )


def _of_http(status: int, meaning: str) -> Behaviour:
    return Behaviour(name=f"http-{status}", place=f"2000{status:04d}", meaning=meaning, code=status, layer=Layer.HTTP)


def _of_form(number: int, form: Form, meaning: str, *, code: int = 135) -> Behaviour:
    return Behaviour(name=form.value, place=f"3{number:03d}{code:04d}", meaning=meaning, code=code, form=form)


def _of_look_up(answer: int, meaning: str, *, acts: bool = False, stale: bool = False, then: str = "") -> Behaviour:
    """The first cancellation request ends in status -999; only a look-up (or a repeat) tells."""
    kind = "5" if answer < 0 else "4"
    return Behaviour(
        name=f"look-up{'-stale' if stale else ''}-{abs(answer)}", place=f"{kind}{int(stale):03d}{abs(answer):04d}",
        meaning=f"status -999 once; {meaning}", code=-999, layer=Layer.PROVIDER, acts=acts, look_up=answer, calls=1,
        then=then,
    )  # fmt: skip


def _of_look_up_form(number: int, form: Form, meaning: str) -> Behaviour:
    return Behaviour(
        name=form.value, place=f"4{number:03d}0101", meaning=f"status -999 once, though cancelled; {meaning}",
        code=-999, layer=Layer.PROVIDER, form=form, acts=True, calls=1,
    )  # fmt: skip


def _of_fault(number: int, fault: FaultKind) -> Behaviour:
    return Behaviour(name=fault.value, place=f"9{number:03d}0135", meaning=FAULT_MEANINGS[fault], code=135, fault=fault)


_CSTATS = tuple(_of_cstat(cstat) for cstat in CSTAT_TEXTS if cstat not in _LOOK_UP_ONLY)
_VARIANTS = (
    Behaviour(
        name="631-no-suffix", place="00010631", meaning="631 without [nProt:…][dhRegEvento:…]", code=631,
        form=Form.NO_SUFFIX, cancelled_before=True,
    ),
    Behaviour(name="218-look-up-100", place="00010218", meaning="218, but a look-up says 100", code=218, look_up=100),
    Behaviour(
        name="656-other-text", place="00010656", meaning="656 whose text is not about abuse", code=656,
        form=Form.OTHER_TEXT,
    ),
    Behaviour(
        name="996-then-220", place="02200996", meaning="996 (still processing) once, then 220", code=996, calls=1,
        then="220",
    ),
    Behaviour(
        name="cut-after-then-220", place="90040220", code=135, fault=FaultKind.CUT_AFTER, calls=1, then="220",
        meaning="the first call acts and is cut, then the deadline passes: repeats say 631, not 220",
    ),
)  # fmt: skip
_STATUSES = (
    _of_status(-2, "invalid key"),
    _of_status(-3, "not possible, and no `erro` to say why"),
    _of_status(-6, "internal error, not cancelled"),
    _of_status(-400, "mandatory fields missing"),
    _of_status(-401, "no permission"),
    _of_status(-500, "internal error, not cancelled"),
    _of_status(-999, "internal error, not cancelled"),
)
_HTTP = (
    _of_http(400, "HTTP 400 without a body"),
    _of_http(401, "HTTP 401 with the provider's JSON"),
    _of_http(403, "HTTP 403 with the provider's JSON"),
    Behaviour(
        name="http-403-html", place="20010403", meaning="HTTP 403 with HTML of a firewall", code=403,
        layer=Layer.HTTP, form=Form.HTML,
    ),
    _of_http(404, "HTTP 404 with HTML"),
    _of_http(405, "HTTP 405 with HTML"),
    _of_http(500, "HTTP 500 with HTML"),
    _of_http(502, "HTTP 502 with HTML"),
    _of_http(503, "HTTP 503 with HTML, without Retry-After"),
    _of_http(504, "HTTP 504 with HTML"),
)  # fmt: skip
_FORMS = (
    _of_form(1, Form.STRINGS, "numbers as strings"),
    _of_form(2, Form.ERROS, "rejected (220), the text in an array `erros`, no cStat", code=220),
    _of_form(3, Form.STATUS_135, "status 135 instead of 200"),
    _of_form(4, Form.TOP_LEVEL_XML, "the XML at top level"),
    _of_form(5, Form.MOTIVO, "rejected (220), the text in `motivo` instead of `xMotivo`", code=220),
    _of_form(6, Form.OTHER_KEY, "cancelled, but the answer names another key"),
    _of_form(7, Form.NO_EVENT, "cancelled, but status 200 without retEvento"),
    _of_form(8, Form.XML_LATER, "the XML is not in the answer; get/event has it a second later"),
    _of_form(9, Form.XML_NEVER, "the XML is nowhere to be had"),
    _of_form(10, Form.XML_OTHER_PROTOCOL, "the XML names another protocol than the answer"),
    _of_form(11, Form.XML_OTHER_KEY, "the XML is about another key"),
    _of_form(12, Form.NUMBER_PROTOCOL, "nProt as a JSON number"),
)
_LOOK_UPS = (
    _of_look_up(100, "not cancelled, look-up 100; a repeat cancels"),
    _of_look_up(150, "not cancelled, look-up 150; a repeat cancels"),
    _of_look_up(101, "cancelled, look-up 101", acts=True),
    _of_look_up(102, "substituted: look-up 102; a repeat says 224", then="224"),
    _of_look_up(413, "cancelled, no look-up any more (413); a repeat says 631", acts=True),
    _of_look_up(100, "cancelled, but the look-up still says 100; a repeat says 631", acts=True, stale=True),
    _of_look_up(217, "cancelled, but the look-up says 217; a repeat says 631", acts=True),
    _of_look_up(-6, "cancelled, look-ups fail with status -6", acts=True),
    _of_look_up(-999, "cancelled, look-ups fail with status -999", acts=True),
    _of_look_up_form(10, Form.ONE_OBJECT, "the look-up has procEventoBPe as one object"),
    _of_look_up_form(11, Form.NO_LIST, "the look-up has 101 and no procEventoBPe"),
    _of_look_up_form(12, Form.EVENT_ONLY, "the look-up has cStat 100 and the event"),
    _of_look_up_form(13, Form.LOOK_UP_OTHER_KEY, "the look-up answers about another key"),
)
_FAULTS = tuple(_of_fault(number, fault) for number, fault in FAULT_NUMBERS.items())

BPE_BEHAVIOURS = by_name(*_CSTATS, *_VARIANTS, *_STATUSES, *_HTTP, *_FORMS, *_LOOK_UPS, *_FAULTS)
"""Every behaviour of an access key, by name."""
