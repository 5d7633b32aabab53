"""`anula submit`: what is accepted, what is refused, and waiting for the outcome."""

import json
import threading
from functools import partial

import pytest

from tests.support.hand_driven import A_UUID, REASON, a_uuid, an_access_key, bpe, cancelled, cfdi, not_cancelled
from tests.support.waiting import wait_until
from worker.outcome import Status

pytestmark = pytest.mark.integration


def later(deployment, *endings):
    """Plays a worker that ends these jobs as soon as they are there."""

    def work():
        for job, verdict in endings:
            wait_until(partial(deployment.ledger.record, job))
            deployment.end(job, verdict)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_a_cfdi_is_submitted_and_its_job_id_printed(anula, deployment):
    document = a_uuid()

    ran = anula("submit", "solucion-factible", document.lower(), "--reference", "order 7", "--priority", "bulk")

    assert (ran.status, ran.lines, ran.err) == (0, [f"solucion-factible:{document}"], "")
    record = deployment.ledger.record(f"solucion-factible:{document}")
    assert (record.references, record.lane, record.account) == (("order 7",), "bulk", "norte")


def test_a_bpe_is_submitted_with_everything_that_can_be_said(anula, deployment):
    key = an_access_key()
    said = {
        "--nprot": "335260000012345",
        "--xjust": REASON,
        "--dh-evento": "2026-01-31T10:00:00-03:00",
        "--account": "rodoviaria",
    }
    more = {"--reference": "trip 9", "--priority": "bulk", "--deadline": "2099-01-31T18:00:00-03:00"}

    ran = anula("submit", "ns-bpe", key, *(part for pair in (said | more).items() for part in pair))

    assert (ran.status, ran.lines) == (0, [f"ns-bpe:{key}"])
    record = deployment.ledger.record(f"ns-bpe:{key}")
    body = json.loads(record.request)
    assert (body["nProt"], body["xJust"], body["dhEvento"]) == (said["--nprot"], REASON, said["--dh-evento"])
    assert (record.references, record.lane, record.deadline_at.year) == (("trip 9",), "bulk", 2099)


def test_an_event_time_that_was_left_out_is_frozen_at_admission(anula, deployment):
    key = an_access_key()

    assert anula("submit", "ns-bpe", key, "--nprot", "335260000012345", "--xjust", REASON).status == 0

    assert json.loads(deployment.ledger.record(f"ns-bpe:{key}").request)["dhEvento"].endswith("-03:00")


def test_a_source_without_an_end_of_line_is_not_read_for_ever(anula):
    ran = anula("submit", "--from-json", "/dev/zero")

    assert ran.status == 2
    assert "line 1: longer than 16384 bytes" in ran.err


def test_a_line_that_is_too_long_does_not_hide_the_errors_behind_it(anula, tmp_path):
    file = tmp_path / "requests.jsonl"
    file.write_bytes(b"{}\n" + b" " * 100_000 + b"{}\n" + b"[]\n")

    ran = anula("submit", "--from-json", str(file))

    assert ran.status == 2
    assert "line 1: " in ran.err
    assert "line 2: longer than 16384 bytes" in ran.err
    assert "line 3: " in ran.err


def test_submitting_as_json_tells_what_became_of_it(anula, deployment):
    document = a_uuid()
    submit = ("submit", "solucion-factible", document, "--json")

    assert anula(*submit).json == {"job": f"solucion-factible:{document}", "run": 1, "joined": False, "replayed": False}
    assert anula(*submit).json["joined"]
    deployment.end(f"solucion-factible:{document}", cancelled())
    assert anula(*submit).json["replayed"]


def test_joining_and_replaying_are_said_on_standard_error(anula, deployment):
    document = a_uuid()
    submit = ("submit", "solucion-factible", document)
    anula(*submit)

    assert "was open already: joined" in anula(*submit).err
    deployment.end(f"solucion-factible:{document}", cancelled())
    assert "was cancelled already" in anula(*submit).err


