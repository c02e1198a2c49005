"""Obsolete fields over HTTP: evidence becomes a claim, a claim opens the gate, a late sighting takes it back."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from deedbox.checker.drain.claiming import claim
from deedbox.checker.drain.evidence import End, Evidence
from deedbox.cli.packaging import Shape, Wanted, from_registry
from deedbox.client import RegistryClient
from deedbox.codegen import build
from deedbox.registry.app import create_app
from deedbox.registry.config import Settings
from deedbox.registry.services.drains import _thinned
from deedbox.registry.serving import run_in_background
from deedbox.registry.web.fields_api import EvidenceReply, FieldReply, FieldsReply, RevocationReply, WholeEvidenceReply

OLD: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string"}, "coupon": {"type": "string"}},
}
MARKED = json.loads(json.dumps(OLD))
MARKED["properties"]["coupon"]["deprecated"] = True
NEW: dict[str, Any] = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
FIELD = {"contract": "billing/order-placed", "pointer": "/coupon"}


class Api:
    def __init__(self, folder: Path) -> None:
        self.app = create_app(Settings(database_url=f"sqlite:///{folder}/registry.db"))
        self.services = self.app.extensions["deedbox"]
        self.client = self.app.test_client()

    def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self.client.open(f"/api/v1{path}", method=method, json=body, headers={"Deedbox-Actor": "ann"})
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_json()

    def publish(self, contract: str, version: str, schema: Any, role: str, status: int = 201, **more: Any) -> Any:
        body = {"schema": json.dumps(schema), "version": version, "role": role, "kind": "event", "channels": ["orders"]}
        return self.call("POST", f"/contracts/{contract}/versions", {**body, **more}, status)

    def retire(self, contract: str, version: str) -> None:
        self.call("POST", f"/contracts/{contract}/versions/{version}/retirement", {"reason": "over"}, 201)

    def field(self) -> Any:
        return self.call("GET", f"/fields/one?contract={FIELD['contract']}&pointer={FIELD['pointer']}")

    def read(self, start: int, end: int, committed: int, seen: int | None = None, **more: Any) -> Any:
        reading = {**_reading(start, end, committed, seen), **more}
        return self.call("POST", "/fields/evidence", {**FIELD, "reading": reading}, 201)


def _reading(start: int, end: int, committed: int, seen: int | None) -> dict[str, Any]:
    now = int(time.time() * 1000)
    where = {"topic_id": "t1", "epoch": 0}
    ends = {"log_start": start, "stable": end, "high": end, "at": now, "done": now, **where}
    span = {"start": start, "end": end, "began": now, "ended": now, "seen": seen, "seen_time": None, **where}
    topic = {"name": "orders", "first_id": "t1", "id": "t1", "first_partitions": 1, "partitions": 1}
    offsets = [{"topic": "orders", "partition": 0, "offset": committed}]
    times = dict.fromkeys(("sent_at", "started_at", "groups_at", "ends_at", "finished_at"), now)
    missing = {"first_id": "", "id": "", "first_partitions": 0, "partitions": 0, "copy": True, "exists": False}
    return {
        "id": str(uuid4()),
        "cluster_id": "c1",
        "tool": "test",
        **times,
        "topics": [topic, {"name": "orders.dlt", **missing}, {"name": "orders.checked", **missing}],
        "partitions": [{"topic": "orders", "number": 0, "ends": [ends], "spans": [span]}],
        "groups": [{"name": "billing", "kind": "classic", "state": "Stable", "members": 1, "committed": offsets}],
    }


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    api = Api(tmp_path)
    yield api
    api.services.sandbox.close()
    api.services.database.close()


@pytest.fixture
def stopped(api: Api) -> Api:
    """Marked on both sides, stopped by the producer, whose versions with the field are retired."""
    api.call("PUT", "/channels/orders/policy", {"grace_seconds": 0})
    api.publish("orders/order-placed", "1.0.0", MARKED, "produces")
    api.publish("billing/order-placed", "1.0.0", MARKED, "consumes", groups=["billing"])
    api.publish("orders/order-placed", "2.0.0", NEW, "produces")
    api.retire("orders/order-placed", "1.0.0")
    return api


def test_states_of_a_field(api: Api) -> None:
    api.publish("orders/order-placed", "1.0.0", OLD, "produces")
    api.publish("billing/order-placed", "1.0.0", OLD, "consumes", groups=["billing"])
    assert api.call("GET", "/fields")["items"] == []
    api.publish("billing/order-placed", "1.1.0", MARKED, "consumes")
    field = api.field()
    assert (field["state"], field["marked_in"]) == ("marked", "1.1.0")
    assert [p["version"] for p in field["producers"]] == ["1.0.0"]
    assert field["consumers"] == [
        {"contract": "billing/order-placed", "groups": ["billing"], "channels": ["orders"], "declares": True}
    ]


def test_a_stop_waits_for_the_mark_and_for_who_requires_it_alone(api: Api) -> None:
    requiring = {**MARKED, "required": ["id", "coupon"]}
    api.publish("orders/order-placed", "1.0.0", {**OLD, "required": ["id", "coupon"]}, "produces")
    unmarked = api.publish("orders/order-placed", "2.0.0", NEW, "produces", status=422)
    assert "goes without having been marked" in unmarked["detail"]
    api.publish("orders/order-placed", "1.1.0", requiring, "produces")
    api.publish("billing/order-placed", "1.0.0", requiring, "consumes", groups=["billing"])
    refused = api.publish("orders/order-placed", "2.0.0", NEW, "produces", status=422)
    assert "billing/order-placed 1.0.0 on orders breaks" in refused["detail"]
    api.publish("billing/order-placed", "1.1.0", MARKED, "consumes")
    api.publish("orders/order-placed", "2.0.0", NEW, "produces")


def test_the_gate_opens_at_gone_and_no_earlier(stopped: Api) -> None:
    refused = stopped.publish("billing/order-placed", "2.0.0", NEW, "consumes", status=422)
    assert "nothing shows that it is gone" in refused["detail"]

    stopped.read(0, 10, committed=3, seen=4)
    claim = stopped.read(0, 10, committed=3, seen=4)["claim"]
    assert claim["state"] == "draining"
    refused = stopped.publish("billing/order-placed", "2.0.0", NEW, "consumes", status=422)
    assert "orders[0]: its log begins at 0; the field may be in what is below 5" in refused["detail"]

    claim = stopped.read(0, 10, committed=9, seen=4)["claim"]
    assert (claim["state"], claim["consumed"], claim["gone"]) == ("consumed", True, False)
    stopped.publish("billing/order-placed", "2.0.0", NEW, "consumes", status=422)

    proof = stopped.read(7, 10, committed=9)
    assert proof["claim"]["state"] == "gone"
    published = stopped.publish("billing/order-placed", "2.0.0", NEW, "consumes")
    assert [d["evidence"] for d in published["check"]["drains"]] == [proof["id"]]
    stopped.retire("billing/order-placed", "1.0.0")
    assert stopped.field()["state"] == "dropped"
    lately = {entry["kind"] for entry in stopped.client.get("/index.json").get_json()["recent"]}
    assert "publication" in lately
    assert "drain-evidence" not in lately, "a reading a minute would leave room for nothing else"
    stopped.read(7, 12, committed=12)
    assert stopped.field()["state"] == "dropped"


def test_the_packages_of_a_drop_say_what_let_the_field_go(stopped: Api) -> None:
    """The registry's own build, and the same bytes from whoever builds the published version again."""
    stopped.read(7, 10, committed=9)
    proof = stopped.read(7, 10, committed=9)
    stopped.publish("billing/order-placed", "2.0.0", NEW, "consumes", package="billing-order-placed")
    slow = stopped.services.slow
    while (work := slow.jobs.take(slow.sagas, "here")) is not None:
        slow.jobs.run(work)
    digests = {f["sha256"] for name in ("billing-order-placed", "billing-order-placed-v2")
               for f in stopped.call("GET", f"/packages/{name}")["files"]}  # fmt: skip
    with run_in_background(str(stopped.services.database.url)) as server, RegistryClient(server.url) as client:
        wanted = Wanted("billing/order-placed", None)
        request = from_registry(wanted, "2.0.0", Shape(None, None, ""), client)
    day = time.strftime("%Y-%m-%d", time.gmtime(proof["claim"]["as_of"] / 1_000))
    assert request.removed == (("/coupon", f"drained (gone) as of {day}, evidence {proof['digest'][:12]}"),)
    wheels = build(request)
    assert request.removed[0][1].encode() in wheels[0].metadata
    assert {wheel.sha256 for wheel in wheels} == digests


