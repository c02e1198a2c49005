"""What the registry says, as values. They are the API's JSON with names that a type checker knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deedbox.checker.model import Finding, Inclusion, Witness
from deedbox.checker.policy import LinkOutcome, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deedbox.checker.model import Comparison, Role


@dataclass(frozen=True, slots=True)
class Difference:
    """A comparison as one role sees it: the object of `diff --format json`."""

    verdict: str
    bump: str | None
    role: str
    content_model: str
    backward: Inclusion
    forward: Inclusion
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, comparison: Comparison, role: Role) -> Difference:
        """What a role makes of a comparison made here."""
        judgement = comparison.judge(role)
        return cls(
            judgement.verdict,
            judgement.bump,
            role,
            comparison.content_model,
            comparison.backward,
            comparison.forward,
            judgement.findings,
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Difference:
        """Reads the API's form.

        Raises:
            LookupError, TypeError: a member is missing, or is none of those a difference has.
        """
        return cls(
            data["verdict"],
            data["bump"],
            data["role"],
            data["content_model"],
            _inclusion(data["backward"]),
            _inclusion(data["forward"]),
            tuple(_finding(item) for item in data["findings"]),
        )


Link = LinkOutcome
"""Whether one producer's version fits one consumer's."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The gate's answer for one contract. `difference` is None for a first publication."""

    contract: str
    role: str
    verdict: str
    bump: str | None
    previous: str | None
    declared: str | None
    needed: str | None
    allowed: bool | None
    allowed_by: str
    refusals: tuple[Refusal, ...] = ()
    difference: Difference | None = None
    links: tuple[Link, ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CheckResult:
        """Reads the API's form.

        Raises:
            LookupError, TypeError: a member is missing, or is none of those a result has.
        """
        comparison = data.get("comparison")
        return cls(
            data["contract"],
            data["role"],
            data["verdict"],
            data["bump"],
            data.get("previous"),
            data.get("declared"),
            data.get("needed"),
            data["allowed"],
            data.get("allowed_by") or "",
            tuple(Refusal(r["code"], r["message"], tuple(r.get("findings") or ())) for r in data["refusals"]),
            Difference.from_dict(comparison) if comparison is not None else None,
            tuple(link_from_dict(link) for link in data.get("links") or ()),
        )


def link_from_dict(data: Mapping[str, Any]) -> Link:
    """Reads the API's form of a link.

    Raises:
        LookupError, TypeError: a member is missing, or is none of those a link has.
    """
    return Link(
        data["producer"],
        data.get("producer_version") or "",
        data["consumer"],
        data.get("consumer_version") or "",
        data.get("channel") or "",
        data["holds"],
        data.get("reason") or "",
        _witness(data.get("witness")),
    )


def _witness(data: Mapping[str, Any] | None) -> Witness | None:
    return None if data is None else Witness(data["value"], data["why"])


def _inclusion(data: Mapping[str, Any]) -> Inclusion:
    return Inclusion(data["holds"], data.get("proof", ""), data.get("reason", ""), _witness(data.get("witness")))


def _finding(data: Mapping[str, Any]) -> Finding:
    return Finding(
        rule=data["rule"],
        kind=data.get("kind", "inclusion"),
        pointer=data["pointer"],
        location=data.get("location", data["pointer"]),
        level=data["level"],
        direction=data["direction"],
        message=data["message"],
        witness=_witness(data.get("witness")),
        fingerprint=data["fingerprint"],
        side=data.get("side", "new"),
    )
