"""What workers report of dead-letter topics: nothing counted twice, whoever reports; three samples a group and no more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from deedbox.registry.storage import migrate
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.dead_letters import DeadLetterGroup, DeadLetterKind, DeadLetterReport
from sqlalchemy import insert, select

from .conftest import Api, rows
from .replaying import TOPIC, letters, put, report, sample


def test_reports_are_counted_once_and_summed(each_api: Api) -> None:
    id_ = str(uuid4())
    first = report(0, 10, letters(7, sample(9), sample(8), sample(7)), letters(2, fingerprint="other", rule="required"))
    made = put(each_api, first, id_)
    assert (made.status_code, made.json["by"]) == (201, "worker"), made.text
    again = put(each_api, first, id_)
    assert (again.status_code, again.json) == (200, made.json)
    assert put(each_api, report(10, 11), id_).json["code"] == "id-taken"
    assert put(each_api, report(10, 12, letters(2, sample(11), version="2.0.0", origin="old"))).status_code == 201
    page = each_api.get(f"/dead-letters/groups?topic={TOPIC}").json
    group, other = page["items"]
    assert (group["count"], group["versions"], group["origins"]) == (9, ["1.0.0", "2.0.0"], ["old", "shop.orders"])
    assert (group["first_at"], group["last_at"]) == (1_700_000_000_000, 1_700_000_000_007)
    assert [s["offset"] for s in group["samples"]] == [11, 9, 8]
    assert (group["samples"][0]["origin"], group["samples"][0]["version"]) == ("old", "2.0.0")
    assert (other["fingerprint"], other["count"], other["rule"], other["samples"]) == ("other", 2, "required", [])
    assert page["next"] is None
    assert each_api.get("/events").json["items"] == []  # high-volume: no entries


def test_no_offset_is_counted_twice(each_api: Api) -> None:
    assert put(each_api, report(5, 10, letters(1))).status_code == 201
    overlapping = put(each_api, report(9, 12, letters(1)))
    assert (overlapping.status_code, overlapping.json["code"]) == (409, "offsets-taken")
    assert overlapping.json["positions"] == [{"partition": 0, "next": 10}]
    assert put(each_api, report(20, 21, letters(1))).status_code == 201  # the log's start moved on
    where = f"cluster=c1&topic={TOPIC}"
    assert each_api.get(f"/dead-letters/positions?{where}").json["items"] == [{"partition": 0, "next": 21}]
    assert each_api.get("/dead-letters/positions?cluster=c2&topic=x").json == {"items": [], "next": None}
    # Another cluster's topic of that name is another one.
    assert put(each_api, report(0, 3, letters(1), cluster="c2")).status_code == 201
    counts = {g["cluster"]: g["count"] for g in each_api.get("/dead-letters/groups").json["items"]}
    assert counts == {"c1": 2, "c2": 1}


def test_two_workers_that_report_the_same_offsets_are_counted_once(each_api: Api) -> None:
    with ThreadPoolExecutor(4) as pool:
        sent = [report(0, 10, letters(5)) for _ in range(4)]
        statuses = sorted(answer.status_code for answer in pool.map(lambda body: put(each_api, body), sent))
    assert statuses == [201, 409, 409, 409]
    assert each_api.get("/dead-letters/groups").json["items"][0]["count"] == 5


def test_a_topic_made_anew_begins_anew(each_api: Api) -> None:
    assert put(each_api, report(0, 10, letters(7, sample(9)), topic_id="old")).status_code == 201
    assert put(each_api, report(0, 4, letters(2, sample(3)), topic_id="new")).status_code == 201
    (group,) = each_api.get("/dead-letters/groups").json["items"]
    assert (group["count"], [s["offset"] for s in group["samples"]]) == (2, [3])
    where = f"/dead-letters/positions?cluster=c1&topic={TOPIC}"
    assert each_api.get(f"{where}&topic_id=new").json["items"] == [{"partition": 0, "next": 4}]
    assert each_api.get(f"{where}&topic_id=old").json["items"] == [{"partition": 0, "next": 10}]


def test_what_was_reported_before_is_summed_by_the_migration(database_url: str) -> None:
    database = Database(database_url)
    config = migrate.alembic_config()
    with database.writing() as session:
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "0009")
        where = {"cluster": "c1", "topic": TOPIC, "topic_id": ""}
        about = {"number": 1, "uuid": str(uuid4()), "digest": "x", "at": "2026", "by": "worker", **where}
        session.execute(insert(DeadLetterReport), [about])
        group = {"report": 1, "contract": "a/b", "rule": "type", "pointer": "", "reason": "", "replayed": 1, **where}
        session.execute(
            insert(DeadLetterGroup),
            [
                {
                    **group,
                    "number": n,
                    "fingerprint": name,
                    "version": v,
                    "origin": o,
                    "count": n,
                    "first_at": t,
                    "last_at": t,
                }
                for n, name, v, o, t in [(1, "f", "1.0.0", "", None), (2, "f", "2.0.0", "x", 5), (3, "g", "", "x", 3)]
            ],
        )
    migrate.upgrade(database)
    with database.reading() as session:
        first, second = session.execute(select(DeadLetterKind).order_by(DeadLetterKind.newest)).scalars()
    database.close()
    assert (first.newest, first.count, first.replayed, first.first_at, first.last_at) == (2, 3, 2, 5, 5)
    assert (first.versions, first.origins) == (["1.0.0", "2.0.0"], ["x"])
    assert (second.newest, second.count, second.versions, second.last_at) == (3, 3, [], 3)


def test_only_the_newest_samples_are_kept(api: Api, tmp_path: Path) -> None:
    for n in range(5):
        body = report(n, n + 1, letters(1, sample(n, value=f'{{"secret": {n}}}')))
        assert put(api, body).status_code == 201
    kept = rows(tmp_path / "registry.db", "SELECT value FROM dead_letter_samples ORDER BY n")
    assert kept == [('{"secret": 4}',), ('{"secret": 3}',), ('{"secret": 2}',)]


def test_groups_are_paged_newest_first(api: Api) -> None:
    for n in range(5):
        assert put(api, report(n, n + 1, letters(1, fingerprint=f"f{n}"))).status_code == 201
    assert put(api, report(5, 6, letters(1, fingerprint="f1"))).status_code == 201
    seen, path = [], "/dead-letters/groups?limit=2"
    while path:
        page = api.get(path).json
        seen += [g["fingerprint"] for g in page["items"]]
        path = f"/dead-letters/groups?limit=2&after={page['next']}" if page["next"] else ""
    assert seen == ["f1", "f4", "f3", "f2", "f0"]
    assert api.get("/dead-letters/groups?contract=billing/other").json["items"] == []
    assert len(api.get("/dead-letters/groups?contract=billing/order-placed").json["items"]) == 5
    assert api.get("/dead-letters/groups?after=x").json["code"] == "invalid-cursor"


HOSTILE = '</script><img src=x onerror=alert(1)> \u202e\u2066 \U0001f4a9 {"a": "\\u0000"}'


def test_hostile_text_comes_back_as_it_was(each_api: Api) -> None:
    said = letters(1, sample(0, key=HOSTILE, value=HOSTILE), reason=HOSTILE, pointer=HOSTILE[:100])
    assert put(each_api, report(0, 1, said)).status_code == 201
    (group,) = each_api.get("/dead-letters/groups").json["items"]
    assert (group["reason"], group["samples"][0]["value"]) == (HOSTILE, HOSTILE)


BAD: list[tuple[str, Any, str]] = [
    ("cluster", "", "/cluster"),
    ("cluster", None, "/cluster"),
    ("topic", "a b", ""),
    ("topic_id", "x" * 37, "/topic_id"),
    ("ranges", [], "/ranges"),
    ("ranges", [{"partition": 0, "start": 3, "end": 3}], "/ranges/0/end"),
    ("ranges", [{"partition": 0, "start": -1, "end": 3}], "/ranges/0/start"),
    ("ranges", [{"partition": 0, "start": 0, "end": 1 << 63}], "/ranges/0/end"),
    ("ranges", [{"partition": 0, "start": 0, "end": 1}, {"partition": 0, "start": 1, "end": 2}], "/ranges/1"),
    ("groups", [letters(1), letters(2)], "/groups/1"),
    ("groups", [letters(1, replayed=2)], "/groups/0/replayed"),
    ("groups", [letters(1, fingerprint="")], "/groups/0/fingerprint"),
    ("groups", [letters(True)], "/groups/0/count"),
    ("groups", [letters(1, more=1)], "/groups/0/more"),
    ("groups", [letters(1, *map(sample, range(4)))], "/groups/0/samples"),
    ("groups", [letters(1, sample(0, value="x" * 4_097))], "/groups/0/samples/0/value"),
    ("groups", [letters(1, sample(0, key="a\x00b"))], "/groups/0/samples/0/key"),
    ("groups", [letters(1, reason="\x00")], "/groups/0/reason"),
    ("more", 1, "/more"),
]


@pytest.mark.parametrize(("field", "value", "pointer"), BAD)
def test_what_makes_no_sense_is_refused_with_its_place(api: Api, field: str, value: Any, pointer: str) -> None:
    answer = put(api, {**report(0, 10, letters(1)), field: value})
    assert answer.status_code == 422, answer.text
    assert answer.json.get("pointer", "") == pointer
    assert api.get("/dead-letters/groups").json["items"] == []


def test_bodies_that_are_no_report_at_all(api: Api) -> None:
    path = f"/dead-letters/reports/{uuid4()}"
    assert api.put(path, "{").json["code"] == "body-not-json"
    assert api.put(path, "[]").status_code == 422
    assert api.put(path, '{"cluster": "\\ud800"}').status_code == 422
    assert put(api, report(0, 1), "no-uuid").status_code == 422
    longest = letters(1, sample(0, key="k" * 4_096, value="\U0001f4a9" * 4_096, truncated=True))
    assert put(api, report(0, 1, longest)).status_code == 201