def test_a_proof_is_worth_nothing_once_a_producer_declares_the_field_again(stopped: Api) -> None:
    for _ in range(2):
        claim = stopped.read(7, 10, committed=9)["claim"]
    assert claim["state"] == "gone"
    stopped.publish("orders/order-placed", "3.0.0", MARKED, "produces")
    refused = stopped.publish("billing/order-placed", "2.0.0", NEW, "consumes", status=422)
    assert "orders/order-placed 3.0.0 declares it, and is not retired" in refused["detail"]


def test_readings_every_second_for_a_day_come_to_a_grace_period_and_stay_few() -> None:
    ends: list[End] = []
    for second in range(0, 86_400, 7):
        at = second * 1_000
        ends = [*_thinned(ends, at, 3_600_000), End(0, 0, 0, at, at, "t", 0)]
        assert len(ends) < 100
        if second > 3_600 + 450:
            assert any(3_600_000 <= at - end.at <= 3_600_000 * 1.5 for end in ends)


def test_the_gate_opens_at_consumed_where_the_policy_says_so(stopped: Api) -> None:
    stopped.call("PUT", "/channels/orders/policy", {"grace_seconds": 0, "opens_at": "consumed"})
    stopped.read(0, 10, committed=3, seen=4)
    stopped.read(0, 10, committed=3, seen=4)
    refused = stopped.publish("billing/order-placed", "2.0.0", NEW, "consumes", status=422)
    assert "group billing stands at 3 in orders[0]; the field may be in what is below 5" in refused["detail"]
    stopped.read(0, 10, committed=5, seen=4)
    stopped.publish("billing/order-placed", "2.0.0", NEW, "consumes")


