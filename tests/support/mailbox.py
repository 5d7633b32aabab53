"""Stream and queue of one namespace, written as producers do, and taken in by hand."""

import json
from typing import Any

from config.accounts import Account
from tests.support.ledgers import World
from tests.support.requests import accounts
from worker.intake import Intake


class Mailbox:
    """The two ways in of one namespace, and who takes in; `kept_for_s` as for the intake."""

    def __init__(self, world: World, *configured: Account, kept_for_s: float = 0.0) -> None:
        self.world = world
        self.intake = Intake(world.ledger, accounts(*configured), batch=50, kept_for_s=kept_for_s)
        self.stream, self.queue = world.key("requests"), world.namespace

    def add(self, request: Any, key: str | bytes | None = None) -> str:
        """Way 1; the entry's id."""
        text = request if isinstance(request, str | bytes) else json.dumps(request)
        fields = {"request": text} | ({} if key is None else {"submission": key})
        return str(self.world.redis.xadd(self.stream, fields).decode())

    def push(self, request: Any, task_id: str = "task-1", **changes: Any) -> bytes:
        """Way 2; the queue item."""
        message = {
            "body": json.dumps([[], {"request": request}, {}]),
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "headers": {"task": "anula.submit", "id": task_id},
            "properties": {"delivery_tag": task_id, "delivery_info": {}},
        }
        return self.push_raw(json.dumps(message | changes).encode())

    def push_raw(self, item: bytes) -> bytes:
        self.world.redis.lpush(self.queue, item)
        return item

    def take_in(self) -> list[dict[str, Any]]:
        """Take in all there is; the refusals."""
        before = len(self.world.outcomes())
        while self.intake.take_in():
            pass
        assert self.world.redis.xlen(self.stream) == self.world.redis.llen(self.queue) == 0
        return self.world.outcomes()[before:]
