"""What tests of releases start from: a contract, and a worker that does what is ready."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from deedbox.registry.config import Settings
from deedbox.registry.services import SlowWork
from deedbox.registry.storage import jobs as stored
from deedbox.registry.storage.database import Database

if TYPE_CHECKING:
    from .conftest import Api

NAME = "billing/order-placed"
ORDER = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
FIRST = {"role": "consumes", "kind": "event", "channels": ["shop.orders"]}


def slow_work(database: Database, **settings: Any) -> SlowWork:
    return SlowWork(database, Settings(**settings))


def work_off(slow: SlowWork, seconds: float = 60) -> None:
    """Does every job that is ready."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        work = slow.jobs.take(slow.sagas, "here")
        if work is None:
            return
        slow.jobs.run(work)


def files(api: Api, name: str) -> list[dict[str, Any]]:
    answer = api.client.get(f"/api/v1/packages/{name}")
    return list(answer.json["files"]) if answer.status_code == 200 else []


def messages(api: Api) -> list[Any]:
    with api.services.database.reading() as session:
        return stored.messages_after(session, 0, 100)