def revocations(api: Api) -> list[dict[str, Any]]:
    events = api.call("GET", "/events?after=0&limit=100")["items"]
    return [event["data"] for event in events if event["kind"] == "drain-revocation"]


def test_a_late_sighting_revokes_the_proof_and_says_who_relied_on_it(stopped: Api) -> None:
    stopped.read(7, 10, committed=9)
    proof = stopped.read(7, 10, committed=9)
    assert proof["claim"]["gone"]
    stopped.publish("billing/order-placed", "2.0.0", NEW, "consumes")
    now = "2026-01-01T00:00:00Z"
    sighting = {**FIELD, "writer": "orders/order-placed", "writer_version": "1.0.0", "count": 1, "last_offset": 11}
    part = {"partition": 0, "from": 10, "to": 12, "messages": 2, "log_start": 0, "leader_epoch": 0}
    topic = {"topic": "orders", "topic_id": "t1", "watched": [FIELD], "counts": [], "groups": []}
    report = {"id": str(uuid4()), "guard": "g", "tool": "t", "cluster": "c1", "since": now, "until": now}
    seen = {**part, "first_at": 1, "last_at": 2, "unreadable": {"count": 0}, "sightings": [{**sighting, "last_at": 2}]}
    stopped.call("POST", "/observations", {**report, "topics": [{**topic, "partitions": [seen]}]}, 201)
    revoked = {revocation["evidence"]: revocation for revocation in revocations(stopped)}
    assert revoked[proof["id"]]["told"] == ["billing/order-placed@2.0.0"]
    assert "offset 11" in stopped.field()["revoked"]
    # Who declares it again may not drop it by that proof a second time.
    stopped.publish("billing/order-placed", "3.0.0", MARKED, "consumes")
    refused = stopped.publish("billing/order-placed", "4.0.0", NEW, "consumes", status=422)
    assert "the proof was revoked: the field was seen in orders[0] at offset 11" in refused["detail"]


def test_a_scan_that_sees_the_field_revokes_the_proofs_of_its_own_cluster_alone(stopped: Api) -> None:
    for cluster in ("c1", "c2"):
        stopped.read(7, 10, committed=9, cluster_id=cluster)
    proofs = {cluster: stopped.read(7, 10, committed=9, cluster_id=cluster) for cluster in ("c1", "c2")}
    assert all(proof["claim"]["gone"] for proof in proofs.values())
    stopped.read(7, 12, committed=9, seen=9, cluster_id="c1")
    assert revocations(stopped) == [], "what is before the end of a proof it had looked at"
    stopped.read(7, 12, committed=9, seen=10, cluster_id="c1")
    (revoked,) = {revocation["evidence"] for revocation in revocations(stopped)} & {p["id"] for p in proofs.values()}
    assert revoked == proofs["c1"]["id"]


