"""A CSV file out of text, and its rows checked."""

import io

import pytest

from tests.support.requests import accounts
from worker.csv_file.checking import RowCheck
from worker.csv_file.reading import CsvFile


@pytest.fixture
def csv_file():
    def read(text, *, encoding="utf-8", given=None, **options):
        raw = text if isinstance(text, bytes) else text.encode(encoding)
        return CsvFile(io.BytesIO(raw), encoding=given, **options)

    return read


@pytest.fixture
def checked(csv_file):
    """The rows of a file, checked."""

    def check(text, *, defaults=None, ignore_extra=False, **options):
        file = csv_file(text, ignore_extra=ignore_extra, **options)
        rows = RowCheck(file, accounts(), defaults=defaults or {}, ignore_extra=ignore_extra)
        return [rows.check(row) for row in file.rows()]

    return check
