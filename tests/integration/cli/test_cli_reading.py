"""`anula status`, `jobs`, `outcomes`, `evidence`, `schema`: what is shown of what the ledger has."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from jsonschema import Draft202012Validator, ValidationError

from tests.support.hand_driven import A_UUID, ACUSE, a_uuid, an_access_key, bpe, cancelled, cfdi, not_cancelled
from tests.support.ledgers import job_hash
from tests.support.waiting import wait_until
from worker.ledger.listing import Wanted, jobs
from worker.ledger.steps import Effects
from worker.outcome import Status

pytestmark = pytest.mark.integration

STEERING = "\x1b[2J[bold]x\x9b"


@pytest.fixture
def client(deployment):
    return deployment.client()


def a_millisecond_later(deployment):
    """The ledger's clock counts milliseconds: what happens within one has no order."""
    started = deployment.ledger.redis.time()
    wait_until(lambda: deployment.ledger.redis.time() > (started[0], started[1] + 1_000))


@pytest.fixture
def one_in_each_state(deployment, client):
    """Seven jobs by state."""
    found = {}
    endings = {
        "cancelled": cancelled(),
        "rejected": not_cancelled(),
        "unresolved": not_cancelled(Status.UNRESOLVED, code="999"),
    }
    for state, verdict in endings.items():
        found[state] = client.submit(cfdi()).job
        deployment.end(found[state], verdict)
        a_millisecond_later(deployment)
    found["revoked"] = client.submit(bpe()).job
    deployment.ledger.revoke(client.status(found["revoked"]), not_cancelled(Status.REVOKED), by="someone@here")
    a_millisecond_later(deployment)
    found["waiting"] = client.submit(cfdi()).job
    deployment.park(found["waiting"], wait_s=60)
    a_millisecond_later(deployment)
    found["running"] = client.submit(cfdi()).job
    deployment.begin(found["running"])
    a_millisecond_later(deployment)
    found["queued"] = client.submit(cfdi()).job
    return found


# status


def test_status_shows_where_a_job_stands_and_its_history(anula, deployment, client):
    job = client.submit(cfdi(reference="order 7", deadline="2099-01-31T18:00:00Z")).job
    deployment.park(job, wait_s=60, in_process=True)

    ran = anula("status", job)

    assert ran.status == 0
    shown = {line.split()[0]: " ".join(line.split()[1:]) for line in ran.lines[1:]}
    assert ran.lines[0] == job
    assert (shown["state"], shown["account"], shown["references"]) == ("waiting", "norte", "order 7")
    assert (shown["deadline"], shown["attempts"]) == ("2099-01-31T18:00:00Z", "1 (calls: 1)")
    assert shown["next"].startswith("call cancel, not before ")
    assert "may be cancelled" in shown["note"]
    assert ran.lines[-1].split()[1:] == ["cancel", "in_process", "211", "60", "s", "status=211"]


def test_status_shows_a_provider_s_words_and_what_nobody_could_read(anula, deployment, client):
    job = client.submit(cfdi()).job
    entry = {"reaction": "unknown", "message": "it went wrong", "excerpt": "HTTP 500, text/xml, 9 bytes: <a/>"}
    deployment.park(job, wait_s=60, told=entry)

    assert anula("status", job).lines[-1].endswith("it went wrong, HTTP 500, text/xml, 9 bytes: <a/>")
    (told,) = anula("status", job, "--json").json[0]["history"]
    assert entry.items() <= told.items()


