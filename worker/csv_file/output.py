"""A file that is made while a command runs: there whole at the end, or as it was before."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

ENCODING = "utf-8-sig"
"""With the mark by which spreadsheets tell UTF-8."""


class OutputFile:
    """A text file that takes its place when it is complete; what is no file, as /dev/stdout, is written as it comes.

    Attributes:
        opened: What to write to.

    Raises:
        OSError: at once where it cannot be written, so that nobody learns of it after hours.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._place = Path(os.path.realpath(path))
        is_file = self._place.is_file() or not self._place.exists()
        self._part = self._place.with_name(f".{self._place.name}.{os.getpid()}.part") if is_file else None
        self.opened: TextIO = (self._part or self._place).open("w", encoding=ENCODING, newline="")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what was not written is of no use any more
            self.opened.close()
        if self._part:
            self._part.unlink(missing_ok=True)

    def take_its_place(self) -> None:
        """Nothing more is to be written."""
        self.opened.close()
        if self._part:
            if self._place.exists():
                shutil.copymode(self._place, self._part)
            self._part.replace(self._place)
