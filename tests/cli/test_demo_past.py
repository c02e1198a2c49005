"""The past that the demo opens on: told by the real use cases, at its own times, and seen on the pages."""

from datetime import UTC, datetime, timedelta

import pytest
from deedbox.cli.demonstration import story_folder
from deedbox.cli.telling import tell
from deedbox.registry.app import create_app
from deedbox.registry.config import Settings


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('past')}/demo.db"
    assert tell(url, story_folder()) == 61
    app = create_app(Settings(database_url=url), migrated=True)
    yield app.test_client()
    app.extensions["deedbox"].sandbox.close()
    app.extensions["deedbox"].database.close()


def test_the_history_is_two_months_long_and_in_order(pages):
    times = [datetime.fromisoformat(entry["at"]) for entry in pages.get("/api/v1/events?limit=1000").json["items"]]
    assert times == sorted(times)
    assert timedelta(days=60) < datetime.now(UTC) - times[0] < timedelta(days=62)
    assert times[-1] < datetime.now(UTC)


def test_home_says_what_is_blocked_what_drains_and_what_is_dead(pages):
    home = pages.get("/index.json").json
    (refusal,) = home["refusals"]
    assert (refusal["contract"], refusal["declared"], refusal["needed"]) == (
        "warehouse/stock-reserved",
        "1.2.0",
        "2.0.0",
    )
    (drain,) = home["drains"]["items"]
    assert (drain["contract"], drain["pointer"], drain["share"]) == ("payments/payment-settled", "/card_hint", 93)
    assert drain["slowest"]["group"] == "ledger-worker"
    assert home["dead_letters"]["messages"] == 7
    assert [(g["count"], g["cause"]) for g in home["dead_letters"]["groups"]] == [
        (2, '"transfer" is not one of "card" or "invoice"'),
        (5, "messages name a version that is not registered"),
    ]
    assert home["links"] == {"holds": 2, "broken": 0, "undecided": 0}


def test_one_kind_of_dead_letter_was_sent_again_and_the_other_fails_still(pages):
    failing, sent = pages.get("/dead-letters.json").json["groups"]
    assert (failing["order"], sent["order"]["state"], sent["order"]["outcome"]["replayed"]) == (None, "done", 5)
    assert pages.get("/dead-letters.json").json["counted"] == []  # a worker reads what the guard counted
    again = pages.get(f"/dead-letters/shop.payments.dlt/{sent['fingerprint']}.json").json
    told = [sample["now"] for sample in again["samples"]]
    assert [(now["passes"], now["named"]["version"]) for now in told] == [(True, "2.0.0")] * 3
    still = pages.get(f"/dead-letters/shop.payments.dlt/{failing['fingerprint']}.json").json
    assert all('"transfer"' in sample["now"]["named"]["why"] for sample in still["samples"])


def test_the_accepted_break_is_on_its_contracts_page(pages):
    (accepted,) = pages.get("/contracts/warehouse/stock-reserved.json").json["accepted"]
    assert (accepted["version"], accepted["rule"]) == ("1.1.0", "property-removed")
    assert "asked for it to go" in pages.get("/contracts/warehouse/stock-reserved").text


def test_the_board_shows_how_far_the_field_has_drained(pages):
    (row,) = pages.get("/drains.json").json["items"]
    assert [point["remaining"] for point in row["series"]] == [9800, 4600, 686]
    assert row["estimate"] > row["evidence"]["as_of"]
    assert "93%" in pages.get("/drains").text


def test_a_field_that_is_gone_keeps_its_page(pages):
    field = pages.get("/contracts/payments/payment-settled/fields/properties/card_hint.json").json
    assert field["events"][0]["kind"] == "added"
    assert [event["kind"] for event in field["events"]][-2:] == ["obsolete", "removed"]
    assert [(drain["state"], drain["share"]) for drain in field["drains"]] == [("draining", 93)]