LONG = "x" * 129
INVALID = [
    (cfdi("nonsense"), ["uuid"]),
    (cfdi(A_UUID[:-1] + "g"), ["uuid"]),
    (cfdi(A_UUID, account="nobody"), ["account"]),
    (cfdi(A_UUID, account="rodoviaria"), ["account"]),
    (cfdi(A_UUID, account=""), ["account"]),
    (cfdi(A_UUID, reference=LONG), ["reference"]),
    (cfdi(A_UUID, reference=""), ["reference"]),
    (cfdi(A_UUID, reference="a\tb"), ["reference"]),
    (cfdi(A_UUID, priority="urgent"), ["priority"]),
    (cfdi(A_UUID, deadline="tomorrow"), ["deadline"]),
    (cfdi(A_UUID, deadline="2026-01-31T18:00:00"), ["deadline"]),
    (bpe(an_access_key()[:-1]), ["chBPe"]),
    (bpe(an_access_key()[:-1] + str((int(an_access_key()[-1]) + 1) % 10)), ["chBPe"]),
    (bpe(an_access_key().replace("9563001", "9557001")), ["chBPe"]),
    (bpe(nProt="33526000001234"), ["nProt"]),
    (bpe(xJust="too short"), ["xJust"]),
    (bpe(xJust="x" * 256), ["xJust"]),
    (bpe(xJust=" " + REASON), ["xJust"]),
    (bpe(xJust="Passagem\nemitida com erro"), ["xJust"]),
    (bpe(xJust="Passagem “emitida” com erro"), ["xJust"]),
    (bpe(dhEvento="2026-01-31T10:00:00Z"), ["dhEvento"]),
    (bpe(dhEvento="2099-01-31T10:00:00-03:00"), ["dhEvento"]),
    (bpe(nProt="1", xJust="short", reference=LONG), ["nProt", "xJust", "reference"]),
]
OPTIONS = {"nProt": "--nprot", "xJust": "--xjust", "dhEvento": "--dh-evento"}


@pytest.mark.parametrize("request_, fields", INVALID)
def test_an_invalid_request_is_refused_with_every_error_and_nothing_is_changed(anula, deployment, request_, fields):
    document = request_.get("uuid") or request_.get("chBPe")
    rest = {name: value for name, value in request_.items() if name not in {"provider", "uuid", "chBPe"}}
    options = [part for name, value in rest.items() for part in (OPTIONS.get(name, f"--{name}"), value)]

    ran = anula("submit", request_["provider"], document, *options)

    assert (ran.status, ran.out) == (2, "")
    assert sorted(line.split(":")[1].strip() for line in ran.errors) == sorted(fields)
    assert deployment.records() == {}


FAULTY_LINES = [
    ('{"provider": "solucion-factible"', "not valid JSON"),
    ("[1]", "must be a JSON object"),
    ('{"uuid": 5}', "provider: is missing"),
    ('{"provider": "other"}', "provider: must be"),
    (json.dumps(cfdi(A_UUID) | {"uuid": 5}), "uuid: must be text"),
    (json.dumps(cfdi(A_UUID, password="x")), "password: is not a field"),
    (json.dumps(cfdi(A_UUID, reference=7)), "reference: must be text"),
    (json.dumps(bpe(nProt=335260000012345)), "nProt: must be text"),
    (json.dumps(bpe())[:-1] + ', "nProt": "335260000012346"}', "a field stands in it twice"),
    (json.dumps(cfdi(A_UUID, reference="x" * 17_000)), "longer than 16384 bytes"),
    ("NaN", "not valid JSON"),
]


@pytest.mark.parametrize("line, problem", FAULTY_LINES)
def test_a_faulty_json_line_is_refused_with_its_number_and_nothing_is_submitted(anula, deployment, line, problem):
    ran = anula("submit", "--from-json", "-", stdin="\n".join([json.dumps(cfdi()), "", line, json.dumps(cfdi())]))

    assert (ran.status, ran.out) == (2, "")
    assert ran.errors[0].startswith(f"anula: line 3: {problem}")
    assert deployment.records() == {}


def test_every_error_of_every_json_line_is_listed(anula, deployment):
    lines = [json.dumps(bpe(nProt="1", xJust="short")), json.dumps(cfdi()), json.dumps(cfdi("nonsense"))]

    ran = anula("submit", "--from-json", "-", stdin="\n".join(lines))

    assert ran.status == 2
    assert [line.split(":")[1:3] for line in ran.errors[:3]] == [
        [" line 1", " nProt"],
        [" line 1", " xJust"],
        [" line 3", " uuid"],
    ]
    assert "nothing was submitted" in ran.errors[-1]
    assert deployment.records() == {}


def test_json_lines_are_submitted_from_a_file_or_standard_input(anula, tmp_path):
    requests = [cfdi(), bpe(), cfdi()]
    text = "\n".join(json.dumps(one) for one in requests)
    (tmp_path / "requests.jsonl").write_text("\ufeff" + text + "\r\n\r\n")

    from_file = anula("submit", "--from-json", str(tmp_path / "requests.jsonl"))
    from_input = anula("submit", "--from-json", "-", "--json", stdin=text)

    assert from_file.status == from_input.status == 0
    assert [line.partition(":")[2] for line in from_file.lines] == [one.get("uuid") or one["chBPe"] for one in requests]
    assert [one["joined"] for one in from_input.json_lines] == [True, True, True]


