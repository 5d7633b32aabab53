"""`anula import`: CSV files into the ledger (docs/csv.md)."""

import csv
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from tests.integration.cli.test_cli_process import started
from tests.integration.cli.test_cli_submit import later
from tests.support.hand_driven import a_deployment, cancelled, not_cancelled
from tests.support.processes import members_of, only_with_two_cores
from tests.support.requests import chbpe
from tests.support.valkey import running_valkey
from worker.csv_file.check_process import LONG
from worker.ledger.ledger import Ledger

pytestmark = pytest.mark.integration

HEADER = "chave de acesso;protocolo;justificativa;referência"
REASON = "Passageiro desistiu da viagem"


def row(number, *, key=None, reason=REASON, reference=None):
    return f"{key or chbpe(number)};143260000012345;{reason};{reference or f'order-{number}'}"


def job(number):
    return f"ns-bpe:{chbpe(number)}"


@pytest.fixture
def a_file(tmp_path):
    def write(*rows, name="in.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes("\r\n".join([HEADER, *rows, ""]).encode(encoding))
        return str(path)

    return write


def rows_of(path):
    with Path(path).open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened, delimiter=";"))


def test_every_row_is_submitted_in_the_bulk_lane(anula, deployment, a_file):
    ran = anula("import", a_file(row(1), row(2, reason="Não viajou, perdeu o ônibus"), encoding="cp1252"))

    assert (ran.status, ran.lines) == (0, ["2 submitted"])
    assert "Windows-1252 (as in referência, Não, ônibus), cells divided by semicolons" in ran.err
    record = deployment.client().status(job(2))
    assert (record.state, record.lane, record.references) == ("queued", "bulk", ("order-2",))
    assert "Não viajou, perdeu o ônibus" in record.request
    assert "anula: submitting: 100 %" in ran.errors


def test_nothing_is_submitted_where_one_row_is_invalid_and_every_one_is_told(anula, deployment, a_file):
    ran = anula("import", a_file(row(1), row(2, reason="short"), row(3, key="4,31802E+43")))

    assert ran.status == 2
    assert "anula: line 3, justificativa, 'short': must have 15 characters or more" in ran.errors
    assert any(line.startswith("anula: line 4, chave de acesso, '4,31802E+43': the spread") for line in ran.errors)
    assert ran.errors[-1] == "anula: nothing was submitted: 2 of 3 rows are invalid"
    assert deployment.client().status(job(1)) is None


def test_a_document_twice_is_an_error_of_the_later_row(anula, deployment, a_file):
    ran = anula("import", a_file(row(1), row(2), row(1), row(1, reason="short")))

    assert ran.status == 2
    told = [line for line in ran.errors if "stands in line" in line]
    assert [line.split(",")[0] for line in told] == ["anula: line 4", "anula: line 5"]
    assert all("stands in line 2 already" in line for line in told)


def test_invalid_rows_can_be_mended_and_imported(anula, deployment, a_file, tmp_path):
    bad = tmp_path / "bad.csv"
    first = anula(
        "import", a_file(row(1), row(2, reason="short", reference="=1+1")), "--skip-invalid", "--errors", str(bad)
    )
    assert (first.status, first.lines) == (0, ["1 submitted"])
    assert rows_of(bad)[0]["referência"] == "'=1+1"
    assert rows_of(bad)[0]["anula line"] == "3"

    bad.write_text(bad.read_text("utf-8-sig").replace(";short;", ";Passageiro desistiu da viagem;"))
    second = anula("import", str(bad))

    assert (second.status, second.lines) == (0, ["1 submitted"])
    assert deployment.client().status(job(2)).references == ("=1+1",)


@pytest.mark.parametrize(
    "bad",
    [
        row(2, reason="short"),
        row(2, reason="Passageiro desistiu; por motivo de doença", reference="order-7"),
        row(2, reference='r1;"=2"'),
        row(2, reason='"Passageiro" desistiu'),
        row(2, reason="Passageiro nÃ£o viajou"),
        row(2, key="4,31802E+43"),
        f"{row(2)};;x",
    ],
)
def test_what_was_refused_is_refused_again_until_it_is_mended(anula, a_file, tmp_path, bad):
    to_mend = tmp_path / "to-mend.csv"
    anula("import", a_file(row(1), bad), "--errors", str(to_mend))

    again = tmp_path / "again.csv"
    ran = anula("import", str(to_mend), "--errors", str(again))

    assert ran.status == 2
    assert ran.errors[-1] == "anula: nothing was submitted: 1 of 1 rows are invalid"
    assert anula("import", str(again)).status == 2


