import pytest

from worker.cli.demo import refuse_without
from worker.cli.problems import Failed


def test_a_missing_library_is_told_with_what_to_install():
    extras = {"json": "monitor", "no_such_server": "embedded", "no_such_web": "sandbox", "no_such_asgi": "sandbox"}

    with pytest.raises(Failed) as failed:
        refuse_without(extras)

    assert failed.value.lines == (
        "the demo needs no_such_server, no_such_web, no_such_asgi: pip install 'anula[embedded,sandbox]'",
    )


def test_nothing_is_said_where_all_is_installed():
    refuse_without({"json": "monitor"})
