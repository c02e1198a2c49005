"""Facts: what the walker finds that the two documents say differently. A fact knows no role and no level but its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deedbox.checker.json_schema.probes import Probe
    from deedbox.checker.model import Direction, Level
    from deedbox.checker.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class Fact:
    """One difference. No two facts of a walk have the same rule, side and pointer.

    `pointer` is the resolved path from the root of the document named by `side` (the new one; the old one for what was
    removed), `location` the place in that document that it resolves to through references: both name a subschema.
    `old` and `new` are the two subschemas (None where there is none). `message` is one sentence with the values.

    `level` is fixed for facts whose meaning no proof decides (annotations, policy). Where it is None the proof decides,
    and `probes` has the question for each direction in which the fact can break anyone: none for a direction in which
    it cannot. A fact of the policy kind has a probe for "policy" (a message that both sides accept) and, since a
    removed property may be refused as well, it may have probes for "backward" and "forward" too: if one of these finds
    a message, that is a finding of the inclusion kind under the same rule; if not, there is nothing to say.
    """

    rule: Rule
    pointer: str
    location: str
    side: Literal["new", "old"]
    message: str
    old: Any
    new: Any
    probes: Mapping[Direction, Probe]
    level: Level | None