def test_a_damaged_record_keeps_no_other_line_from_submission(anula, deployment):
    requests = [cfdi(), cfdi(), cfdi()]
    jobs = [f"solucion-factible:{one['uuid']}" for one in requests]
    deployment.ledger.redis.set(deployment.ledger.key("job", jobs[1]), "somebody else's")

    ran = anula("submit", "--from-json", "-", stdin="\n".join(map(json.dumps, requests)))

    assert (ran.status, ran.lines) == (1, [jobs[0], jobs[2]])
    assert ran.errors[0].startswith(f"anula: {jobs[1]}: its record in Redis is damaged (it is no record)")
    assert ran.errors[1] == "anula: 1 of 3 not submitted, for the reasons above"


def test_a_file_that_cannot_be_read_is_wrong_usage(anula):
    ran = anula("submit", "--from-json", "missing.jsonl")

    assert ran.status == 2
    assert "missing.jsonl cannot be read" in ran.err


def test_nothing_to_submit_is_no_failure(anula):
    assert anula("submit", "--from-json", "-").status == 0


@pytest.mark.parametrize(
    "arguments", [("submit",), ("submit", "--from-json", "-", "solucion-factible", A_UUID), ("submit", "nobody", "x")]
)
def test_what_is_to_be_submitted_has_to_be_clear(anula, arguments):
    ran = anula(*arguments)

    assert (ran.status, len(ran.errors)) == (2, 1)


def test_waiting_prints_the_outcome_and_is_done_when_everything_is_cancelled(anula, deployment):
    document = a_uuid()
    later(deployment, (f"solucion-factible:{document}", cancelled()))

    ran = anula("submit", "solucion-factible", document, "--wait")

    assert ran.status == 0
    assert ran.lines == [
        f"solucion-factible:{document}",
        f"solucion-factible:{document} cancelled (cancelled) code 200: UUID cancelado",
    ]


@pytest.mark.parametrize("place", ["before", "behind", "with a number"])
def test_wait_may_stand_anywhere_and_takes_a_number_or_none(anula, deployment, place):
    document = a_uuid()
    later(deployment, (f"solucion-factible:{document}", cancelled()))
    provider = ("solucion-factible", document)
    arguments = {
        "before": ("--wait", *provider),
        "behind": (provider[0], "--wait", document),
        "with a number": (*provider, "--wait", "20"),
    }

    assert anula("submit", *arguments[place]).status == 0


def test_waiting_ends_with_3_when_something_is_not_cancelled_or_still_open(anula, deployment):
    documents = [a_uuid() for _ in range(4)]
    jobs = [f"solucion-factible:{one}" for one in documents]
    later(deployment, (jobs[0], cancelled()), (jobs[1], not_cancelled()), (jobs[2], not_cancelled(Status.UNRESOLVED)))
    text = "\n".join(json.dumps(cfdi(one)) for one in documents)

    ran = anula("submit", "--from-json", "-", "--wait", "1.5", "--json", stdin=text)

    assert ran.status == 3
    assert ran.errors == ["anula: of 4: 2 not cancelled, 1 still open"]
    assert [one["status"] for one in ran.json_lines[4:]] == ["cancelled", "rejected", "unresolved"]


def test_waiting_for_a_cancelled_document_shows_its_replayed_outcome(anula, deployment):
    document = a_uuid()
    anula("submit", "solucion-factible", document)
    deployment.end(f"solucion-factible:{document}", cancelled())

    ran = anula("submit", "solucion-factible", document, "--wait", "5")

    assert ran.status == 0
    assert "replayed" in ran.lines[1]


@pytest.mark.parametrize("seconds", ["-1", "nan", "soon"])
def test_a_time_to_wait_that_is_none_is_wrong_usage(anula, deployment, seconds):
    ran = anula("submit", "solucion-factible", a_uuid(), f"--wait={seconds}")

    assert ran.status == 2
    assert deployment.records() == {}


def test_a_submission_may_be_repeated_under_its_id(anula, deployment):
    document = a_uuid()
    submit = ("submit", "solucion-factible", document, "--submission", "mine", "--json")
    first = anula(*submit).json
    deployment.end(first["job"], not_cancelled())

    assert anula(*submit).json == first


def test_what_a_provider_says_cannot_steer_the_terminal(anula, deployment):
    document = a_uuid()
    verdict = cancelled(message="\x1b]0;owned\x07[red]no\x1b[31m\nsecond\u202e line\x9b")
    later(deployment, (f"solucion-factible:{document}", verdict))

    ran = anula("submit", "solucion-factible", document, "--wait")

    assert ran.lines[1].endswith(": ]0;owned[red]no[31m second line")
