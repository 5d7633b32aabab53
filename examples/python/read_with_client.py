"""Outcomes with Anula's own client, as a consumer of a group: the shortest way in Python."""

import sys

from erp_outcome import handle

from worker.client import Client


def main(group: str, consumer: str) -> None:
    """Each outcome is acknowledged when the loop comes back for the next one; one that raises is given again."""
    with Client() as client:
        for outcome in client.outcomes(group=group, consumer=consumer, follow=True):
            handle(outcome)


if __name__ == "__main__":
    main(*sys.argv[1:3])
