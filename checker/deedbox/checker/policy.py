"""What facts mean: the judgement of a comparison for a role, and the gate's answer. Pure, and the only such place."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from deedbox.checker import versions
from deedbox.checker.model import Bump, Comparison, Finding, Judgement, Level, Role, Verdict, Witness, witness_dict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

_RANK: dict[Level, int] = {"breaking": 0, "undecided": 1, "additive": 2, "patch": 3}
API_FORMATS = frozenset({"openapi"})
"""Formats whose backward direction is the provider's: a client keeps the other one."""

UNMARKED_REMOVALS = frozenset({"property-removed", "property-renamed"})
"""Rules by which a field goes that no published version had marked obsolete."""
MARKED_REMOVALS = frozenset({"obsolete-property-removed"})
"""Rules by which an obsolete field goes: a *stop* by its producer, a *drop* by its consumer."""

RefusalCode: TypeAlias = Literal[
    "version-too-low",
    "breaking-change",
    "link-broken",
    "field-life",
    "undecided",
    "version-not-above",
    "observed-failing",
]


def directions_of(role: Role, document_format: str = "json-schema") -> tuple[str, ...]:
    """The directions that a role must keep."""
    if role == "both":
        return ("backward", "forward")
    if document_format == "asyncapi":
        # What an application sends and reads stands in one document: each operation has its own direction already.
        return ("backward",)
    if role == "produces" or (role == "consumes" and document_format in API_FORMATS):
        return ("forward",)
    return ("backward",)


def default_role(document_format: str) -> Role:
    """The role of a document of which nobody said one: an API is provided, a message read."""
    return "provides" if document_format in API_FORMATS else "consumes"


def judge(comparison: Comparison, role: Role) -> Judgement:
    """Applies a role to a comparison. Findings come worst first, those of a direction nobody asked for lowered."""
    asked = directions_of(role, comparison.format)
    findings = _as_asked(comparison.findings, asked)
    inclusions = [comparison.backward if d == "backward" else comparison.forward for d in asked]
    broken = any(i.holds is False for i in inclusions) or any(f.level == "breaking" for f in findings)
    verdict: Verdict
    bump: Bump | None
    if comparison.old_digest == comparison.new_digest:
        verdict, bump = "identical", "none"
    elif broken:
        verdict, bump = "breaking", "major"
    elif any(i.holds is None for i in inclusions) or any(
        f.level == "undecided" and f.direction == "policy" for f in findings
    ):
        verdict, bump = "undecided", None
    elif comparison.equal and not any(f.level == "additive" and f.kind == "annotation" for f in findings):
        verdict, bump = "patch", "patch"
    else:
        verdict, bump = "additive", "minor"
    return Judgement(verdict, bump, findings, role)


def _as_asked(findings: Sequence[Finding], asked: tuple[str, ...]) -> tuple[Finding, ...]:
    kept: list[Finding] = []
    said: set[tuple[str, str, str]] = set()
    # One fact can break by proof and by policy: the proof says more. And of two directions the broken one does.
    for finding in sorted(findings, key=lambda f: (f.direction == "policy", _RANK[f.level])):
        key = (finding.rule, finding.pointer, finding.side)
        if (finding.direction == "policy" or finding.direction in asked) and (key not in said or not finding.pointer):
            kept.append(finding)
            said.add(key)
    for finding in findings:
        if (finding.rule, finding.pointer, finding.side) not in said:
            level: Level = "patch" if finding.level == "patch" else "additive"
            if finding.rule != "undecided":
                kept.append(replace(finding, level=level))
    return tuple(sorted(kept, key=lambda f: (_RANK[f.level], f.pointer, f.rule)))


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A break accepted by name: the finding's fingerprint and rule, why, by whom, until which day (inclusive; None: for good)."""

    fingerprint: str
    rule: str
    reason: str
    by: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """A published version of the contract, and how the proposed document compares with it (old: that version)."""

    version: str
    retired: bool
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True)
class LinkOutcome:
    """One live producer's version against one live consumer's: may this writer's messages all be read?

    Of an API the producer is its provider, the consumer a client, and `channel` is empty.
    """

    producer: str
    producer_version: str
    consumer: str
    consumer_version: str
    channel: str
    holds: bool | None
    reason: str = ""
    witness: Witness | None = None

    def as_dict(self) -> dict[str, Any]:
        """The link as the API and reports show it."""
        return {
            "producer": self.producer,
            "producer_version": self.producer_version,
            "consumer": self.consumer,
            "consumer_version": self.consumer_version,
            "channel": self.channel,
            "holds": self.holds,
            "reason": self.reason,
            "witness": witness_dict(self.witness),
        }


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason for the gate's no, with the fingerprints of the findings behind it."""

    code: RefusalCode
    message: str
    findings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The refusal as the API and reports show it."""
        return {"code": self.code, "message": self.message, "findings": list(self.findings)}


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate's answer. `allowed` is None where the only reasons against are open questions."""

    verdict: Verdict | Literal["new"]
    bump: Bump | None
    previous: str | None
    declared: str | None
    needed: str
    allowed: bool | None
    allowed_by: Literal["", "version", "accepted"]
    refusals: tuple[Refusal, ...]
    judgement: Judgement | None = field(repr=False, default=None)

    def as_dict(self) -> dict[str, Any]:
        """The answer as the API and reports show it, less the comparison and the links."""
        return {
            "verdict": self.verdict,
            "bump": self.bump,
            "previous": self.previous,
            "declared": self.declared,
            "needed": self.needed,
            "allowed": self.allowed,
            "allowed_by": self.allowed_by,
            "refusals": [refusal.as_dict() for refusal in self.refusals],
        }


