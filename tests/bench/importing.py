"""What `anula import` takes, beside a loop of Celery's `apply_async` in the same run: `make bench-import`."""

import argparse
import csv
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from celery import Celery
from redis import Redis

from tests.support.sandbox import N_PROT, X_JUST, Sandbox, sandbox_process
from tests.support.site import Site, running_site
from tests.support.valkey import LocalValkey, running_valkey
from tests.support.waiting import wait_until
from worker.sandbox.numbers import sandbox_chbpe

ROWS, MANY_ROWS, LOOP, ROUNDS = 100_000, 1_000_000, 10_000, 3
BULK, INTERACTIVE, LATENCY_S = 100_000, 200, 0.1
OF_THE_OTHER_ACCOUNT = 5_000_000
SECOND_ACCOUNT = """
[accounts.litoral]
provider = "ns-bpe"
environment = "test"
token_env = "RODOVIARIA_TOKEN"
utc_offset = "-03:00"
endpoint = "{endpoint}"
"""


def main() -> None:
    """Measure everything, and print it; the last line has all of it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=ROWS, help="of the file whose rate is measured")
    options.add_argument("--many-rows", type=int, default=MANY_ROWS, help="of the file whose memory is measured")
    options.add_argument("--bulk", type=int, default=BULK, help="jobs that drain while others are submitted")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rate, ratio, bytes_per_job = rates(Path(folder), chosen.rows)
        peak_mib = peak(Path(folder), chosen.many_rows)
        p99_ms = interactive(Path(folder), chosen.bulk)
    print(
        f"import: rows_per_s={rate:.0f} ratio_to_apply_async={ratio:.1f} peak_mib={peak_mib:.0f} "
        f"ledger_bytes_per_job={bytes_per_job:.0f} interactive_p99_ms={p99_ms:.0f}"
    )


# From the file to the ledger


def rates(folder: Path, rows: int) -> tuple[float, float, float]:
    """Rows a second of the whole command, its ratio to a loop of `apply_async`, and what a job takes in the ledger.

    Import and loop take turns, each on a fresh server that writes every change to its disk; medians.
    """
    file = written(folder / "rows.csv", rows)
    imported, looped, sizes = [], [], []
    for number in range(ROUNDS):
        with running_valkey(folder / f"import-{number}", appendonly=True) as server:
            empty = used_memory(server)
            seconds = imported_in(folder, server, file)
            imported.append(rows / seconds)
            sizes.append((used_memory(server) - empty) / rows)
        with running_valkey(folder / f"loop-{number}", appendonly=True) as server:
            looped.append(LOOP / looped_in(server))
        print(
            f"round {number + 1}: import {imported[-1]:.0f} rows/s, apply_async {looped[-1]:.0f} calls/s, "
            f"{sizes[-1]:.0f} bytes a job"
        )
    rate, loop = statistics.median(imported), statistics.median(looped)
    return rate, rate / loop, statistics.median(sizes)


def written(path: Path, rows: int) -> Path:
    """A file of so many valid BP-e rows."""
    with path.open("w", newline="") as opened:
        writer = csv.writer(opened, delimiter=";")
        writer.writerow(["chave de acesso", "protocolo", "justificativa", "referencia"])
        writer.writerows([sandbox_chbpe(135, number), N_PROT, X_JUST, f"order-{number}"] for number in range(rows))
    return path


def imported_in(folder: Path, server: LocalValkey, file: Path) -> float:
    """Seconds that the command took, from its start to its end."""
    with importing(folder, server, file) as (process, started):
        process.wait()
        return time.monotonic() - started


@contextmanager
def importing(folder: Path, server: LocalValkey, file: Path) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """The command as it runs, and since when; it has to end well."""
    site = Site(folder, server.url, "anula", "http://127.0.0.1:9")
    site.write_accounts()
    started = time.monotonic()
    with (folder / "import.log").open("wb") as log:
        command = [sys.executable, "-c", "from worker.cli.main import main; main()", "import", str(file)]
        with subprocess.Popen(command, env=site.environment, cwd=folder, stdout=log, stderr=log) as process:
            yield process, started
    assert process.returncode == 0, (folder / "import.log").read_text()[-2000:]


def used_memory(server: LocalValkey) -> int:
    """Bytes that the server has taken for all that it keeps."""
    with Redis.from_url(server.url) as redis:
        return int(redis.info("memory")["used_memory"])


def looped_in(server: LocalValkey) -> float:
    """Seconds for so many `apply_async` of a task with the same request, one after the other on one connection."""
    app = Celery("peer", broker=server.url, set_as_current=False)

    @app.task(name="anula.submit", ignore_result=True)
    def submit(request: dict[str, str]) -> None:
        """Never run: only its messages are published."""

    requests = [
        {"provider": "ns-bpe", "chBPe": sandbox_chbpe(135, number), "nProt": N_PROT, "xJust": X_JUST}
        for number in range(LOOP)
    ]
    with app.connection_for_write() as connection, app.amqp.Producer(connection) as producer:
        submit.apply_async(kwargs={"request": requests[0]}, queue="anula", producer=producer)
        started = time.monotonic()
        for request in requests:
            submit.apply_async(kwargs={"request": request}, queue="anula", producer=producer)
        return time.monotonic() - started


def peak(folder: Path, rows: int) -> float:
    """The largest memory, in MiB, of an import of many rows: of its processes together, what they share counted twice."""
    file = written(folder / "many.csv", rows)
    peaks: dict[int, float] = {}
    with running_valkey(folder / "peak") as server, importing(folder, server, file) as (process, started):
        while process.poll() is None:
            peaks |= {pid: mib for pid in (process.pid, *children(process.pid)) if (mib := peak_of(pid))}
            time.sleep(0.05)
        seconds = time.monotonic() - started
    parts = " + ".join(f"{mib:.0f}" for mib in peaks.values())
    print(f"{rows} rows: {rows / seconds:.0f} rows/s, peak {parts} MiB")
    return sum(peaks.values())


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def peak_of(pid: int) -> float:
    """The largest memory of a process so far, in MiB; 0 where it has ended."""
    with suppress(OSError):
        found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        return int(found[1]) / 1024 if found else 0.0
    return 0.0


# Interactive jobs beside bulk


def interactive(folder: Path, bulk: int) -> float:
    """Milliseconds from admission to the provider's first byte of 99 in 100 interactive jobs of another account."""
    with busy_site(folder, bulk) as (site, sandbox):
        other = waits_ms(site, sandbox, "litoral", range(OF_THE_OTHER_ACCOUNT, OF_THE_OTHER_ACCOUNT + INTERACTIVE))
        same = waits_ms(site, sandbox, "rodoviaria", range(bulk, bulk + INTERACTIVE))
        left = int(site.ledger.redis.zcard(site.ledger.key("due", "rodoviaria", "bulk")))
    assert left, "the bulk jobs were gone before the others had been measured"
    for name, found in (("another", other), ("the same", same)):
        print(
            f"interactive jobs of {name} account beside {bulk} bulk jobs ({left} left at the end): "
            f"median {statistics.median(found):.0f} ms, p99 {p99(found):.0f} ms, provider latency {LATENCY_S * 1000:.0f} ms"
        )
    return p99(other)


