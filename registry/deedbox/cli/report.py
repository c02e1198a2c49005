"""What a command found, in one value that every output format prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from deedbox.cli.exits import Exit, worst

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from deedbox.checker.model import Finding, Inclusion, Witness
    from deedbox.checker.policy import Acceptance, Refusal
    from deedbox.client.values import Link

Severity = Literal["error", "warning", "note"]

LEVELS = ("breaking", "undecided", "additive", "patch")
"""The levels of findings, worst first."""

LINK_ADVICE = (
    "a live link breaks, which no acceptance covers: let the other side change first, or use a channel of its own"
)

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Located:
    """A finding, and where it is in a file that the user has. `line` and `column` count from 1.

    `annotated` is where a code host shows it: a place in the new file always, since no other is in the change.
    """

    finding: Finding
    file: str | None
    line: int | None
    column: int | None = None
    annotated: tuple[str, int | None, int | None] | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """What live messages say of a change: sentences for people, and the object for JSON (see `trying.as_object`)."""

    sentences: tuple[str, ...]
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One contract's change, or the difference of two files.

    `name` is the contract, or the new file; `old` and `new` name the sides. `allowed` is the gate's answer:
    None where it could not tell. `file` and `line` say where the user looks for what is wrong with the whole.
    """

    name: str
    old: str
    new: str
    role: str
    content_model: str
    verdict: str
    bump: str | None
    allowed: bool | None
    backward: Inclusion | None = None
    forward: Inclusion | None = None
    findings: tuple[Located, ...] = ()
    file: str | None = None
    line: int | None = None
    previous: str | None = None
    declared: str | None = None
    needed: str | None = None
    allowed_by: str = ""
    refusals: tuple[Refusal, ...] = ()
    links: tuple[Link, ...] = ()
    observed: Observed | None = None
    accepted: tuple[Acceptance, ...] = ()
    """What the project accepts, of this contract or another, in force or not any more."""

    @property
    def exit(self) -> Exit:
        """The exit code of this change alone."""
        return {True: Exit.FINE, False: Exit.NO, None: Exit.UNKNOWN}[self.allowed]

    def issues(self) -> Iterator[Issue]:
        """What there is to say about it, one place at a time, worst first."""
        refused = {fingerprint for refusal in self.refusals for fingerprint in refusal.findings}
        yield from sorted(
            (self._issue(located, refused) for located in self.findings),
            key=lambda issue: (SEVERITIES.index(issue.severity), issue.order),
        )
        for link in self.links:
            if link.holds is not True:
                yield Issue(
                    severity="warning" if link.holds is None else "error",
                    rule="link-undecided" if link.holds is None else "link-broken",
                    message=link_sentence(link),
                    contract=self.name,
                    file=self.file,
                    line=self.line,
                    witness=link.witness,
                )
        broken = any(link.holds is False for link in self.links)
        for refusal in self.refusals:
            if not refusal.findings and not (refusal.code == "link-broken" and broken):
                yield Issue(
                    severity="warning" if refusal.code == "undecided" else "error",
                    rule=refusal.code,
                    message=refusal.message,
                    contract=self.name,
                    file=self.file,
                    line=self.line,
                )
        if self.verdict == "undecided" and not self.refusals and not _has_undecided(self.findings):
            for direction, reason in self.undecided():
                yield Issue(
                    severity="warning",
                    rule="undecided",
                    message=f"undecided whether {direction} compatibility holds: {reason}",
                    contract=self.name,
                    file=self.file,
                    line=self.line,
                )

    def undecided(self) -> Iterator[tuple[str, str]]:
        """The directions that are undecided, each with the reason."""
        for direction, inclusion in (("backward", self.backward), ("forward", self.forward)):
            if inclusion is not None and inclusion.holds is None:
                yield direction, inclusion.reason or "no reason was given"

    def _issue(self, located: Located, refused: set[str]) -> Issue:
        finding = located.finding
        severity: Severity = "note"
        if finding.level == "breaking":
            # A break that its version or an acceptance covers is worth seeing, and stops nothing.
            stops = finding.fingerprint in refused if self.refusals else self.allowed is False
            severity = "error" if stops else "warning"
        elif finding.level == "undecided":
            severity = "warning"
        file, line, column = located.annotated or (located.file, located.line, located.column)
        return Issue(
            severity=severity,
            rule=finding.rule,
            message=finding.message,
            contract=self.name,
            file=file or self.file,
            line=line or self.line,
            column=column,
            pointer=finding.pointer,
            witness=finding.witness,
            fingerprint=finding.fingerprint,
            level=finding.level,
        )


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing at one place, as annotation formats (SARIF, GitHub, GitLab, JUnit) show it."""

    severity: Severity
    rule: str
    message: str
    contract: str
    file: str | None = None
    line: int | None = None
    pointer: str | None = None
    witness: Witness | None = None
    fingerprint: str = ""
    level: str = ""
    column: int | None = None

    @property
    def why(self) -> str:
        """The reader's reason; empty without a witness, and where the message has said it."""
        return why_beyond(self.message, self.witness)

    @property
    def order(self) -> tuple[int, str, int]:
        """Where it stands among those of its severity."""
        level = LEVELS.index(self.level) if self.level in LEVELS else -1
        return level, self.file or "", self.line or 0


