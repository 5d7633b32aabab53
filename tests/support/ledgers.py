"""One namespace on a real Valkey: its transitions called one by one, its time moved by hand, all its keys looked at."""

import json
import uuid as uuids
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema
from redis import Redis

from config.accounts import Account
from tests.support.requests import NORTE, RODOVIARIA, SUR, accounts, admissible
from worker import outcome
from worker.answer import Answer, Evidence, Reaction, Reason
from worker.ledger.admission import Admission, Entry
from worker.ledger.ledger import Ledger
from worker.ledger.not_possible import NotPossible
from worker.ledger.records import Admitted, Begun, Record, Released, Round
from worker.ledger.steps import Effects, Finish, Park
from worker.outcome import Status, Verdict
from worker.request import Admissible

KEEP_S = 3_600.0
LEASE_S = 180.0
BEGIN_WITHIN_S = 15.0
LOST_WAIT_S = 15.0
ALL = accounts(NORTE, SUR, RODOVIARIA)
_TIMES = {
    "job": ("due", "deadline", "parked_at", "called_at", "submitted_at", "acted_at"),
    "account": ("suspended_at", "hold_until", "slow_until", "circuit", "probe_at", "failing_from"),
    "worker": ("since",),
}
_PACKED = """
local found = {}
for _, name in ipairs(redis.call('KEYS', ARGV[1] .. ':job:*')) do
  if redis.call('TYPE', name).ok == 'string' then found[#found + 1] = name end
end
return found
"""
_MOVE_TIMES = """
local back, namespace, times = tonumber(ARGV[1]), ARGV[2], cjson.decode(ARGV[3])
for _, name in ipairs(redis.call('KEYS', namespace .. '*')) do
  local type = redis.call('TYPE', name).ok
  if type == 'zset' then
    for _, member in ipairs(redis.call('ZRANGE', name, 0, -1)) do redis.call('ZINCRBY', name, back, member) end
  elseif type == 'hash' then
    local kind = string.match(string.sub(name, #namespace + 2), '^[^:]*')
    for _, field in ipairs(times[kind] or {}) do
      if redis.call('HEXISTS', name, field) == 1 then redis.call('HINCRBYFLOAT', name, field, back) end
    end
  end
end
"""
_VALIDATOR = jsonschema.Draft202012Validator(outcome.schema())
PROVEN = Effects(feeds="answer", proves=True)
FAILURE = Effects(feeds="failure")


@dataclass(frozen=True, slots=True)
class Held:
    """A call under way, and who makes it."""

    begun: Begun
    token: int
    nonce: str

    @property
    def job(self) -> str:
        return self.begun.record.job


