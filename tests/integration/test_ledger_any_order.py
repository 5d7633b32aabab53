"""Whatever comes in whatever order and however often: every job stays on its transitions (docs/reliability.md)."""

import uuid
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle as Values
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.ledgers import FAILURE, LEASE_S, PROVEN, Held, World, finish, park
from tests.support.requests import NORTE, RODOVIARIA, bpe, sf
from worker import verdicts
from worker.answer import Answer, Reaction
from worker.ledger.not_possible import NotPossible
from worker.ledger.records import OPEN_STATES, Begun, Released
from worker.ledger.steps import Effects, Park
from worker.outcome import Status

pytestmark = pytest.mark.integration

ACCOUNTS = ("norte", "rodoviaria")
REQUESTS = [sf(1), sf(2), sf(3, priority="bulk"), bpe(1)]
CANCELLED = Answer(reaction=Reaction.CANCELLED).as_json()
EFFECTS = [
    PROVEN,
    PROVEN,
    FAILURE,
    FAILURE,
    Effects(feeds="answer", suspend="601"),
    Effects(feeds="failure", hold_s=30, hold_reason="x"),
    Effects(feeds="answer", hold_s=60, hold_reason="678", slow_s=600, slow_per_minute=2),
]
PARKS = st.builds(
    park,
    st.sampled_from([0.0, 0.0, 5.0, 300.0]),
    next_call=st.sampled_from(["cancel", "look_up", "evidence"]),
    effects=st.sampled_from(EFFECTS),
    may_have_acted=st.booleans(),
    in_process=st.booleans(),
    unsent=st.booleans(),
    least_wait_s=st.sampled_from([0.0, 15.0]),
) | st.just(park(1.0, next_call="evidence", pending=CANCELLED, until_s=600.0))