def test_the_errors_of_an_earlier_import_do_not_stay_when_there_are_none_any_more(anula, a_file, tmp_path):
    bad = tmp_path / "bad.csv"
    anula("import", a_file(row(1, reason="short")), "--errors", str(bad))
    assert len(rows_of(bad)) == 1

    anula("import", a_file(row(1)), "--errors", str(bad))

    assert rows_of(bad) == []


def test_names_of_columns_are_kept_from_being_formulas(anula, a_file, tmp_path):
    path, bad = Path(a_file()), tmp_path / "bad.csv"
    path.write_text("=uuid;@SUM(A1)\nx;y\n")

    anula("import", str(path), "--extra-columns", "ignore", "--errors", str(bad))

    assert [cell[:2] for cell in rows_of(bad)[0]] == ["'=", "'@", "an", "an"]
    assert rows_of(bad)[0]["anula problem"].startswith("'=uuid: must be")


def test_blanks_around_a_cell_do_not_come_back_as_an_apostrophe(anula, deployment, a_file, tmp_path):
    bad = tmp_path / "bad.csv"
    anula("import", a_file(row(1, reason="short", reference="\torder-7 ")), "--errors", str(bad))
    bad.write_text(bad.read_text("utf-8-sig").replace(";short;", ";Passageiro desistiu da viagem;"))

    anula("import", str(bad))

    assert deployment.client().status(job(1)).references == ("order-7",)


@pytest.mark.parametrize(
    "option, name", [("--errors", "nowhere/x.csv"), ("--results", "nowhere/x.csv"), ("--errors", ".")]
)
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_submitted(anula, deployment, a_file, option, name):
    ran = anula("import", a_file(row(1)), option, name, "--wait", "0")

    assert ran.status == 2
    assert f"{name} cannot be written" in ran.errors[-1]
    assert deployment.client().status(job(1)) is None


def test_a_wait_that_is_broken_off_leaves_its_results(deployment, a_file, tmp_path):
    out = tmp_path / "results.csv"
    out.write_text("of another import")
    process = started(deployment, "import", a_file(row(1), row(2)), "--wait", "--results", str(out))
    assert process.stdout.readline() == "2 submitted\n"
    deployment.end(job(1), cancelled(b"<xml/>"))
    for line in process.stderr:
        if "waiting for outcomes: 50 %" in line:
            break
    assert out.read_text() == "of another import"

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)

    assert process.returncode == 130
    assert [(one["submitted"], one["status"]) for one in rows_of(out)] == [("new", "cancelled"), ("new", "")]
    assert not list(tmp_path.glob("*.part"))


def test_an_outage_after_the_last_row_makes_no_failure_of_the_import(anula, deployment, a_file, monkeypatch):
    def away(_):
        raise redis.ConnectionError("away")

    monkeypatch.setattr(Ledger, "account_states", away)

    ran = anula("import", a_file(row(1)))

    assert (ran.status, ran.lines) == (0, ["1 submitted"])


def test_a_wait_that_an_outage_ends_says_that_all_were_submitted(a_file, tmp_path):
    out = tmp_path / "results.csv"
    with running_valkey(tmp_path / "valkey") as server:
        gone = a_deployment(tmp_path, server.url, "anula")
        process = started(gone, "import", a_file(row(1)), "--wait", "1", "--results", str(out))
        assert process.stdout.readline() == "1 submitted\n"
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "they are submitted: import the same file again" in errors.splitlines()[-1]
    assert [(one["submitted"], one["status"]) for one in rows_of(out)] == [("new", "")]


def test_a_row_whose_quotes_do_not_fit_is_not_skipped_because_it_may_hide_others(anula, deployment, a_file):
    ran = anula("import", a_file(row(1), row(2, reason='"Passageiro desistiu'), row(3), row(4)), "--skip-invalid")

    assert ran.status == 2
    assert "lines 3 to 5 were read as one row" in ran.err
    assert "may hide others, and are not skipped" in ran.errors[-1]
    assert deployment.client().status(job(1)) is None


