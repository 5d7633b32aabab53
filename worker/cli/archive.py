"""A folder of files that are written once: each whole or not at all, and never over another content."""

import os
import tempfile
import time
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

_PREFIX, _SUFFIX = ".anula-", ".part"
_ABANDONED_AFTER_S = 3_600.0
"""A file is written within moments: what is still half-written after so long, an interrupted run has left."""


class Kept(StrEnum):
    """What became of one file."""

    WRITTEN = "written"
    THERE = "there"
    DIFFERS = "differs"


class Archive:
    """The files of one folder, which is made if missing. Folder and files are for their owner alone.

    Every method, and making one, raises OSError where the folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._clear_up()

    def has(self, name: str) -> bool:
        """Whether there is a file of this name, whatever is in it."""
        return (self.folder / name).exists()

    def keep(self, name: str, content: bytes) -> Kept:
        """Write a file, unless one of this name is there: that one is left as it is."""
        place = self.folder / name
        try:
            is_same = place.stat().st_size == len(content) and place.read_bytes() == content
        except FileNotFoundError:
            self._write(place, content)
            return Kept.WRITTEN
        return Kept.THERE if is_same else Kept.DIFFERS

    def settle(self) -> None:
        """Make sure that the names outlast a power cut, too, where the file system can: their contents do already."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            with suppress(OSError):
                os.fsync(folder)
        finally:
            os.close(folder)

    def _write(self, place: Path, content: bytes) -> None:
        """By way of another name, so that this one never stands for half a file."""
        descriptor, part = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=self.folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(part).rename(place)
        except BaseException:
            with suppress(OSError):
                Path(part).unlink()
            raise

    def _clear_up(self) -> None:
        """Remove what interrupted runs have left; another run may be writing right now."""
        for part in self.folder.glob(f"{_PREFIX}*{_SUFFIX}"):
            with suppress(FileNotFoundError):
                if time.time() - part.stat().st_mtime > _ABANDONED_AFTER_S:
                    part.unlink()
