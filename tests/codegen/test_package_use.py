"""Packages at work: parse, dump, validate, obsolete fields, open enums, two majors side by side."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

import pytest
from deedbox.codegen import PackageRequest, build_package, umbrella, wheel_bytes
from deedbox.codegen.loading import loaded

if TYPE_CHECKING:
    from pathlib import Path

ORDER: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Order placed",
    "description": "A customer placed an order.",
    "type": "object",
    "required": ["id", "total"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "total": {"type": "number", "minimum": 0},
        "placed_at": {"type": "string", "format": "date-time"},
        "class": {"type": "string"},
        "status": {"enum": ["new", "paid"]},
        "note": {"type": ["string", "null"]},
        "customer_name": {"type": "string", "deprecated": True, "description": "Use customer instead."},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}},
        "payment": {"oneOf": [{"required": ["card"]}, {"required": ["iban"]}]},
    },
    "$defs": {
        "Line": {
            "type": "object",
            "properties": {"sku": {"type": "string"}, "quantity": {"type": "integer", "default": 1}},
            "required": ["sku"],
            "additionalProperties": False,
        }
    },
    "examples": [{"id": "a", "total": 2.5, "placed_at": "2026-01-31T10:00:00+02:00"}],
}
MESSAGE = {
    "id": "3f9a1c02-b7de-4c1a-9d35-6b0a5e0f7a11",
    "total": 12.5,
    "placed_at": "2026-01-31T10:00:00.120+02:00",
    "class": "a",
    "status": "paid",
    "note": None,
    "lines": [{"sku": "x"}, {"sku": "y", "quantity": 3}],
    "not-declared": {"kept": [1, 2.0]},
}


def request(version: str = "2.3.0", document: Any = ORDER, **more: Any) -> PackageRequest:
    return PackageRequest("billing/order-placed", version, document, **more)


@pytest.mark.parametrize("style", ["pydantic", "dataclass", "typeddict"])
def test_messages_come_out_as_they_went_in(style: Any) -> None:
    package = build_package(request(style=style))
    assert package.fidelity.lossless
    assert package.fidelity.messages > 10
    with loaded(package.files, package.module) as module:
        held = module.parse(json.dumps(MESSAGE))
        assert module.dump(held) == MESSAGE
        assert (held["id"] if style == "typeddict" else held.id) == MESSAGE["id"]
        assert module.parse(MESSAGE) == held
        assert (module.CONTRACT, module.VERSION, len(module.DIGEST)) == ("billing/order-placed", "2.3.0", 64)
        assert json.loads(module._contract_.resource("schema.json")) == ORDER


@pytest.mark.parametrize("style", ["pydantic", "dataclass", "typeddict"])
def test_the_schema_decides(style: Any) -> None:
    package = build_package(request(style=style))
    with loaded(package.files, package.module) as module:
        for broken in (
            {"total": 1},
            {**MESSAGE, "payment": {}},
            {**MESSAGE, "total": "12"},
            {**MESSAGE, "lines": [{}]},
        ):
            assert not module.is_valid(broken)
            with pytest.raises(module.ContractViolation) as caught:
                module.parse(broken)
            assert caught.value.faults
        with pytest.raises(module.ContractViolation, match="at /lines/0"):
            module.validate({**MESSAGE, "lines": [{}]})
        for text in ("{", "[NaN]", '{"id": "a", "total": 1e999}'):
            with pytest.raises(module.ContractViolation, match="not JSON"):
                module.parse(text)
    said = {(n.pointer, n.keyword) for n in package.fidelity.not_enforced}
    assert ("/properties/payment", "oneOf") in said
    assert package.fidelity.broken > 30


@pytest.mark.parametrize(
    "value", [object(), {1: 2}, {"id": {1, 2}}, float("nan"), [float("inf")], b"\xff", 1j, "\ud800"]
)
def test_what_is_no_json_is_no_message(value: Any) -> None:
    package = build_package(request(document={}))
    with loaded(package.files, package.module) as module:
        with pytest.raises(module.ContractViolation):
            module.parse(value)
        if not isinstance(value, bytes | str):
            assert not module.is_valid(value)
        deep: Any = []
        for _ in range(100_000):
            deep = [deep]
        for too_deep in (deep, "[" * 100_000):
            with pytest.raises(module.ContractViolation, match="JSON"):
                module.parse(too_deep)
        while deep:  # taken apart by hand: the interpreter would recurse
            deep = deep.pop()


def test_integers_written_as_fractions_are_integers() -> None:
    package = build_package(request())
    with loaded(package.files, package.module) as module:
        held = module.parse('{"id": "a", "total": 3, "lines": [{"sku": "x", "quantity": 2.0}]}')
        assert held.lines[0].quantity == 2
        assert module.dump(held) == {"id": "a", "total": 3, "lines": [{"sku": "x", "quantity": 2}]}


def test_objects_are_made_by_either_name_and_checked_when_dumped() -> None:
    package = build_package(request())
    with loaded(package.files, package.module) as module:
        assert module.dump(module.OrderPlaced(id="a", total=1.0, class_="b")) == {"id": "a", "total": 1, "class": "b"}
        assert module.parse({"id": "a", "total": 1, "class_": 7}).model_extra == {"class_": 7}
        with pytest.raises(module.ContractViolation, match="payment"):
            module.dump(module.OrderPlaced(id="a", total=1.0, payment={}))


@pytest.mark.parametrize("style", ["pydantic", "dataclass"])
def test_reading_an_obsolete_field_warns(style: Any) -> None:
    earlier = ("2.2.0", ORDER)
    unmarked = json.loads(json.dumps(ORDER))
    del unmarked["properties"]["customer_name"]["deprecated"]
    # Since the last time that it was marked: it had been before, and was not for a while.
    history = (("2.0.0", ORDER), ("2.1.0", unmarked), earlier)
    package = build_package(request(style=style, history=history))
    assert [(o.name, o.since, o.reason) for o in package.obsolete] == [
        ("customer_name", "2.2.0", "Use customer instead.")
    ]
    assert "| `customer_name` | `/properties/customer_name` | 2.2.0 | Use customer instead. |" in package.readme
    with loaded(package.files, package.module) as module, warnings.catch_warnings():
        warnings.simplefilter("error")
        held = module.parse({**MESSAGE, "customer_name": "Ada"})
        assert module.dump(held)["customer_name"] == "Ada"
        with pytest.warns(DeprecationWarning, match=r"obsolete since 2\.2\.0: Use customer instead"):
            assert held.customer_name == "Ada"
        made = module.OrderPlaced(id="a", total=1.0, customer_name="Bo")
        made.customer_name = "Cy"
        assert module.dump(made)["customer_name"] == "Cy"


def test_an_obsolete_class_warns_when_it_is_made_and_not_when_it_is_read() -> None:
    document = json.loads(json.dumps(ORDER))
    document["$defs"]["Line"]["deprecated"] = True
    package = build_package(request(document=document))
    with loaded(package.files, package.module) as module, warnings.catch_warnings():
        warnings.simplefilter("error")
        module.parse(MESSAGE)
        with pytest.warns(DeprecationWarning, match="Line is obsolete"):
            module.Line(sku="a")
        assert module.Line.__deprecated__


def test_a_field_may_be_called_as_what_its_class_uses() -> None:
    names = [
        "property",
        "deprecated",
        "Field",
        "builtins",
        "model_config",
        "model_fields",
        "self",
        "",
        "🚀",
        "a-b",
        "a_b",
        "A",
    ]
    properties: dict[str, Any] = {
        name: {"type": "string", "deprecated": name < "c"} for name in [*names, "None", "json"]
    }
    package = build_package(request(document={"type": "object", "properties": properties}))
    assert package.fidelity.lossless
    with loaded(package.files, package.module) as module:
        message = dict.fromkeys(properties, "x")
        assert module.dump(module.parse(message)) == message


def test_open_enums_keep_what_they_do_not_name() -> None:
    package = build_package(request(open_enums=True))
    with loaded(package.files, package.module) as module:
        held = module.parse({**MESSAGE, "status": "refunded"})
        assert held.status.name == "UNKNOWN"
        assert not held.status.is_known
        assert module.dump(held)["status"] == "refunded"
        assert module.parse(MESSAGE).status is module.Status.paid
        assert not module.is_valid({**MESSAGE, "status": "refunded"})
    closed = build_package(request())
    with loaded(closed.files, closed.module) as module, pytest.raises(module.ContractViolation):
        module.parse({**MESSAGE, "status": "refunded"})


@pytest.mark.parametrize("style", ["pydantic", "dataclass", "typeddict"])
def test_open_enums_in_every_style_and_place(style: Any) -> None:
    document = {
        "type": "object",
        "properties": {
            "maybe": {"enum": ["a", None]},
            "typed": {"type": ["string", "null"], "enum": ["a", "b", None]},
            "one": {"enum": ["only"]},
            "number": {"enum": [1, 2]},
            "constant": {"const": "x"},
            "colors": {"type": "array", "items": {"$ref": "#/$defs/Color"}},
            "lengths": {"type": "string", "enum": ["ab", "cd"], "maxLength": 2},
        },
        "$defs": {"Color": {"type": "string", "enum": ["red", "blue"]}},
    }
    known = {
        "maybe": None,
        "typed": "b",
        "one": "only",
        "number": 2,
        "constant": "x",
        "colors": ["red"],
        "lengths": "ab",
    }
    newer = known | {"maybe": "c", "typed": "c", "one": "other", "colors": ["red", "green"], "lengths": "ef"}
    package = build_package(request(document=document, style=style, open_enums=True))
    assert package.fidelity.lossless
    with loaded(package.files, package.module) as module:
        for message in (known, newer):
            held = module.parse(message)
            assert module.dump(held) == message
        if style != "typeddict":
            assert [held.maybe.name, held.typed.name, held.one.name] == ["UNKNOWN"] * 3
            assert [color.name for color in held.colors] == ["red", "UNKNOWN"]
        # Open is who else there may be, not what else holds of it.
        for broken in (
            {"number": 3},
            {"constant": "y"},
            {"colors": [3]},
            {"maybe": 1},
            {"one": None},
            {"lengths": "abc"},
        ):
            with pytest.raises(module.ContractViolation):
                module.parse(broken)


def installed(folder: Path, *requests: PackageRequest) -> Path:
    """Installs the wheels of requests with pip, all of them, into a folder."""
    wheels = folder / "wheels"
    wheels.mkdir(parents=True)
    for each in requests:
        package = build_package(each)
        for wheel in (wheel_bytes(package), wheel_bytes(umbrella(package))):
            (wheels / wheel.filename).write_bytes(wheel.content)
    target = folder / "site"
    names = sorted(str(p) for p in wheels.iterdir() if "_v" in p.name)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*command, *names], check=True, capture_output=True, timeout=120)
    return target


def test_two_majors_side_by_side_with_hooks_between_them(tmp_path: Path) -> None:
    new = json.loads(json.dumps(ORDER))
    new["properties"]["amount"] = new["properties"].pop("total")
    new["required"] = ["id", "amount"]
    site = installed(tmp_path, request("1.4.0"), request("2.0.0", new))
    code = """
