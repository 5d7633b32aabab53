"""Blemishes recorded answers at random and says how many that say otherwise came out as cancelled.

python -m tests.mutations.run [--count 100000] [--seed 1] [--show 5]
"""

import argparse
import sys

from tests.mutations.answers import mutate


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=5, help="how many of the wrong ones to print")
    chosen = parser.parse_args()
    tally = mutate(chosen.count, chosen.seed)
    for name, body in tally.wrong[: chosen.show]:
        print(f"{name}: {body!r}\n")
    print(tally)
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
