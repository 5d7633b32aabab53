"""Which accounts a worker process serves, and what it says of the others."""

import pytest
from structlog.testing import capture_logs

from tests.support.requests import NORTE, RODOVIARIA
from worker.serving import NotServed, Serving


def events(lines):
    return [(line["event"], line["account"]) for line in lines]


def serving(environment, *accounts):
    return Serving({account.name: account for account in accounts or (NORTE, RODOVIARIA)}, environment)


def test_an_account_is_served_while_its_secret_can_be_read():
    environment = {"NORTE_PASSWORD": "secret"}
    one = serving(environment)

    assert one.account_and_secret("norte") == (NORTE, "secret")
    assert one.look([]) == {NORTE: True, RODOVIARIA: False}
    environment["RODOVIARIA_TOKEN"] = "token"
    assert one.look([]) == {NORTE: True, RODOVIARIA: True}


def test_a_call_for_an_account_whose_secret_is_gone_is_refused_and_the_account_not_served(tmp_path):
    file = tmp_path / "norte"
    file.write_text("secret")
    one = serving({}, NORTE.model_copy(update={"password_env": None, "password_file": file}))
    one.account_and_secret("norte")
    file.unlink()

    with pytest.raises(NotServed, match="cannot be read"):
        one.account_and_secret("norte")

    assert one.unserved() == {"norte"}


def test_a_call_for_an_account_that_is_not_in_the_file_is_refused():
    with pytest.raises(NotServed, match="not in this worker's accounts file"):
        serving({}).account_and_secret("sur")


def test_what_is_not_served_is_logged_once_and_again_when_it_changes(tmp_path):
    file = tmp_path / "norte"
    one = serving({}, NORTE.model_copy(update={"password_env": None, "password_file": file}))
    with capture_logs() as lines:
        for _ in range(3):
            one.look([])
        file.write_text("")
        one.look([])
        file.write_text("secret")
        one.look([])
        one.look([])
        file.unlink()
        one.look([])

    assert events(lines) == [
        ("account_not_served", "norte"),
        ("account_not_served", "norte"),
        ("account_served", "norte"),
        ("account_not_served", "norte"),
    ]
    assert [line["log_level"] for line in lines] == ["warning", "warning", "info", "warning"]
    assert "is empty" in lines[1]["problem"]


def test_an_account_of_others_is_logged_once_it_has_something_to_do():
    one = serving({"NORTE_PASSWORD": "x", "RODOVIARIA_TOKEN": "x"})
    with capture_logs() as lines:
        one.look(["norte"])
        for _ in range(3):
            one.look(["norte", "sur"])

    assert events(lines) == [("account_not_served", "sur")]
    assert "restart" in lines[0]["remedy"]


def test_the_remedy_of_a_variable_is_a_restart_and_that_of_a_file_is_none():
    with capture_logs() as lines:
        serving({}, NORTE).look([])
        serving({}, NORTE.model_copy(update={"password_env": None, "password_file": "/no/such/file"})).look([])

    assert [("restart" in line["remedy"]) for line in lines] == [True, False]


def test_an_account_with_which_no_call_can_be_made_is_tried_again_later_and_told_once():
    one = serving({"NORTE_PASSWORD": "x"}, NORTE)
    with capture_logs() as lines:
        for _ in range(3):
            one.set_aside("norte", "WSDL x.wsdl cannot be read")
            assert one.look([]) == {NORTE: False}
            assert one.unserved() == {"norte"}
            one._again_at["norte"] -= 61
            assert one.look([]) == {NORTE: True}
            assert one.unserved() == set()
    assert events(lines) == [("account_not_served", "norte")]

    with capture_logs() as lines:
        one.confirm("norte")
        one.confirm("norte")
    assert events(lines) == [("account_served", "norte")]
