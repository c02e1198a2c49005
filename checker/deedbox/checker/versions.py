"""Semantic versions (semver.org 2.0.0) as Deedbox reads them: which version a change deserves, and what it follows."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from deedbox.checker.errors import InvalidVersion
from semver import Version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deedbox.checker.model import Bump

# A registry asks the same few thousand over and over; parsed versions are never changed.
_parsed = lru_cache(maxsize=65_536)(Version.parse)

FIRST = "1.0.0"
"""A contract's first version, unless another is said."""


def parse(version: str) -> Version:
    """A version, parsed.

    Raises:
        InvalidVersion: it is none, and what one looks like.
    """
    try:
        return _parsed(version)
    except (ValueError, TypeError):
        raise InvalidVersion(
            f"{version!r} is no semantic version: write MAJOR.MINOR.PATCH, as 1.4.0 or 2.0.0-rc.1"
        ) from None


def is_release(version: str) -> bool:
    """Whether it may be latest, default or a baseline: pre-releases never are."""
    return parse(version).prerelease is None


def line_of(version: str) -> tuple[int, int]:
    """The versions that promise to fit each other: one major, or one minor below 1.0.0 (semver §4)."""
    parsed = parse(version)
    return (parsed.major, 0) if parsed.major else (0, parsed.minor)


def greatest(versions: Iterable[str]) -> str | None:
    """The greatest release among versions, by precedence; None without one."""
    return max((v for v in versions if is_release(v)), key=parse, default=None)


def predecessor(version: str, published: Iterable[str]) -> str | None:
    """The greatest release below a version: what it is compared with, a backport's included."""
    this = parse(version)
    return greatest(v for v in published if parse(v) < this)


def needed(previous: str | None, bump: Bump | None) -> str:
    """The least version that a change deserves after `previous`. Below 1.0.0 a break bumps y and all else z."""
    if previous is None:
        return FIRST
    before = parse(previous)
    if bump == "none":
        return previous
    if bump == "major" or bump is None:
        return str(before.bump_major() if before.major else before.bump_minor())
    if bump == "minor" and before.major:
        return str(before.bump_minor())
    return str(before.bump_patch())


def suffices(declared: str, previous: str, bump: Bump) -> bool:
    """Whether a declared version is high enough for a change after `previous`. A pre-release counts as its release."""
    said = parse(declared).finalize_version()
    return said >= parse(needed(previous, bump)) if bump != "none" else parse(declared) >= parse(previous)
