"""Anula beside other task queues on the same work, in turns: a table, a chart, and one line with the ratios."""

import argparse
import json
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.peers.contenders import (
    DRAMATIQ,
    FLOOR,
    HUEY,
    PEERS,
    PEERS_OF_THE_TABLE,
    PLAIN,
    PROGRAMS,
    SAME,
    WITH_EVENTS,
    Anula,
    Contender,
)
from tests.bench.peers.measuring import Figures, Load, measured
from tests.bench.peers.stub_limit import limit

ANULA, TWO = Anula(), Anula("Anula, two processes", processes=2)
CONTENDERS: Sequence[Contender] = (FLOOR, *PEERS_OF_THE_TABLE, ANULA, TWO)
WIDE = Load(slots=400, latency_s=2.0, jobs=3_000)
Rounds = Mapping[str, Sequence[Figures]]


def main() -> None:
    """Measure, print, draw; the last line has the ratios."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--jobs", type=int, default=4_000)
    options.add_argument("--slots", type=int, default=100)
    options.add_argument("--latency", type=float, default=0.1, help="seconds that the provider takes")
    options.add_argument("--only", default="", help="a part of the names of those to measure")
    options.add_argument("--chart", type=Path, help="a PNG file")
    chosen = options.parse_args()
    load = Load(chosen.slots, chosen.latency, chosen.jobs)
    print(f"the provider alone: {limit():.0f} answers/s; the slots allow {load.limit:.0f} jobs/s", flush=True)
    taking_part = [one for one in CONTENDERS if chosen.only.lower() in one.name.lower()]
    found = in_turns(taking_part, load, chosen.rounds)
    print(table(found))
    if chosen.chart:
        draw(found, chosen.chart)
    if not chosen.only:
        wide = in_turns([ANULA], WIDE, 1)[ANULA.name]
        print(last_line(found, statistics.median(one.rate for one in wide) / WIDE.limit))


def in_turns(contenders: Sequence[Contender], load: Load, rounds: int) -> dict[str, list[Figures]]:
    """The figures of each round; who began a round ends the next, so that a slow moment befalls no one alone."""
    found: dict[str, list[Figures]] = {one.name: [] for one in contenders}
    for number in range(rounds):
        for one in contenders if number % 2 == 0 else reversed(contenders):
            figures = measured(one, load)
            found[one.name].append(figures)
            print(
                f"round {number + 1}: {one.name}: {figures.rate:.0f} jobs/s, {figures.cpu_ms:.2f} ms a job, "
                f"Redis {figures.redis_cpu_ms:.2f} ms, {figures.rss_mib:.0f} MiB",
                flush=True,
            )
    return found


def table(found: Rounds) -> str:
    """Medians, and the spread of the rates, as Markdown."""
    head = "| | jobs/s | least – most | CPU ms/job | Redis CPU ms/job | MiB |\n|---|---|---|---|---|---|"
    return "\n".join([head, *(_row(name, rounds) for name, rounds in found.items())])


def _row(name: str, rounds: Sequence[Figures]) -> str:
    rates = [one.rate for one in rounds]
    return (
        f"| {name} | {statistics.median(rates):.0f} | {min(rates):.0f} – {max(rates):.0f} | {median(rounds, 'cpu_ms'):.2f} "
        f"| {median(rounds, 'redis_cpu_ms'):.2f} | {median(rounds, 'rss_mib'):.0f} |"
    )


def median(rounds: Sequence[Figures], figure: str) -> float:
    """The median of one figure."""
    return float(statistics.median(getattr(one, figure) for one in rounds))


def last_line(found: Rounds, share_of_400: float) -> str:
    """The ratios, each the median of the rounds' own: what slows one round slows both."""
    ours = found[ANULA.name]
    best = max((PLAIN, WITH_EVENTS, DRAMATIQ, HUEY), key=lambda one: median(found[one.name], "rate"))

    def ratio(other: Sequence[Figures], of: str = "rate", to: str = "rate") -> float:
        return float(statistics.median(getattr(a, of) / getattr(b, to) for a, b in zip(ours, other, strict=True)))

    floor = found[FLOOR.name]
    return (
        f"peers: anula={median(ours, 'rate'):.0f} dramatiq={median(found[DRAMATIQ.name], 'rate'):.0f} "
        f"same_guarantees={median(found[SAME.name], 'rate'):.0f} "
        f"celery_events={median(found[WITH_EVENTS.name], 'rate'):.0f} floor={median(floor, 'rate'):.0f} "
        f"ratio_to_best={ratio(found[best.name]):.2f} ratio_to_same={ratio(found[SAME.name]):.2f} "
        f"ratio_to_celery_events={ratio(found[WITH_EVENTS.name]):.2f} "
        f"cpu_to_floor={ratio(floor, 'cpu_ms', 'cpu_ms'):.2f} "
        f"redis_cpu_to_floor={ratio(floor, 'redis_cpu_ms', 'cpu_ms'):.2f} slots400_pct={100 * share_of_400:.0f} "
        f"two_workers={median(found[TWO.name], 'rate'):.0f}"
    )


def draw(found: Rounds, file: Path) -> None:
    """The chart, with the library of the peers' environment."""
    names = ("rate", "cpu_ms", "redis_cpu_ms")
    rows = [{"name": name, **{one: median(rounds, one) for one in names}} for name, rounds in found.items()]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as figures:
        json.dump(rows, figures)
        figures.flush()
        subprocess.run([PEERS / "python", PROGRAMS / "chart.py", figures.name, file], check=True)


if __name__ == "__main__":
    main()
