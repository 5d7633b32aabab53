"""`anula evidence --all`: everything that there is to archive, one file each."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.hand_driven import A_UUID, ACUSE, a_uuid, an_access_key, bpe, cancelled, cfdi, not_cancelled
from tests.support.site import ROOT
from tests.support.waiting import wait_until
from worker.answer import Evidence
from worker.outcome import Status, Verdict

pytestmark = pytest.mark.integration


@pytest.fixture
def client(deployment):
    return deployment.client()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "archive" / "2026"


def end(deployment, verdict, document=None, request=None):
    """The document of a job that was ended so."""
    job = deployment.client().submit(request or cfdi(document)).job
    deployment.end(job, verdict)
    return job.partition(":")[2]


def files(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def disagreeing():
    verdict = cancelled(evidence=b"<Acuse>203</Acuse>")
    return Verdict(status=Status.UNRESOLVED, reason=verdict.reason, answer=verdict.answer)


def forge(client, **changed):
    """An outcome on the stream that Anula has not written."""
    (latest,) = list(client.outcomes())[-1:]
    client.ledger.redis.xadd(client.ledger.key("outcomes"), {"outcome": json.dumps(latest | changed)})


def test_the_evidence_of_every_document_is_written_byte_for_byte(anula, deployment, folder):
    first = end(deployment, cancelled())
    no_utf_8 = end(deployment, cancelled(evidence=b"<a>\xe7\x00\xff</a>"))
    of_bpe = end(deployment, cancelled(), request=bpe())
    end(deployment, not_cancelled())

    ran = anula("evidence", "--all", str(folder))

    assert ran.status == 0
    assert files(folder) == {f"{first}.xml": ACUSE, f"{no_utf_8}.xml": b"<a>\xe7\x00\xff</a>", f"{of_bpe}.xml": ACUSE}
    assert ran.lines[0] == "3 written, 0 there already, 0 cancelled without evidence"
    assert ran.err == ""


def test_it_can_be_run_again_and_goes_on(anula, deployment, folder):
    first = end(deployment, cancelled())
    anula("evidence", "--all", str(folder))
    second = end(deployment, cancelled(evidence=b"<b/>"))

    ran = anula("evidence", "--all", str(folder))

    assert (ran.status, ran.lines[0]) == (0, "1 written, 1 there already, 0 cancelled without evidence")
    assert files(folder) == {f"{first}.xml": ACUSE, f"{second}.xml": b"<b/>"}


def test_a_run_that_was_killed_leaves_whole_files_and_the_next_one_goes_on(anula, deployment, folder):
    expected = {f"{end(deployment, cancelled())}.xml": ACUSE for _ in range(60)}
    command = [sys.executable, "-c", "from worker.cli.main import main; main()", "evidence", "--all", str(folder)]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **deployment.environment()}, stdout=subprocess.DEVNULL
    )
    wait_until(lambda: folder.exists() and any(folder.glob("*.xml")), limit_s=30)
    process.kill()
    process.wait()
    left = {name: content for name, content in files(folder).items() if name.endswith(".xml")}

    ran = anula("evidence", "--all", str(folder))

    assert left.items() <= expected.items()
    assert (ran.status, ran.lines[0].split()[:4]) == (0, [f"{60 - len(left)}", "written,", f"{len(left)}", "there"])
    assert {name: content for name, content in files(folder).items() if name.endswith(".xml")} == expected


def test_a_replay_is_no_second_file(anula, deployment, client, folder):
    document = end(deployment, cancelled())
    assert client.submit(cfdi(document, reference="again")).replayed

    ran = anula("evidence", "--all", str(folder))

    assert (ran.status, ran.lines[0]) == (0, "1 written, 1 there already, 0 cancelled without evidence")
    assert files(folder) == {f"{document}.xml": ACUSE}


def test_a_file_that_differs_is_left_and_told_and_the_others_are_written(anula, deployment, folder):
    document, other = end(deployment, cancelled()), end(deployment, cancelled())
    folder.mkdir(parents=True)
    (folder / f"{document}.xml").write_bytes(b"mine")

    ran = anula("evidence", "--all", str(folder))

    assert (ran.status, len(ran.errors)) == (1, 2)
    assert f"{document}.xml is there with another content" in ran.errors[0]
    assert ran.lines == ["1 written, 0 there already, 0 cancelled without evidence"]
    assert files(folder) == {f"{document}.xml": b"mine", f"{other}.xml": ACUSE}


def test_what_came_with_another_status_is_not_taken_for_a_cancellation(anula, deployment, folder):
    document = end(deployment, disagreeing())
    anula("retry", document)
    deployment.end(f"solucion-factible:{document}", cancelled())

    assert anula("evidence", "--all", str(folder)).status == 0

    assert files(folder) == {
        f"{document}-run-1-unresolved.xml": b"<Acuse>203</Acuse>",
        f"{document}.xml": ACUSE,
    }


def test_a_cancelled_document_without_evidence_is_told_until_it_was_put_there(anula, deployment, folder):
    document = end(deployment, cancelled(evidence=None), request=bpe())

    missing = anula("evidence", "--all", str(folder))
    (folder / f"{document}.xml").write_bytes(b"<fetched/>")
    put_there = anula("evidence", "--all", str(folder))

    assert (missing.status, missing.lines[0]) == (0, "0 written, 0 there already, 1 cancelled without evidence")
    assert document in missing.err
    assert "--fetch" in missing.err
    assert (put_there.lines[0], put_there.err) == ("0 written, 1 there already, 0 cancelled without evidence", "")


def test_unreadable_evidence_is_no_xml_file(anula, deployment, folder):
    verdict = cancelled()
    unreadable = Evidence(b"neither base64 nor XML", "text/plain")
    document = end(deployment, Verdict(status=verdict.status, reason=verdict.reason, answer=with_(verdict, unreadable)))

    anula("evidence", "--all", str(folder))

    assert files(folder) == {f"{document}.txt": b"neither base64 nor XML"}


def with_(verdict, evidence):
    return replace(verdict.answer, evidence=evidence)


def test_only_one_accounts_evidence_is_written(anula, deployment, folder):
    end(deployment, cancelled())
    of_bpe = end(deployment, cancelled(), request=bpe())

    ran = anula("evidence", "--all", str(folder), "--account", "rodoviaria")

    assert (ran.status, list(files(folder))) == (0, [f"{of_bpe}.xml"])
    assert anula("evidence", "--all", str(folder), "--account", "nobody").status == 2


def test_the_id_that_a_run_tells_is_where_the_next_goes_on(anula, deployment, folder, tmp_path):
    end(deployment, cancelled())
    said = anula("evidence", "--all", str(folder)).lines[-1]
    second = end(deployment, cancelled())

    ran = anula("evidence", "--all", str(tmp_path / "next"), "--since", said.split("--since ")[1].split()[0])

    assert ran.lines[0].startswith("1 written")
    assert list(files(tmp_path / "next")) == [f"{second}.xml"]


def test_a_day_and_a_time_are_where_it_begins(anula, deployment, folder, tmp_path):
    end(deployment, cancelled())
    now_at = datetime.now(UTC)

    written = [
        anula("evidence", "--all", str(tmp_path / since), "--since", since).lines[0][0]
        for since in (
            f"{now_at - timedelta(days=1):%Y-%m-%d}",
            f"{now_at - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}",
            f"{now_at + timedelta(minutes=5):%Y-%m-%dT%H:%M:%S}",
            f"{now_at + timedelta(days=1):%Y%m%d}",
            "1969-12-31",
        )
    ]

    assert written == ["1", "1", "0", "0", "1"]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--all", "there", A_UUID),
        ("--all", "there", "--fetch"),
        ("--all", "there", "--since", "yesterday"),
        ("--all", "there", "--since", "2026-01"),
        (A_UUID, "--since", "2026-01-31"),
        (A_UUID, "--account", "norte"),
    ],
)
def test_what_is_to_be_written_has_to_be_clear(anula, tmp_path, arguments):
    ran = anula("evidence", *arguments)

    assert (ran.status, len(ran.errors)) == (2, 1)
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"document": "../../escaped"},
        {"document": an_access_key()},
        {"status": "../escaped"},
        {"evidence": "x"},
        {"evidence": {"media_type": "application/xml"}},
    ],
)
def test_what_is_none_of_ours_names_no_file(anula, deployment, client, folder, changed):
    document = end(deployment, cancelled())
    forge(client, **changed)

    ran = anula("evidence", "--all", str(folder))

    assert (ran.status, len(ran.errors)) == (1, 2)
    assert "no outcome of ours" in ran.errors[0]
    assert list(files(folder)) == [f"{document}.xml"]


def test_evidence_that_was_changed_on_the_way_is_not_written(anula, deployment, client, folder):
    document = end(deployment, cancelled())
    (outcome,) = client.outcomes()
    client.ledger.redis.delete(client.ledger.key("outcomes"))
    changed = outcome | {"evidence": outcome["evidence"] | {"content": "<Acuse/>"}}
    client.ledger.redis.xadd(client.ledger.key("outcomes"), {"outcome": json.dumps(changed)})

    ran = anula("evidence", "--all", str(folder))

    assert ran.status == 1
    assert f"{document}: the evidence does not fit its own sha256" in ran.errors[0]
    assert files(folder) == {}


def test_a_folder_that_cannot_be_written_to_is_one_line(anula, deployment, tmp_path):
    end(deployment, cancelled())
    (tmp_path / "file").touch()

    ran = anula("evidence", "--all", str(tmp_path / "file"))

    assert (ran.status, len(ran.errors)) == (1, 1)
    assert "cannot be written to (File exists)" in ran.err


def test_an_empty_ledger_is_no_failure(anula, folder):
    ran = anula("evidence", "--all", str(folder))

    assert (ran.status, ran.lines) == (0, ["0 written, 0 there already, 0 cancelled without evidence"])
    assert anula("evidence", a_uuid()).status == 1