def test_status_as_json_is_an_array_with_the_history(anula, deployment, client):
    job = client.submit(cfdi(reference="order 7")).job
    deployment.park(job, wait_s=60)

    (shown,) = anula("status", job.partition(":")[2].lower(), "--json").json

    assert (shown["job"], shown["state"], shown["code"], shown["attempts"]) == (job, "waiting", "211", 1)
    assert shown["references"] == ["order 7"]
    (call,) = shown["history"]
    assert (call["call"], call["reaction"], call["code"], call["wait_s"]) == ("cancel", "in_process", "211", 60)
    next_at, called_at = (datetime.fromisoformat(one) for one in (shown["next_attempt_at"], call["at"]))
    assert timedelta(seconds=58) < next_at - called_at < timedelta(seconds=62)
    assert abs(called_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_status_tells_who_retried_and_who_revoked(anula, deployment, client):
    job = client.submit(cfdi()).job
    deployment.end(job, not_cancelled())
    anula("retry", job)
    anula("revoke", job)

    history = anula("status", job, "--json").json[0]["history"]

    assert [entry.get("what") or entry["call"] for entry in history] == ["cancel", "retried", "revoked"]
    assert all("@" in entry["by"] for entry in history[1:])
    assert f"by {history[1]['by']}" in anula("status", job).out


DAMAGED_ENTRIES: list[object] = [
    5,
    None,
    "x",
    [],
    {},
    {"at": "x", "call": "cancel"},
    {"at": 10**400, "what": "retried"},
    {"at": True, "wait_s": "soon", "code": ["x"], "by": {"x": 1}},
    {"at": 1795257610992, "wait_s": 10**400, "answer": "\ud800", "reaction": 1.5},
]


@pytest.mark.parametrize("entry", DAMAGED_ENTRIES, ids=str)
def test_a_damaged_entry_hides_no_other_of_the_history(anula, deployment, client, entry):
    job = client.submit(cfdi()).job
    deployment.park(job, wait_s=60)
    key = deployment.ledger.key("job", job)
    good = json.loads(deployment.ledger.redis.hget(key, "history"))
    deployment.ledger.redis.hset(key, "history", json.dumps([entry, *good]))

    told, (shown,) = anula("status", job), anula("status", job, "--json").json

    assert told.status == 0
    assert told.lines[-1].split()[1:3] == ["cancel", "in_process"]
    assert len(shown["history"]) == 2
    assert shown["history"][1]["call"] == "cancel"


ASKED_AGAIN = {"asked": {"unknown": 3}, "age_s": {"unknown": 45.0}, "last": ["unknown", 60.0]}
UNKNOWN_LEFT = timedelta(seconds=86_400 - 45 + 900)
"""What the policy still orders after 45 s, and its longest wait on top."""


def shown_lines(ran, name):
    return [line.strip().removeprefix(name).strip() for line in ran.lines if line.strip().startswith(name)]


def test_status_shows_the_provider_s_words_and_until_when_a_job_is_tried(anula, deployment, client):
    deployment.enroll()
    job = client.submit(bpe()).job
    entry = {"call": "cancel", "reaction": "unknown", "code": "999", "message": "Rejeição: Erro não catalogado"}
    deployment.park(job, wait_s=60, entry=entry, retry=ASKED_AGAIN, may_have_acted=True)

    ran = anula("status", job)
    (shown,) = anula("status", job, "--json").json

    assert shown_lines(ran, "provider says") == [entry["message"]]
    assert entry["message"] in ran.lines[-1], "and so does the history"
    assert (shown["message"], shown["held_up_by"]) == (entry["message"], [])
    until, parked_at = (datetime.fromisoformat(one) for one in (shown["tried_until"], shown["history"][0]["at"]))
    assert abs(until - parked_at - UNKNOWN_LEFT) < timedelta(seconds=1)
    assert shown_lines(ran, "tried until")[0].startswith(shown["tried_until"][:16])


SOON, LATER = timedelta(hours=1), timedelta(hours=100)


@pytest.mark.parametrize(
    "request_, marks, left, ends_at_deadline",
    [
        (bpe(), {"may_have_acted": True}, SOON, False),
        (bpe(), {}, SOON, True),
        (bpe(), {"may_have_acted": True}, LATER, False),
        (bpe(), {}, LATER, False),
        (cfdi(A_UUID), {"may_have_acted": True}, SOON, True),
    ],
)
def test_a_deadline_limits_what_no_look_up_could_settle(anula, deployment, request_, marks, left, *, ends_at_deadline):
    deployment.enroll()
    deadline = (datetime.now(UTC) + left).isoformat()
    job = deployment.client().submit(request_ | {"deadline": deadline}).job
    deployment.park(job, wait_s=60, retry=ASKED_AGAIN, **marks)

    (shown,) = anula("status", job, "--json").json

    assert (shown["tried_until"] == shown["deadline"]) is ends_at_deadline


def test_nothing_limits_yet_what_was_never_asked(anula, deployment, client):
    job = client.submit(cfdi()).job

    assert anula("status", job, "--json").json[0]["tried_until"] is None


def test_status_shows_what_holds_up_the_account(anula, deployment, client):
    deployment.enroll()
    job = client.submit(cfdi()).job
    effects = Effects(feeds="failure", hold_s=60, hold_reason="the provider asked for a pause (HTTP)")
    deployment.park(job, wait_s=60, effects=effects)
    deployment.ledger.redis.hset(deployment.ledger.key("account", "norte"), "circuit", 1_000)
    deployment.ledger.suspend("norte", "wrong password", by="ana")

    (shown,) = anula("status", job, "--json").json
    ran = anula("status", job)

    suspended, paused, circuit = shown["held_up_by"]
    assert suspended.endswith("(by ana): wrong password")
    assert "paused until" in paused
    assert paused.endswith("the provider asked for a pause (HTTP)")
    assert "circuit of account norte is open since" in circuit
    assert shown_lines(ran, "held up") == shown["held_up_by"]


def test_status_says_that_no_worker_knows_the_account(anula, client):
    job = client.submit(cfdi()).job

    assert anula("status", job, "--json").json[0]["held_up_by"] == ["no worker has started with account norte"]


def test_what_has_ended_is_held_up_by_nothing(anula, deployment, client):
    job = client.submit(cfdi()).job
    deployment.end(job, cancelled())
    deployment.ledger.suspend("norte", "wrong password", by="ana")

    (shown,) = anula("status", job, "--json").json

    assert (shown["held_up_by"], shown["tried_until"]) == ([], None)


def test_an_unknown_job_is_a_failure_and_the_known_ones_are_shown(anula, client):
    job = client.submit(cfdi()).job

    ran = anula("status", a_uuid(), job)

    assert ran.status == 1
    assert ran.lines[0] == job
    assert len(ran.errors) == 1
    assert "is unknown" in ran.err


@pytest.mark.parametrize("command", ["status", "retry", "revoke", "evidence"])
def test_what_is_neither_a_job_nor_a_document_is_wrong_usage(anula, command):
    ran = anula(command, "nonsense")

    assert (ran.status, ran.out) == (2, "")
    assert "neither a job id nor a document" in ran.err


def test_what_others_wrote_is_shown_without_what_steers_a_terminal(anula, deployment, client):
    job = client.submit(cfdi(reference="[red]7[/red]")).job
    begun, token, nonce = deployment.begin(job)
    assert token
    deployment.ledger.suspend("norte", STEERING, by=STEERING)

    shown = anula("status", job).out + anula("accounts").out

    assert "[red]7[/red]" in shown
    assert "[2J[bold]x" in shown
    assert not {"\x1b", "\x9b"} & set(shown)
    assert begun, nonce


# jobs


def test_jobs_are_listed_by_state_oldest_first(anula, one_in_each_state):
    everything = anula("jobs", "--json").json

    assert {one["state"]: one["job"] for one in everything} == one_in_each_state
    assert [one["state"] for one in everything] == list(one_in_each_state)
    for state, job in one_in_each_state.items():
        assert [one["job"] for one in anula("jobs", "--state", state, "--json").json] == [job]
    two = anula("jobs", "--state", "waiting", "--state", "cancelled", "--json").json
    assert [one["state"] for one in two] == ["cancelled", "waiting"]


def test_jobs_are_filtered_by_account_and_code(anula, one_in_each_state):
    of_bpe = anula("jobs", "--account", "rodoviaria", "--json").json
    with_999 = anula("jobs", "--code", "999", "--json").json

    assert [one["job"] for one in of_bpe] == [one_in_each_state["revoked"]]
    assert [one["job"] for one in with_999] == [one_in_each_state["unresolved"]]
    assert anula("jobs", "--account", "rodoviaria", "--state", "queued", "--json").json == []


def test_jobs_as_a_table_have_one_line_each_whatever_their_width(anula, one_in_each_state):
    ran = anula("jobs")

    assert ran.lines[0].split()[:3] == ["job", "state", "account"]
    assert [line.split()[1] for line in ran.lines[1:]] == list(one_in_each_state)
    assert len(anula("jobs", "--limit", "2").lines) == 3


def test_an_account_that_nobody_knows_is_wrong_usage(anula):
    ran = anula("jobs", "--account", "nrote")

    assert ran.status == 2
    assert "no account nrote" in ran.err
    assert anula("jobs", "--state", "lost").status == 2


def test_a_list_longer_than_a_page_is_whole_and_in_order_even_with_equal_times(deployment, client):
    submitted = [one.job for one in client.submit_many(cfdi() for _ in range(230))]
    same = dict.fromkeys(submitted[:150], 1_000_000)
    client.ledger.redis.zadd(client.ledger.key("open"), same)

    listed = [one.job for one in jobs(client.ledger, Wanted(), page=20)]

    assert sorted(listed) == sorted(submitted)
    assert listed[150:] == sorted(
        submitted[150:], key=lambda job: (client.ledger.redis.zscore(client.ledger.key("open"), job), job)
    )


def test_what_leaves_the_list_while_it_is_read_makes_no_other_be_skipped(deployment, client):
    client.submit_many(cfdi() for _ in range(60))
    submitted = [job.decode() for job in client.ledger.redis.zrange(client.ledger.key("open"), 0, -1)]

    listing = jobs(client.ledger, Wanted(states=("queued",)), page=10)
    listed = [next(listing).job]
    for job in submitted[1:8]:
        deployment.end(job, cancelled())
    client.ledger.redis.delete(client.ledger.key("job", submitted[30]))
    listed += [one.job for one in listing]

    assert set(submitted[10:]) - {submitted[30]} <= set(listed)
    assert submitted[30] not in listed


def test_a_damaged_record_hides_no_other_job(anula, deployment):
    jobs = [deployment.client().submit(cfdi()).job for _ in range(3)]
    deployment.ledger.redis.set(deployment.ledger.key("job", jobs[1]), "somebody else's")

    assert [one["job"] for one in anula("jobs", "--json").json] == [jobs[0], jobs[2]]
    told = anula("status", "--json", *jobs)
    assert (told.status, [one["job"] for one in told.json]) == (1, [jobs[0], jobs[2]])
    assert told.errors == [
        f"anula: {jobs[1]}: its record in Redis is damaged (it is no record): docs/runbook.md says what to do"
    ]


@pytest.mark.parametrize("field", ["run", "account", "submitted_at", "attempts", "state"])
def test_a_record_with_a_field_that_makes_no_sense_hides_no_other_job(anula, deployment, field):
    jobs = [deployment.client().submit(cfdi()).job for _ in range(2)]
    deployment.ledger.redis.hset(job_hash(deployment.ledger, jobs[0]), field, b"\xff")

    listed = [one["job"] for one in anula("jobs", "--json").json]

    assert jobs[1] in listed


def test_a_list_without_jobs_says_so_and_where_it_looked(anula, deployment, client):
    nothing = anula("jobs")
    client.submit(cfdi())
    nothing_of_the_kind = anula("jobs", "--state", "unresolved")

    for ran, words in ((nothing, "no jobs"), (nothing_of_the_kind, "no such jobs")):
        assert (ran.status, ran.out) == (0, "")
        assert f"{words} in the namespace {deployment.settings.namespace} at 127.0.0.1:" in ran.err
    assert (anula("jobs", "--state", "revoked", "--json").json, anula("jobs").err) == ([], "")


# outcomes


def test_outcomes_are_json_lines_and_an_id_tells_where_to_go_on(anula, one_in_each_state):
    lines = anula("outcomes").json_lines
    with_ids = anula("outcomes", "--ids").json_lines

    assert [one["job"] for one in lines] == [
        one_in_each_state[state] for state in ("cancelled", "rejected", "unresolved", "revoked")
    ]
    assert [one["outcome"] for one in with_ids] == lines
    assert anula("outcomes", "--since", with_ids[1]["id"]).json_lines == lines[2:]
    assert anula("outcomes", "--since", with_ids[-1]["id"]).out == ""


def test_outcomes_of_a_group_are_printed_once(anula, one_in_each_state):
    group = ("outcomes", "--group", "erp", "--consumer", "one")

    assert len(anula(*group).lines) == 4
    assert anula(*group).out == ""


@pytest.mark.parametrize("options", [("--since", "yesterday"), ("--group", "erp"), ("--consumer", "one")])
def test_outcomes_from_nowhere_are_wrong_usage(anula, options):
    ran = anula("outcomes", *options)

    assert (ran.status, ran.out, len(ran.errors)) == (2, "", 1)


@pytest.mark.parametrize(
    "since, count",
    [
        ("2h", 1),
        ("90m", 1),
        ("30 s", 1),
        ("3d", 1),
        (f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}", 1),
        (f"{datetime.now(UTC) - timedelta(hours=2):%Y-%m-%dT%H:%M:%S}-00:00", 1),
        (f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}", 0),
        ("0", 1),
        ("0-0", 1),
        ("$", 0),
    ],
    ids=["hours", "minutes", "seconds", "days", "a day", "a time", "a day to come", "zero", "0-0", "now"],
)
def test_outcomes_are_printed_from_a_time_on(anula, deployment, client, since, count):
    deployment.end(client.submit(cfdi()).job, cancelled())

    ran = anula("outcomes", "--since", since)

    assert (ran.status, len(ran.json_lines)) == (0, count)


@pytest.mark.parametrize("since", ["yesterday", "2026", "2026-13-01", "2 weeks", "-1h", "", "99999999d"])
def test_a_since_that_is_neither_an_id_nor_a_time_is_wrong_usage(anula, since):
    ran = anula("outcomes", "--since", since)

    assert (ran.status, ran.out, len(ran.errors)) == (2, "", 1)
    assert "2h" in ran.err


# evidence


def test_evidence_is_printed_byte_for_byte(anula, deployment, client):
    job = client.submit(cfdi()).job
    deployment.end(job, cancelled())

    ran = anula("evidence", job.partition(":")[2])

    assert (ran.status, ran.out.encode()) == (0, ACUSE)


def test_evidence_that_is_no_utf_8_is_printed_byte_for_byte(deployment, client, monkeypatch, capfdbinary):
    from worker.cli.main import main

    job = client.submit(cfdi()).job
    deployment.end(job, cancelled(evidence=b"<a>\xe7\x00\xff</a>"))

    with pytest.raises(SystemExit) as left:
        main(["evidence", job])

    assert left.value.code == 0
    assert capfdbinary.readouterr().out == b"<a>\xe7\x00\xff</a>"


@pytest.mark.parametrize(
    "ending, said",
    [(None, "still open"), (not_cancelled(), "has no evidence"), (cancelled(evidence=None), "has no evidence")],
)
def test_no_evidence_is_a_failure_that_says_why(anula, deployment, client, ending, said):
    job = client.submit(cfdi()).job
    if ending:
        deployment.end(job, ending)

    ran = anula("evidence", job)

    assert (ran.status, ran.out) == (1, "")
    assert said in ran.err


def test_evidence_that_is_no_longer_kept_is_a_failure(anula, deployment, client):
    job = client.submit(cfdi()).job
    deployment.end(job, cancelled())
    client.ledger.redis.delete(client.ledger.key("outcomes"))

    ran = anula("evidence", job)

    assert ran.status == 1
    assert "no longer kept" in ran.err
    assert anula("evidence", a_uuid()).status == 1


def test_evidence_needs_no_accounts_file(anula, deployment, client, tmp_path):
    job = client.submit(cfdi()).job
    deployment.end(job, cancelled())
    deployment.accounts_path.unlink()

    printed, written = anula("evidence", job), anula("evidence", "--all", str(tmp_path / "all"), "--account", "norte")

    assert (printed.status, printed.out.encode()) == (0, ACUSE)
    assert (written.status, written.lines[0].split()[0]) == (0, "1")
    assert anula("evidence", job, "--fetch").status == 1


def test_an_accounts_file_of_the_other_environment_keeps_evidence_back(anula, deployment, client):
    job = client.submit(cfdi()).job
    deployment.end(job, cancelled())
    deployment.accounts_path.write_text(deployment.accounts_path.read_text().replace('"test"', '"production"'))

    ran = anula("evidence", job)

    assert (ran.status, ran.out) == (1, "")
    assert "belongs to test" in ran.err


# schema


def validator(anula, subject):
    schema = anula("schema", subject).json
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_the_printed_schema_fits_every_outcome(anula, one_in_each_state, client):
    client.submit(cfdi(one_in_each_state["cancelled"].partition(":")[2], reference="again"))
    outcome = validator(anula, "outcome")
    published = list(client.outcomes())

    for one in published:
        outcome.validate(one)
    assert len(published) == 5
    with pytest.raises(ValidationError):
        outcome.validate(published[0] | {"status": "perhaps"})


@pytest.mark.parametrize(
    "request_", [cfdi(A_UUID), cfdi(A_UUID, reference="7", priority="bulk", deadline="2099-01-31T18:00:00Z"), bpe()]
)
def test_the_printed_schema_fits_requests_that_are_accepted(anula, client, request_):
    request = validator(anula, "request")

    request.validate(request_)
    assert client.check(request_)


@pytest.mark.parametrize(
    "request_",
    [
        cfdi("x"),
        cfdi(A_UUID, other=1),
        bpe(nProt="1"),
        bpe(an_access_key().lower() + "x"),
        {"provider": "other"},
        cfdi(A_UUID, priority="urgent"),
    ],
)
def test_the_printed_schema_refuses_what_is_refused(anula, request_):
    with pytest.raises(ValidationError):
        validator(anula, "request").validate(request_)


def test_json_output_never_holds_what_steers_a_terminal(anula, deployment, client):
    job = client.submit(cfdi()).job
    deployment.end(job, cancelled(message="\x7f\x9b\u202eá"))

    ran = anula("outcomes")

    assert ran.json["message"] == "\x7f\x9b\u202eá"
    assert not {"\x7f", "\x9b", "\u202e"} & set(ran.out)
    assert "á" in ran.out
    assert json.loads(ran.lines[0])
