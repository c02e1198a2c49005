"""Versions as text that a database sorts as semver does, so that the latest of many is found without reading them all.

Both columns of `Publication` follow from its version and are filled where the row is made, by whatever makes it.
"""

from __future__ import annotations

from typing import Any

from deedbox.checker import versions
from deedbox.checker.errors import InvalidVersion


def major_key(version: str) -> str | None:
    """The major of a release; None for a pre-release, which is never live by itself, latest or default."""
    return _key(version, 1)


def precedence_key(version: str) -> str | None:
    """Major, minor and patch of a release (semver §11); None for a pre-release. Build metadata does not count."""
    return _key(version, 3)


def major_of_row(context: Any) -> str | None:
    """The default of a column: `major_key` of the row's version."""
    return major_key(context.get_current_parameters()["version"])


def precedence_of_row(context: Any) -> str | None:
    """The default of a column: `precedence_key` of the row's version."""
    return precedence_key(context.get_current_parameters()["version"])


def _key(version: str, parts: int) -> str | None:
    try:
        parsed = versions.parse(version)
    except InvalidVersion:
        return None
    if parsed.prerelease is not None:
        return None
    # Numbers of any length: how many digits there are comes first. Digits alone sort alike in every collation.
    return "".join(f"{len(str(n)):03}{n}" for n in (parsed.major, parsed.minor, parsed.patch)[:parts])