def to_compare(declared: str | None, history: Sequence[Release]) -> tuple[str | None, list[str]]:
    """What a proposed version is compared with.

    Returns:
        The baseline (that version where it is released already, else the greatest unretired release below it; the
        greatest of all where no version is declared), and
        every other unretired release that it must fit: those of its own line (DESIGN: tolerant inclusion is not
        transitive, so each is asked).
    """
    live = [r.version for r in history if not r.retired]
    if declared is None:
        baseline = versions.greatest(live)
        line = versions.line_of(baseline) if baseline else None
    else:
        # A version that is there already is compared with itself: other content under it needs a version of its own.
        baseline = declared if declared in live else versions.predecessor(declared, live)
        line = versions.line_of(declared)
    others = [
        v for v in live
        if v != baseline and versions.is_release(v) and versions.line_of(v) == line
        and (baseline is None or versions.parse(v) < versions.parse(baseline))
    ]  # fmt: skip
    return baseline, others


def gate(
    role: Role,
    declared: str | None,
    history: Sequence[Release],
    links: Sequence[LinkOutcome],
    accepted: Sequence[Acceptance],
    today: date,
    *,
    drained: Mapping[str, str] | None = None,
    queued: bool = True,
) -> Gate:
    """Whether a proposed version may be published.

    No, where the declared version is below the needed one, a live link fails, or a field goes against the rules of its
    life. A break under its proper major whose live links hold passes, `allowed_by` "version".

    Args:
        role: the contract's.
        declared: the proposed version, or None to have it worked out.
        history: every published version; those that `to_compare` names with their comparison.
        links: every live link that the proposed version would have.
        accepted: what was accepted by name.
        today: the day by which `until` is judged.
        drained: place of an obsolete field in a message → "gone" where a proof exists, else what is in its way.
        queued: whether messages of this contract may wait in a queue (it names a channel).

    Raises:
        InvalidVersion: `declared` is none.
    """
    baseline, others = to_compare(declared, history)
    by_version = {r.version: r for r in history}
    fingerprints = {a.fingerprint for a in accepted if a.until is None or today <= a.until}
    refusals = [_refused_link(link) for link in links if link.holds is not True]
    if baseline is None:
        return _answer("new", "none", None, declared, declared or _first(history), "", refusals, None)
    judgement = _judged(by_version[baseline], role)
    bump = judgement.bump
    if judgement.verdict == "identical" and declared in (None, baseline):
        others = []  # nothing to publish: what the version broke was judged when it came
    removed_by_acceptance = False
    if judgement.verdict in ("breaking", "undecided"):
        open_findings = [f for f in judgement.findings if f.level in ("breaking", "undecided")]
        if open_findings and all(f.fingerprint in fingerprints for f in open_findings):
            bump, removed_by_acceptance = "minor", True
        elif judgement.verdict == "undecided":
            if declared is not None and versions.suffices(declared, baseline, "major"):
                bump = "major"  # declared as a break: what could not be decided is allowed either way
            else:
                refusals.append(_undecided(judgement, baseline))
    blocking = [f for f in judgement.findings if f.level == "breaking" and f.fingerprint not in fingerprints]
    broken_earlier: list[str] = []
    for other in others:
        earlier = _judged(by_version[other], role)
        fresh = [f for f in earlier.findings if f.level == "breaking" and f.fingerprint not in fingerprints]
        if earlier.verdict == "breaking" and fresh:
            if bump != "major":
                broken_earlier.append(other)
            blocking += fresh
        elif earlier.verdict == "undecided" and not all(
            f.fingerprint in fingerprints for f in earlier.findings if f.level == "undecided"
        ):
            refusals.append(_undecided(earlier, other))
    detail = ""
    if broken_earlier:
        # The greatest version is kept, yet a reader of an earlier one of the same line is not.
        bump, detail = "major", f": it breaks {', '.join(broken_earlier)}"
    needed = versions.needed(baseline, bump)
    if declared is None and bump == "major":
        # A version worked out by us would wave every break through: it takes a person to say that it is meant.
        refusals.append(
            Refusal(
                "breaking-change",
                f"this breaks {', '.join(broken_earlier) or baseline}: undo it, or declare version {needed} to publish it as the break it is",
                tuple(dict.fromkeys(f.fingerprint for f in blocking)),
            )
        )
    if declared is not None:
        in_line = any(versions.line_of(declared) == versions.line_of(v) for v in broken_earlier)
        if in_line or (bump is not None and not versions.suffices(declared, baseline, bump)):
            refusals.append(_too_low(needed, declared, blocking, detail))
        elif judgement.verdict != "identical" and versions.parse(declared) <= versions.parse(baseline):
            refusals.append(Refusal("version-not-above", f"{declared} is not above {baseline}"))
    refusals += _field_lives(blocking, role, drained or {}, queued)
    allowed_by: Literal["", "version", "accepted"] = (
        "accepted" if removed_by_acceptance else "version" if bump == "major" else ""
    )
    return _answer(judgement.verdict, bump, baseline, declared, needed, allowed_by, refusals, judgement)


