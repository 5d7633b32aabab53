"""Whether the modules `config` and `tasks` that Python finds are Anula's own (docs/erp/python.md).

Each door of Anula asks before it imports them: the names are short, and many programs have modules called so.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

_HOME = Path(__file__).resolve().parents[1]
_BESIDE_THIS_ONE = ("config", "tasks")


def collision() -> str | None:
    """Which module hides one of Anula's, and what to do; None where none does."""
    for name in _BESIDE_THIS_ONE:
        found = _folder_or_file(name)
        if found != str(_HOME / name):
            return (
                f"Python finds the module {name} in {found}, not Anula's own in {_HOME / name}: run Anula in an "
                "environment of its own, where no other module of this name comes first (docs/erp/python.md)"
            )
    return None


def _folder_or_file(name: str) -> str:
    """Where a module is that is loaded, or would be: a package's folder, or a file."""
    loaded = sys.modules.get(name)
    spec = getattr(loaded, "__spec__", None) if loaded else find_spec(name)
    if spec is None:
        return "no place"
    found = next(iter(spec.submodule_search_locations or ()), spec.origin)
    return str(Path(found).resolve()) if found else "no place"
