"""What guards report: recorded once, validated, and read back in each way that others need."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any
from uuid import uuid4

import pytest
from deedbox.registry.web import observation_models as shapes

from .conftest import Api, record

NOTE = {"contract": "orders/order-placed", "pointer": "/note"}
CLUSTER = "MkU3OEVBNTcwNTJENDM2Qk"


def sighting(offset: int, version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    return {
        **NOTE,
        "writer": "orders/order-placed",
        "writer_version": version,
        "count": 1,
        "last_offset": offset,
        "last_at": 1_000 + offset,
        **more,
    }


def report(start: int = 0, end: int = 10, **partition: Any) -> dict[str, Any]:
    """A report on one partition of shop.orders."""
    seen = {"partition": 0, "from": start, "to": end, "leader_epoch": 3, "messages": end - start, **partition}
    return {
        "id": str(uuid4()),
        "guard": "deedbox-guard/0",
        "tool": "deedbox 0.1.0",
        "cluster": CLUSTER,
        "since": "2026-11-24T10:00:00Z",
        "until": "2026-11-24T11:01:00+01:00",
        "topics": [
            {
                "topic": "shop.orders",
                "topic_id": "2b1c8a34-0000-4000-8000-000000000001",
                "watched": [NOTE],
                "counts": [
                    {"contract": "orders/order-placed", "version": "1.0.0", "kind": "valid", "count": 8},
                    {
                        "contract": "orders/order-placed",
                        "version": "0.9.0",
                        "kind": "note",
                        "rule": "retired-version",
                        "count": 2,
                    },
                ],
                "groups": ["billing-worker", "shipping"],
                "partitions": [seen],
            }
        ],
    }


def test_a_report_is_recorded_once_and_read_back(each_api: Api) -> None:
    said = report(sightings=[sighting(4)], unreadable={"count": 1, "last_offset": 7, "last_at": 1007})
    first = each_api.post("/observations", said, Deedbox_Actor="guard-1")
    assert (first.status_code, first.json["number"], first.json["by"]) == (201, 1, "guard-1")
    again = each_api.post("/observations", said)
    assert (again.status_code, again.json) == (200, first.json)
    other = {**said, "guard": "somebody else"}
    taken = each_api.post("/observations", other)
    assert (taken.status_code, taken.json["code"]) == (409, "id-taken")
    page = each_api.get("/observations").json
    assert page["next"] == "1"
    (item,) = page["items"]
    assert {name: item[name] for name in ("topic", "partition", "from", "to", "leader_epoch", "messages")} == {
        "topic": "shop.orders",
        "partition": 0,
        "from": 0,
        "to": 10,
        "leader_epoch": 3,
        "messages": 10,
    }
    assert item["observation"] == said["id"]
    assert item["watched"] == [NOTE]
    assert item["sightings"] == [sighting(4)]
    assert item["unreadable"] == {"count": 1, "last_offset": 7, "last_at": 1007}
    assert each_api.get("/observations?after=1").json == {"items": [], "next": "1"}
    assert each_api.get("/observations?channel=other").json["items"] == []


def test_nothing_of_it_stands_in_the_audit_feed(api: Api) -> None:
    before = api.get("/events").json["next"]
    api.post("/observations", report())
    assert api.get("/events").json["next"] == before


def test_channels_say_who_is_on_them_and_what_is_not_as_registered(each_api: Api) -> None:
    each_api.post("/observations", report(0, 10))
    each_api.post("/observations", report(0, 20, messages=10))
    (channel,) = each_api.get("/observations/channels").json["items"]
    assert (channel["channel"], channel["clusters"], channel["partitions"]) == ("shop.orders", [CLUSTER], 1)
    assert [g["group"] for g in channel["groups"]] == ["billing-worker", "shipping"]
    assert channel["until"] == "2026-11-24T10:01:00.000000Z"
    assert [(c["version"], c["kind"], c["count"]) for c in channel["counts"]] == [
        ("0.9.0", "note", 4),
        ("1.0.0", "valid", 16),
    ]
    (mismatch,) = channel["mismatches"]
    assert (mismatch["rule"], mismatch["count"], mismatch["version"]) == ("retired-version", 4, "0.9.0")
    assert "retired" in mismatch["message"]
    later = each_api.get("/observations/channels?since=2026-11-24T10:02:00Z").json["items"]
    assert later[0]["counts"] == later[0]["groups"] == []
    counts = each_api.get("/observations/counts?contract=orders/order-placed").json["items"]
    assert [(c["channel"], c["kind"], c["count"]) for c in counts] == [
        ("shop.orders", "note", 4),
        ("shop.orders", "valid", 16),
    ]


def test_coverage_merges_what_touches_and_shows_what_is_missing(each_api: Api) -> None:
    for said in (
        report(0, 10, sightings=[sighting(4)]),
        report(0, 25, messages=15, sightings=[sighting(4), sighting(18, "1.1.0")]),
        report(25, 40),
        report(50, 60, unreadable={"count": 2, "last_offset": 55}),
    ):
        assert each_api.post("/observations", said).status_code == 201
    unwatched = report(40, 50)
    unwatched["topics"][0]["watched"] = []
    each_api.post("/observations", unwatched)
    path = "/observations/coverage?contract=orders/order-placed&pointer=/note"
    (covered,) = each_api.get(path).json["items"]
    assert covered["ranges"] == [[0, 40], [50, 60]], "40 to 50 was read, but not for this field"
    assert [(s["writer_version"], s["offset"], s["at"]) for s in covered["last_seen"]] == [
        ("1.0.0", 4, 1004),
        ("1.1.0", 18, 1018),
    ]
    assert covered["unreadable"]["offset"] == 55
    assert covered["leader_epoch"] == 3
    assert each_api.get(path.replace("/note", "/other")).json["items"] == []
    assert each_api.get(path + "&cluster=another").json["items"] == []
    recreated = report(0, 5)
    recreated["topics"][0]["topic_id"] = "2b1c8a34-0000-4000-8000-000000000002"
    each_api.post("/observations", recreated)
    found = each_api.get(path).json["items"]
    assert [c["ranges"] for c in found] == [[[0, 40], [50, 60]], [[0, 5]]], "a recreated topic is another one"


def _at(value: Any, pointer: str) -> tuple[Any, Any]:
    *way, last = pointer.split("/")[1:]
    for step in way:
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value, int(last) if isinstance(value, list) else last


@pytest.mark.parametrize(
    ("pointer", "value", "where"),
    [
        ("/id", "no-uuid", "/id"),
        ("/cluster", "", "/cluster"),
        ("/since", "yesterday", "/since"),
        ("/since", "2026-11-24T10:00:00", "/since"),
        ("/topics", [], "/topics"),
        ("/topics/0/topic", "no topic", None),
        ("/topics/0/watched/0/contract", "no-slash", "/topics/0/watched/0/contract"),
        ("/topics/0/counts/0/count", -1, "/topics/0/counts/0/count"),
        ("/topics/0/counts/0/count", "8", "/topics/0/counts/0/count"),
        ("/topics/0/counts/0/kind", "fine", "/topics/0/counts/0/kind"),
        ("/topics/0/counts/0/rule", "a\x00b", "/topics/0/counts/0/rule"),
        ("/topics/0/partitions/0/from", 11, "/topics/0/partitions/0/to"),
        ("/topics/0/partitions/0/to", 1 << 63, "/topics/0/partitions/0/to"),
        ("/topics/0/partitions/0/extra", 1, "/topics/0/partitions/0/extra"),
        ("/topics/0/partitions/0/sightings", [sighting(10)], "/topics/0/partitions/0/sightings/0/last_offset"),
        ("/topics/0/partitions/0/sightings", [sighting(4, pointer="/x")], "/topics/0/partitions/0/sightings/0"),
        ("/topics/0/partitions/0/sightings", [sighting(4), sighting(5)], "/topics/0/partitions/0/sightings"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_place(api: Api, pointer: str, value: Any, where: str | None) -> None:
    said = deepcopy(report())
    holder, last = _at(said, pointer)
    holder[last] = value
    answer = api.post("/observations", said)
    assert answer.status_code == 422, answer.text
    assert answer.json["code"] in ("invalid-request", "invalid-name")
    assert answer.json.get("pointer") == where, answer.json
    assert api.get("/observations").json["items"] == []


@pytest.mark.parametrize("body", ["", "[]", "{", '{"id": NaN}', "3", "[" * 5000])
def test_what_is_no_report_is_refused(api: Api, body: str) -> None:
    answer = api.post("/observations", body)
    assert answer.status_code in (400, 422)
    assert answer.content_type == "application/problem+json"


def test_the_same_twice_in_one_report_is_refused(api: Api) -> None:
    for path in ("watched", "counts", "partitions"):
        said = report()
        topic = said["topics"][0]
        topic[path] = [*topic[path], topic[path][0]]
        answer = api.post("/observations", said)
        assert (answer.status_code, answer.json["pointer"]) == (422, f"/topics/0/{path}")
    said = report()
    said["topics"] *= 2
    assert api.post("/observations", said).json["pointer"] == "/topics"


def test_long_pointers_of_every_script_find_room(each_api: Api) -> None:
    said = report()
    pointer = "/" + "\U0001f4e6" * 499
    said["topics"][0]["watched"] = [{"contract": "orders/" + "o" * 100, "pointer": pointer}]
    said["topics"][0]["counts"][0] |= {
        "pointer": pointer,
        "contract": "\U0001f4e6" * 201,
        "version": "\U0001f4e6" * 200,
    }
    answer = each_api.post("/observations", json.dumps(said))
    assert answer.status_code == 201, answer.text


def test_a_thousand_partitions_in_one_report(api: Api) -> None:
    said = report()
    (one,) = said["topics"][0]["partitions"]
    said["topics"][0]["partitions"] = [{**one, "partition": n, "sightings": [sighting(4)]} for n in range(1000)]
    assert api.post("/observations", said).status_code == 201
    found = api.get("/observations/coverage?contract=orders/order-placed&pointer=/note").json["items"]
    assert len(found) == 1000
    assert all(c["last_seen"][0]["offset"] == 4 for c in found)
    api.publish("orders/order-placed", record(), role="produces", kind="event")


def test_replies_are_what_the_document_says(api: Api) -> None:
    said = report(sightings=[sighting(4)], unreadable={"count": 1, "last_offset": 7})
    shapes.RecordedReply.model_validate(api.post("/observations", said).json)
    for path, shape in {
        "/observations": shapes.RangesPage,
        "/observations/channels": shapes.ChannelsPage,
        "/observations/counts?contract=orders/order-placed": shapes.CountsPage,
        "/observations/coverage?contract=orders/order-placed&pointer=/note": shapes.CoveragePage,
    }.items():
        answer = api.get(path)
        assert answer.json["items"], path
        assert shape.model_validate(answer.json).model_dump(by_alias=True) == answer.json