class LedgerMachine(RuleBasedStateMachine):
    """Producers, dispatchers, workers and operators, each as late and as often as they like.

    A crash is an answer that is never handed in; a lease ends because time passes.
    """

    url = ""

    released = Values("released")
    held = Values("held")

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.url, f"any-{uuid.uuid4().hex[:12]}")
        self.world.enroll(NORTE.model_copy(update={"max_in_flight": 2}))
        self.world.enroll(RODOVIARIA, inquires=True, proven=False)
        self.clock = 0.0
        self.under_way: dict[str, tuple[str, float]] = {}
        self.answered: dict[tuple[str, str], Any] = {}
        for request in REQUESTS:
            self.world.submit(request)

    def teardown(self) -> None:
        try:
            self.everything_comes_to_an_end()
        finally:
            for name in self.world.redis.scan_iter(match=f"{self.world.namespace}*"):
                self.world.redis.delete(name)
            self.world.redis.close()

    # Producers

    @rule(
        request=st.sampled_from(REQUESTS),
        reference=st.sampled_from(["a", "b", None]),
        submission=st.sampled_from(["s1", "s2", None, None]),
        deadline=st.sampled_from(["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z", None, None, None]),
    )
    def somebody_submits(self, request, reference, submission, deadline):
        extra = {"reference": reference, "deadline": deadline}
        admitted = self.world.submit(request | {name: value for name, value in extra.items() if value}, submission)

        if submission:
            known = self.answered.setdefault((admitted.job, submission), admitted)
            assert admitted == known

    # Dispatchers

    @rule(target=released, limit=st.integers(0, 4))
    def a_dispatcher_releases(self, limit):
        given_out, worn, _ = self.world.round(limit)
        for job in worn:
            record = self.world.record(job)
            assert self.world.ledger.expire(record, verdicts.worn_out(record))
        return multiple(*given_out)

    @rule()
    def a_dispatcher_ends_what_is_overdue(self):
        for job in self.world.ledger.overdue(100):
            record = self.world.record(job)
            ended = self.world.ledger.expire(record, verdicts.time_is_up(record))
            assert ended == (record.state != "running")

    # Workers

    @rule(target=held)
    def a_worker_begins_what_is_released_at_once(self):
        begun = [self._begun(one, "n1") for one in self.world.release(limit=1)]
        return multiple(*(held for held in begun if held))

    @rule(target=held, one=released, nonce=st.sampled_from(["n1", "n2"]))
    def a_worker_begins(self, one: Released, nonce: str):
        held = self._begun(one, nonce)
        return multiple(held) if held else multiple()

    def _begun(self, one: Released, nonce: str) -> Held | None:
        before = self.world.record(one.job)
        account = self.world.account(before.account)
        stands_still = "suspended_at" in account or int(account.get("hold_until", 0)) > self.world.now_ms()
        nonce = f"{nonce}-{one.token}-{one.job}"

        begun = self.world.try_begin(one, nonce)

        if not isinstance(begun, Begun):
            return None
        if self.under_way.get(one.job, ("", 0))[0] != nonce:
            assert not stands_still
            assert one.job not in self.under_way or self.under_way[one.job][1] <= self.clock + 1
            assert before.next_call != "cancel" or not self._deadline_is_past(one.job)
            self.under_way[one.job] = (nonce, self.clock + LEASE_S)
        return Held(begun, one.token, nonce)

    @rule(one=held, step=PARKS)
    def a_worker_parks(self, one: Held, step: Park):
        self._is_over(one, self.world.park(one, step))

    @rule(
        one=held,
        status=st.sampled_from(Status),
        marks=st.fixed_dictionaries({"may_have_acted": st.booleans(), "unsent": st.booleans()}),
        effects=st.sampled_from(EFFECTS),
    )
    def a_worker_finishes(self, one: Held, status, marks, effects):
        self._is_over(one, self.world.finish(one, finish(status, effects=effects, **marks)))

    def _is_over(self, one: Held, said: str) -> None:
        """A call is over when its answer is handed in, or another call's has ended the run."""
        nonce, until = self.under_way.get(one.job, ("", 0.0))
        assert said != "parked" or nonce in {"", one.nonce} or until <= self.clock + 1, "parked under another's call"
        if said in {"ended", "parked"} or nonce == one.nonce:
            self.under_way.pop(one.job, None)

    # Operators

    @rule(request=st.sampled_from(REQUESTS), move=st.sampled_from(["revoke", "retry"]))
    def an_operator_moves_a_job(self, request, move):
        document = request.get("uuid") or request["chBPe"]
        job = f"{request['provider']}:{document}"
        record = self.world.ledger.record(job)
        if record is None:
            return
        if move == "revoke":
            self.world.ledger.revoke(record, verdicts.revoked(record), by="ana")
            return
        try:
            self.world.ledger.retry(job, by="ana")
        except NotPossible:
            assert record.is_open or record.state == "cancelled" or self._deadline_is_past(job)

    @rule(account=st.sampled_from(ACCOUNTS), move=st.sampled_from(["suspend", "resume"]))
    def an_operator_moves_an_account(self, account, move):
        if move == "suspend":
            self.world.ledger.suspend(account, "audit", by="ana")
        else:
            self.world.ledger.resume(account, by="ana")

    # Time

    @precondition(lambda self: self.world.redis.zcard(self.world.key("open")))
    @rule(seconds=st.sampled_from([1.1, 16.0, 181.0, 700.0]), nobody_released=st.booleans())
    def time_passes(self, seconds, nobody_released):
        self.world.pass_time(seconds, nobody_released=nobody_released)
        if nobody_released and seconds > 5:
            self.world.release(limit=0)
            self.under_way = {job: (nonce, until + seconds) for job, (nonce, until) in self.under_way.items()}
        self.clock += seconds

    # What holds at any time

    def _deadline_is_past(self, job: str) -> bool:
        deadline_at = self.world.record(job).deadline_at
        return deadline_at is not None and deadline_at.timestamp() * 1000 <= self.world.now_ms()

    @invariant()
    def the_ledger_agrees_with_itself(self):
        keys = _Keys(self.world)
        self._every_job_is_where_its_state_says(keys)
        self._every_count_is_what_it_counts(keys)
        self._every_run_has_one_outcome(keys)

    def _every_job_is_where_its_state_says(self, keys: "_Keys") -> None:
        for job, record in keys.jobs.items():
            state, account = record["state"], record["account"]
            places = [place for place, jobs in keys.places.items() if job in jobs]
            lane = f"due:{account}:{record['lane']}{':failing' if 'failing' in record else ''}"
            if state == "running" or (state in OPEN_STATES and "handed" in record):
                assert places == ["leases"], (job, record)
            elif state in OPEN_STATES:
                assert places == [lane], (job, record)
            else:
                assert places == [], (job, record)
                assert job not in keys.deadlines
            assert "handed" not in record or state in {"queued", "waiting"}
            assert 0 <= int(record.get("attempts", 0)) <= int(record.get("calls", 0))
        is_open = {job for job, record in keys.jobs.items() if record["state"] in OPEN_STATES}
        assert keys.open == is_open
        assert keys.ended == set(keys.jobs) - is_open

    def _every_count_is_what_it_counts(self, keys: "_Keys") -> None:
        handed = {job for job, record in keys.jobs.items() if "handed" in record}
        assert keys.handed == handed
        for account in ACCOUNTS:
            of_account = {job for job, record in keys.jobs.items() if record["account"] == account}
            state = keys.account(account)
            assert int(state.get("handed", 0)) == len(handed & of_account)
            assert keys.members(f"flight:{account}") == keys.places["leases"] & of_account
            for waiting in ("outage", "recovery"):
                assert keys.members(f"{waiting}:{account}") <= keys.failing(account)
            assert keys.members(f"failing:{account}") <= keys.members(f"flight:{account}")
            trial = state.get("trial")
            assert trial is None or trial in keys.members(f"flight:{account}")

    def _every_run_has_one_outcome(self, keys: "_Keys") -> None:
        ends: dict[str, list[int]] = {job: [] for job in keys.jobs}
        cancelled: Counter[str] = Counter()
        for outcome in self.world.outcomes():
            if outcome["replayed"]:
                assert outcome["status"] == "cancelled"
                continue
            ends[outcome["job"]].append(outcome["run"])
            cancelled[outcome["job"]] += outcome["status"] == "cancelled"
        for job, record in keys.jobs.items():
            run = int(record["run"])
            last = run - 1 if record["state"] in OPEN_STATES else run
            assert ends[job] == list(range(1, last + 1)), (job, record)
            assert cancelled[job] <= 1
            assert (record["state"] == "cancelled") == (cancelled[job] == 1)

    def everything_comes_to_an_end(self) -> None:
        """No state is a dead end: once accounts go on and providers answer, every open job ends."""
        world = self.world
        for _ in range(40):
            self.a_dispatcher_ends_what_is_overdue()
            released, worn, _ = world.round()
            for job in worn:
                record = world.record(job)
                world.ledger.expire(record, verdicts.worn_out(record))
            for one in released:
                nonce = uuid.uuid4().hex
                begun = world.try_begin(one, nonce)
                if isinstance(begun, Begun):
                    assert world.finish(Held(begun, one.token, nonce), finish(Status.REJECTED)) == "ended"
            for account in ACCOUNTS:
                world.ledger.resume(account, by="ana")
            if not world.redis.zcard(world.key("open")):
                break
            world.pass_time(100)
        assert world.redis.zrange(world.key("open"), 0, -1) == []
        self.the_ledger_agrees_with_itself()


