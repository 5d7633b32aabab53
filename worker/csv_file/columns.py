"""Which field of a request a column holds: the field's own name, or a usual Spanish or Portuguese one."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

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
"""What `--errors` adds; passed over when the mended file is imported."""
DOCUMENTS = {"uuid": "solucion-factible", "chBPe": "ns-bpe"}
"""The field of each provider's document."""


def plain(name: str) -> str:
    """A header without what makes no difference."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return re.sub(r"[^a-z0-9]", "", letters)


_FIELDS = {plain(name): field for field, names in VARIANTS.items() for name in (field, *names)}
_PASSED_OVER = frozenset(plain(name) for name in OF_THE_ERRORS_FILE)


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
    extra = tuple(
        name for name, key in zip(names, keys, strict=True) if name and key not in _FIELDS and key not in _PASSED_OVER
    )
    return Columns(names, tuple(_FIELDS.get(key) for key in keys), extra)


def usable(columns: Columns, *, ignore_extra: bool) -> Columns:
    """The columns, if a request can be made of them.

    Raises:
        Unreadable: no document, a field twice, or a column that is no field and is not to be ignored.
    """
    if not any(field in columns.fields for field in DOCUMENTS):
        shown = ", ".join(shortened(name) for name in columns.header[:8])
        raise Unreadable(
            "its first line must name the columns, parted by commas, semicolons or tabs, one of them uuid or chBPe "
            f"(or folio fiscal, chave de acesso); lines above it must go. It is: {shown}"
        )
    twice = [field for field, count in Counter(filter(None, columns.fields)).items() if count > 1]
    if twice:
        names = " and ".join(
            name for name, field in zip(columns.header, columns.fields, strict=True) if field == twice[0]
        )
        raise Unreadable(f"several columns are {twice[0]}: {names}; leave one of them")
    if columns.extra and not ignore_extra:
        shown = ", ".join(shortened(name) for name in columns.extra[:8])
        more = f" and {len(columns.extra) - 8} more" if len(columns.extra) > 8 else ""  # noqa: PLR2004 - as many as are shown
        raise Unreadable(f"not a field of a request: {shown}{more}; rename them, or give --extra-columns ignore")
    return columns