def _first(history: Sequence[Release]) -> str:
    """The version of a contract with no live release: 1.0.0, or the next major after what was retired."""
    last = versions.greatest(r.version for r in history)
    return versions.needed(last, "major") if last else versions.FIRST


def _answer(
    verdict: Any,
    bump: Bump | None,
    previous: str | None,
    declared: str | None,
    needed: str,
    allowed_by: Literal["", "version", "accepted"],
    refusals: Sequence[Refusal],
    judgement: Judgement | None,
) -> Gate:
    allowed: bool | None = not refusals
    if refusals and all(r.code == "undecided" for r in refusals):
        allowed = None
    return Gate(
        verdict, bump, previous, declared, needed, allowed, allowed_by if allowed else "", tuple(refusals), judgement
    )


def _judged(release: Release, role: Role) -> Judgement:
    assert release.comparison is not None, f"no comparison with {release.version}"
    return release.comparison.judge(role)


def _refused_link(link: LinkOutcome) -> Refusal:
    # What is published for the first time has no version yet.
    ends = (link.producer, link.producer_version), (link.consumer, link.consumer_version)
    pair = " → ".join(" ".join(filter(None, end)) for end in ends)
    pair += f" on {link.channel}" if link.channel else ""
    if link.holds is None:
        return Refusal("undecided", f"could not tell whether {pair} holds: {link.reason}")
    return Refusal("link-broken", f"{pair} breaks: {link.reason}")


def _undecided(judgement: Judgement, version: str) -> Refusal:
    open_findings = [f for f in judgement.findings if f.level == "undecided"]
    reason = "; ".join(dict.fromkeys(f.message for f in open_findings)) or "neither proof nor witness"
    return Refusal(
        "undecided",
        f"could not tell whether {version} is broken: {reason}",
        tuple(f.fingerprint for f in open_findings),
    )


def _too_low(needed: str, declared: str, findings: Sequence[Finding], detail: str = "") -> Refusal:
    return Refusal(
        "version-too-low",
        f"this needs {needed}, you said {declared}{detail}",
        tuple(dict.fromkeys(f.fingerprint for f in findings)),
    )


def _field_lives(blocking: Sequence[Finding], role: Role, drained: Mapping[str, str], queued: bool) -> list[Refusal]:
    """Refusals by the life of a field: it must have been marked, and a consumer's must be gone from every queue."""
    # Here, since a command that only judges would pay for the whole search otherwise.
    from deedbox.checker.json_schema.obsolete import in_message

    refusals = []
    # Versions of before the mark are compared with too: the field goes once, and has been marked since.
    marked = {in_message(f.pointer) for f in blocking if f.rule in MARKED_REMOVALS} - {None}
    for finding in {f.fingerprint: f for f in blocking}.values():
        if finding.rule in UNMARKED_REMOVALS:
            if in_message(finding.pointer) in marked:
                continue
            refusals.append(
                Refusal(
                    "field-life",
                    f"{finding.pointer} goes without having been marked: publish it with `deprecated: true` first, or "
                    f"accept {finding.fingerprint}",
                    (finding.fingerprint,),
                )
            )
        elif finding.rule in MARKED_REMOVALS and role == "consumes" and queued:
            state = drained.get(in_message(finding.pointer) or "", "")
            if state != "gone":
                why = f"it is not gone from every queue yet: {state}. W" if state else (
                    "nothing shows that it is gone from every queue yet: run `deedbox drain`, w"
                )  # fmt: skip
                refusals.append(
                    Refusal(
                        "field-life",
                        f"{finding.pointer} is obsolete, but {why}ait for the drain proof, or accept "
                        f"{finding.fingerprint}",
                        (finding.fingerprint,),
                    )
                )
    return refusals
