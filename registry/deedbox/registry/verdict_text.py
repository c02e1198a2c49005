"""A Comparison as text and back, exactly: what verdict rows keep and comparing processes send."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from deedbox.checker.canonical import canonical, digest
from deedbox.checker.model import Comparison, Direction, Finding, Inclusion, Witness

_DIRECTIONS: tuple[Direction, ...] = ("backward", "forward")


def encode(comparison: Comparison) -> str:
    """The text of a comparison. Numbers in witnesses stay exact."""
    value = {
        "format": comparison.format,
        "content_model": comparison.content_model,
        "old_digest": comparison.old_digest,
        "new_digest": comparison.new_digest,
        "backward": comparison.backward.as_dict(),
        "forward": comparison.forward.as_dict(),
        "equal": comparison.equal,
        "findings": [finding.as_dict() for finding in comparison.findings],
    }
    return canonical(value).decode()


def decode(text: str) -> Comparison:
    """The comparison that `encode` wrote."""
    value = json.loads(text, parse_float=Decimal)
    return Comparison(
        format=value["format"],
        content_model=value["content_model"],
        old_digest=value["old_digest"],
        new_digest=value["new_digest"],
        backward=_inclusion(value["backward"]),
        forward=_inclusion(value["forward"]),
        equal=value["equal"],
        findings=tuple(
            Finding(**{**finding, "witness": _witness(finding["witness"])}) for finding in value["findings"]
        ),
    )


def undecided(format_: str, content_model: Any, contract: str, old: Any, new: Any, reason: str) -> Comparison:
    """The comparison of two documents, given by value, of which nothing could be found out."""
    # Lazily: it brings the whole checker, and only this rare answer needs it.
    from deedbox.checker.json_schema.comparing import fingerprint

    unknown = Inclusion(holds=None, reason=reason)
    findings = tuple(
        Finding(
            "undecided",
            "inclusion",
            "",
            "",
            "undecided",
            direction,
            f"{direction}: {reason}",
            None,
            fingerprint(f"undecided:{direction}", contract, "", old, new),
        )
        for direction in _DIRECTIONS
    )
    return Comparison(format_, content_model, digest(old), digest(new), unknown, unknown, None, findings)


def _inclusion(value: dict[str, Any]) -> Inclusion:
    return Inclusion(value["holds"], value["proof"], value["reason"], _witness(value["witness"]))


def _witness(value: dict[str, Any] | None) -> Witness | None:
    return None if value is None else Witness(value["value"], value["why"])