import billing_order_placed.v1 as v1, billing_order_placed.v2 as v2
old = v1.parse('{"id": "a", "total": 2}')
try:
    v2.upgrade(old)
except v2.NoConversion as error:
    assert "@upgrade.register" in str(error), error
else:
    raise SystemExit("no NoConversion")
@v2.upgrade.register(v1.OrderPlaced)
def _(message):
    return v2.OrderPlaced(id=message.id, amount=message.total)
assert v2.dump(v2.upgrade(old)) == {"id": "a", "amount": 2}
@v1.downgrade.register(v2.OrderPlaced)
def _(message):
    return v1.OrderPlaced(id=message.id, total=message.amount)
assert v1.dump(v1.downgrade(v2.upgrade(old))) == {"id": "a", "total": 2}
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], env={"PYTHONPATH": str(site)}, check=True, timeout=60)


@pytest.mark.parametrize("style", ["pydantic", "dataclass", "typeddict"])
def test_hooks_in_every_style(style: Any) -> None:
    new = json.loads(json.dumps(ORDER))
    new["properties"]["amount"] = new["properties"].pop("total")
    new["required"] = ["id", "amount"]
    package = build_package(request("2.0.0", new, style=style))
    with loaded(package.files, package.module) as module:
        # A message that fits as it is needs no hook.
        assert module.dump(module.upgrade(module.parse({"id": "a", "amount": 2}))) == {"id": "a", "amount": 2}
        old = {"id": "a", "total": 2} if style == "typeddict" else Old("a", 2)
        with pytest.raises(module.NoConversion, match=r"@upgrade\.register"):
            module.upgrade(old)

        @module.upgrade.register(OldDict if style == "typeddict" else Old)
        def _(message: Any) -> Any:
            held = message if isinstance(message, dict) else vars(message)
            return module.parse({"id": held["id"], "amount": held["total"]})

        assert module.dump(module.upgrade(old)) == {"id": "a", "amount": 2}


@dataclass
class Old:
    """A message of the major before, of whatever made it."""

    id: str
    total: int


class OldDict(TypedDict):
    id: str
    total: int
