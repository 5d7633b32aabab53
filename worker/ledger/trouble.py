"""What Redis said when it refused: its word for it, and whether that passes by itself.

The word is not always where one looks for it. redis-py puts `Command # 1 (EVALSHA …) of pipeline caused error:` before
what comes out of a pipeline, and takes the word off the text of the errors that it knows by class; Redis 6.2 wraps what
a script was refused as `ERR Error running script (call to f_…): @user_script: 12: -OOM command not allowed …`.
"""

import re

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

_FULL = "OOM"
_NOT_PERMITTED = "NOPERM"
_NOT_OURS = frozenset({"NOAUTH", "WRONGPASS", _NOT_PERMITTED})
_PASSING = frozenset(
    {
        _FULL,  # until an operator gives it memory, or outcomes get too old
        "READONLY",  # a primary that has become a replica
        "MASTERDOWN",
        "CLUSTERDOWN",
        "TRYAGAIN",
        "UNBLOCKED",  # the same, to a connection in WAIT
        "LOADING",
        "BUSY",
        "MISCONF",  # the disk is full
        "NOREPLICAS",
        "NOSCRIPT",  # a script was forgotten between its loading and its call: the repeat loads it
    }
)

_REFUSED_IN_A_SCRIPT = re.compile("ACL failure in script|The user executing the script can't ")
"""What Redis 7 and 6.2 say of a command within a script; they leave the word out."""
_PIPELINED = re.compile(r"^Command # .* of pipeline caused error: ", re.DOTALL)
_SCRIPTED = re.compile(r"^(?:ERR )?Error running script \(call to [^)]*\): (?:@[^:]*: ?\d+: ?)*-?(?=[A-Z]+ )")
_WORD = re.compile(r"[A-Z]+(?= |$)")


def words(error: BaseException) -> str:
    """The server's words, without what was put in front of them: a pipeline's command quotes the request."""
    return _SCRIPTED.sub("", _PIPELINED.sub("", str(error)))


def code(error: BaseException) -> str | None:
    """Redis' own word for why it refuses, as `OOM` or `NOREPLICAS`; None where it gave none."""
    if not isinstance(error, RedisError):
        return None
    said = _WORD.match(words(error))
    if _REFUSED_IN_A_SCRIPT.search(words(error)):
        return _NOT_PERMITTED
    known = error.status_code
    return known if known and known != "ERR" else said and said[0]


def is_full(error: BaseException) -> bool:
    """Whether Redis has no memory left for a write."""
    return code(error) == _FULL


def is_not_permitted(error: BaseException) -> bool:
    """Whether this user of Redis may not do what was asked."""
    return code(error) == _NOT_PERMITTED


def passes(error: BaseException) -> bool:
    """Whether waiting helps: Redis is away, full, loading or changing roles, rather than refusing what was asked."""
    if isinstance(error, RedisError) and code(error) in _NOT_OURS:
        return False
    if isinstance(error, ResponseError):
        return code(error) in _PASSING
    return isinstance(error, RedisError | OSError)


def is_outage(error: BaseException) -> bool:
    """Whether Redis is at fault rather than one of our scripts: what is in hand is kept and tried again.

    Refused credentials count: an operator is changing them, and an answer in hand must outlive that.
    """
    return passes(error) or isinstance(error, RedisConnectionError)
