"""Reads a `.env` file strictly: a value is what is written, and whatever could be meant in two ways is an error.

python-dotenv replaces `${NAME}`, cuts a value at ` #` and passes over what it cannot read, each without a word
(docs/adr/0011-one-strict-reader-of-the-env-file.md). docs/settings.md has the rules.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from config.problem import ConfigurationProblem

_LINE_END = re.compile(r"\r\n|\n|\r")
_BLANKS = " \t"
_SETS = re.compile(r"(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*(?P<value>.*)")
_SINGLE_QUOTED = re.compile(r"'(?P<inside>[^']*)'(?P<rest>.*)")
_DOUBLE_QUOTED = re.compile(r'"(?P<inside>(?:[^"\\]|\\.)*)"(?P<rest>.*)')
_NOTHING_OR_COMMENT = re.compile(r"[ \t]*|[ \t]+#.*")
_LIKE_A_COMMENT = re.compile(r"(?:^|[ \t])#(?:[ \t]|$)")
_ESCAPED = re.compile(r"\\(.)")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the file.

    Attributes:
        line: Where it is set, from 1 on.
    """

    value: str
    line: int


class _Unclear(Exception):
    """A line that cannot be read; the message never quotes it, since it may hold a secret."""


def read(path: Path) -> Mapping[str, Variable]:
    """The variables that a file sets, by name; none where there is no file. The last line of a name counts.

    Raises:
        ConfigurationProblem: it cannot be read, is no UTF-8 text, or has lines that are unclear; all of them are named.
    """
    found: dict[str, Variable] = {}
    problems: list[str] = []
    for number, line in enumerate(_LINE_END.split(_text(path)), start=1):
        try:
            found |= {name: Variable(value, number) for name, value in _variables(line.strip(_BLANKS))}
        except _Unclear as unclear:
            problems.append(f"line {number}: {unclear}")
    if problems:
        raise ConfigurationProblem(f"{path}, {'; '.join(problems)}")
    return found


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if path.is_symlink():
            raise ConfigurationProblem(f"{path} is a link to a file that is not there") from None
        return ""
    except IsADirectoryError:
        if (path / "pyvenv.cfg").exists():  # a virtual environment of that name
            return ""
        # Container engines create a directory when the file to mount does not exist
        raise ConfigurationProblem(f"{path} is a directory: put the file there, or remove it") from None
    except UnicodeDecodeError:
        text = "\0"
    except OSError as failure:
        problem = f"{path} cannot be read ({failure.strerror}): let this user read it, or remove it"
        raise ConfigurationProblem(problem) from None
    if "\0" in text:  # UTF-16 without its mark is valid UTF-8
        raise ConfigurationProblem(f"{path} is not UTF-8 text: save it as such, or remove it")
    return text


def _variables(line: str) -> Iterator[tuple[str, str]]:
    """The variable that a line sets; nothing where it is blank or a comment."""
    if not line or line.startswith("#"):
        return
    sets = _SETS.fullmatch(line)
    if sets is None:
        raise _Unclear("is not NAME=VALUE")
    try:
        yield sets["name"], _value(sets["value"])
    except _Unclear as unclear:
        raise _Unclear(f"{sets['name']}: {unclear}") from None


def _value(written: str) -> str:
    if _CONTROL.search(written):
        raise _Unclear("a control character in the value")
    if written.startswith("'"):
        return _between(_SINGLE_QUOTED.fullmatch(written))
    if written.startswith('"'):
        return _unescaped(_between(_DOUBLE_QUOTED.fullmatch(written)))
    if _LIKE_A_COMMENT.search(written):
        raise _Unclear("` # ` may be a comment or part of the value: quote the value, give the comment its own line")
    return written


def _between(quoted: re.Match[str] | None) -> str:
    if quoted is None:
        raise _Unclear("the quote that the value begins with is not closed on this line")
    if not _NOTHING_OR_COMMENT.fullmatch(quoted["rest"]):
        raise _Unclear("there is something behind the closing quote")
    return quoted["inside"]


def _unescaped(text: str) -> str:
    if any(one not in '"\\' for one in _ESCAPED.findall(text)):
        raise _Unclear(r'between double quotes a \ may only precede " or another \: use single quotes')
    return _ESCAPED.sub(r"\1", text)
