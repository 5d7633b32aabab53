"""Who may call, and what wrong passwords lead to."""

from worker.sandbox.accounts import PASSWORD, TOKEN, USER, SandboxAccounts, token_label


def test_the_documented_user_may_call():
    assert SandboxAccounts().check_password(USER, PASSWORD) == 0
    assert SandboxAccounts().check_password("sandbox-12@example.com", PASSWORD) == 0


def test_five_wrong_passwords_in_a_row_lock_the_account():
    accounts = SandboxAccounts()

    answers = [accounts.check_password(USER, "wrong") for _ in range(7)]

    assert answers == [601, 601, 601, 601, 604, 602, 602]
    assert accounts.check_password(USER, PASSWORD) == 602


def test_a_right_password_starts_the_count_again():
    accounts = SandboxAccounts()
    for _ in range(4):
        accounts.check_password(USER, "wrong")

    assert accounts.check_password(USER, PASSWORD) == 0
    assert accounts.check_password(USER, "wrong") == 601


def test_an_unknown_user_is_601_and_is_never_locked():
    accounts = SandboxAccounts()

    assert {accounts.check_password("who@example.com", PASSWORD) for _ in range(9)} == {601}


def test_a_user_named_after_a_code_gets_that_code():
    accounts = SandboxAccounts()

    assert [accounts.check_password(f"{code}@example.com", PASSWORD) for code in (602, 603, 605, 620, 633)] == [
        602,
        603,
        605,
        620,
        633,
    ]


def test_an_account_can_go_wrong_and_be_mended_while_it_runs():
    accounts = SandboxAccounts()

    accounts.set_answer(USER, "603")
    expired = accounts.check_password(USER, PASSWORD)
    accounts.set_answer(USER, None)

    assert expired == 603
    assert accounts.check_password(USER, PASSWORD) == 0


def test_tokens_are_ordinary_named_after_a_code_or_unknown():
    accounts = SandboxAccounts()

    assert accounts.check_token(TOKEN) == accounts.check_token("sandbox-token-3") == ""
    assert accounts.check_token("sandbox-token:403") == "403"
    assert accounts.check_token("sandbox-token:-401") == "-401"
    assert accounts.check_token("") == accounts.check_token("other") == accounts.check_token("sandbox-token:7") == "401"


def test_what_is_told_of_accounts_holds_no_password_and_no_token():
    accounts = SandboxAccounts()
    accounts.check_password(USER, "my-own-secret")
    accounts.check_token("my-own-token")

    told = repr(accounts.as_json())

    assert "my-own" not in told
    assert token_label("my-own-token") in told
