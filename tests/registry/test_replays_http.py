"""Replays of dead letters in the audit feed."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from .conftest import Api

RUN: dict[str, Any] = {
    "topic": "shop.orders.dlt",
    "name": "after-2.0.0",
    "query": "fingerprint=3f9a1c02b7de",
    "read": 6,
    "replayed": 4,
    "quarantined": 0,
    "failing": 2,
    "skipped": 0,
}


def test_a_run_is_recorded_once_and_stands_in_the_feed(each_api: Api) -> None:
    path = f"/replays/{uuid4()}"
    first = each_api.put(path, RUN, Deedbox_Actor="ada")
    assert (first.status_code, first.json["by"]) == (201, "ada")
    again = each_api.put(path, RUN)
    assert (again.status_code, again.json) == (200, first.json)
    assert each_api.put(path, {**RUN, "read": 7}).json["code"] == "id-taken"
    (event,) = each_api.get("/events").json["items"]
    assert (event["kind"], event["subject"], event["by"], event["data"]) == ("replay", "shop.orders.dlt", "ada", RUN)
    assert each_api.get("/replays?topic=shop.orders.dlt").json == {"items": [first.json], "next": None}
    assert each_api.get("/replays?topic=other").json["items"] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("topic", None), ("topic", "a b"), ("name", 3), ("read", -1), ("read", "6"), ("read", True), ("more", 1)],
)
def test_what_makes_no_sense_is_refused(api: Api, field: str, value: Any) -> None:
    answer = api.put(f"/replays/{uuid4()}", {**RUN, field: value})
    assert answer.status_code == 422, answer.text
    assert api.get("/events").json["items"] == []
    assert api.put("/replays/no-uuid", RUN).status_code == 422