class _Keys:
    """The keys of a namespace as sets of jobs."""

    def __init__(self, world: World) -> None:
        self._dump = {name.removeprefix(world.namespace + ":"): value for name, (value, _) in world.dump().items()}
        self.jobs = {
            name.removeprefix("job:"): {field.decode(): text.decode() for field, text in value.items()}
            for name, value in self._dump.items()
            if name.startswith("job:")
        }
        self.places = {
            name: self.members(name) for name in self._dump if name.startswith("due:") or name == "leases"
        } | {"leases": self.members("leases")}
        self.open, self.ended = self.members("open"), self.members("ended")
        self.deadlines, self.handed = self.members("deadlines"), self.members("handed")

    def members(self, name: str) -> set[str]:
        """The members of a set, sorted or not."""
        found = self._dump.get(name, ())
        return {(one[0] if isinstance(one, tuple | list) else one).decode() for one in found}

    def account(self, name: str) -> dict[str, str]:
        """The fields of an account."""
        return {field.decode(): text.decode() for field, text in self._dump.get(f"account:{name}", {}).items()}

    def failing(self, account: str) -> set[str]:
        """Every failing job that waits in a lane of the account."""
        lanes = [name for name in self.places if name.startswith(f"due:{account}:") and name.endswith(":failing")]
        return {job for name in lanes for job in self.places[name]}


def test_no_order_of_events_takes_a_job_off_its_transitions(redis_url):
    class Machine(LedgerMachine):
        url = redis_url

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            # Shortening a failure takes minutes here, longer than a test may: add Phase.shrink by hand for that.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
