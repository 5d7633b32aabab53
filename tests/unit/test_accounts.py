"""The accounts file: where it is wrong is said with line and field, and no secret stands in it."""

import pytest

from config.accounts import Environment, NsBpeAccount, SolucionFactibleAccount, load
from config.problem import ConfigurationProblem
from config.secrets import SecretMissing

NORTE = """\
# who cancels
[accounts.norte]
provider = "solucion-factible"
environment = "test"
username = "erp@example.com"
password_env = "NORTE_PASSWORD"
"""
RODOVIARIA = """\
[accounts.rodoviaria]
provider = "ns-bpe"
environment = "test"
token_file = "/run/secrets/rodoviaria"
utc_offset = "-03:00"
"""


@pytest.fixture
def loaded(tmp_path):
    def load_text(text: str):
        path = tmp_path / "accounts.toml"
        path.write_text(text, encoding="utf-8")
        return load(path)

    return load_text


@pytest.fixture
def problem_with(loaded):
    def refused(text: str) -> str:
        with pytest.raises(ConfigurationProblem) as problem:
            loaded(text)
        return str(problem.value)

    return refused


def test_the_file_gives_the_accounts_in_its_order(loaded):
    accounts = loaded(NORTE + RODOVIARIA)

    norte, rodoviaria = accounts.by_name.values()
    assert accounts.environment is Environment.TEST
    assert isinstance(norte, SolucionFactibleAccount)
    assert (norte.username, norte.soap_version, norte.max_in_flight, norte.max_per_minute) == (
        "erp@example.com",
        "1.2",
        8,
        None,
    )
    assert isinstance(rodoviaria, NsBpeAccount)
    assert rodoviaria.utc_offset_minutes == -180


@pytest.mark.parametrize(
    ("offset", "minutes"), [("+00:00", 0), ("-00:00", 0), ("-11:00", -660), ("+12:00", 720), ("+09:00", 540)]
)
def test_offsets_are_whole_hours(loaded, offset, minutes):
    [account] = loaded(RODOVIARIA.replace("-03:00", offset)).by_name.values()

    assert account.utc_offset_minutes == minutes


@pytest.mark.parametrize("offset", ["-3", "-03:30", "-12:00", "+13:00", "Z", "-03:00\\n", "America/Sao_Paulo"])
def test_other_offsets_are_refused(problem_with, offset):
    assert "line 5: account rodoviaria, utc_offset: " in problem_with(RODOVIARIA.replace("-03:00", offset))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (NORTE.replace('"NORTE_PASSWORD"', '""'), "line 6: account norte, password_env: "),
        (NORTE.replace("password_env", "password_file").replace('"NORTE_PASSWORD"', '""'), "line 6: account norte, "),
        (RODOVIARIA.replace("token_file", "token_env").replace("/run/secrets/rodoviaria", ""), "account rodoviaria, "),
        (RODOVIARIA + 'ca_file = ""\n', "line 6: account rodoviaria, ca_file: "),
        (NORTE + 'wsdl = ""\n', "line 7: account norte, wsdl: "),
    ],
)
def test_an_empty_name_of_a_variable_or_a_file_is_refused(problem_with, text, where):
    assert where in problem_with(text)


SUR = NORTE.replace("[accounts.norte]", "[accounts.sur]").replace("# who cancels\n", "")
DEFAULT = "default = true\n"


def test_each_provider_may_have_a_default(loaded):
    accounts = loaded(NORTE + SUR + DEFAULT + RODOVIARIA + DEFAULT)

    found = [accounts.default_of(provider) for provider in ("solucion-factible", "ns-bpe")]

    assert [one and one.name for one in found] == ["sur", "rodoviaria"]


def test_several_accounts_have_no_default_by_themselves(loaded):
    assert loaded(NORTE + SUR).default_of("solucion-factible") is None
    assert loaded(NORTE).default_of("ns-bpe") is None


def test_two_defaults_of_one_provider_are_refused_with_both_names_and_the_line(problem_with):
    problem = problem_with(NORTE + DEFAULT + SUR + DEFAULT)

    assert "line 13: account sur, default: norte is the default of solucion-factible already" in problem


@pytest.mark.parametrize("value", ['"true"', "1", '"yes"'])
def test_a_default_is_true_or_false(problem_with, value):
    assert "line 7: account norte, default: " in problem_with(NORTE + f"default = {value}\n")


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(ConfigurationProblem, match=r"nowhere\.toml not found: create it .* or set ANULA_ACCOUNTS"):
        load(tmp_path / "nowhere.toml")


