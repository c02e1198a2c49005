"""Parts that several reading models share, as JSON values."""

from __future__ import annotations

from textwrap import shorten
from typing import Any

from deedbox.registry.services.browsing.fits import Fit
from deedbox.registry.services.browsing.overview import Head
from deedbox.registry.storage.browsing import BriefVersion
from deedbox.registry.storage.models import Entry

_BRIEF = 300
"""Characters of a description where many are listed."""


def entry_view(entry: Entry) -> dict[str, Any]:
    """One recorded fact."""
    return {
        "id": entry.seq,
        "at": entry.at,
        "by": entry.by,
        "kind": entry.kind,
        "subject": entry.subject,
        "data": entry.data,
    }


def fit_view(fit: Fit) -> dict[str, Any]:
    """One link, as the API shows it, and its state in a word."""
    return {**fit.outcome().as_dict(), "state": fit.state}


def head_view(head: Head, description: str) -> dict[str, Any]:
    """A contract in short, with what its shown schema says of itself."""
    return {
        "contract": head.contract,
        "service": head.service,
        "name": head.name,
        "role": head.role,
        "kind": head.kind,
        "of": head.of,
        "channels": list(head.channels),
        "format": head.format,
        "latest": head.latest,
        "versions": head.versions,
        "live": [end.version for end in head.live],
        "published_at": head.shown.at,
        "by": head.shown.by,
        "description": shorten(description, _BRIEF, placeholder=" …"),
    }


def version_view(version: BriefVersion, live: set[str]) -> dict[str, Any]:
    """A version in short."""
    return {
        "version": version.row.version,
        "ordinal": version.row.ordinal,
        "bump": version.row.bump,
        "published_at": version.at,
        "by": version.by,
        "live": version.row.version in live,
        "retired_at": version.retired_at,
        "retired_reason": version.retired_reason,
        "schema_digest": version.schema_digest,
    }
