"""What an error of the client library means: whether Redis is at fault, whether waiting helps, and what to do.

The one place where the errors of redis-py and the words of the server are classified. The word is not always where one
looks for it. redis-py puts `Command # 1 (EVALSHA …) of pipeline caused error:` before what comes out of a pipeline, and
takes the word off the text of the errors that it knows by class; Redis 6.2 wraps what a script was refused as
`ERR Error running script (call to f_…): @user_script: 12: -OOM command not allowed …`.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from redis import exceptions
from redis.exceptions import RedisError

from worker.ledger.primary import NoPrimary, UnknownPrimary
from worker.ledger.replicas import NotReplicated


class Kind(StrEnum):
    """What an error means for whoever has met it."""

    AWAY = "away"
    """No answer: not there, lost, too slow, or no primary is known."""
    REFUSES = "refuses"
    """An answer that is a refusal of everything, for now: loading, changing its role, without its disk or replica."""
    FULL = "full"
    """A refusal of everything that takes memory."""
    FORBIDDEN = "forbidden"
    """An operator has to change a login, a right, a certificate or an address; nothing passes by itself."""
    BUG = "bug"
    """One of our commands is wrong, or somebody else has written to our keys."""


_FULL = "OOM"
_NOT_PERMITTED = "NOPERM"
_NO_GROUP = "NOGROUP"
_TOO_MANY = "max number of clients"

_WORDS: Mapping[str, tuple[Kind, str]] = {
    _FULL: (
        Kind.FULL,
        "give it more memory, or keep outcomes shorter (ANULA_OUTCOME_RETENTION_DAYS) and restart a worker",
    ),
    "READONLY": (
        Kind.REFUSES,
        "it is a replica: let ANULA_REDIS_URL name the primary, or the Sentinels, which know it (docs/redis.md)",
    ),
    "UNBLOCKED": (Kind.REFUSES, "its role has changed: repeat it, on the primary"),
    "MASTERDOWN": (Kind.REFUSES, "it is a replica without its primary: let ANULA_REDIS_URL name the primary"),
    "NOREPLICAS": (Kind.REFUSES, "see that a replica is connected: min-replicas-to-write asks for it"),
    "MISCONF": (Kind.REFUSES, "it cannot write to its disk: make room there, and look at its log"),
    "LOADING": (Kind.REFUSES, "it is reading its data from the disk: wait until it has"),
    "BUSY": (Kind.REFUSES, "somebody's script keeps it busy: SCRIPT KILL ends one that has not written yet"),
    "CLUSTERDOWN": (Kind.REFUSES, "Anula needs one primary, not a cluster (docs/redis.md)"),
    "TRYAGAIN": (Kind.REFUSES, "Anula needs one primary, not a cluster (docs/redis.md)"),
    "NOSCRIPT": (Kind.REFUSES, "it has forgotten a script, which the next try loads again"),
    "EXECABORT": (Kind.REFUSES, "it has refused a part of a transaction: repeat it"),
    _TOO_MANY: (Kind.REFUSES, "raise its maxclients, or end what keeps connections open (docs/redis.md)"),
    "NOAUTH": (Kind.FORBIDDEN, "set user and password in ANULA_REDIS_URL"),
    "WRONGPASS": (Kind.FORBIDDEN, "set user and password in ANULA_REDIS_URL"),
    "DENIED": (Kind.FORBIDDEN, "it is in protected mode: give it a password, and set it in ANULA_REDIS_URL"),
    _NOT_PERMITTED: (Kind.FORBIDDEN, "give this user what docs/redis.md lists for its role"),
    "WRONGTYPE": (Kind.BUG, "somebody else has written to a key of ours: find it with TYPE, and remove it"),
    _NO_GROUP: (Kind.FORBIDDEN, "make the group anew: XGROUP CREATE STREAM GROUP 0 MKSTREAM (docs/erp/consumer.md)"),
}
"""Redis' own words: what each means, and what to do. `max number of clients` is told without a word."""