def test_a_reading_goes_on_from_the_last_one_of_its_own_cluster(stopped: Api) -> None:
    stopped.read(7, 900, committed=9, cluster_id="c2")
    made = stopped.read(7, 10, committed=9, cluster_id="c1")
    (partition,) = stopped.call("GET", f"/fields/evidence/{made['id']}")["evidence"]["partitions"]
    assert [end["high"] for end in partition["ends"]] == [10]


def test_a_proof_is_revoked_by_hand_once_and_only_if_it_proved_something(stopped: Api) -> None:
    stopped.read(7, 10, committed=9)
    proof = stopped.read(7, 10, committed=9)
    where = f"/fields/evidence/{proof['id']}/revocation"
    for status in (201, 200):
        RevocationReply.model_validate(stopped.call("POST", where, {"reason": "a copy was found"}, status))
    assert [r["reason"] for r in revocations(stopped)] == ["a copy was found"]
    nothing = stopped.read(0, 10, committed=3, seen=4)
    assert not nothing["claim"]["consumed"]
    stopped.call("POST", f"/fields/evidence/{nothing['id']}/revocation", {"reason": "x"}, 422)


def test_replies_are_what_the_document_says(stopped: Api) -> None:
    proof = stopped.read(7, 10, committed=9)
    answers = {
        "/fields": FieldsReply,
        f"/fields/one?contract={FIELD['contract']}&pointer={FIELD['pointer']}": FieldReply,
        f"/fields/evidence/{proof['id']}": WholeEvidenceReply,
    }
    assert EvidenceReply.model_validate(proof).model_dump() == proof
    for path, shape in answers.items():
        answer = stopped.call("GET", path)
        assert shape.model_validate(answer).model_dump() == answer


@pytest.mark.parametrize(("messages", "state"), [(3, "gone"), (2, "draining")])
def test_what_guards_observed_counts_where_every_offset_held_a_message(stopped: Api, messages: int, state: str) -> None:
    now = "2026-01-01T00:00:00Z"
    part = {"partition": 0, "from": 7, "to": 10, "messages": messages, "log_start": 7, "leader_epoch": 0}
    seen = {**part, "first_at": 1, "last_at": 2, "unreadable": {"count": 0}, "sightings": []}
    topic = {"topic": "orders", "topic_id": "t1", "watched": [FIELD], "counts": [], "groups": [], "partitions": [seen]}
    report = {"id": str(uuid4()), "guard": "g", "tool": "t", "cluster": "c1", "since": now, "until": now}
    stopped.call("POST", "/observations", {**report, "topics": [topic]}, 201)
    blind = _reading(7, 10, 9, None)["partitions"]
    blind[0]["spans"] = []
    for _ in range(2):
        claim = stopped.read(7, 10, committed=9, partitions=blind)["claim"]
    assert claim["state"] == state, claim["reasons"]


@pytest.mark.parametrize(
    ("scan", "state"),
    [
        ({}, "gone"),
        ({"start": 0}, "gone"),
        ({"start": 8}, "draining"),
        ({"end": 9}, "draining"),
        ({"epoch": 1}, "draining"),
        ({"topic_id": "t0"}, "draining"),
        ({"seen": 8}, "consumed"),
    ],
)
def test_a_scan_knows_what_is_where_guards_saw_no_message(stopped: Api, scan: Any, state: str) -> None:
    """As at the marker that ends each transaction: else a topic with such producers could never be drained."""
    now = "2026-01-01T00:00:00Z"
    part = {"partition": 0, "from": 7, "to": 10, "messages": 2, "log_start": 7, "leader_epoch": 0}
    seen = {**part, "first_at": 1, "last_at": 2, "unreadable": {"count": 0}, "sightings": []}
    topic = {"topic": "orders", "topic_id": "t1", "watched": [FIELD], "counts": [], "groups": [], "partitions": [seen]}
    report = {"id": str(uuid4()), "guard": "g", "tool": "t", "cluster": "c1", "since": now, "until": now}
    stopped.call("POST", "/observations", {**report, "topics": [topic]}, 201)
    reading = _reading(7, 10, 9, None)
    reading["partitions"][0]["spans"][0] |= scan
    for _ in range(2):
        claim = stopped.read(7, 10, committed=9, partitions=reading["partitions"])["claim"]
    assert claim["state"] == state, claim["reasons"]


