"""The secrets of the accounts: read where the accounts file says, and hidden from logs ever after."""

import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path


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
            SecretMissing: not set, not readable, or empty.
        """
        secret = self._found(environment)
        _READ.add(secret)
        return secret

    def _found(self, environment: Mapping[str, str]) -> str:
        if self.variable is not None:
            secret = environment.get(self.variable, "")
            if not secret:
                raise SecretMissing(f"environment variable {self.variable} is not set")
            return secret
        try:
            secret = Path(self.file or "").read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as failure:
            raise SecretMissing(f"secret file {self.file} cannot be read ({type(failure).__name__})") from None
        if not secret:
            raise SecretMissing(f"secret file {self.file} is empty")
        return secret

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
