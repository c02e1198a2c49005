"""Parts that several reading models share, as JSON values."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import shorten
from typing import Any

from deedbox.registry.services.browsing.fits import Fit
from deedbox.registry.services.browsing.overview import Head
from deedbox.registry.services.browsing.words import Word
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


def said_of(words: Iterable[Word]) -> str:
    """What a document says of itself as a whole."""
    return next((word.text for word in words if not word.pointer), "")


def head_view(head: Head, words: Iterable[Word]) -> dict[str, Any]:
    """A contract in short, with the words of its shown schema."""
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
        "description": shorten(said_of(words), _BRIEF, placeholder=" …"),
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