@contextmanager
def busy_site(folder: Path, bulk: int) -> Iterator[tuple[Site, Sandbox]]:
    """A site whose account rodoviaria has so many bulk jobs, some of which are under way."""
    with (
        running_valkey(folder / "busy", appendonly=True) as server,
        sandbox_process(latency_s=LATENCY_S) as (sandbox, _),
        running_site(folder, redis_url=server.url, namespace="anula", sandbox_url=sandbox.url) as site,
    ):
        site.write_accounts(SECOND_ACCOUNT.format(endpoint=sandbox.url))
        site.client.submit_many(request("rodoviaria", number, "bulk") for number in range(bulk))
        site.start_worker()
        ended = site.ledger.key("ended")
        wait_until(lambda: site.ledger.redis.zcard(ended) > 100, limit_s=120)
        yield site, sandbox


def request(account: str, number: int, priority: str) -> dict[str, str]:
    """A cancellation that the sandbox carries out."""
    key = sandbox_chbpe(135, number)
    body = {"provider": "ns-bpe", "account": account, "chBPe": key, "nProt": N_PROT, "xJust": X_JUST}
    return {**body, "priority": priority}


def waits_ms(site: Site, sandbox: Sandbox, account: str, numbers: Sequence[int]) -> list[float]:
    """From the admission to the first byte at the provider, of interactive jobs submitted one after the other."""
    client, waits = site.client, []
    for number in numbers:
        job = client.submit(request(account, number, "interactive")).job
        called_at = wait_until(partial(first_call_at, sandbox, sandbox_chbpe(135, number)), limit_s=60, every_s=0.05)
        record = client.status(job)
        assert record is not None
        waits.append((datetime.fromisoformat(called_at) - record.submitted_at).total_seconds() * 1000)
    return waits


def first_call_at(sandbox: Sandbox, document: str) -> str:
    """When the provider was asked for a document; empty until then."""
    return sandbox.document(document).get("first_call_at") or ""


def p99(values: Sequence[float]) -> float:
    """The value that 99 in 100 do not exceed."""
    return sorted(values)[max(0, round(len(values) * 0.99) - 1)]


if __name__ == "__main__":
    main()