def test_an_account_that_stands_still_is_told(anula, deployment, a_file):
    deployment.enroll()
    deployment.ledger.suspend("rodoviaria", "wrong token", by="test")

    ran = anula("import", a_file(row(1)))

    assert ran.status == 0
    told = "account rodoviaria is suspended (wrong token): its jobs wait for anula accounts resume rodoviaria"
    assert f"anula: {told}" in ran.errors


def test_a_dry_run_submits_nothing_and_needs_no_redis(anula, deployment, a_file, monkeypatch):
    monkeypatch.setenv("ANULA_REDIS_URL", "redis://127.0.0.1:1/0")

    ran = anula("import", a_file(row(1)), "--dry-run")

    assert (ran.status, ran.lines) == (0, ["1 can be submitted; nothing was"])
    assert deployment.client().status(job(1)) is None


def test_the_same_file_again_submits_nothing_twice_even_where_jobs_have_ended(anula, deployment, a_file):
    path = a_file(row(1), row(2))
    anula("import", path)
    deployment.end(job(1), not_cancelled())

    ran = anula("import", path)

    assert ran.status == 0
    assert any(line.startswith("anula: 2 known already, from an earlier import of this file") for line in ran.errors)
    assert deployment.client().status(job(1)).run == 1


@pytest.mark.parametrize(
    "encoding, given",
    [
        ("utf-8", "utf8"),
        ("utf-8-sig", "utf-8"),
        ("cp1252", "windows-1252"),
        ("utf-16-le", "utf-16le"),
        ("utf-16", "utf16"),
    ],
)
def test_a_file_is_known_whether_its_encoding_is_found_out_or_given(anula, deployment, a_file, encoding, given):
    path = a_file(row(1, reason="Não viajou, perdeu o ônibus"), encoding=encoding)
    anula("import", path)
    deployment.end(job(1), not_cancelled())

    ran = anula("import", path, "--encoding", given)

    assert (ran.status, ran.lines) == (0, ["0 submitted"])
    assert deployment.client().status(job(1)).run == 1


def test_another_file_joins_what_is_open(anula, deployment, a_file):
    anula("import", a_file(row(1)))

    ran = anula("import", a_file(row(1, reference="other"), row(2)))

    assert "anula: 1 joined an open job" in ran.errors
    assert deployment.client().status(job(1)).references == ("order-1", "other")


def test_an_import_that_broke_off_goes_on_where_it_was(anula, deployment, a_file):
    path, ledger = a_file(*(row(number) for number in range(2_500))), deployment.ledger
    first = anula("import", path)
    ledger.redis.delete(*(ledger.key("job", job(number)) for number in range(1_000, 2_500)))  # as if not reached

    second = anula("import", path)

    assert (first.lines, second.lines) == (["2500 submitted"], ["1500 submitted"])
    assert any(line.startswith("anula: 1000 known already") for line in second.errors)


