"""Who may call: documented users and tokens, obviously made up, and the counting of wrong passwords."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field

USER = "sandbox@example.com"
PASSWORD = "sandbox-password"  # noqa: S105 - a documented, made-up word
TOKEN = "sandbox-token"  # noqa: S105 - likewise
USER_CODES = (601, 602, 603, 604, 605, 620, 633)
"""Each has a user `<code>@example.com` that is always answered so (docs/providers/solucion-factible.md)."""
TOKEN_CODES = ("401", "403", "-401", "678")
"""Each has a token `sandbox-token:<code>` that is always answered so."""
WRONG_PASSWORDS_TO_604 = 5

_USER = re.compile(r"sandbox(-[0-9]{1,9})?@example\.com")
_TOKEN = re.compile(r"sandbox-token(-[0-9]{1,9})?")
_MAX_USERS_KEPT = 10_000
_MAX_NAME = 100


def token_label(token: str) -> str:
    """What stands for a token in records: the beginning of its SHA-256, never the token."""
    return f"token:{hashlib.sha256(token.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def user_label(user: str) -> str:
    """A user name as records keep it, cut to a sensible length."""
    return user[:_MAX_NAME]


@dataclass(slots=True)
class Login:
    """What is known of one user or token.

    Attributes:
        answer: Code that is answered whatever else is right; set through `PUT /sandbox/accounts/<label>`.
    """

    wrong_in_a_row: int = 0
    wrong_in_all: int = 0
    answer: str | None = None


@dataclass(slots=True)
class SandboxAccounts:
    """The check of credentials. Users `sandbox@example.com` and `sandbox-<n>@example.com` are ordinary ones."""

    _logins: dict[str, Login] = field(default_factory=dict)

    def check_password(self, user: str, password: str) -> int:
        """0, or the status that ends the call: 601, at the fifth wrong password in a row 604, after that 602."""
        name, _, host = user.partition("@")
        fixed = name if host == "example.com" and name.isascii() and name.isdigit() else ""
        login = self._login(user_label(user))
        if login.wrong_in_a_row >= WRONG_PASSWORDS_TO_604:
            return 602
        known = bool(_USER.fullmatch(user)) or (fixed in map(str, USER_CODES))
        if not known or not hmac.compare_digest(password.encode("utf-8", "surrogatepass"), PASSWORD.encode()):
            login.wrong_in_all += 1
            login.wrong_in_a_row += known
            return 604 if login.wrong_in_a_row >= WRONG_PASSWORDS_TO_604 else 601
        login.wrong_in_a_row = 0
        return int(login.answer or fixed or 0)

    def check_token(self, token: str) -> str:
        """Nothing, or the answer that ends the call: 401, 403, -401, 678."""
        word, _, code = token.partition(":")
        login = self._login(token_label(token))
        if not _TOKEN.fullmatch(word) or (code and code not in TOKEN_CODES):
            login.wrong_in_all += 1
            login.wrong_in_a_row += 1
            return "401"
        login.wrong_in_a_row = 0
        return login.answer or code

    def set_answer(self, label: str, answer: str | None) -> None:
        """From now on this account is answered so; None makes it ordinary again."""
        self._login(label).answer = answer

    def as_json(self) -> dict[str, object]:
        """What `GET /sandbox/accounts` says, by user or token label."""
        return {
            label: {
                "wrong_in_a_row": login.wrong_in_a_row,
                "wrong_in_all": login.wrong_in_all,
                "locked": login.wrong_in_a_row >= WRONG_PASSWORDS_TO_604 and not label.startswith("token:"),
                "answer": login.answer,
            }
            for label, login in self._logins.items()
        }

    def clear(self) -> None:
        """Forget every attempt, lock and answer."""
        self._logins.clear()

    def _login(self, label: str) -> Login:
        login = self._logins.get(label)
        if login is None:
            login = Login()
            if len(self._logins) < _MAX_USERS_KEPT:
                self._logins[label] = login
        return login