class World:
    """A ledger, and what a test does to it."""

    def __init__(self, url: str, namespace: str) -> None:
        self.url = url
        self.redis: Any = Redis.from_url(url)
        self.namespace = namespace
        self.ledger = Ledger(self.redis, namespace=namespace, keep_s=KEEP_S)
        self._packed = self.redis.register_script(_PACKED)
        self._move_times = self.redis.register_script(_MOVE_TIMES)

    def key(self, *parts: str) -> str:
        return self.ledger.key(*parts)

    def job_hash(self, job: str) -> str:
        """The key of a job's record, which is a hash from now on."""
        return job_hash(self.ledger, job)

    # Transitions

    def enroll(self, *enrolled: Account, inquires: bool = False, proven: bool = True) -> None:
        """Enrol these accounts; an answer has proven their credentials already unless told otherwise."""
        for account in enrolled:
            self.ledger.enroll(account, inquires=inquires)
            if proven:
                self.redis.hset(self.key("account", account.name), "proven", 1)

    def submit(self, request: Mapping[str, Any], submission: str | None = None, entry: Entry | None = None) -> Admitted:
        admitted = self.try_submit(request, submission, entry)
        assert admitted is not None
        return admitted

    def try_submit(
        self, request: Mapping[str, Any], submission: str | None = None, entry: Entry | None = None
    ) -> Admitted | None:
        [admitted] = self.ledger.admit([Admission.of(checked(request), submission, entry)])
        assert not isinstance(admitted, NotPossible), admitted
        return admitted

    def release(self, limit: int = 100) -> list[Released]:
        return self.round(limit).released

    def round(self, limit: int = 100) -> Round:
        return self.ledger.release(limit, slots=1_000, begin_within_s=BEGIN_WITHIN_S, lost_wait_s=LOST_WAIT_S)

    def begin(self, released: Released, nonce: str | None = None) -> Held:
        nonce = nonce or uuids.uuid4().hex
        begun = self.try_begin(released, nonce)
        assert not isinstance(begun, str), begun
        return Held(begun, released.token, nonce)

    def try_begin(self, released: Released, nonce: str) -> Begun | str:
        return self.ledger.begin(released.job, released.token, nonce, lease_s=LEASE_S)

    def call(self, request: Mapping[str, Any]) -> Held:
        """Submit, release and begin."""
        job = self.submit(request).job
        return self.next_call(job)

    def next_call(self, job: str | None = None) -> Held:
        """Release and begin whatever is due; it has to be this job alone."""
        released = self.release()
        assert [one.job for one in released] == ([job] if job else [released[0].job])
        return self.begin(released[0])

    def park(self, held: Held, step: Park | None = None, **changes: Any) -> str:
        return self.ledger.park(held.begun, held.token, held.nonce, step or park(**changes))

    def finish(self, held: Held, step: Finish | None = None, **changes: Any) -> str:
        return self.ledger.finish(held.begun, held.token, held.nonce, step or finish(**changes))

    # Reading

    def record(self, job: str) -> Record:
        found = self.ledger.record(job)
        assert found is not None
        return found

    def state(self, job: str) -> str:
        return self.record(job).state

    def account(self, name: str) -> dict[str, str]:
        return {
            field.decode(): value.decode() for field, value in self.redis.hgetall(self.key("account", name)).items()
        }

    def due_in_s(self, job: str) -> float | None:
        """Seconds until the job is due; None where it is in no lane."""
        record = self.record(job)
        score = self.redis.zscore(self.key("due", record.account, record.lane), job)
        return None if score is None else (score - self.now_ms()) / 1000

    def now_ms(self) -> int:
        seconds, micros = self.redis.time()
        return int(seconds * 1000 + micros // 1000)

    def outcomes(self) -> list[dict[str, Any]]:
        """Every outcome so far, oldest first; each fits the schema."""
        found = []
        for _, fields in self.redis.xrange(self.key("outcomes")):
            one = json.loads(fields[b"outcome"])
            _VALIDATOR.validate(one)
            assert fields[b"job"].decode() == (one["job"] or "")
            assert fields[b"account"].decode() == (one["account"] or "")
            assert fields[b"status"].decode() == one["status"]
            assert set(fields) == {b"job", b"account", b"status", b"outcome"}
            found.append(one)
        return found

    def dump(self) -> dict[str, Any]:
        """Every key of the namespace with all that is in it; not when a release was made last."""
        names = [*sorted(self.redis.scan_iter(match=f"{self.namespace}:*", count=1_000)), self.namespace.encode()]
        pipeline = self.redis.pipeline(transaction=False)
        for name in names:
            pipeline.type(name)
        kinds = pipeline.execute()
        for name, kind in zip(names, kinds, strict=True):
            _read_whole(pipeline, name, kind)
            pipeline.ttl(name)
        replies = pipeline.execute()
        contents = {
            name.decode(): (content, ttl > 0)
            for name, content, ttl in zip(names, replies[::2], replies[1::2], strict=True)
            if content
        }
        contents = {name: (self._as_hash(name) or content, ends) for name, (content, ends) in contents.items()}
        contents.pop(self.key("meta"), None)
        return contents

    def _as_hash(self, name: str) -> dict[bytes, bytes] | None:
        """What a job's key stands for where it is no hash yet."""
        prefix = self.key("job", "")
        if not name.startswith(prefix) or self.redis.type(name) != b"string":
            return None
        [found] = self.ledger.read([name.removeprefix(prefix)])
        return None if isinstance(found, NotPossible) else found

    # Time

    def pass_time(self, seconds: float, *, nobody_released: bool = False) -> None:
        """Let this much time pass for the whole namespace, releases going on meanwhile unless told otherwise."""
        back = -round(seconds * 1000)
        for name in self._packed(keys=[], args=[self.namespace]):
            if self._as_hash(name.decode()):
                self.job_hash(name.decode().removeprefix(self.key("job", "")))
        self._move_times(keys=[], args=[back, self.namespace, json.dumps(_TIMES)])
        if nobody_released:
            self.redis.hincrby(self.key("meta"), "released_at", back)
        else:
            self.redis.hset(self.key("meta"), "released_at", self.now_ms())


def job_hash(ledger: Ledger, job: str) -> str:
    """The key of a job's record, which is a hash from now on: somebody has begun it whose lease it is not."""
    ledger.begin(job, 0, "nobody", lease_s=LEASE_S)
    return ledger.key("job", job)


def _read_whole(pipeline: Any, name: bytes, kind: bytes) -> None:
    match kind:
        case b"hash":
            pipeline.hgetall(name)
        case b"zset":
            pipeline.zrange(name, 0, -1, withscores=True)
        case b"set":
            pipeline.smembers(name)
        case b"list":
            pipeline.lrange(name, 0, -1)
        case b"stream":
            pipeline.xrange(name)
        case _:
            pipeline.get(name)


def checked(request: Mapping[str, Any]) -> Admissible:
    """A request, checked; of the two accounts of Solución Factible norte is the plain one."""
    is_sf = request["provider"] == NORTE.provider
    return admissible({"account": NORTE.name} | dict(request) if is_sf else request, ALL)


def park(wait_s: float = 0.0, **changes: Any) -> Park:
    """A park after a transient answer that proves the account."""
    plain: dict[str, Any] = {
        "least_wait_s": 0.0,
        "next_call": "cancel",
        "retry": {},
        "entry": {"call": "cancel"},
        "effects": PROVEN,
    }
    return Park(wait_s=wait_s, **(plain | changes))


def failed(wait_s: float = 60.0, **changes: Any) -> Park:
    """A park after an answer that feeds the circuit."""
    return park(wait_s, **({"effects": FAILURE, "least_wait_s": 0.5} | changes))


def finish(status: Status = Status.CANCELLED, **changes: Any) -> Finish:
    """The end of a run by an answer."""
    plain: dict[str, Any] = {"verdict": verdict(status), "entry": {"call": "cancel"}, "effects": PROVEN}
    return Finish(**(plain | changes))


def verdict(status: Status = Status.CANCELLED, *, evidence: bytes = b"<Acuse/>", **changes: Any) -> Verdict:
    """A verdict of this status."""
    reasons = {
        Status.CANCELLED: Reason.CANCELLED,
        Status.REJECTED: Reason.NOT_CANCELLABLE,
        Status.UNRESOLVED: Reason.GAVE_UP,
        Status.REVOKED: Reason.REVOKED,
    }
    said = Answer(
        reaction=Reaction.CANCELLED,
        code="200",
        message="said so",
        provider_status={"status": "200"},
        evidence=Evidence(evidence) if status is Status.CANCELLED else None,
    )
    plain: dict[str, Any] = {"status": status, "reason": reasons[status], "answer": said}
    return Verdict(**(plain | changes))