def test_without_redis_it_says_how_far_it_came_and_how_to_go_on(anula, deployment, a_file, monkeypatch):
    monkeypatch.setenv("ANULA_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("ANULA_REDIS_TIMEOUT_S", "1")

    ran = anula("import", a_file(row(1)))

    assert ran.status == 1
    assert (
        "start it, or set ANULA_REDIS_URL; 0 of 1 or some more were submitted; to go on, import the same"
        in ran.errors[-1]
    )


def test_a_damaged_record_keeps_no_other_row_from_submission(anula, deployment, a_file, tmp_path):
    path, out = a_file(*(row(number) for number in range(60))), tmp_path / "results.csv"
    key = deployment.ledger.key("job", job(30))
    deployment.ledger.redis.set(key, "somebody else's")

    ran = anula("import", path)

    assert (ran.status, ran.lines) == (1, ["59 submitted"])
    assert f"anula: line 32: {job(30)}: its record in Redis is damaged (it is no record)" in ran.err
    assert "known already" not in ran.err
    assert ran.errors[-1].startswith("anula: 1 not submitted, for the reasons above")
    assert all(deployment.client().status(job(number)) for number in range(60) if number != 30)

    followed = anula("import", path, "--wait", "0", "--results", str(out))
    assert followed.status == 3
    assert [one["submitted"] for one in rows_of(out)] == ["repeated"] * 30 + [""] + ["repeated"] * 29
    assert "is damaged" in rows_of(out)[30]["problem"]

    deployment.ledger.redis.delete(key)
    mended = anula("import", path)
    assert (mended.status, mended.lines) == (0, ["1 submitted"])


def test_results_have_one_row_for_each_row_of_the_file(anula, deployment, a_file, tmp_path):
    out = tmp_path / "results.csv"
    path = a_file(row(1, reference="@SUM(A1)"), row(2), row(3, reason="short"), row(4))
    later(deployment, (job(4), not_cancelled()), (job(1), cancelled(b"<xml/>")), (job(2), cancelled(b"<xml/>")))

    ran = anula("import", path, "--skip-invalid", "--wait", "60", "--results", str(out))

    assert ran.status == 3
    assert ran.lines == ["3 submitted", "2 cancelled", "1 rejected"]
    assert "anula: of 3: 1 not cancelled, 0 still open" in ran.errors
    found = rows_of(out)
    assert [(one["line"], one["status"]) for one in found] == [
        ("2", "cancelled"),
        ("3", "cancelled"),
        ("4", ""),
        ("5", "rejected"),
    ]
    assert (found[0]["job"], found[0]["reference"]) == (job(1), "'@SUM(A1)")
    assert len(found[0]["evidence_sha256"]) == 64
    assert found[2]["problem"] == "justificativa: must have 15 characters or more"


def test_what_is_still_open_at_the_end_is_told_with_its_state(anula, a_file, tmp_path):
    out = tmp_path / "results.csv"

    ran = anula("import", a_file(row(1)), "--wait", "0", "--results", str(out))

    assert ran.status == 3
    assert "anula: of 1: 0 not cancelled, 1 still open" in ran.errors
    assert [one["status"] for one in rows_of(out)] == ["queued"]


def test_results_of_an_earlier_import_are_found_again(anula, deployment, a_file, tmp_path):
    path, out = a_file(row(1), row(2)), tmp_path / "results.csv"
    anula("import", path)
    deployment.end(job(1), cancelled(b"<xml/>"))
    deployment.end(job(2), cancelled(b"<xml/>"))

    ran = anula("import", path, "--wait", "30", "--results", str(out))

    assert ran.status == 0
    assert [(one["submitted"], one["status"]) for one in rows_of(out)] == [("repeated", "cancelled")] * 2


def test_the_run_that_counts_is_the_newest_where_a_job_was_retried_in_between(anula, deployment, a_file, tmp_path):
    path, out = a_file(row(1), row(2)), tmp_path / "results.csv"
    anula("import", path)
    for number, verdict in ((1, cancelled(b"<xml/>")), (2, not_cancelled(code="623"))):
        deployment.end(job(number), not_cancelled())
        deployment.ledger.retry(job(number), by="test")
        deployment.end(job(number), verdict)

    ran = anula("import", path, "--wait", "30", "--results", str(out))

    assert (ran.status, ran.lines) == (3, ["0 submitted", "1 cancelled", "1 rejected"])
    assert "anula: of 2: 1 not cancelled, 0 still open" in ran.errors
    assert [(one["status"], one["code"]) for one in rows_of(out)] == [("cancelled", "200"), ("rejected", "623")]


def test_a_job_whose_outcome_is_gone_does_not_count_as_open(anula, deployment, a_file, tmp_path):
    path, out = a_file(row(1)), tmp_path / "results.csv"
    anula("import", path)
    deployment.end(job(1), not_cancelled())
    deployment.ledger.redis.xtrim(deployment.ledger.key("outcomes"), maxlen=0)

    ran = anula("import", path, "--wait", "30", "--results", str(out))

    assert (ran.status, ran.lines) == (3, ["0 submitted", "1 rejected"])
    assert [one["status"] for one in rows_of(out)] == ["rejected"]


def test_standard_input_is_read(anula):
    text = "\r\n".join([HEADER, row(1)])

    ran = anula("import", "-", stdin=text.encode("utf-16"))

    assert (ran.status, ran.lines) == (0, ["1 submitted"])


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("--results", "x.csv"), "--results goes with --wait"),
        (("--dry-run", "--wait"), "--dry-run submits nothing"),
        (("--errors", "in.csv"), "must be different files"),
        (("--errors", "x.csv", "--results", "./x.csv", "--wait"), "must be different files"),
        (("--encoding", "klingon"), "no encoding klingon"),
        (("--provider", "other"), "--provider"),
        (("--account", "nobody"), "there is no account nobody (configured: norte, rodoviaria)"),
    ],
)
def test_wrong_usage(anula, a_file, arguments, words):
    a_file(row(1))

    ran = anula("import", "in.csv", *arguments)

    assert ran.status == 2
    assert words in ran.errors[-1]


