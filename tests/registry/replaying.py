"""Dead letters as a worker reports them, and what it and people do with an order to send them again."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from .conftest import Api

TOPIC = "shop.orders.dlt"
FINGERPRINT = "3f9a1c02b7de"
FOUND: dict[str, Any] = {
    "worker": "w1",
    "read": 7,
    "replayed": 4,
    "quarantined": 1,
    "failing": 2,
    "skipped": 0,
    "examples": [{"partition": 0, "offset": 3, "reason": "12 is no string"}],
    "ends": [{"partition": 0, "end": 10}],
    "error": None,
}


def sample(offset: int, **more: Any) -> dict[str, Any]:
    """A letter at an offset of partition 0."""
    said = {"partition": 0, "offset": offset, "at": 1_700_000_000_000 + offset, "origin_partition": 1}
    return {**said, "origin_offset": offset * 3, "key": f"k{offset}", "value": None, "truncated": False, **more}


def letters(count: int, *samples: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A group of a report."""
    said = {"fingerprint": FINGERPRINT, "contract": "billing/order-placed", "version": "1.0.0", "rule": "type"}
    said |= {"pointer": "/amount", "reason": "12 is no string", "origin": "shop.orders"}
    times = {"first_at": 1_700_000_000_000, "last_at": 1_700_000_000_000 + count}
    return {**said, "count": count, "replayed": 0, **times, "samples": list(samples), **more}


def report(start: int, end: int, *groups: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A report about partition 0."""
    ranges = [{"partition": 0, "start": start, "end": end}]
    return {"cluster": "c1", "topic": TOPIC, "ranges": ranges, "groups": list(groups), **more}


def put(api: Api, body: dict[str, Any], id_: str | None = None) -> Any:
    """Sends a report."""
    return api.put(f"/dead-letters/reports/{id_ or uuid4()}", body, Deedbox_Actor="worker")


def order(api: Api, **more: Any) -> Any:
    """Orders the letters that `reported` tells of."""
    said = {"id": str(uuid4()), "cluster": "c1", "topic": TOPIC, "fingerprint": FINGERPRINT}
    return api.post("/replay-orders", {**said, **more}, Deedbox_Actor="ada")


def claim(api: Api, id_: str, worker: str = "w1", seconds: int = 60) -> Any:
    """Takes an order."""
    return api.post(f"/replay-orders/{id_}/claims", {"worker": worker, "seconds": seconds})


def tell(api: Api, id_: str, task: str, **more: Any) -> Any:
    """Says what came of a task."""
    return api.put(f"/replay-orders/{id_}/results/{task}", {**FOUND, **more}, Deedbox_Actor="worker")


def confirm(api: Api, id_: str, digest: str) -> Any:
    """Confirms a dry run."""
    return api.post(f"/replay-orders/{id_}/confirmation", {"digest": digest}, Deedbox_Actor="grace")


def cancel(api: Api, id_: str) -> Any:
    """Cancels."""
    return api.post(f"/replay-orders/{id_}/cancellation", {"reason": "not now"}, Deedbox_Actor="ada")


def ordered(api: Api) -> str:
    """The id of an order for letters that were reported."""
    assert put(api, report(0, 10, letters(7))).status_code == 201
    return str(order(api).json["id"])


def tried(api: Api) -> tuple[str, str]:
    """The id of an order that was tried, and the digest of what was found."""
    id_ = ordered(api)
    claim(api, id_)
    return id_, tell(api, id_, "dry-run").json["trial"]["digest"]
