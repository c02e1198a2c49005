"""A package in a virtual environment that has nothing but what the package asks for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from deedbox.codegen import PackageRequest, build

from tests.codegen.conftest import absent

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = {
    "type": "object",
    "required": ["id", "lines"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "placed_at": {"type": "string", "format": "date-time"},
        "lines": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Line"}},
        "customer_name": {"type": "string", "deprecated": True, "description": "Use customer instead."},
    },
    "$defs": {
        "Line": {
            "type": "object",
            "required": ["sku"],
            "properties": {"sku": {"type": "string"}, "price": {"type": "number"}},
        }
    },
}
MESSAGES = [
    {"id": "3f9a1c02-b7de-4c1a-9d35-6b0a5e0f7a11", "lines": [{"sku": "a", "price": 12.5}]},
    {"id": "b", "lines": [{"sku": "ü🚀", "price": 3}, {"sku": ""}], "placed_at": "2026-01-31T10:00:00.120+02:00"},
    {"id": "c", "lines": [{"sku": "d", "more": {"kept": [1, None]}}], "customer_name": "Ada", "other": 2**60},
]
USE = """
import importlib.util, json, sys, warnings
from importlib.metadata import version
from billing_order_placed.v2 import ContractViolation, OrderPlaced, dump, parse
assert importlib.util.find_spec("deedbox") is None, "the package must not need it"
assert version("billing-order-placed") == version("billing-order-placed-v2") == "2.3.0"
for message in json.load(sys.stdin):
    held = parse(json.dumps(message))
    assert isinstance(held, OrderPlaced)
    assert dump(held) == message, (dump(held), message)
try:
    parse({"id": "a", "lines": []})
except ContractViolation as error:
    assert error.faults[0][0] == "/lines", error
else:
    raise SystemExit("an empty list passed")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    assert parse({"id": "a", "lines": [{"sku": "b"}], "customer_name": "Ada"}).customer_name == "Ada"
assert [str(w.message) for w in caught] == ["customer_name is obsolete since 2.3.0: Use customer instead."], caught
assert caught[0].filename == "<string>", "the warning is about the line that reads"
"""


def test_pip_installs_it_with_what_it_asks_for_and_messages_round_trip(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for wheel in build(PackageRequest("billing/order-placed", "2.3.0", DOCUMENT)):
        (wheels / wheel.filename).write_bytes(wheel.content)
    environment = tmp_path / "fresh"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True, timeout=120)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--find-links", str(wheels)]
    done = subprocess.run(
        [*pip, "billing-order-placed==2.3.0"], capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode != 0 and "NewConnectionError" in done.stderr:
        absent("no package index answers, so what packages need cannot be installed")
    assert done.returncode == 0, done.stderr
    command = [str(python), "-W", "error", "-c", USE]
    subprocess.run(command, input=json.dumps(MESSAGES), text=True, check=True, cwd=tmp_path, timeout=120)