@pytest.mark.parametrize("name", ["nowhere.csv", "."])
def test_a_file_that_cannot_be_read(anula, name):
    ran = anula("import", name)

    assert (ran.status, len(ran.errors)) == (2, 1)


def test_a_temporary_file_without_room_is_told_in_one_line(deployment, a_file, tmp_path):
    path = a_file(*(row(number) for number in range(100_000)))

    def no_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * 1024, 1024 * 1024))

    process = started(deployment, "import", path, "--dry-run", preexec_fn=no_room)
    _, errors = process.communicate(timeout=120)

    assert process.returncode == 1
    assert "temporary file for the rows cannot be written" in errors.splitlines()[-1]
    assert "Traceback" not in errors


# Long files, which two processes check


def test_a_long_file_is_told_of_like_a_short_one(deployment, a_file):
    bad = (1_500, 2_500)  # in a block of the second process, and in one of the first
    path = a_file(*(row(number, reason="short" if number in bad else REASON) for number in range(12_000)))
    assert Path(path).stat().st_size > LONG

    process = started(deployment, "import", path, "--dry-run")
    out, errors = process.communicate(timeout=60)

    told = [line for line in errors.splitlines() if not line.startswith("anula: checking: ")]
    assert (process.returncode, out) == (2, "")
    assert told[1:] == [
        *(f"anula: line {number + 2}, justificativa, 'short': must have 15 characters or more" for number in bad),
        "anula: nothing was submitted: 2 of 12000 rows are invalid",
    ]


@only_with_two_cores
def test_ctrl_c_during_the_check_ends_both_processes_and_says_that_nothing_was_submitted(deployment, a_file):
    path = a_file(*(row(number) for number in range(100_000)))
    process = started(deployment, "import", path, "--dry-run", start_new_session=True)
    assert "anula: checking: 10 %\n" in process.stderr
    assert len(members_of(process.pid)) == 2

    os.killpg(process.pid, signal.SIGINT)

    out, errors = process.communicate(timeout=10)
    assert (process.returncode, out) == (130, "")
    *checking, last = errors.splitlines()
    assert all(line.startswith("anula: checking: ") for line in checking)
    assert last == "anula: interrupted: nothing was submitted"
    assert members_of(process.pid) == []


PEAK = """
import resource, sys
from worker.cli.main import main
try:
    main(["import", sys.argv[1], "--skip-invalid", "--errors", "bad.csv", "--dry-run", "--extra-columns", "ignore"])
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def peak_kib(path, deployment, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PEAK, path],
        env=deployment.environment(),
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
        check=True,
    )
    return int(done.stderr.split()[-1])


@pytest.mark.size
def test_memory_does_not_grow_with_the_file(deployment, a_file, tmp_path):
    def lines(count):
        return (row(n % 10**9, reason="short" if n % 2 else "Passageiro desistiu da viagem") for n in range(count))

    few = peak_kib(a_file(*lines(2_000), name="few.csv"), deployment, tmp_path)
    many = peak_kib(a_file(*lines(40_000), name="many.csv"), deployment, tmp_path)

    assert many - few < 40 * 1024, "KiB; 38,000 rows held in memory would be more than that"


def test_memory_does_not_grow_with_columns_that_are_passed_over(deployment, a_file, tmp_path):
    more = "".join(f";cell {place}" for place in range(1_000))
    wide = tmp_path / "wide.csv"
    wide.write_text("\n".join([HEADER + more, *(row(number) + more for number in range(1_500))]))

    few = peak_kib(a_file(row(1), name="few.csv"), deployment, tmp_path)
    many = peak_kib(str(wide), deployment, tmp_path)

    assert many - few < 40 * 1024, "KiB; the cells of 1,000 rows held in memory would be more than that"
