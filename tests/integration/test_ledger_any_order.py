"""Whatever comes in whatever order and however often: every job stays on its transitions (docs/reliability.md)."""

import uuid
from collections import Counter
from datetime import UTC, datetime
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
from worker.ledger.records import OPEN_STATES, Begun, Record, Released
from worker.ledger.steps import Effects, Expiry, Park
from worker.outcome import Status

pytestmark = pytest.mark.integration

ACCOUNTS = ("norte", "rodoviaria")
REQUESTS = [sf(1), sf(2), sf(3, priority="bulk"), bpe(1, priority="bulk")]
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
WITHOUT_EVIDENCE = park(12.0, next_call="evidence", pending=CANCELLED, until_s=600.0)
PARKS = st.builds(
    park,
    st.sampled_from([0.0, 0.0, 12.0, 300.0]),
    next_call=st.sampled_from(["cancel", "look_up", "evidence"]),
    effects=st.sampled_from(EFFECTS),
    may_have_acted=st.booleans(),
    claimed=st.booleans(),
    disproved=st.booleans(),
    in_process=st.booleans(),
    unsent=st.booleans(),
    least_wait_s=st.sampled_from([0.0, 15.0]),
) | st.just(WITHOUT_EVIDENCE)

IN_DOUBT = st.builds(
    park, st.just(300.0), next_call=st.sampled_from(["cancel", "look_up"]), may_have_acted=st.just(True)
)


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
        self.kept: set[tuple[str, int]] = set()
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
        deadline_in_s=st.sampled_from([-100_000_000, 100, 100, 1_000_000_000, None, None, None]),
    )
    def somebody_submits(self, request, reference, submission, deadline_in_s):
        at_s = None if deadline_in_s is None else self.world.now_ms() / 1000 + deadline_in_s
        deadline = None if at_s is None else datetime.fromtimestamp(at_s, UTC).isoformat()
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
            assert self.world.ledger.expire(record, verdicts.worn_out(record)) is Expiry.ENDED
        return multiple(*given_out)

    @rule()
    def a_dispatcher_ends_what_is_overdue(self):
        for job in (*self.world.ledger.overdue(100), *self.world.ledger.given_up(100)):
            record = self.world.record(job)
            expected = Expiry.CHANGED if record.state == "running" else self._at_its_deadline(record)
            assert self.world.ledger.expire(record, verdicts.time_is_up(record)) is expected

    def _at_its_deadline(self, record: Record) -> Expiry:
        """What the rule of docs/architecture.md makes of a job that is in no call."""
        can_be_asked = record.account == "rodoviaria" and "suspended_at" not in self.world.account(record.account)
        was_open_before = record.deadline_at is not None and record.deadline_at > record.submitted_at
        is_in_doubt = record.is_in_doubt and record.pending is None and record.lost < 3
        return Expiry.LOOKS_UP if is_in_doubt and can_be_asked and was_open_before else Expiry.ENDED

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
        said = self.world.finish(one, finish(status, effects=effects, **marks))
        if said == "kept" and self.world.redis.hexists(self.world.key("job", one.job), "late_ending"):
            self.kept.add((one.job, self.world.record(one.job).run))
        self._is_over(one, said)

    def _is_over(self, one: Held, said: str) -> None:
        """A call is over when its answer is handed in, or its lease has ended and another's answer has ended the run."""
        nonce, until = self.under_way.get(one.job, ("", 0.0))
        is_over = nonce in {"", one.nonce} or until <= self.clock + 1
        assert is_over or said not in {"parked", "ended"}, f"{said} under another's call"
        if said in {"ended", "parked"} or nonce == one.nonce:
            self.under_way.pop(one.job, None)

    # What is rare by chance alone

    @rule(one=held, has_evidence=st.booleans(), step=PARKS)
    def a_late_answer_says_cancelled(self, one: Held, has_evidence, step: Park):
        """Its lease has ended, and a newer call holds the job if it was still open."""
        self.time_passes(181.0, nobody_released=False)
        self.a_dispatcher_releases(0)
        self.time_passes(16.0, nobody_released=False)
        newer = [self._begun(again, "n1") for again in self.world.release(limit=4)]
        if has_evidence:
            self.a_worker_finishes(one, Status.CANCELLED, {"may_have_acted": False, "unsent": False}, PROVEN)
        else:
            self.a_worker_parks(one, WITHOUT_EVIDENCE)
        self.the_ledger_agrees_with_itself()
        for call in filter(None, newer):
            self.a_worker_parks(call, step)

    @rule(number=st.integers(2, 4), step=IN_DOUBT | PARKS, is_suspended=st.booleans())
    def a_deadline_passes_during_a_call(self, number, step: Park, is_suspended):
        self.somebody_submits(bpe(number), None, None, 100)
        self.world.ledger.resume("rodoviaria", by="ana")
        calls = [self._begun(one, "n1") for one in self.world.release(limit=4)]
        self.time_passes(101.0, nobody_released=False)
        if is_suspended:
            self.world.ledger.suspend("rodoviaria", "audit", by="ana")
        for call in filter(None, calls):
            self.a_worker_parks(call, step)
        self.a_dispatcher_ends_what_is_overdue()

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
            assert state == "running" or not {"late_ending", "late_step"} & set(record), (job, record)
            self._its_deadline_is_watched(keys, job, record)
            assert "handed" not in record or state in {"queued", "waiting"}
            assert 0 <= int(record.get("attempts", 0)) <= int(record.get("calls", 0))
        is_open = {job for job, record in keys.jobs.items() if record["state"] in OPEN_STATES}
        assert keys.open == is_open
        assert keys.ended == set(keys.jobs) - is_open

    def _its_deadline_is_watched(self, keys: "_Keys", job: str, record: dict[str, str]) -> None:
        """By expire, or, once it has passed, by nobody but a suspension, while only look-ups are made."""
        is_open, looked_up = record["state"] in OPEN_STATES, job in keys.members(f"look_ups:{record['account']}")
        has_end = is_open and ("deadline" in record or "pending" in record)
        assert (job in keys.deadlines) + looked_up == has_end, (job, record)
        if looked_up:
            assert record["next"] != "cancel"
            assert "pending" not in record
            assert float(record["deadline"]) <= self.world.now_ms()
            is_suspended = "suspended_at" in keys.account(record["account"])
            assert is_suspended == (record["account"] in keys.members("given_up"))

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
        ends = {(one["job"], one["run"]): one["status"] for one in world.outcomes() if not one["replayed"]}
        assert {ends[run] for run in self.kept} <= {"cancelled"}


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
            max_examples=50,
            stateful_step_count=40,
            deadline=None,
            # Shortening a failure takes minutes here, longer than a test may: add Phase.shrink by hand for that.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
