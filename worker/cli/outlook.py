"""What an open job has to expect: what holds its account up, and until when it is tried."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from worker.cli.screen import moment
from worker.ledger.records import AccountState, Record
from worker.retry import Policies, Waits


def held_up_by(account: AccountState) -> Iterator[str]:
    """What keeps an account from calling at its own pace, one sentence each; none where nothing does."""
    if not account.has_started:
        yield f"no worker has started with account {account.name}"
    if account.suspended_at:
        by = f" (by {account.suspended_by})" if account.suspended_by else ""
        since = moment(account.suspended_at)
        yield f"account {account.name} is suspended since {since}{by}: {account.suspended_reason}"
    if account.paused_until:
        why = f": {account.pause_reason}" if account.pause_reason else ""
        yield f"account {account.name} is paused until {moment(account.paused_until)}{why}"
    if account.circuit_open_since:
        since = moment(account.circuit_open_since)
        yield f"the circuit of account {account.name} is open since {since}: its provider fails, and is only probed"


def tried_until(record: Record, account: AccountState, policies: Policies) -> datetime | None:
    """When an open job is given up at the latest, if it is answered as before; None where nothing limits it yet.

    The time in which its account or a worker stands still comes on top of a policy's, but not of a deadline.
    """
    if not record.is_open:
        return None
    given_up_at = _given_up_at(record, policies)
    is_looked_up = record.is_in_doubt and account.inquires and account.suspended_at is None
    if record.pending is not None or is_looked_up or record.deadline_at is None:
        return given_up_at
    return min(given_up_at or record.deadline_at, record.deadline_at)


def _given_up_at(record: Record, policies: Policies) -> datetime | None:
    left_s = policies.left_s(Waits.from_json(record.retry))
    if left_s is None or record.parked_at is None:
        return None
    return record.parked_at + timedelta(seconds=left_s)
