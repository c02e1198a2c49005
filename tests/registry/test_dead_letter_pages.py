"""The pages of dead letters over HTTP: what they say, and what their forms let through."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from deedbox.registry.services.browsing.layout import pretty
from deedbox.registry.web import dead_letter_models as shapes
from deedbox.registry.web.pages import safety
from markupsafe import escape

from tests.registry.test_observations_http import report as guarded

from .conftest import STRING, Api, record
from .replaying import FINGERPRINT, TOPIC, cancel, claim, confirm, letters, order, ordered, put, report, sample, tell
from .replaying import tried as tried_order

HTML = {"Accept": "text/html"}
GROUP = f"/dead-letters/{TOPIC}/{FINGERPRINT}"
HOSTILE = '</textarea><script>alert(1)</script>" onload="x \u202e\u2066turned {{ 7*7 }}'


def fields(page: str) -> dict[str, str]:
    """The hidden fields of the first form that writes."""
    form = page[page.index('<form method="post"') :].split("</form>", maxsplit=1)[0]
    return dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))


def asked(api: Api) -> dict[str, str]:
    """The fields of the form that orders a dry run."""
    assert put(api, report(0, 10, letters(7))).status_code == 201
    return fields(api.client.get(GROUP, headers=HTML).text)


def nows(api: Api, page: str = GROUP) -> list[Any]:
    """What the page says of each sample now: by its version, by what its channel decides, and both together."""
    found = []
    for one in api.client.get(f"{page}.json").json["samples"]:
        now = one["now"]
        versions = now and [now[name] and (now[name]["version"], now[name]["accepts"]) for name in ("named", "unnamed")]
        found.append(now and (*versions, now["passes"]))
    return found


def test_a_group_says_what_is_wrong_and_whether_its_letters_pass_now(api: Api) -> None:
    number = {"type": "number"}
    read = {"role": "consumes", "kind": "event", "channels": ["shop.orders"]}
    api.publish("billing/order-placed", record(amount=number), **read)
    changed, fails = sample(9, value='{"amount": "12"}'), sample(8, value='{"amount": true}')
    unknown = [sample(7)]
    assert put(api, report(0, 10, letters(7, changed, fails, *unknown))).status_code == 201
    assert nows(api) == [(("1.0.0", False), ("1.0.0", False), False)] * 2 + [None]
    api.publish("billing/order-placed", record(amount={"type": ["number", "string"]}))
    assert nows(api) == [
        (("1.0.0", False), ("1.1.0", True), None),
        (("1.0.0", False), ("1.1.0", False), False),
        None,
    ]
    assert "/amount" in api.client.get(f"{GROUP}.json").json["samples"][1]["now"]["unnamed"]["why"]
    page = api.client.get(GROUP, headers=HTML).text
    assert "Of the 2 newest letters, 0 would pass now, and of 1 it depends on its headers." in page
    assert "12 is no string" in page
    assert f"deedbox dlq work --topics {TOPIC}" in page
    assert 'href="/contracts/billing/order-placed/versions/1.0.0"' in page
    assert f"deedbox dlq show {TOPIC} {FINGERPRINT}" in page  # for the one whose value was not sent


@pytest.mark.parametrize(("model", "passes"), [("tolerant", True), ("open", True), ("closed", False)])
def test_letters_are_judged_as_a_dry_run_judges_them(api: Api, model: str, passes: bool) -> None:
    sent = {"role": "produces", "kind": "event", "channels": ["shop.orders"], "content_model": model}
    api.publish("billing/order-placed", record(amount=STRING), **sent)
    assert api.post("/contracts/billing/order-placed/versions/1.0.0/retirement", {"reason": "old"}).status_code == 201
    undeclared = sample(9, value='{"amount": "12", "more": 1}')
    assert put(api, report(0, 10, letters(1, undeclared))).status_code == 201
    assert nows(api) == [(("1.0.0", passes), ("1.0.0", passes), passes)], "a retired version judges its letters too"
    assert ("passes now" in api.client.get(GROUP, headers=HTML).text) is passes


def test_what_only_the_headers_say_is_not_guessed(api: Api) -> None:
    sent = {"role": "produces", "kind": "event", "channels": ["shop.orders"]}
    api.publish("billing/order-placed", record(amount=STRING), **sent)
    framed = sample(9, value='\\x00\\x00\\x00\\x00\x01{"amount": "12"}')
    assert put(api, report(0, 10, letters(1, framed))).status_code == 201
    assert nows(api) == [None]
    named = letters(1, sample(10, value='{"amount": "12"}'), rule="unknown-version", fingerprint="u")
    assert put(api, report(10, 11, named)).status_code == 201
    assert nows(api, f"/dead-letters/{TOPIC}/u") == [(("1.0.0", True), None, True)]
    unsaid = letters(1, sample(11, value='{"amount": "12"}'), rule="unknown-version", fingerprint="v", version="")
    assert put(api, report(11, 12, unsaid)).status_code == 201
    assert nows(api, f"/dead-letters/{TOPIC}/v") == [None]
    api.publish("other/order-placed", record(amount=STRING), **sent)  # two senders: the channel decides nothing
    plain = letters(1, sample(12, value='{"amount": "12"}'), fingerprint="p", version="")
    assert put(api, report(12, 13, plain)).status_code == 201
    assert nows(api, f"/dead-letters/{TOPIC}/p") == [None]


def test_values_that_are_cut_off_or_no_json_or_of_nothing_registered(api: Api) -> None:
    cut = sample(9, value='{"amount": "1', truncated=True)
    broken = sample(8, value='{"amount"')
    assert put(api, report(0, 10, letters(3, cut, broken))).status_code == 201
    assert nows(api) == [None, None]
    api.publish("billing/order-placed", record(amount=STRING), role="consumes", kind="event")
    assert nows(api) == [None, (("1.0.0", False), None, False)]
    page = api.client.get(GROUP, headers=HTML).text
    assert "not JSON" in page
    assert "fails still" in page
    assert put(api, report(10, 11, letters(1, sample(10, value="1"), fingerprint="n", contract=""))).status_code == 201
    assert api.client.get(f"/dead-letters/{TOPIC}/n.json").json["samples"][0]["now"] is None
    assert "nothing registered" in api.client.get(f"/dead-letters/{TOPIC}/n", headers=HTML).text


def test_without_a_reason_the_sentence_is_made_of_the_rule(api: Api) -> None:
    groups = [
        letters(1, fingerprint=f"f{n}", rule=rule, reason="")
        for n, rule in enumerate(("type", "unknown-version", "x{y}", "org.acme.Broken"))
    ]
    assert put(api, report(0, 10, *groups)).status_code == 201
    causes = [g["cause"] for g in reversed(api.client.get("/dead-letters.json").json["groups"])]
    assert causes == [
        "/amount is of another type than the contract says",
        "messages name a version that is not registered",
        "/amount breaks the rule x{y}",
        "whoever read /amount failed with org.acme.Broken",
    ]


@pytest.mark.parametrize("told", [{}, {"topic": "elsewhere"}], ids=["by its topic", "by where they came from"])
def test_what_guards_counted_is_shown_until_a_worker_tells_of_it(api: Api, told: dict[str, str]) -> None:
    bad = {"contract": "orders/order-placed", "version": "1.0.0", "count": 4}
    seen = guarded()
    seen["topics"][0]["counts"] = [
        {**bad, "kind": "invalid"},
        {**bad, "kind": "fault", "rule": "type", "pointer": "/total"},
    ]
    assert api.post("/observations", seen).status_code == 201
    board = api.client.get("/dead-letters.json").json
    assert ([g["count"] for g in board["counted"]], board["groups"]) == ([4], [])
    assert board["unread"] == [{"channel": "shop.orders", "topic": TOPIC, "messages": 4}]
    assert f"deedbox dlq work --topics {TOPIC}" in api.client.get("/dead-letters", headers=HTML).text
    home = api.client.get("/index.json").json["dead_letters"]
    assert (home["messages"], home["kinds"], home["groups"][0]["pointer"]) == (4, 1, "/total")
    assert put(api, report(0, 3)).status_code == 201  # where the guard only observes, there are none
    assert len(api.client.get("/dead-letters.json").json["counted"]) == 1
    assert put(api, report(3, 6, letters(3, origin="shop.orders" if told else ""), **told)).status_code == 201
    board = api.client.get("/dead-letters.json").json
    assert (board["counted"], board["unread"], [g["count"] for g in board["groups"]]) == ([], [], [3])
    home = api.client.get("/index.json").json["dead_letters"]
    assert (home["messages"], home["kinds"], len(home["groups"])) == (3, 1, 1)


def test_empty_states_carry_the_command_to_type(api: Api) -> None:
    page = api.client.get("/dead-letters", headers=HTML).text
    assert "deedbox guard --topics" in page
    assert "deedbox dlq work --topics" in page
    assert put(api, report(0, 3)).status_code == 201
    assert "no letter was there" in api.client.get("/dead-letters", headers=HTML).text
    for path in (GROUP, f"/replay-orders/{uuid4()}", "/replay-orders/x", "/dead-letters/x/%00", "/replay-orders/%00"):
        assert api.client.get(path, headers=HTML).status_code == 404, path
    assert api.client.get("/dead-letters/a%20b/x", headers=HTML).status_code == 422


def test_a_dry_run_is_ordered_once_however_often_it_is_clicked(api: Api) -> None:
    form = asked(api)
    answers = [api.client.post("/replay-orders", data=form) for _ in range(3)]
    assert {(a.status_code, a.headers["Location"]) for a in answers} == {(303, f"/replay-orders/{form['id']}")}
    other = api.client.post("/replay-orders", data={**form, "id": str(uuid4())})  # another tab
    assert (other.status_code, other.headers["Location"]) == (303, f"/replay-orders/{form['id']}")
    assert len(api.get("/replay-orders").json["items"]) == 1
    page = api.client.get(GROUP, headers=HTML).text
    assert "see how it stands" in page
    assert "Dry run</button>" not in page


@pytest.mark.parametrize(
    ("headers", "change"),
    [
        ({}, {safety.FIELD: "guessed"}),
        ({}, {safety.FIELD: ""}),
        ({"Origin": "http://elsewhere.example"}, {}),
        ({"Sec-Fetch-Site": "cross-site"}, {}),
    ],
)
def test_forms_of_others_do_nothing(api: Api, headers: dict[str, str], change: dict[str, str]) -> None:
    form = asked(api)
    id_, digest = form["id"], "0" * 64
    sent = {**form, "digest": digest, **change}
    assert api.client.post("/replay-orders", data=sent, headers=headers).status_code == 403
    assert api.get("/replay-orders").json["items"] == []
    assert api.client.post("/replay-orders", data=form).status_code == 303
    for step in ("confirmation", "cancellation"):
        assert api.client.post(f"/replay-orders/{id_}/{step}", data=sent, headers=headers).status_code == 403
    assert api.get(f"/replay-orders/{id_}").json["state"] == "asked"


def test_forms_that_were_tampered_with(each_api: Api) -> None:
    form = asked(each_api)
    for change, status in (
        ({"fingerprint": "other"}, 404),
        ({"fingerprint": "\x00"}, 404),
        ({"cluster": ""}, 404),
        ({"topic": "a b"}, 422),
        ({"id": "x"}, 422),
    ):
        answer = each_api.client.post("/replay-orders", data={**form, **change}, headers=HTML)
        assert answer.status_code == status, (change, answer.text)
    assert each_api.get("/replay-orders").json["items"] == []
    assert each_api.get("/dead-letters/groups?topic=%00").status_code == 422
    assert each_api.get("/replays?topic=%00").status_code == 422


def test_a_dry_run_is_confirmed_as_it_was_seen(api: Api) -> None:
    id_, digest = tried_order(api)
    page = api.client.get(f"/replay-orders/{id_}", headers=HTML)
    assert "no-store" in page.headers["Cache-Control"]
    assert "<button>Send 4 again</button>" in page.text
    assert "<strong>1 letter</strong> would go into quarantine" in page.text
    assert "12 is no string" in page.text
    form = fields(page.text)
    assert form["digest"] == digest
    path = f"/replay-orders/{id_}/confirmation"
    assert api.client.post(path, data={**form, "digest": "0" * 64}, headers=HTML).status_code == 412
    assert api.get(f"/replay-orders/{id_}").json["state"] == "tried"
    for _ in range(2):
        assert api.client.post(path, data=form).status_code == 303
    assert [e["kind"] for e in api.get("/events").json["items"]].count("replay-confirmation") == 1
    page = api.client.get(f"/replay-orders/{id_}", headers=HTML).text
    assert f"deedbox dlq work --topics {TOPIC}" in page
    claim(api, id_)
    assert "w1 has it in hand and sends the letters" in api.client.get(f"/replay-orders/{id_}", headers=HTML).text
    tell(api, id_, "replay")
    page = api.client.get(f"/replay-orders/{id_}", headers=HTML).text
    assert "<strong>4 letters</strong> went back" in page
    group = api.client.get(GROUP, headers=HTML).text
    assert re.search(r'4 letters of this kind were <a href="/replay-orders/[^"]+">sent again</a>', group)
    board = api.client.get("/dead-letters.json").json
    assert (board["replays"][0]["order"], board["groups"][0]["order"]["state"], board["orders"]) == (id_, "done", [])


def test_addresses_of_forms_lead_to_their_pages(api: Api) -> None:
    id_ = ordered(api)
    for path, where in {
        "/replay-orders": "/dead-letters",
        f"/replay-orders/{id_}/confirmation": f"/replay-orders/{id_}",
        f"/replay-orders/{id_}/cancellation": f"/replay-orders/{id_}",
    }.items():
        answer = api.client.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, where)
    assert api.client.get(f"/replay-orders/{uuid4()}/confirmation").status_code == 404


def test_a_dry_run_that_sends_nothing_or_fails_offers_no_confirmation(api: Api) -> None:
    id_ = ordered(api)
    claim(api, id_)
    tell(api, id_, "dry-run", replayed=0, quarantined=0)
    page = api.client.get(f"/replay-orders/{id_}", headers=HTML).text
    assert "There is nothing to send" in page
    assert "confirmation" not in page
    form = fields(page)
    cancelled = api.client.post(f"/replay-orders/{id_}/cancellation", data={**form, "reason": "mend it first"})
    assert cancelled.status_code == 303
    assert "mend it first" in api.client.get(f"/replay-orders/{id_}", headers=HTML).text
    second = order(api).json["id"]
    claim(api, second)
    tell(api, second, "dry-run", error="the broker is away")
    assert "the broker is away" in api.client.get(f"/replay-orders/{second}", headers=HTML).text


def test_the_progress_of_an_order_is_asked_for_without_its_page(api: Api) -> None:
    id_ = ordered(api)
    page = api.client.get(f"/replay-orders/{id_}", headers=HTML).text
    asked = re.search(r'hx-get="([^"]+)"', page)
    assert asked is not None
    assert api.client.get(asked.group(1)).status_code == 204
    claim(api, id_)
    changed = api.client.get(asked.group(1))
    assert (changed.status_code, changed.headers["Location"]) == (303, f"/replay-orders/{id_}")
    cancel(api, id_)
    assert "hx-get" not in api.client.get(f"/replay-orders/{id_}", headers=HTML).text.split('id="order"')[1]


def test_hostile_text_is_shown_as_text(each_api: Api) -> None:
    long = HOSTILE + "\U0001f4a9" * (4_096 - len(HOSTILE))
    said = sample(0, key=HOSTILE, value=long)
    named = {"fingerprint": HOSTILE[:60], "reason": HOSTILE, "pointer": HOSTILE, "rule": HOSTILE, "version": HOSTILE}
    assert put(each_api, report(0, 1, letters(1, said, **named, origin=HOSTILE), cluster=HOSTILE)).status_code == 201
    shown = each_api.client.get("/dead-letters", headers=HTML)
    link = re.search(r'href="(/dead-letters/shop[^"#]+)"', shown.text)
    assert link is not None
    group = each_api.client.get(link.group(1).replace("&amp;", "&"), headers=HTML)
    form = {**fields(group.text), "cluster": HOSTILE, "fingerprint": HOSTILE[:60]}
    made = each_api.client.post("/replay-orders", data=form)
    assert made.status_code == 303, made.text
    id_ = form["id"]
    worker = HOSTILE[:100]
    claim(each_api, id_, worker)
    examples = [{"partition": 0, "offset": 0, "reason": HOSTILE}]
    digest = tell(each_api, id_, "dry-run", worker=worker, examples=examples).json["trial"]["digest"]
    tried = each_api.client.get(made.headers["Location"], headers=HTML)
    confirm(each_api, id_, digest)
    claim(each_api, id_, worker)
    tell(each_api, id_, "replay", worker=worker, error=HOSTILE)
    failed = each_api.client.get(made.headers["Location"], headers=HTML)
    pages = [
        shown,
        group,
        tried,
        failed,
        *(each_api.client.get(p, headers=HTML) for p in ("/", "/audit", "/dead-letters")),
    ]
    for page in pages:
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert 'onload="x' not in page.text
    for page in pages[:4]:
        assert "\u202e" not in re.sub(r'value="[^"]*"', "", page.text), page.request.path
    assert "<summary>Value, 4,096 characters" in group.text


def test_clocks_gone_wild_and_other_odd_numbers(api: Api) -> None:
    wild = letters(1, sample(0, at=(1 << 62) - 1), first_at=-1, last_at=(1 << 62) - 1)
    assert put(api, report(0, 1, wild)).status_code == 201
    for path in ("/dead-letters", GROUP, "/"):
        assert api.client.get(path, headers=HTML).status_code == 200
    assert api.get("/dead-letters/groups").json["items"][0]["first_at"] is None


def test_the_same_kind_in_two_clusters_has_a_page_each(api: Api) -> None:
    assert put(api, report(0, 7, letters(7))).status_code == 201
    assert put(api, report(0, 2, letters(2), cluster="c2")).status_code == 201
    newest = api.client.get(f"{GROUP}.json").json
    assert (newest["group"]["cluster"], newest["elsewhere"]) == ("c2", ["c1"])
    assert api.client.get(f"{GROUP}.json?cluster=c1").json["group"]["count"] == 7
    assert api.client.get(f"{GROUP}.json?cluster=c3").status_code == 404
    made = order(api).json  # in c1
    assert api.client.get(f"{GROUP}.json?cluster=c1").json["open"] == made["id"]
    assert api.client.get(f"{GROUP}.json?cluster=c2").json["open"] is None


def test_replies_are_what_the_document_says(api: Api) -> None:
    said = report(0, 10, letters(7, sample(9)))
    answer = put(api, said).json
    assert shapes.ReportReply.model_validate(answer).model_dump() == answer
    id_ = order(api).json["id"]
    taken = claim(api, id_).json
    assert shapes.ClaimReply.model_validate(taken).model_dump() == taken
    confirm(api, id_, tell(api, id_, "dry-run").json["trial"]["digest"])
    claim(api, id_)
    tell(api, id_, "replay")
    for path, shape in {
        "/dead-letters/groups": shapes.GroupsPage,
        f"/dead-letters/positions?cluster=c1&topic={TOPIC}": shapes.PositionsPage,
        "/replay-orders": shapes.OrdersPage,
    }.items():
        reply: Any = api.get(path).json
        assert reply["items"], path
        assert shape.model_validate(reply).model_dump() == reply


def test_the_examples_of_the_documentation_are_taken(api: Api) -> None:
    schemas = api.get("/openapi.json").json["components"]["schemas"]
    page = api.client.get("/api/v1/docs", headers=HTML).text
    for name in (
        "DeadLetterReportBody",
        "OrderBody",
        "ResultBody",
        "ConfirmationBody",
        "CancellationBody",
        "ClaimBody",
    ):
        (example,) = schemas[name]["examples"]
        assert getattr(shapes, name).model_validate(example)
        assert str(escape(pretty(example))) in page
    assert "examples" not in schemas["OrderReply"]
    assert put(api, schemas["DeadLetterReportBody"]["examples"][0]).status_code == 201
    made = api.post("/replay-orders", schemas["OrderBody"]["examples"][0])
    assert made.status_code == 202, made.text