def test_a_directory_is_not_a_file(tmp_path):
    with pytest.raises(ConfigurationProblem, match="cannot be read"):
        load(tmp_path)


def test_a_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "accounts.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigurationProblem, match="cannot be read"):
        load(tmp_path / "accounts.toml")


def test_broken_toml_is_refused_with_its_line(problem_with):
    assert "line 2" in problem_with('[accounts.norte]\nprovider "x"')


@pytest.mark.parametrize("text", ["", "[other]\n", "accounts = 1\n", "[accounts]\n", "[[accounts]]\n"])
def test_a_file_without_accounts_is_refused(problem_with, text):
    assert "no [accounts.NAME] table" in problem_with(text)


@pytest.mark.parametrize(
    ("line", "wrong", "where"),
    [
        ('environment = "test"', 'environment = "Test"', "line 4: account norte, environment"),
        ('provider = "solucion-factible"', 'provider = "sf"', "line 2: account norte"),
        ('username = "erp@example.com"', 'username = ""', "line 5: account norte, username"),
        ('username = "erp@example.com"', "username = 5", "line 5: account norte, username"),
        ('username = "erp@example.com"', "", "line 2: account norte, username"),
        ('username = "erp@example.com"', 'user = "x"\nusername = "y"', "line 5: account norte, user"),
        ('password_env = "NORTE_PASSWORD"', 'password = "hunter2"', "account norte, password"),
        ('password_env = "NORTE_PASSWORD"', "", "line 2: account norte: exactly one of password_env and password_file"),
        (
            'password_env = "NORTE_PASSWORD"',
            'password_env = "A"\npassword_file = "/b"',
            "line 2: account norte: exactly one of password_env and password_file",
        ),
        ('username = "erp@example.com"', 'username = "x"\nmax_in_flight = 0', "line 6: account norte, max_in_flight"),
        (
            'username = "erp@example.com"',
            'username = "x"\nmax_in_flight = true',
            "line 6: account norte, max_in_flight",
        ),
        (
            'username = "erp@example.com"',
            'username = "x"\nmax_per_minute = "9"',
            "line 6: account norte, max_per_minute",
        ),
        ('username = "erp@example.com"', 'username = "x"\nsoap_version = "1.3"', "line 6: account norte, soap_version"),
    ],
)
def test_what_is_wrong_is_named_by_line_and_field(problem_with, line, wrong, where):
    problem = problem_with(NORTE.replace(line, wrong))

    assert where in problem
    assert "hunter2" not in problem


def test_everything_wrong_is_listed_on_one_line(problem_with):
    problem = problem_with(NORTE.replace("erp@example.com", "") + RODOVIARIA.replace("-03:00", "x"))

    assert "norte, username" in problem
    assert "rodoviaria, utc_offset" in problem
    assert "\n" not in problem


@pytest.mark.parametrize("name", ['"with blank"', '"-x"', '""', '"' + "x" * 65 + '"', '"a:b"', '"\u00f1"'])
def test_a_name_fits_in_keys_and_command_lines(problem_with, name):
    assert "account" in problem_with(NORTE.replace("accounts.norte", f"accounts.{name}"))


def test_an_account_is_a_table(problem_with):
    assert "account norte" in problem_with("[accounts]\nnorte = 5\n")


def test_two_environments_are_refused(problem_with):
    problem = problem_with(NORTE + RODOVIARIA.replace('"test"', '"production"'))

    assert "account norte is of the test and rodoviaria of the production environment" in problem


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com/ws",
        "http://localhost:8090",
        "http://127.0.0.1:8090/x",
        "http://127.9.9.9",
        "http://[::1]:8090",
    ],
)
@pytest.mark.parametrize("field", ["endpoint", "wsdl"])
def test_an_address_is_https_or_on_this_machine(loaded, field, address):
    [account] = loaded(NORTE + f'{field} = "{address}"\n').by_name.values()

    assert getattr(account, field) == address


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://2130706433",
        "http://0.0.0.0",
        "ftp://localhost",
        "https://",
        "https:///path",
        "https://user:hunter2@example.com",
        "https://user:hunter2#1@example.com",
        "https://user:hunter2/1@example.com",
        "https://user:hunter2?1@example.com",
        "https://user:[hunter2]@example.com",
        "https://hunter2\uff0f@example.com",
        "https://:@example.com",
        "http://user@127.0.0.1",
        "http://[::1",
        "https://example.com:notaport",
        "https://example.com:70000",
    ],
)
@pytest.mark.parametrize("field", ["endpoint", "wsdl"])
def test_no_other_address_is_taken(problem_with, field, address):
    problem = problem_with(NORTE + f'{field} = "{address}"\n')

    assert f"line 7: account norte, {field}: " in problem
    assert "hunter2" not in problem


