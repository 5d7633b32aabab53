"""Which server is the primary, as the Sentinels say it; and why, when none of them does."""

from typing import Any, Self

from redis.exceptions import RedisError
from redis.sentinel import MasterNotFoundError, Sentinel


class NoPrimary(MasterNotFoundError):
    """No Sentinel names a primary that is up; the message says why.

    Attributes:
        because: What asking one of them led to; None where all have answered.
    """

    def __init__(self, message: str, because: RedisError | None = None) -> None:
        super().__init__(message)
        self.because = because


class UnknownPrimary(NoPrimary):
    """All Sentinels have answered, and none has heard of the name: waiting does not help."""


class Watching(Sentinel):
    """As redis-py's, which keeps to itself what a Sentinel has said."""

    @classmethod
    def instead_of(cls, other: Sentinel) -> Self:
        """One that asks the same Sentinels, on the same connections."""
        one = cls([])
        one.sentinels = other.sentinels
        return one

    def discover_master(self, service_name: str) -> tuple[str, int]:
        """Host and port of the primary; the Sentinel that knew it is asked first from then on.

        Raises:
            UnknownPrimary, NoPrimary: none of them says.
        """
        problems, is_known = list[RedisError](), False
        for number, sentinel in enumerate(self.sentinels):
            try:
                masters: Any = sentinel.sentinel_masters()
                state = masters.get(service_name)
            except RedisError as problem:
                problems.append(problem)
                continue
            is_known = is_known or state is not None
            if state and self.check_master_state(state, service_name):  # type: ignore[no-untyped-call]  # redis-py
                self.sentinels[0], self.sentinels[number] = sentinel, self.sentinels[0]
                return state["ip"], state["port"]
        raise _none(service_name, problems, is_known=is_known)


def _none(name: str, problems: list[RedisError], *, is_known: bool) -> NoPrimary:
    if is_known:
        return NoPrimary(f"the primary {name!r} is down, and the Sentinels have not named another one yet")
    if not problems:
        return UnknownPrimary(f"the Sentinels know no primary {name!r}")
    return NoPrimary(f"no Sentinel names the primary {name!r}: {problems[0]}", because=problems[0])