_CLASSES: Mapping[type[BaseException], Kind] = {
    exceptions.AskError: Kind.BUG,
    exceptions.AuthenticationError: Kind.FORBIDDEN,
    exceptions.AuthenticationWrongNumberOfArgsError: Kind.FORBIDDEN,
    exceptions.AuthorizationError: Kind.FORBIDDEN,
    exceptions.BusyLoadingError: Kind.REFUSES,
    exceptions.ClusterDownError: Kind.REFUSES,
    exceptions.ClusterError: Kind.BUG,
    exceptions.ConnectionError: Kind.AWAY,
    exceptions.DataError: Kind.BUG,
    exceptions.ExecAbortError: Kind.REFUSES,
    exceptions.ExternalAuthProviderError: Kind.FORBIDDEN,
    exceptions.InvalidResponse: Kind.AWAY,  # a proxy, or a reply that was cut
    exceptions.LockError: Kind.BUG,
    exceptions.MasterDownError: Kind.REFUSES,
    exceptions.MaxConnectionsError: Kind.AWAY,
    exceptions.NoPermissionError: Kind.FORBIDDEN,
    exceptions.NoScriptError: Kind.REFUSES,
    exceptions.OutOfMemoryError: Kind.FULL,
    exceptions.PubSubError: Kind.BUG,
    exceptions.ReadOnlyError: Kind.REFUSES,
    exceptions.ResponseError: Kind.BUG,
    exceptions.TimeoutError: Kind.AWAY,
    exceptions.TryAgainError: Kind.REFUSES,
    exceptions.WatchError: Kind.BUG,
    RedisError: Kind.BUG,
    NotReplicated: Kind.REFUSES,
    UnknownPrimary: Kind.FORBIDDEN,
    OSError: Kind.AWAY,
}
"""What has no word: by class, the nearest one first. What is in none of these is a bug."""

_AT_THE_SENTINELS = "set ANULA_SENTINEL_USERNAME and ANULA_SENTINEL_PASSWORD to what the Sentinels ask for"
_UNTRUSTED = "set ANULA_REDIS_CA_FILE to the authority that signed it, and call Redis by the name in it"
_REMEDIES: Mapping[Kind, str] = {
    Kind.AWAY: "see whether it runs and can be reached: its log and the network say why",
    Kind.REFUSES: "look at its log",
    Kind.FULL: _WORDS[_FULL][1],
    Kind.FORBIDDEN: "set user and password in ANULA_REDIS_URL",
    Kind.BUG: "look at its log, and report it",
}
_REFUSED_IN_A_SCRIPT = re.compile("ACL failure in script|The user executing the script can't ")
"""What Redis 7 and 6.2 say of a command within a script; they leave the word out."""
_PIPELINED = re.compile(r"^Command # .* of pipeline caused error: ", re.DOTALL)
_SCRIPTED = re.compile(r"^(?:ERR )?Error running script \(call to [^)]*\): (?:@[^:]*: ?\d+: ?)*-?(?=[A-Z]+ )")
_PLACE_IN_A_SCRIPT = re.compile(r"\.? ?script: [0-9a-f]*,? ?on @user_script:\d+\.?$")
_WORD = re.compile(r"[A-Z]+(?= |$)")
_NOBODY_THERE = re.compile("Error 111 |Connection refused|Error -[235] |Name or service not known")


def words(error: BaseException) -> str:
    """The server's words, without what was put in front of them: a pipeline's command quotes the request."""
    return _PLACE_IN_A_SCRIPT.sub("", _SCRIPTED.sub("", _PIPELINED.sub("", str(error))))


