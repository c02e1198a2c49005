"""How far a drain is: what is left, who is slowest, and when it may be over if things go on as they do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from deedbox.checker.drain.evidence import Evidence
from deedbox.checker.drain.view import View


@dataclass(frozen=True, slots=True)
class Progress:
    """`remaining`: messages in the logs that may carry the field. `lag`: those that the slowest group has yet to read.

    `consumed_at` and `gone_at` are estimates in milliseconds, None where nothing can be said: by how fast the slowest
    group read since the reading before, and by retention.
    """

    remaining: int
    slowest: str
    lag: int
    consumed_at: int | None
    gone_at: int | None

    def as_dict(self) -> dict[str, Any]:
        """The progress as JSON can say it."""
        return asdict(self)


def progress(evidence: Evidence, before: Evidence | None = None) -> Progress:
    """What is left.

    Args:
        evidence: the newest.
        before: the evidence before it, of the same cluster.
    """
    view = View(evidence)
    remaining = sum(max(0, place.cutoff - place.now.log_start) for place in view.places)
    slowest, lag = "", 0
    for group in view.groups:
        behind = sum(place.cutoff - max(offset or 0, place.now.log_start) for place, offset in view.lags(group))
        if behind > lag:
            slowest, lag = group.name, behind
    return Progress(remaining, slowest, lag, _consumed_at(evidence, before, slowest, lag), _gone_at(view))


def _consumed_at(evidence: Evidence, before: Evidence | None, slowest: str, lag: int) -> int | None:
    if before is None or not lag:
        return None
    then = next((g for g in before.groups if g.name == slowest), None)
    now = next((g for g in evidence.groups if g.name == slowest), None)
    if then is None or now is None:
        return None
    read = sum(c.offset for c in now.committed) - sum(c.offset for c in then.committed)
    passed = evidence.groups_at - before.groups_at
    return evidence.groups_at + lag * passed // read if read > 0 and passed > 0 else None


def _gone_at(view: View) -> int | None:
    times: list[int] = []
    for place in view.places:
        if place.now.log_start >= place.cutoff:
            continue
        seen = [s.seen_time for s in place.partition.spans if s.seen is not None and s.seen == place.seen]
        if place.topic.retention_ms is None or place.topic.compacted or not seen or seen[0] is None or seen[0] < 0:
            return None
        times.append(seen[0] + place.topic.retention_ms)
    return max(times, default=None)
