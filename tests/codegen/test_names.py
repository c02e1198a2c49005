"""Names and versions of packages."""

from __future__ import annotations

import pickle

import pytest
from deedbox.checker.errors import InvalidVersion
from deedbox.codegen import naming
from deedbox.codegen.errors import InvalidName, ReservedName, VersionNotPackageable
from packaging.version import Version


def test_a_distribution_is_named_after_its_contract() -> None:
    assert naming.distribution_name("billing/order-placed") == "billing-order-placed"
    assert naming.distribution_name("Büro/Order_Placed.v1") == "buro-order-placed-v1"
    assert naming.distribution_name("billing/order-placed", "Billing.Orders") == "billing-orders"
    assert naming.module_of("billing-order-placed") == "billing_order_placed"


def test_the_prefix_of_an_index_is_kept() -> None:
    assert naming.distribution_name("billing/order-placed", prefix="acme") == "acme-billing-order-placed"
    assert naming.distribution_name("billing/order-placed", "acme-orders", "acme") == "acme-orders"
    with pytest.raises(InvalidName, match="call it 'acme-orders'"):
        naming.distribution_name("billing/order-placed", "orders", "acme")


@pytest.mark.parametrize("name", ["", "-", "a b", "🚀", "ünder", "1st", "import", "a" * 101, "../x", "a\n"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        naming.checked_distribution(name)


@pytest.mark.parametrize("name", ["pydantic", "Typing_Extensions", "json", "deedbox", "concurrent", "pip"])
def test_what_packages_need_is_reserved(name: str) -> None:
    with pytest.raises(ReservedName):
        naming.checked_distribution(name)


def test_no_name_can_be_made_of_signs_alone() -> None:
    with pytest.raises(InvalidName, match=r'package = "…"') as caught:
        naming.distribution_name("billing/🚀")
    assert pickle.loads(pickle.dumps(caught.value)).name == "billing/🚀"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("order-placed", "OrderPlaced"),
        ("HTTPError", "HTTPError"),
        ("orders v2", "OrdersV2"),
        ("2fa", "The2Fa"),
        ("none", "NoneMessage"),
        ("any", "AnyMessage"),
    ],
)
def test_class_names(name: str, wanted: str) -> None:
    assert naming.class_name(name) == wanted


@pytest.mark.parametrize(
    ("version", "form"),
    [
        ("2.3.0", "2.3.0"),
        ("2.0.0-rc.1", "2.0.0rc1"),
        ("2.0.0-alpha", "2.0.0a0"),
        ("1.0.0-beta.12", "1.0.0b12"),
        ("1.0.0-dev.3", "1.0.0.dev3"),
        ("1.0.0+build-5", "1.0.0+build.5"),
    ],
)
def test_pep440_forms(version: str, form: str) -> None:
    assert naming.pep440(version) == form == str(Version(form))


def test_installers_order_versions_as_semver_does() -> None:
    ordered = ["1.0.0-alpha", "1.0.0-alpha.2", "1.0.0-beta.1", "1.0.0-rc.1", "1.0.0-rc.10", "1.0.0", "1.10.0"]
    forms = [Version(naming.pep440(v)) for v in ordered]
    assert forms == sorted(forms)


@pytest.mark.parametrize("version", ["1.0.0-1", "1.0.0-rc.1.2", "1.0.0-snapshot", "1.0.0-x.y"])
def test_versions_without_such_a_form_are_refused(version: str) -> None:
    with pytest.raises(VersionNotPackageable, match="PEP 440"):
        naming.pep440(version)


def test_what_is_no_semantic_version_is_refused() -> None:
    with pytest.raises(InvalidVersion):
        naming.pep440("1.0")