def code(error: BaseException) -> str | None:
    """Redis' own word for why it refuses, as `OOM` or `NOREPLICAS`; None where it gave none."""
    if not isinstance(error, RedisError):
        return None
    said = words(error)
    if _REFUSED_IN_A_SCRIPT.search(said):
        return _NOT_PERMITTED
    if said.removeprefix("ERR ").startswith(_TOO_MANY):
        return _TOO_MANY
    known = error.status_code
    first = _WORD.match(said)
    return known if known and known != "ERR" else first and first[0]


def kind(error: BaseException) -> Kind:
    """What an error means."""
    if isinstance(error, NoPrimary) and error.because is not None:
        return kind(error.because)
    if _is_untrusted(error):
        return Kind.FORBIDDEN
    word = code(error)
    if word and word in _WORDS:
        return _WORDS[word][0]
    return next((_CLASSES[one] for one in type(error).__mro__ if one in _CLASSES), Kind.BUG)


def is_full(error: BaseException) -> bool:
    """Whether Redis has no memory left for a write."""
    return kind(error) is Kind.FULL


def is_not_permitted(error: BaseException) -> bool:
    """Whether this user of Redis may not do what was asked; it may do other things."""
    return code(error) == _NOT_PERMITTED


def has_moved(error: BaseException) -> bool:
    """Whether this server is no primary any more: only a new connection finds the one that is."""
    return code(error) in ("READONLY", "UNBLOCKED", "MASTERDOWN")


def is_group_gone(error: BaseException) -> bool:
    """Whether the consumer group, or the whole stream, has been removed."""
    return code(error) == _NO_GROUP


def passes(error: BaseException) -> bool:
    """Whether waiting helps: Redis is away, full, loading or changing roles, rather than refusing what was asked."""
    return kind(error) in (Kind.AWAY, Kind.REFUSES, Kind.FULL)


def is_outage(error: BaseException) -> bool:
    """Whether Redis is at fault rather than one of our scripts: what is in hand is kept and tried again.

    Refused logins and rights count: an operator is changing them, and an answer in hand must outlive that.
    """
    return kind(error) is not Kind.BUG


def is_outage_of_all(error: BaseException) -> bool:
    """Whether nothing else would work either: other than where one command is not permitted, or memory is short."""
    return is_outage(error) and not is_not_permitted(error) and not is_full(error)


def cause(error: BaseException) -> BaseException:
    """What Redis said, where a library has wrapped it in an error of its own."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, RedisError | OSError):
        found = found.__cause__ or found.__context__
    return found or error


def remedy(error: BaseException) -> str:
    """What to do."""
    if _is_untrusted(error):
        return _UNTRUSTED
    if isinstance(error, UnknownPrimary):
        return "write its name in ANULA_REDIS_URL as `sentinel monitor` does"
    if isinstance(error, NoPrimary):
        return _of_no_primary(error)
    if isinstance(error, NotReplicated):
        return "see that a replica is connected, and repeat: nothing is admitted twice"
    word = code(error)
    if word and word in _WORDS:
        return _WORDS[word][1]
    if kind(error) is Kind.AWAY and _NOBODY_THERE.search(str(error)):
        return "start it, or set ANULA_REDIS_URL"
    return _REMEDIES[kind(error)]


def remedy_of_full() -> str:
    """What to do where memory is short."""
    return _REMEDIES[Kind.FULL]


def said(error: BaseException) -> str:
    """The server's words, for people: nothing that quotes the request."""
    if _is_untrusted(error):
        return f"its certificate is not trusted ({str(error).rpartition('verify failed: ')[2].split(' (_ssl')[0]})"
    return words(error).rstrip(".") or type(error).__name__


def _of_no_primary(error: NoPrimary) -> str:
    if error.because is None:
        return "wait for the Sentinels to name one; if they do not, look at their logs"
    if kind(error.because) is Kind.FORBIDDEN:
        return _AT_THE_SENTINELS
    return "see whether the Sentinels run and can be reached, or set ANULA_REDIS_URL"


def _is_untrusted(error: BaseException) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in str(error)