@dataclass(frozen=True, slots=True)
class Failure:
    """A document or a contract that could not be judged at all. `exit` is 2 or 3."""

    code: str
    message: str
    name: str = ""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    pointer: str | None = None
    exit: Exit = Exit.WRONG

    def issue(self) -> Issue:
        """It as an annotation."""
        return Issue(
            "error", self.code, self.message, self.name, self.file, self.line, self.pointer, column=self.column
        )


@dataclass(frozen=True, slots=True)
class Publication:
    """A version as the registry has it now. `created` says whether this run made it."""

    contract: str
    version: str
    created: bool
    digest: str | None = None
    bump: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All that one run found."""

    command: Literal["diff", "check", "publish", "can-i-deploy"]
    changes: tuple[Change, ...] = ()
    failures: tuple[Failure, ...] = ()
    published: tuple[Publication, ...] = ()

    @property
    def exit(self) -> Exit:
        """The exit code of the run."""
        return worst([*(change.exit for change in self.changes), *(failure.exit for failure in self.failures)])

    @property
    def allowed(self) -> bool | None:
        """True where all may pass, False where something may not or is wrong, None where it is open."""
        return {Exit.FINE: True, Exit.UNKNOWN: None}.get(self.exit, False)

    def issues(self) -> list[Issue]:
        """All issues, worst first; failures come before all."""
        found = [issue for change in self.changes for issue in change.issues()]
        found.sort(key=lambda issue: SEVERITIES.index(issue.severity))
        return [*(failure.issue() for failure in self.failures), *found]


def _has_undecided(findings: tuple[Located, ...]) -> bool:
    return any(located.finding.level == "undecided" for located in findings)


def why_beyond(message: str, witness: Witness | None) -> str:
    """What a witness's reason says beyond a finding's message, but for the place before its colon; empty where nothing."""
    if witness is None:
        return ""
    _, _, said = witness.why.partition(": ")
    return "" if message.endswith(said or witness.why) else witness.why


def link_sentence(link: Link) -> str:
    """What a link says, in one sentence. One without a channel is of an API: its provider and a client."""
    producer = f"{link.producer} {link.producer_version or ''}".rstrip()
    consumer = f"{link.consumer} {link.consumer_version or ''}".rstrip()
    on = f" on {link.channel}" if link.channel else ""
    because = f": {link.reason}" if link.reason else ""
    if link.holds is True:
        return f"{consumer} can read all that {producer} sends{on}" if on else f"{consumer} can use {producer}"
    if link.holds is False:
        broken = f"{consumer} cannot read all that {producer} sends{on}" if on else f"{consumer} cannot use {producer}"
        return broken + because
    asked = f"{consumer} can read all that {producer} sends{on}" if on else f"{consumer} can use {producer}"
    return f"undecided whether {asked}{because}"