def test_an_endpoint_without_a_scheme_is_refused(problem_with):
    assert "account norte, endpoint" in problem_with(NORTE + 'endpoint = "example.com"\n')


def test_a_wsdl_may_be_a_file(loaded):
    [account] = loaded(NORTE + 'wsdl = "/etc/anula/Cancelacion.wsdl"\n').by_name.values()

    assert account.wsdl == "/etc/anula/Cancelacion.wsdl"


# Secrets


def test_a_secret_is_read_from_the_environment(loaded):
    source = loaded(NORTE).by_name["norte"].secret_source

    assert source.read({"NORTE_PASSWORD": "p\u00e4ss "}) == "p\u00e4ss "
    for environment in ({}, {"NORTE_PASSWORD": ""}):
        with pytest.raises(SecretMissing, match="environment variable NORTE_PASSWORD is not set"):
            source.read(environment)


def test_a_secret_file_is_read_at_each_use_without_its_line_end(loaded, tmp_path):
    path = tmp_path / "token"
    source = loaded(RODOVIARIA.replace("/run/secrets/rodoviaria", str(path))).by_name["rodoviaria"].secret_source

    path.write_text("one\r\n")
    assert source.read({}) == "one"
    path.write_text("  two ")
    assert source.read({}) == "  two "


def test_a_byte_order_mark_is_no_part_of_a_secret(loaded, tmp_path):
    path = tmp_path / "token"
    path.write_bytes(b"\xef\xbb\xbftoken\r\n")
    source = loaded(RODOVIARIA.replace("/run/secrets/rodoviaria", str(path))).by_name["rodoviaria"].secret_source

    assert source.read({}) == "token"


@pytest.mark.parametrize("secret", ["user\nhunter2", "hunter2\x00", "hunter2\t", "hunter2\x1b", "hunter2\udce9"])
def test_a_secret_that_cannot_be_sent_is_named_without_itself(loaded, tmp_path, secret):
    path = tmp_path / "token"
    path.write_bytes(secret.encode("utf-8", "surrogateescape"))
    in_file = loaded(RODOVIARIA.replace("/run/secrets/rodoviaria", str(path))).by_name["rodoviaria"].secret_source
    in_variable = loaded(NORTE).by_name["norte"].secret_source

    for source, place in ((in_file, f"secret file {path}"), (in_variable, "environment variable NORTE_PASSWORD")):
        with pytest.raises(SecretMissing) as problem:
            source.read({"NORTE_PASSWORD": secret})

        assert str(problem.value).startswith(place)
        assert "hunter2" not in str(problem.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_secret_file_that_is_of_no_use_says_so_without_its_content(loaded, tmp_path, content):
    path = tmp_path / "token"
    path.write_bytes(content)
    source = loaded(RODOVIARIA.replace("/run/secrets/rodoviaria", str(path))).by_name["rodoviaria"].secret_source

    with pytest.raises(SecretMissing, match=r"^secret file .*token (is empty|cannot be read)"):
        source.read({})


def test_a_missing_secret_file_says_so(loaded):
    source = loaded(RODOVIARIA).by_name["rodoviaria"].secret_source

    with pytest.raises(SecretMissing, match="secret file /run/secrets/rodoviaria cannot be read"):
        source.read({})


def test_a_missing_provider_is_named_with_what_it_may_be(tmp_path):
    path = tmp_path / "accounts.toml"
    path.write_text('[accounts.norte]\nenvironment = "test"\n')

    with pytest.raises(ConfigurationProblem, match="provider must be solucion-factible or ns-bpe"):
        load(path)


def test_a_byte_order_mark_does_no_harm(tmp_path):
    path = tmp_path / "accounts.toml"
    text = (
        '[accounts.norte]\nprovider = "solucion-factible"\nenvironment = "test"\nusername = "u"\npassword_env = "P"\n'
    )
    path.write_text(text, encoding="utf-8-sig")

    assert list(load(path).by_name) == ["norte"]
