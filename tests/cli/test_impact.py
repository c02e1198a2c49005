"""`impact`: whom a field reaches, and what its removal would break, asked of a real registry."""

import json

import pytest
from deedbox.client import Problem, RegistryClient
from deedbox.registry.serving import run_in_background

from .commands import run

ID, LINES = (
    {"type": "string"},
    {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
)
WRITER = {"role": "produces", "kind": "event", "channels": ["shop.orders"]}
READER = {**WRITER, "role": "consumes"}
OBSOLETE = {"type": "string", "deprecated": True}


def record(required, **properties):
    return json.dumps({"type": "object", "properties": properties, "required": required})


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    with run_in_background(f"sqlite:///{tmp_path_factory.mktemp('registry')}/d.db") as server:
        with RegistryClient(server.url) as client:
            sent = record(["id"], id=ID, lines=LINES, note=ID, coupon=ID)
            client.publish("orders/order-placed", {**WRITER, "schema": sent})
            sent = record(["id"], id=ID, lines=LINES, note=ID, coupon=OBSOLETE)
            client.publish("orders/order-placed", {**WRITER, "schema": sent})
            client.publish("billing/order-placed", {**READER, "schema": record(["id"], id=ID, coupon=ID)})
            client.publish("billing/invoice-sent", {**WRITER, "channels": ["shop.bills"], "schema": record([], no=ID)})
        yield server.url


@pytest.fixture
def billing(tmp_path, registry):
    """The folder of a service with two contracts, and the command run in it."""
    contracts = [
        f'[[contract]]\nname = "{name}"\nfile = "a.json"\nkind = "event"\nrole = "{role}"\nchannels = ["c"]\n'
        for name, role in (("order-placed", "consumes"), ("invoice-sent", "produces"))
    ]
    (tmp_path / "deedbox.toml").write_text('[deedbox]\nservice = "billing"\n\n' + "\n".join(contracts))

    def ask(*arguments, code=0):
        return run(tmp_path, "impact", *arguments, code=code, DEEDBOX_URL=registry)

    return ask


def test_a_removal_that_breaks_a_reader_is_shown_with_the_message(billing):
    said = billing("orders/order-placed#/id", code=1)
    assert said.startswith("orders/order-placed 1.1.0: id (string, required)\n")
    assert "  read by billing/order-placed 1.0.0, which requires it\n" in said
    assert "  if it goes: breaking, a major version; breaks 1 live link\n" in said
    link = "billing/order-placed 1.0.0 cannot read all that orders/order-placed 1.1.0 sends on shop.orders"
    assert f'    broken {link}: "id" is a required property\n      message: {{' in said


def test_a_field_that_nobody_needs(billing):
    said = billing("orders/order-placed#/note")
    assert "  read by nobody who is linked with this contract\n" in said
    assert "breaks no live link\n" in said
    said = billing("orders/order-placed#/coupon")
    assert "  marked obsolete since 1.1.0\n  it drains: " in said
    assert "  read by billing/order-placed 1.0.0, which does without it, too\n" in said


def test_a_reader_is_told_who_sends_it(billing):
    assert "  sent by orders/order-placed 1.1.0, in every message\n" in billing("billing/order-placed#/id")
    assert "  sent by orders/order-placed 1.1.0, in some messages\n" in billing("billing/order-placed#/coupon")


def test_by_its_place_in_the_schema_or_in_a_message(billing):
    by_schema = json.loads(billing("orders/order-placed#/properties/lines/items/properties/sku", "--json"))
    assert json.loads(billing("orders/order-placed#/lines/*/sku", "--json")) == by_schema
    (answer,) = by_schema
    assert (answer["field"], answer["place"], answer["verdict"]) == ("lines[].sku", "/lines/*/sku", "breaking")


def test_a_bare_pointer_asks_about_the_contracts_of_the_project(billing, tmp_path):
    assert [one["contract"] for one in json.loads(billing("/id", "--json"))] == ["billing/order-placed"]
    assert [one["contract"] for one in json.loads(billing("/properties/no", "--json"))] == ["billing/invoice-sent"]
    billing("/nowhere", code=2)
    (tmp_path / "deedbox.toml").unlink()
    billing("/id", code=2)


def test_what_cannot_be_taken_away_is_not_judged(billing):
    assert "its removal was not judged" in billing("orders/order-placed#/lines/*", code=3)


@pytest.mark.parametrize("field", ["orders/order-placed#/nowhere", "no/such#/id", "orders#/id", "id"])
def test_what_is_no_field_is_wrong_usage(billing, field):
    billing(field, code=2)


def test_a_registry_that_does_not_answer_is_not_told_for_fine(tmp_path):
    run(tmp_path, "impact", "orders/order-placed#/id", code=3, DEEDBOX_URL="http://127.0.0.1:9")


def test_the_registry_asks_for_a_pointer(registry):
    with RegistryClient(registry) as client:
        with pytest.raises(Problem, match="has no field at /nowhere") as refused:
            client.impact("orders/order-placed", "/nowhere")
        assert refused.value.status == 404
        with pytest.raises(Problem) as refused:
            client._json("GET", "/contracts/orders/order-placed/impact")
        assert refused.value.status == 422
