"""`make chaos SEED=… MINUTES=… JOBS=…`: one run of the suite, told on standard output (docs/reliability.md)."""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.chaos.scenario import Result, Script, play

DETAILED = 20
"""Breaches that are told with all that is known of their jobs."""


def main() -> int:
    """Play, tell, and give 1 on any breach."""
    asked = _asked()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started ends as well
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}", flush=True)
    directory = asked.keep or Path(tempfile.mkdtemp(prefix="anula-chaos-"))
    directory.mkdir(parents=True, exist_ok=True)
    script = Script(seed, asked.jobs, asked.minutes * 60, asked.workers, asked.every, asked.patience)
    started = time.monotonic()
    result = play(script, directory, lambda text: print(text, flush=True))
    report(result, directory)
    print(f"took {time.monotonic() - started:.0f} s, {result.drained_s:.1f} s of them to drain")
    print(result.last_line, flush=True)
    return 0 if result.is_sound else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="left out: a random one")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long faults and load go on")
    parser.add_argument("--jobs", type=int, default=4_000)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--every", type=float, default=1.5, help="one fault in so many seconds, on average")
    parser.add_argument("--patience", type=float, default=12.0, help="seconds until a question is given up")
    parser.add_argument("--keep", type=Path, help="where logs and the server's files stay")
    return parser.parse_args()


def report(result: Result, directory: Path) -> None:
    """What was done, what came out of it, and every breach with enough to find its cause."""
    seen = result.seen
    print(f"faults: {_told(result.faults)}")
    print(f"operator: {_told(result.moves)}")
    endings = Counter(f"{one['status']}/{one['reason']}" for one in seen.outcomes)
    print(f"outcomes: {_told(endings)}")
    again = sum(one.tries - 1 for one in seen.handed_in)
    print(f"handed in: {len(seen.handed_in)}, {again} of them again; calls: {len(seen.calls)}")
    for problem in result.problems:
        print(f"PROBLEM {problem}")
    told: set[str | None] = set()
    for breach in result.breaches[:200]:
        print(f"{breach.kind}: {breach.job or ''} {breach.what}")
        for job in (breach.job, breach.other):
            if job and job not in told and len(told) < DETAILED:
                told.add(job)
                print(f"  {job}\n{seen.history(job)}")
    if not result.is_sound:
        print(f"logs and the server's files: {directory}")


def _told(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counted.items()))


if __name__ == "__main__":
    sys.exit(main())
