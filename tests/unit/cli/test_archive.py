"""A folder of files that are written once."""

import os
import stat
import time

import pytest

from worker.cli.archive import Archive, Kept


def test_a_file_is_written_and_left_alone_from_then_on(tmp_path):
    archive = Archive(tmp_path / "made" / "here")

    assert archive.keep("a.xml", b"<a/>\r\n") is Kept.WRITTEN
    before = (archive.folder / "a.xml").stat()
    assert archive.keep("a.xml", b"<a/>\r\n") is Kept.THERE

    assert (archive.folder / "a.xml").read_bytes() == b"<a/>\r\n"
    assert (archive.folder / "a.xml").stat() == before
    assert archive.has("a.xml")


@pytest.mark.parametrize("other", [b"", b"<b/>", b"<a/> "])
def test_a_file_with_another_content_is_left_as_it_is(tmp_path, other):
    (tmp_path / "a.xml").write_bytes(other)

    assert Archive(tmp_path).keep("a.xml", b"<a/>") is Kept.DIFFERS
    assert (tmp_path / "a.xml").read_bytes() == other


def test_folder_and_files_are_for_their_owner_alone(tmp_path):
    archive = Archive(tmp_path / "new")
    archive.keep("a.xml", b"<a/>")

    assert stat.S_IMODE(archive.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((archive.folder / "a.xml").stat().st_mode) == 0o600


def test_the_name_never_stands_for_half_a_file(tmp_path, monkeypatch):
    archive = Archive(tmp_path)

    def full_disk(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        archive.keep("a.xml", b"<a/>")

    assert list(tmp_path.iterdir()) == []


def test_what_an_interrupted_run_has_left_is_cleared_up_and_nothing_else(tmp_path):
    left, being_written, other = tmp_path / ".anula-1.part", tmp_path / ".anula-2.part", tmp_path / "a.part"
    for file in (left, being_written, other):
        file.touch()
    for file in (left, other):
        os.utime(file, (time.time() - 7_200,) * 2)

    Archive(tmp_path)

    assert set(tmp_path.iterdir()) == {being_written, other}


def test_a_folder_that_is_a_file_cannot_be_used(tmp_path):
    (tmp_path / "a").touch()

    with pytest.raises(FileExistsError):
        Archive(tmp_path / "a")
