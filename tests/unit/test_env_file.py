"""The `.env` file: a value is what is written, and what could be meant in two ways is an error."""

import os
from pathlib import Path

import pytest

from config import env_file
from config.problem import ConfigurationProblem

SECRET = "Qx7Ksecret"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def values(file: Path) -> dict[str, str]:
    return {name: variable.value for name, variable in env_file.read(file).items()}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("two words", "two words"),
        ("  surrounded \t", "surrounded"),
        ("a=b==", "a=b=="),
        ("a#b", "a#b"),
        ("#b", "#b"),
        ("a #b", "a #b"),
        ("${HOME}$HOME`id`$(id)%20", "${HOME}$HOME`id`$(id)%20"),
        (r"back\slash\n", r"back\slash\n"),
        ("it's", "it's"),
        ('say"so"', 'say"so"'),
        ("ñ€\u2028\x85", "ñ€\u2028\x85"),
        ("'single'", "single"),
        (r"' a # ${b} \n \ " + "\"' # a comment", r' a # ${b} \n \ "'),
        ('"double"', "double"),
        ('" a # ${b} \' \\" \\\\ "   ', " a # ${b} ' \" \\ "),
        ("''", ""),
        ('""', ""),
    ],
)
def test_a_value_is_what_is_written(file, written, value):
    file.write_bytes(f"NAME={written}\n".encode())

    assert values(file) == {"NAME": value}


@pytest.mark.parametrize("line", ["NAME=v", "export NAME=v", "export\tNAME = v", "  NAME =v", "NAME='v'"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_line_may_be_written_in_several_ways(file, line, end, mark):
    file.write_bytes(mark + f"{line}{end}".encode())

    assert values(file) == {"NAME": "v"}


def test_blank_lines_and_comments_set_nothing_and_the_last_line_of_a_name_counts(file):
    file.write_text("# a comment\n\n  # NAME=no\nNAME=one\nOTHER=x\nNAME=two\n")

    assert values(file) == {"NAME": "two", "OTHER": "x"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (SECRET, "is not NAME=VALUE"),
        (f"export {SECRET}", "is not NAME=VALUE"),
        (f"NAME: {SECRET}=", "is not NAME=VALUE"),
        (f"={SECRET}", "is not NAME=VALUE"),
        (f"NAME={SECRET} # which", "NAME: ` # ` may be"),
        (f"NAME={SECRET} #", "NAME: ` # ` may be"),
        ("NAME= # none", "NAME: ` # ` may be"),
        (f"NAME='{SECRET}", "NAME: the quote that the value begins with is not closed"),
        (f'NAME="{SECRET}\\"', "NAME: the quote that the value begins with is not closed"),
        (f"NAME='{SECRET}'{SECRET}", "NAME: there is something behind the closing quote"),
        (f'NAME="{SECRET}"#no', "NAME: there is something behind the closing quote"),
        (f'NAME="{SECRET}\\n"', "NAME: between double quotes"),
        (f"NAME={SECRET}\x00", "is not UTF-8 text"),
        (f"NAME={SECRET}\x1b", "NAME: a control character"),
    ],
)
def test_an_unclear_line_is_named_and_never_quoted(file, line, problem):
    file.write_text(f"OTHER=x\n{line}\n")

    with pytest.raises(ConfigurationProblem) as refused:
        env_file.read(file)

    said = str(refused.value)
    assert problem in said
    assert "line 2: " in said or "UTF-8" in said
    assert SECRET not in said
    assert "\n" not in said


def test_every_unclear_line_is_named(file):
    file.write_text("one\nA=b\ntwo\n")

    with pytest.raises(ConfigurationProblem, match=r"\.env, line 1: is not NAME=VALUE; line 3: is not NAME=VALUE$"):
        env_file.read(file)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_another_encoding_is_said(file, encoding):
    file.write_bytes("NAME=señal\n".encode(encoding))

    with pytest.raises(ConfigurationProblem, match="is not UTF-8 text"):
        env_file.read(file)


# Other things of that name


def test_no_file_sets_nothing(file):
    assert values(file) == {}


def test_a_virtual_environment_of_that_name_sets_nothing(file):
    file.mkdir()
    (file / "pyvenv.cfg").touch()

    assert values(file) == {}


def test_another_directory_is_a_mount_that_failed(file):
    file.mkdir()

    with pytest.raises(ConfigurationProblem, match="is a directory"):
        env_file.read(file)


def test_a_link_to_nothing_is_no_missing_file(file):
    file.symlink_to("nowhere")

    with pytest.raises(ConfigurationProblem, match="a link to a file that is not there"):
        env_file.read(file)


def test_a_file_of_another_user_is_one_line(file):
    file.write_text(f"NAME={SECRET}\n")
    file.chmod(0o600 if os.geteuid() == 0 else 0)

    said = said_by_nobody(file)

    assert said == ".env cannot be read (Permission denied): let this user read it, or remove it"


def said_by_nobody(file: Path) -> str:
    """The problem that a user without rights has with a file: root may read every file."""
    file.parent.chmod(0o755)
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.chdir(file.parent)
            if os.geteuid() == 0:
                os.setuid(65_534)
            env_file.read(Path(file.name))
        except ConfigurationProblem as problem:
            os.write(writing, str(problem).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with open(reading) as answer:  # noqa: PTH123 - a descriptor
        return answer.read()
