from __future__ import annotations

import pytest
from deedbox.checker import versions
from deedbox.checker.errors import InvalidVersion


@pytest.mark.parametrize(
    ("previous", "bump", "needed"),
    [
        (None, "none", "1.0.0"),
        ("1.2.3", "major", "2.0.0"), ("1.2.3", "minor", "1.3.0"), ("1.2.3", "patch", "1.2.4"), ("1.2.3", "none", "1.2.3"),
        ("1.2.3", None, "2.0.0"),
        ("0.4.2", "major", "0.5.0"), ("0.4.2", "minor", "0.4.3"), ("0.4.2", "patch", "0.4.3"),
    ],
)  # fmt: skip
def test_needed(previous: str | None, bump: versions.Bump | None, needed: str) -> None:
    assert versions.needed(previous, bump) == needed


@pytest.mark.parametrize(
    ("declared", "previous", "bump", "enough"),
    [
        ("2.0.0", "1.2.3", "major", True), ("1.3.0", "1.2.3", "major", False), ("2.0.0-rc.1", "1.2.3", "major", True),
        ("1.2.4", "1.2.3", "minor", False), ("1.3.0", "1.2.3", "minor", True), ("3.0.0", "1.2.3", "patch", True),
        ("0.5.0", "0.4.2", "major", True), ("0.4.3", "0.4.2", "major", False), ("1.0.0", "0.4.2", "major", True),
        ("1.3.0-rc.1", "1.2.3", "minor", True), ("1.2.3", "1.2.3", "none", True),
    ],
)  # fmt: skip
def test_suffices(declared: str, previous: str, bump: versions.Bump, enough: bool) -> None:
    assert versions.suffices(declared, previous, bump) is enough


def test_greatest_leaves_prereleases_out() -> None:
    assert versions.greatest(["1.10.0", "1.9.0", "2.0.0-rc.1"]) == "1.10.0"
    assert versions.greatest(["2.0.0-rc.1"]) is None


def test_a_backport_follows_its_semver_predecessor() -> None:
    assert versions.predecessor("1.4.1", ["1.4.0", "2.0.0", "1.3.9"]) == "1.4.0"
    assert versions.predecessor("1.0.0", ["1.0.0", "2.0.0"]) is None


@pytest.mark.parametrize("text", ["1", "1.2", "v1.2.3", "1.2.3.4", "latest", "01.2.3", "", " 1.2.3"])
def test_what_is_no_version_says_so(text: str) -> None:
    with pytest.raises(InvalidVersion, match=r"MAJOR\.MINOR\.PATCH"):
        versions.parse(text)
