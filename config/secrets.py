"""The secrets of the accounts: read where the accounts file says, and hidden from logs ever after."""

import re
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

_NOT_TO_BE_SENT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
"""Lines of a second secret, UTF-16 read as UTF-8, octets that are no text: no provider has given out such a secret."""


class SecretMissing(Exception):
    """A secret cannot be read now; the message names the variable or the file."""


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where one secret is found: a variable of the environment or a file."""

    variable: str | None
    file: Path | None

    def read(self, environment: Mapping[str, str]) -> str:
        """The secret as it is now; a file is read at each call. Logs hide it from here on (`secrets_read`).

        Raises:
            SecretMissing: not set, not readable, empty, or nothing that can be sent.
        """
        secret = self._found(environment)
        _READ.add(secret)
        return secret

    def _found(self, environment: Mapping[str, str]) -> str:
        if self.variable is not None:
            secret, place = environment.get(self.variable, ""), f"environment variable {self.variable}"
            if not secret:
                raise SecretMissing(f"{place} is not set")
        else:
            secret, place = self._in_file(), f"secret file {self.file}"
            if not secret:
                raise SecretMissing(f"{place} is empty")
        if _NOT_TO_BE_SENT.search(secret):
            raise SecretMissing(f"{place} has a control character in it (a line break, a tab), or is no UTF-8 text")
        return secret

    def _in_file(self) -> str:
        try:
            return Path(self.file or "").read_text(encoding="utf-8-sig").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as failure:
            raise SecretMissing(f"secret file {self.file} cannot be read ({type(failure).__name__})") from None

    @property
    def is_readable_by_others(self) -> bool:
        """Whether everybody on this machine can read or change the file."""
        return self.file is not None and is_open_to_others(self.file)


_READ: set[str] = set()
"""Of the whole process, as its log is: a secret that was changed is hidden from its first use on, without a second look
at its file for every line."""


def secrets_read() -> Collection[str]:
    """Every secret that was read in this process, older ones included."""
    return frozenset(_READ)


def is_open_to_others(file: Path) -> bool:
    """Whether everybody on this machine can read or change a file; False where it is not there."""
    try:
        return bool(file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH))
    except OSError:
        return False
