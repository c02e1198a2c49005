"""Orders to send dead letters again: one at a time, one worker at a time, nothing done that nobody saw beforehand."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from .conftest import Api
from .replaying import (
    FINGERPRINT,
    FOUND,
    TOPIC,
    cancel,
    claim,
    confirm,
    letters,
    order,
    ordered,
    put,
    report,
    tell,
    tried,
)


def test_an_order_goes_its_way_and_each_step_is_in_the_feed(each_api: Api) -> None:
    assert put(each_api, report(0, 10, letters(7))).status_code == 201
    made = order(each_api)
    id_ = made.json["id"]
    assert (made.status_code, made.json["state"], made.json["by"]) == (202, "asked", "ada"), made.text
    assert made.headers["Location"] == f"/api/v1/replay-orders/{id_}"
    taken = claim(each_api, id_).json
    assert (taken["task"], taken["order"]["claim"]["worker"]) == ("dry-run", "w1")
    found = tell(each_api, id_, "dry-run")
    assert (found.status_code, found.json["state"], found.json["claim"]) == (201, "tried", None)
    assert {name: found.json["trial"][name] for name in FOUND} == FOUND
    assert claim(each_api, id_).json["code"] == "order-not-ready"
    digest = found.json["trial"]["digest"]
    confirmed = confirm(each_api, id_, digest)
    assert (confirmed.status_code, confirmed.json["state"]) == (201, "confirmed")
    assert (confirmed.json["confirmation"]["by"], confirm(each_api, id_, digest).status_code) == ("grace", 200)
    taken = claim(each_api, id_, "w2").json
    assert (taken["task"], taken["order"]["trial"]["ends"]) == ("replay", [{"partition": 0, "end": 10}])
    done = tell(each_api, id_, "replay", worker="w2")
    assert (done.status_code, done.json["state"], done.json["outcome"]["replayed"]) == (201, "done", 4)
    again = tell(each_api, id_, "replay", worker="w2")
    assert (again.status_code, again.json) == (200, done.json)
    assert tell(each_api, id_, "replay", worker="w2", replayed=5).json["code"] == "id-taken"
    events = each_api.get("/events").json["items"]
    assert [(e["kind"], e["by"]) for e in events] == [
        ("replay-order", "ada"),
        ("replay-trial", "worker"),
        ("replay-confirmation", "grace"),
        ("replay", "worker"),
    ]
    assert {e["subject"] for e in events} == {f"{TOPIC}#{FINGERPRINT}", TOPIC}
    # The run is known where every run is, from the same entry.
    (run,) = each_api.get(f"/replays?topic={TOPIC}").json["items"]
    assert (run["name"], run["query"], run["replayed"], run["failing"]) == (id_, f"fingerprint={FINGERPRINT}", 4, 2)
    assert each_api.get(f"/replay-orders/{id_}").json == done.json


def test_the_same_order_again_is_no_second_one_and_one_is_open_at_a_time(api: Api) -> None:
    id_ = ordered(api)
    again = order(api, id=id_)
    assert (again.status_code, again.json["id"]) == (200, id_)
    assert order(api, id=id_, fingerprint="other").json["code"] == "id-taken"
    second = order(api)
    assert (second.status_code, second.json["code"], second.json["order"]) == (409, "order-open", id_)
    assert cancel(api, id_).json["state"] == "cancelled"
    third = order(api)
    assert third.status_code == 202
    assert claim(api, third.json["id"]).status_code == 200
    failed = tell(api, third.json["id"], "dry-run", error="the broker is away")
    assert (failed.json["state"], cancel(api, third.json["id"]).json["code"]) == ("failed", "order-not-ready")
    assert order(api).status_code == 202  # anew, under a new id


def test_ten_clicks_at_once_are_one_order(each_api: Api) -> None:
    assert put(each_api, report(0, 10, letters(7))).status_code == 201
    with ThreadPoolExecutor(5) as pool:
        ids = [str(uuid4())] * 5 + [str(uuid4()) for _ in range(5)]
        answers = list(pool.map(lambda id_: order(each_api, id=id_), ids))
    assert sum(answer.status_code == 202 for answer in answers) == 1
    assert all(answer.status_code in (200, 202, 409) for answer in answers)
    assert len(each_api.get("/replay-orders").json["items"]) == 1


def test_only_letters_that_were_reported_can_be_ordered(api: Api) -> None:
    answer = order(api)
    assert (answer.status_code, answer.json["code"]) == (404, "not-found")
    assert "deedbox dlq work" in answer.json["detail"]
    assert put(api, report(0, 10, letters(7))).status_code == 201
    assert order(api, cluster="c2").status_code == 404
    assert order(api, fingerprint="other").status_code == 404


def test_one_worker_has_an_order_until_its_lease_runs_out(each_api: Api) -> None:
    id_ = ordered(each_api)
    first = claim(each_api, id_, "w1", 1).json
    other = claim(each_api, id_, "w2")
    assert (other.status_code, other.json["code"], other.json["worker"]) == (409, "order-claimed", "w1")
    assert other.json["until"] == first["until"]
    extended = claim(each_api, id_, "w1", 1)
    assert extended.json["until"] > first["until"]
    assert tell(each_api, id_, "dry-run", worker="w2").json["code"] == "lease-lost"
    time.sleep(1.1)
    assert each_api.get(f"/replay-orders/{id_}").json["claim"] is None
    assert claim(each_api, id_, "w2").status_code == 200
    late = tell(each_api, id_, "dry-run", worker="w1")
    assert (late.status_code, late.json["code"]) == (409, "lease-lost")
    assert claim(each_api, id_, "w1").json["code"] == "order-claimed"
    assert tell(each_api, id_, "dry-run", worker="w2").status_code == 201


def test_letters_of_a_topic_are_sent_by_one_worker_at_a_time(each_api: Api) -> None:
    kinds = {"a1a1a1a1": letters(3, fingerprint="a1a1a1a1"), "b2b2b2b2": letters(4, fingerprint="b2b2b2b2")}
    assert put(each_api, report(0, 10, *kinds.values())).status_code == 201
    first, second = (order(each_api, fingerprint=kind).json["id"] for kind in kinds)
    for id_ in (first, second):
        claim(each_api, id_)
        assert confirm(each_api, id_, tell(each_api, id_, "dry-run").json["trial"]["digest"]).status_code == 201
    taken = claim(each_api, first, "w1", 1)
    assert (taken.status_code, taken.json["task"]) == (200, "replay")
    other = claim(each_api, second, "w2")
    assert (other.status_code, other.json["code"], other.json["worker"]) == (409, "order-claimed", "w1")
    assert first in other.json["detail"]
    assert claim(each_api, second, "w1", 1).status_code == 200, "one worker carries out one after the other"
    time.sleep(1.1)
    assert claim(each_api, second, "w2").status_code == 200, "one that died holds up nobody for longer than its lease"
    assert claim(each_api, first, "w1").json["code"] == "order-claimed"
    assert tell(each_api, second, "replay", worker="w2").json["state"] == "done"
    assert claim(each_api, first, "w1").status_code == 200


def test_a_late_result_counts_where_nobody_took_the_order_since(api: Api) -> None:
    id_ = ordered(api)
    claim(api, id_, "w1", 1)
    time.sleep(1.1)
    assert tell(api, id_, "dry-run").status_code == 201


def test_of_workers_that_ask_at_once_one_gets_it(each_api: Api) -> None:
    id_ = ordered(each_api)
    with ThreadPoolExecutor(6) as pool:
        statuses = [a.status_code for a in pool.map(lambda n: claim(each_api, id_, f"w{n}"), range(6))]
    assert sorted(statuses) == [200, 409, 409, 409, 409, 409]


def test_nobody_confirms_what_they_did_not_see(api: Api) -> None:
    id_, digest = tried(api)
    other = confirm(api, id_, "0" * 64)
    assert (other.status_code, other.json["code"]) == (412, "precondition-failed")
    assert other.json["missed"][0]["digest"] == digest
    assert api.get(f"/replay-orders/{id_}").json["state"] == "tried"
    assert confirm(api, id_, digest).status_code == 201


def test_what_sends_nothing_is_not_confirmed(api: Api) -> None:
    id_ = ordered(api)
    assert confirm(api, id_, "0" * 64).json["code"] == "order-not-ready"
    claim(api, id_)
    digest = tell(api, id_, "dry-run", replayed=0, quarantined=0, failing=7).json["trial"]["digest"]
    answer = confirm(api, id_, digest)
    assert (answer.status_code, answer.json["code"]) == (409, "order-not-ready")
    assert cancel(api, id_).status_code == 201


@pytest.mark.parametrize(("error", "state"), [(None, "done"), ("the broker went away", "failed")])
def test_what_is_being_sent_is_not_cancelled_and_what_was_sent_is_told(api: Api, error: str | None, state: str) -> None:
    id_, digest = tried(api)
    confirm(api, id_, digest)
    assert claim(api, id_, "w1", 1).status_code == 200
    assert cancel(api, id_).json["code"] == "order-not-ready"
    time.sleep(1.1)
    assert cancel(api, id_).json["state"] == "cancelled"
    assert cancel(api, id_).status_code == 200
    assert claim(api, id_, "w2").json["code"] == "order-not-ready"
    assert tell(api, id_, "replay", worker="w2").json["code"] == "order-not-ready"
    sent = tell(api, id_, "replay", error=error)
    assert (sent.status_code, sent.json["state"]) == (201, state)
    assert len(api.get("/replays").json["items"]) == 1


def test_a_replay_that_failed_says_what_it_sent_before(api: Api) -> None:
    id_, digest = tried(api)
    assert tell(api, id_, "replay").json["code"] == "order-not-ready"
    confirm(api, id_, digest)
    assert tell(api, id_, "replay").json["code"] == "lease-lost"
    claim(api, id_)
    failed = tell(api, id_, "replay", replayed=2, error="the broker went away").json
    assert (failed["state"], failed["outcome"]["error"]) == ("failed", "the broker went away")
    assert api.get("/replays").json["items"][0]["replayed"] == 2
    event = api.get("/events").json["items"][-1]
    assert (event["kind"], event["data"]["order"], event["data"]["error"]) == ("replay", id_, "the broker went away")


def test_a_dry_run_of_a_cancelled_order_is_not_kept(api: Api) -> None:
    id_ = ordered(api)
    claim(api, id_)
    assert cancel(api, id_).status_code == 201
    assert tell(api, id_, "dry-run").json["code"] == "order-not-ready"


def test_orders_are_listed_by_state_topic_and_cluster(api: Api) -> None:
    id_ = ordered(api)
    assert put(api, report(10, 20, letters(1, fingerprint="b"), letters(1, fingerprint="c"))).status_code == 201
    b, c = (order(api, fingerprint=name).json["id"] for name in "bc")
    cancel(api, b)

    def ids(query: str) -> list[str]:
        return [item["id"] for item in api.get(f"/replay-orders?{query}").json["items"]]

    assert ids("") == [id_, b, c]
    assert ids("state=asked") == [id_, c]
    assert ids("state=asked&state=cancelled&topic=shop.orders.dlt&cluster=c1") == [id_, b, c]
    assert ids("topic=other") == ids("cluster=c2") == ids("state=done") == []
    assert api.get("/replay-orders?state=open").status_code == 422
    page = api.get("/replay-orders?limit=2").json
    assert [item["id"] for item in api.get(f"/replay-orders?limit=2&after={page['next']}").json["items"]] == [c]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("worker", ""),
        ("worker", None),
        ("read", -1),
        ("read", 1 << 31),
        ("read", "7"),
        ("error", "\x00"),
        ("more", 1),
        ("examples", [{"partition": 0, "offset": 1}]),
        ("examples", FOUND["examples"] * 21),
        ("ends", [{"partition": 0}]),
    ],
)
def test_a_result_that_makes_no_sense_is_refused(api: Api, field: str, value: Any) -> None:
    id_ = ordered(api)
    claim(api, id_)
    assert tell(api, id_, "dry-run", **{field: value}).status_code == 422
    assert api.get(f"/replay-orders/{id_}").json["state"] == "asked"


def test_other_requests_that_make_no_sense(api: Api) -> None:
    id_ = ordered(api)
    assert order(api, id="x").status_code == 422
    assert order(api, topic="a b").status_code == 422
    assert claim(api, id_, "").status_code == 422
    assert claim(api, id_, "w", 0).status_code == 422
    assert claim(api, id_, "w", 3_601).status_code == 422
    assert claim(api, str(uuid4())).status_code == 404
    assert api.get("/replay-orders/x").status_code == 404
    assert tell(api, id_, "sending").status_code == 422
    assert confirm(api, id_, "").status_code == 422
    assert api.post(f"/replay-orders/{id_}/cancellation", {"reason": ""}).status_code == 422
