"""Which field of a request a column holds: the field's own name, or a usual Spanish or Portuguese one."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from worker.characters import deceives, strange
from worker.csv_file.problem import Unreadable, shortened

VARIANTS = {
    "provider": ("proveedor", "provedor"),
    "account": ("cuenta", "conta"),
    "uuid": ("folio fiscal", "folio fiscal digital", "folio uuid", "folio fiscal uuid", "uuid cfdi"),
    "chBPe": (
        "chave",
        "chave de acesso",
        "chave acesso",
        "chave bp-e",
        "chave do bp-e",
        "chave de acesso bp-e",
        "chave de acesso do bp-e",
        "clave de acceso",
    ),
    "nProt": (
        "protocolo",
        "número do protocolo",
        "nº protocolo",
        "nº do protocolo",
        "n° protocolo",
        "nr protocolo",
        "protocolo de autorização",
        "protocolo autorização",
        "número de protocolo",
        "protocolo de autorización",
    ),
    "xJust": (
        "justificativa",
        "justificativa do cancelamento",
        "motivo",
        "motivo do cancelamento",
        "motivo cancelamento",
        "justificación",
        "motivo de cancelación",
        "motivo de la cancelación",
    ),
    "dhEvento": ("data do evento", "data e hora do evento", "data hora evento", "fecha del evento"),
    "reference": ("referência", "referencia", "referência interna", "referencia interna", "id externo", "id interno"),
    "priority": ("prioridade", "prioridad"),
    "deadline": ("prazo", "data limite", "plazo", "fecha límite"),
}
"""The names of docs/csv.md beside the field's own; case, accents, blanks and punctuation make no difference."""
OF_THE_ERRORS_FILE = ("anula line", "anula problem")
"""What `--errors` adds; passed over when the corrected file is imported."""
ORIGINAL_LINE = OF_THE_ERRORS_FILE[0]
DOCUMENTS = {"uuid": "solucion-factible", "chBPe": "ns-bpe"}
"""The field of each provider's document."""


def plain(name: str) -> str:
    """A header without what makes no difference."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return re.sub(r"[^a-z0-9]", "", letters)


_FIELDS = {plain(name): field for field, names in VARIANTS.items() for name in (field, *names)}
_PASSED_OVER = frozenset(plain(name) for name in OF_THE_ERRORS_FILE)
_NUMBER = "n|no|nr|nro|num|numero|number|id|cod|codigo|clave|folio"
_OWN_NUMBER = re.compile(
    rf"(?:(?:{_NUMBER})(?:de|do|da|del|dela)?)?"
    r"(?:pedido|order|(?:orden|ordem)(?:de(?:compra|venta|venda|servicio|servico|trabajo))?|ref|referencia|reference)"
    rf"(?:{_NUMBER}|interno|interna)?"
    rf"|(?:{_NUMBER})intern[oa]",
)
"""How an order's number is called, as `plain` gives it: the reference of a file that has no other."""
_HINTS_OF_A_CFDI = (
    (re.compile(r".*motivo.*"), "this method takes no motive"),
    (re.compile(r".*(sustitu|substitu|relacionad).*"), "this method takes no substitute"),
    (re.compile(r"folio"), "call it folio fiscal where it holds the UUID, referencia where it holds your own number"),
)
_SHOWN_NAMES = 8


def field_named(name: str) -> str | None:
    """The field that a column of this name surely holds."""
    return _FIELDS.get(plain(name))


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file, in its order.

    Attributes:
        header: Their names as they stand in the file.
        fields: The request's field that each holds; None where it holds none.
        extra: Names of columns that are neither a field nor of our own making.
    """

    header: tuple[str, ...]
    fields: tuple[str | None, ...]
    extra: tuple[str, ...]

    @property
    def known(self) -> tuple[tuple[int, str], ...]:
        """Place and field of each column that holds one."""
        return tuple((place, field) for place, field in enumerate(self.fields) if field)

    @property
    def own(self) -> tuple[int, ...]:
        """Places of the columns that are not of our own making."""
        return tuple(place for place, name in enumerate(self.header) if plain(name) not in _PASSED_OVER)

    @property
    def original_line(self) -> int | None:
        """Place of the column in which `--errors` has kept the line of the first file."""
        return next((place for place, name in enumerate(self.header) if plain(name) == plain(ORIGINAL_LINE)), None)

    @property
    def doubtful_references(self) -> tuple[str, ...]:
        """Names of columns each of which could be the reference, where there are several."""
        names = tuple(name for name in self.extra if _OWN_NUMBER.fullmatch(plain(name)))
        return () if "reference" in self.fields else names

    @property
    def unnamed(self) -> tuple[int, ...]:
        """Places of columns without a name: spreadsheets leave empty ones behind."""
        return tuple(place for place, name in enumerate(self.header) if not name)

    @property
    def provider(self) -> str | None:
        """The provider that the document column tells; None where there are both."""
        told = [provider for field, provider in DOCUMENTS.items() if field in self.fields]
        return told[0] if len(told) == 1 else None

    def name_of(self, field: str) -> str:
        """The header of a field's column; the field itself where the file has none."""
        return self.header[self.fields.index(field)] if field in self.fields else field


def recognised(header: Sequence[str]) -> Columns:
    """The columns of a header line."""
    names = tuple(name.strip(" \t\r\n\ufeff\xa0") for name in header)
    keys = [plain(name) for name in names]
    fields = [_FIELDS.get(key) for key in keys]
    own_numbers = [place for place, key in enumerate(keys) if _OWN_NUMBER.fullmatch(key)]
    if "reference" not in fields and len(own_numbers) == 1:
        fields[own_numbers[0]] = "reference"
    extra = tuple(
        name
        for name, key, field in zip(names, keys, fields, strict=True)
        if name and not field and key not in _PASSED_OVER
    )
    return Columns(names, tuple(fields), extra)


def usable(columns: Columns, *, ignore_extra: bool) -> Columns:
    """The columns, if a request can be made of them; one of them holds the document.

    Raises:
        Unreadable: a field twice, or a column that is no field and is not to be ignored.
    """
    twice = [field for field, count in Counter(filter(None, columns.fields)).items() if count > 1]
    if twice:
        names = " and ".join(
            name for name, field in zip(columns.header, columns.fields, strict=True) if field == twice[0]
        )
        raise Unreadable(f"several columns are {twice[0]}: {names}; leave one of them")
    if columns.extra and not ignore_extra:
        more = f" and {len(columns.extra) - _SHOWN_NAMES} more" if len(columns.extra) > _SHOWN_NAMES else ""
        hints = "".join(f" ({hint})" for hint in dict.fromkeys(_hints(columns)))
        raise Unreadable(
            f"not a field of a request: {names_shown(columns.extra)}{more}{hints}; "
            "rename them, or give --extra-columns ignore"
        )
    return columns


def names_shown(names: Sequence[str]) -> str:
    """The first few of them, shortened."""
    return ", ".join(shortened(name) for name in names[:_SHOWN_NAMES])


def _hints(columns: Columns) -> Iterator[str]:
    """What to know about columns that are no field of a request."""
    for name in columns.extra:
        if columns.provider == DOCUMENTS["uuid"]:
            yield from (f"{shortened(name)}: {hint}" for form, hint in _HINTS_OF_A_CFDI if form.fullmatch(plain(name)))
        if odd := strange(name, lambda letter: not deceives(letter)):
            yield f"{shortened(name)}: {odd}"
    if columns.doubtful_references:
        yield f"call one of {' and '.join(columns.doubtful_references)} referencia"