def test_reminders_are_said_once(stopped: Api) -> None:
    stopped.read(7, 10, committed=9)
    stopped.read(7, 10, committed=9)
    stopped.read(7, 10, committed=9)
    stopped.call("PUT", "/channels/orders/policy", {"grace_seconds": 0, "overdue_days": 0})
    time.sleep(0.01)
    assert {view["pointer"] for view in stopped.call("POST", "/fields/reminders")["items"]} == {"/coupon"}
    stopped.call("POST", "/fields/reminders")
    events = [e for e in stopped.call("GET", "/events?after=0&limit=100")["items"] if e["kind"] == "drain-reminder"]
    said = sorted((e["data"]["contract"], e["data"]["what"]) for e in events)
    assert said == [
        ("billing/order-placed", "drained"),
        ("billing/order-placed", "overdue"),
        ("orders/order-placed", "overdue"),
    ]


def test_an_unknown_consumer_blocks_until_it_is_waived_in_writing(stopped: Api) -> None:
    stopped.publish("mail/order-placed", "1.0.0", NEW, "consumes")
    stopped.read(7, 10, committed=9)
    claim = stopped.read(7, 10, committed=9)["claim"]
    assert claim["state"] == "blocked"
    assert [(r["condition"], r["message"]) for r in claim["reasons"]] == [
        ("consumers-known", "mail/order-placed names no consumer group")
    ]
    stopped.call("POST", "/fields/waivers", {**FIELD, "waived": "mail/order-placed", "reason": "was never run"}, 201)
    claim = stopped.read(7, 10, committed=9)["claim"]
    assert claim["state"] == "gone"


def test_evidence_is_recorded_once_and_read_back(stopped: Api) -> None:
    reading = _reading(7, 10, 9, None)
    first = stopped.call("POST", "/fields/evidence", {**FIELD, "reading": reading}, 201)
    again = stopped.call("POST", "/fields/evidence", {**FIELD, "reading": reading}, 200)
    assert first["digest"] == again["digest"]
    kept = stopped.call("GET", f"/fields/evidence/{first['id']}")
    assert kept["by"] == "ann"
    assert kept["evidence"]["producers"][0]["version"] == "1.0.0"
    again = Evidence.from_dict(kept["evidence"])
    assert again.digest == first["digest"]
    made = claim(again).as_dict()
    assert json.loads(json.dumps(made)) == {k: v for k, v in first["claim"].items() if k != "progress"}


BAD_READINGS: list[tuple[dict[str, Any], str]] = [
    ({"id": "x"}, "/id"),
    ({"ends_at": "soon"}, "/reading/ends_at"),
    ({"started_at": 1 << 80}, "/reading/started_at"),
    ({"groups": [{"name": "a\x00"}]}, "/reading/groups/0/name"),
    ({"partitions": [{"topic": "orders", "number": 0, "ends": []}]}, "/partitions/0"),
    ({"started_at": 1 << 50}, "/started_at"),
    ({"topics": []}, "/partitions/0"),
]


def test_bad_readings_are_refused(stopped: Api) -> None:
    for change, pointer in BAD_READINGS:
        body = {**FIELD, "reading": {**_reading(7, 10, 9, None), **change}}
        answer = stopped.client.post("/api/v1/fields/evidence", json=body)
        assert 400 <= answer.status_code < 500, change
        assert answer.get_json().get("pointer", "") == pointer
    assert stopped.field()["evidence"] is None, "nothing half-written"


def test_what_nobody_marks_is_not_found(stopped: Api) -> None:
    stopped.call("GET", "/fields/one?contract=billing/order-placed&pointer=/id", None, 404)
    stopped.call("POST", "/fields/waivers", {**FIELD, "pointer": "/id", "waived": "x", "reason": "y"}, 404)
