"""What a comparison says: inclusions, findings, witnesses, judgements. Frozen values, no behaviour of their own."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

JsonValue: TypeAlias = "bool | int | Decimal | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
"""A parsed JSON value. Numbers are exact: an `int` where the value is integral (1.0 is 1), else a `Decimal`."""

Direction: TypeAlias = Literal["backward", "forward", "policy"]
Level: TypeAlias = Literal["breaking", "additive", "patch", "undecided"]
Kind: TypeAlias = Literal["inclusion", "policy", "annotation"]
Verdict: TypeAlias = Literal["breaking", "additive", "patch", "identical", "undecided"]
Bump: TypeAlias = Literal["major", "minor", "patch", "none"]
Role: TypeAlias = Literal["consumes", "produces", "provides", "both"]
ContentModel: TypeAlias = Literal["tolerant", "open", "closed"]
Proof: TypeAlias = Literal["identical", "algebra", "search", ""]

ROLES: tuple[Role, ...] = ("consumes", "produces", "provides", "both")
CONTENT_MODELS: tuple[ContentModel, ...] = ("tolerant", "open", "closed")


@dataclass(frozen=True, slots=True)
class Witness:
    """A message that one side accepts and the other rejects.

    `value` is the message itself (which may be null), `why` the rejecting reader's reason. Of a policy finding it is a
    message that both sides accept, and `why` says what is lost.
    """

    value: Any
    why: str


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The answer to `writer ⊆ reader` in one direction.

    `holds` is True (then `proof` names the engine), False (then `witness` is there) or None: undecided, and `reason`
    says what stopped the proof.
    """

    holds: bool | None
    proof: Proof = ""
    reason: str = ""
    witness: Witness | None = None

    def as_dict(self) -> dict[str, Any]:
        """The inclusion as `diff --format json` prints it."""
        return {
            "holds": self.holds,
            "proof": self.proof,
            "reason": self.reason,
            "witness": witness_dict(self.witness),
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about a change.

    `pointer` is the resolved path from the root of the document named by `side` (the new one, the old one for what was
    removed), `location` the place in that document that it resolves to through `$ref`s. `level` is the one it has where
    `direction` is asked for; a role's judgement may lower it.
    """

    rule: str
    kind: Kind
    pointer: str
    location: str
    level: Level
    direction: Direction
    message: str
    witness: Witness | None
    fingerprint: str
    side: Literal["new", "old"] = "new"
    reach: tuple[str, ...] = ()
    """For an API: every operation that has this one cause in common."""

    def as_dict(self) -> dict[str, Any]:
        """The finding as `diff --format json` prints it, less `file` and `line`, which a caller with files adds."""
        return {
            "rule": self.rule,
            "kind": self.kind,
            "pointer": self.pointer,
            "location": self.location,
            "level": self.level,
            "direction": self.direction,
            "message": self.message,
            "witness": witness_dict(self.witness),
            "fingerprint": self.fingerprint,
            "side": self.side,
            **({"reach": list(self.reach)} if self.reach else {}),
        }


@dataclass(frozen=True, slots=True)
class Judgement:
    """A comparison as one role sees it."""

    verdict: Verdict
    bump: Bump | None
    findings: tuple[Finding, ...]
    role: Role = "consumes"


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that is known of the change from one document to another. It knows no role: `judge` applies one.

    `equal` says whether the accepted sets are the same both to the letter and read closed: None where undecided.
    """

    format: str
    content_model: ContentModel
    old_digest: str
    new_digest: str
    backward: Inclusion
    forward: Inclusion
    equal: bool | None
    findings: tuple[Finding, ...]

    def judge(self, role: Role) -> Judgement:
        """The verdict, the version bump and the findings for a contract of this role."""
        from deedbox.checker.policy import judge

        return judge(self, role)

    def as_dict(self, role: Role) -> dict[str, Any]:
        """The object that `diff --format json` prints."""
        judgement = self.judge(role)
        return {
            "verdict": judgement.verdict,
            "bump": judgement.bump,
            "role": role,
            "content_model": self.content_model,
            "backward": self.backward.as_dict(),
            "forward": self.forward.as_dict(),
            "findings": [finding.as_dict() for finding in judgement.findings],
        }


def witness_dict(witness: Witness | None) -> dict[str, Any] | None:
    """A witness as JSON output shows it."""
    return None if witness is None else {"value": witness.value, "why": witness.why}
