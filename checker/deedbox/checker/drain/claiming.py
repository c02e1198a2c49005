"""From evidence to a claim: which state a field is in, and what stands in the way of the next one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from deedbox.checker.drain.conditions import CONDITIONS, Goal
from deedbox.checker.drain.evidence import Evidence
from deedbox.checker.drain.view import View

State: TypeAlias = Literal["unmarked", "marked", "stopped", "draining", "blocked", "consumed", "gone", "dropped"]
STATES: dict[State, str] = {
    "unmarked": "No published version marks the field `deprecated: true`.",
    "marked": "It is marked; its producers may still send it.",
    "stopped": "Its producers have a version without it; it is not yet sure that the last message with it is written.",
    "draining": "Nobody writes it any more. Messages with it are still read, or still in the logs.",
    "blocked": "Something stands in the way that time alone will not mend.",
    "consumed": "As of the time of reading, every consumer's committed offset is past the last message with it. Offsets "
    "may be rewound, and new groups may begin at the start: the messages are still there.",
    "gone": "No log holds a message with it, and nobody is left who could write one.",
    "dropped": "No consumer declares it any more.",
}

REWIND = "by offsets only: a group that is rewound, or a new one that begins at the start, still gets the field"


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing in the way: the condition that does not hold, where, and what would unblock it.

    `blocks` are the claims it withholds. `waits`: time alone may mend it.
    """

    condition: str
    message: str
    unblocks: str
    blocks: tuple[Goal, ...]
    waits: bool
    topic: str = ""
    partition: int | None = None
    group: str = ""
    offset: int | None = None
    needed: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The reason as JSON can say it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Claim:
    """What the evidence proves. `consumed` and `gone` are two different claims: see `STATES`."""

    state: State
    consumed: bool
    gone: bool
    as_of: int
    reasons: tuple[Reason, ...]
    warnings: tuple[str, ...] = ()

    def against(self, goal: Goal) -> tuple[Reason, ...]:
        """What withholds one of the claims."""
        return tuple(reason for reason in self.reasons if goal in reason.blocks)

    def as_dict(self) -> dict[str, Any]:
        """The claim as the API and reports show it."""
        return {
            "state": self.state,
            "consumed": self.consumed,
            "gone": self.gone,
            "as_of": self.as_of,
            "reasons": [reason.as_dict() for reason in self.reasons],
            "warnings": list(self.warnings),
        }


def claim(evidence: Evidence, *, without: Collection[str] = ()) -> Claim:
    """Makes the claim that the evidence allows, and no greater one.

    Args:
        evidence: what was read.
        without: conditions left out; see `View`.
    """
    view = View(evidence, without)
    reasons = tuple(
        Reason(
            condition.id, hit.message, condition.unblocks, hit.blocks or condition.blocks, hit.waits, hit.topic, hit.partition,
            hit.group, hit.offset, hit.needed,
        )
        for condition in CONDITIONS
        if condition.id not in view.without
        for hit in condition.check(view)
    )  # fmt: skip
    begun = evidence.marked_at is not None and bool(evidence.topics)
    gone = begun and not any("gone" in reason.blocks for reason in reasons)
    # What no log holds, no group will read: the greater claim carries the smaller one.
    consumed = gone or (begun and not any("consumed" in reason.blocks for reason in reasons))
    state = _state(evidence, reasons, consumed=consumed, gone=gone)
    return Claim(state, consumed, gone, evidence.ends_at, reasons, (REWIND,) if consumed and not gone else ())


def _state(evidence: Evidence, reasons: tuple[Reason, ...], *, consumed: bool, gone: bool) -> State:
    if evidence.marked_at is None:
        return "unmarked"
    if gone:
        return "dropped" if evidence.dropped_at is not None else "gone"
    if consumed:
        return "consumed"
    writing = {reason.condition for reason in reasons} & {"producers-retired", "grace", "quiet"}
    if writing:
        return "stopped" if evidence.stopped_at is not None else "marked"
    return "draining" if all(reason.waits for reason in reasons) else "blocked"


def drained_on(record: Mapping[str, Any]) -> str:
    """What let a field be dropped, in words, of one of a publication's `drains`: its state and the day of its evidence."""
    day = datetime.fromtimestamp(record["as_of"] / 1_000, UTC).date().isoformat()
    return f"drained ({record['state']}) as of {day}, evidence {record['digest'][:12]}"
