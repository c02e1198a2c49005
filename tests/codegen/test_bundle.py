"""The contracts of a service as one package: its version, its modules, its names."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from deedbox.codegen import (
    BundleRequest,
    Change,
    Member,
    PackageRequest,
    Wheel,
    build_bundle,
    build_package,
    bundle_name,
    released,
    umbrella,
    wheel_bytes,
)
from deedbox.codegen.errors import DocumentNotPackageable, InvalidName, ReservedName, VersionNotPackageable

if TYPE_CHECKING:
    from pathlib import Path


def bundle(*members: Member, **more: Any) -> Any:
    return build_bundle(BundleRequest("orders", "1.4.0", members, **more))


@pytest.mark.parametrize(
    ("changes", "version", "members"),
    [
        ("", None, ""),
        ("a@1.0.0-rc.1", None, ""),
        ("a@1.0.0", "1.0.0", "a@1.0.0"),
        ("a@3.2.1", "1.0.0", "a@3.2.1"),
        ("a@1.0.0 a@1.0.1", "1.0.1", "a@1.0.1"),
        ("a@1.0.0 a@1.1.0", "1.1.0", "a@1.1.0"),
        ("a@1.0.0 a@1.1.0 a@1.0.1", "1.1.0", "a@1.1.0"),
        ("a@1.9.0 a@1.10.0 a@1.9.1", "1.1.0", "a@1.10.0"),
        ("a@1.0.0 a@2.0.0", "1.1.0", "a@1.0.0 a@2.0.0"),
        ("a@1.0.0 b@1.0.0 b@1.0.1", "1.1.1", "a@1.0.0 b@1.0.1"),
        ("a@1.0.0 a@2.0.0 -a@1.0.0", "2.0.0", "a@2.0.0"),
        ("a@1.0.0 a@1.1.0 -a@1.1.0", "2.0.0", "a@1.0.0"),
        ("a@1.0.0 a@1.1.0 -a@1.0.0", "1.1.0", "a@1.1.0"),
        ("a@0.1.0 a@0.1.1", "1.1.0", "a@0.1.1"),
        ("a@0.1.0 a@0.2.0", "2.0.0", "a@0.2.0"),
        ("a@1.0.0 a@2.0.0-rc.1", "1.0.0", "a@1.0.0"),
        ("a@1.0.0 -a@1.0.0", "2.0.0", ""),
        ("a@1.0.0 -a@1.0.0 a@1.0.1", "2.1.0", "a@1.0.1"),
    ],
)
def test_its_version_is_raised_as_semver_would(changes: str, version: str | None, members: str) -> None:
    parts = [(text.startswith("-"), *text.lstrip("-").split("@")) for text in changes.split()]
    found, held = released(Change(f"orders/{name}", number, retired) for retired, name, number in parts)
    assert found == version
    assert " ".join(f"{m.contract.removeprefix('orders/')}@{m.version}" for m in held) == members


def test_every_change_to_it_is_another_version() -> None:
    """No two contents have one version, whatever happens in which order."""
    events = [
        Change("o/a", "1.0.0"), Change("o/b", "0.1.0"), Change("o/a", "1.0.1"), Change("o/a", "1.0.1", retired=True),
        Change("o/a", "2.0.0"), Change("o/b", "0.2.0"), Change("o/b", "0.1.0", retired=True), Change("o/a", "1.0.2"),
        Change("o/a", "2.0.0", retired=True), Change("o/a", "2.0.0"),
    ]  # fmt: skip
    seen: dict[str, tuple[Member, ...]] = {}
    for count in range(1, len(events) + 1):
        version, members = released(events[:count])
        assert version is not None
        assert seen.setdefault(version, members) == members
    assert len(seen) == 9, "retiring what is not the greatest changes nothing"


def test_it_requires_its_members_exactly() -> None:
    package = bundle(
        Member("orders/order-placed", "1.4.0"),
        Member("orders/order-placed", "2.0.1"),
        Member("orders/class", "1.0.0", "acme.order_class"),
        owner="Team Orders",
    )
    assert package.distribution == "orders-contracts"
    assert package.requires == (
        "orders-order-placed-v1 ==1.4.0",
        "orders-order-placed-v2 ==2.0.1",
        "acme-order-class-v1 ==1.0.0",
    )
    assert [path for path in package.files if path.endswith(".py")] == [
        "orders_contracts/__init__.py",
        "orders_contracts/acme_order_class/__init__.py",
        "orders_contracts/acme_order_class/v1.py",
        "orders_contracts/order_placed/__init__.py",
        "orders_contracts/order_placed/v1.py",
        "orders_contracts/order_placed/v2.py",
    ]
    assert (
        "| `orders/class` | 1.0.0 | `orders_contracts.acme_order_class.v1` | `acme-order-class-v1` |" in package.readme
    )
    one, two = wheel_bytes(package), wheel_bytes(package)
    assert one.filename == "orders_contracts-1.4.0-1-py3-none-any.whl"
    assert one.content == two.content


def test_names_that_meet_are_refused() -> None:
    assert bundle_name("Büro", "acme") == "acme-buro-contracts"
    with pytest.raises(InvalidName, match="the service '🚀'"):
        bundle_name("🚀")
    with pytest.raises(ReservedName, match=r"orders/order_placed and orders/order-placed would both be"):
        bundle(Member("orders/order-placed", "1.0.0"), Member("orders/order_placed", "1.0.0"))
    with pytest.raises(ReservedName, match="'orders-a-v2'"):
        bundle(Member("orders/a", "2.0.0"), Member("orders/a-v2", "1.0.0"))
    with pytest.raises(ReservedName, match="what the contracts of a service together are called"):
        bundle(Member("orders/contracts", "2.0.0"))
    with pytest.raises(DocumentNotPackageable, match=r"would both be the module a\.v1"):
        bundle(Member("orders/a", "1.0.0"), Member("orders/a", "1.0.1"))
    with pytest.raises(DocumentNotPackageable, match=r"would both be the module a\.v1"):
        bundle(Member("orders/a", "1.0.0"), Member("orders/A", "1.0.0", "orders-other"))
    with pytest.raises(DocumentNotPackageable, match="no version to bundle"):
        bundle()
    with pytest.raises(VersionNotPackageable):
        bundle(Member("orders/a", "1.0.0-snapshot"))


def member_wheels(contract: str, version: str, document: Any, **more: Any) -> list[Wheel]:
    package = build_package(PackageRequest(contract, version, document, **more))
    return [wheel_bytes(package), wheel_bytes(umbrella(package))]


def test_pip_installs_it_with_its_members_and_types_come_through(tmp_path: Path) -> None:
    placed = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    newer = {"type": "object", "required": ["key"], "properties": {"key": {"type": "integer"}}}
    wheels = [
        *member_wheels("orders/order-placed", "1.0.0", placed),
        *member_wheels("orders/order-placed", "2.0.0", newer),
        *member_wheels("orders/import", "1.0.0", placed, style="dataclass"),
    ]
    members = (
        Member("orders/order-placed", "1.0.0"),
        Member("orders/order-placed", "2.0.0"),
        Member("orders/import", "1.0.0"),
    )
    wheels.append(wheel_bytes(build_bundle(BundleRequest("orders", "1.2.0", members))))
    for wheel in wheels:
        (tmp_path / wheel.filename).write_bytes(wheel.content)
    site = tmp_path / "site"
    # What the members require is here already: an index without them is all that is asked.
    required = [
        w for w in wheels if w.filename.startswith(("orders_contracts", "orders_order_placed_v", "orders_import_v"))
    ]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run(
        [*pip, *(str(tmp_path / w.filename) for w in required)], check=True, capture_output=True, timeout=120
    )
    (tmp_path / "use.py").write_text(
        "import orders_contracts\n"
        "import orders_order_placed.v2 as direct\n"
        "from orders_contracts.order_placed import v1, v2\n"
        "from orders_contracts.orders_import.v1 import Import, parse\n"
        "held: v2.OrderPlaced = v2.parse('{\"key\": 3}')\n"
        "assert isinstance(held, direct.OrderPlaced)\n"
        "number: int = held.key\n"
        "text: str = v1.parse({'id': 'a'}).id\n"
        "third: Import = parse({'id': 'b'})\n"
        "assert (number, text, third.id) == (3, 'a', 'b')\n"
        "assert orders_contracts.CONTRACTS['orders_contracts.order_placed.v2'] == 'orders/order-placed 2.0.0'\n"
        "assert (v2.VERSION, orders_contracts.VERSION) == ('2.0.0', '1.2.0')\n"
    )
    (tmp_path / "wrong.py").write_text(
        "from orders_contracts.order_placed import v1, v2\n"
        "text: str = v2.parse(b'').key\n"
        "held: v1.OrderPlaced = v2.parse(b'')\n"
    )
    environment = {"PYTHONPATH": str(site), "MYPYPATH": str(site), "PATH": ""}
    subprocess.run([sys.executable, "-W", "error", "use.py"], cwd=tmp_path, env=environment, check=True, timeout=60)
    mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "use.py", "wrong.py"]
    done = subprocess.run(mypy, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=180)
    found = [line.partition(": error: ")[0] for line in done.stdout.splitlines() if ": error: " in line]
    assert found == ["wrong.py:2", "wrong.py:3"], done.stdout + done.stderr
