"""What a rule is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deedbox.checker.model import Kind


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of fact about a change.

    `title` says in one sentence what happened, `why` why it matters and what to do, `source` names the clause of the
    format's specification (or of this project's policy). `mirror` is the id of the rule that fires when old and new
    change places: a rule that says the same both ways names itself, None needs a written waiver in the symmetry test.
    """

    id: str
    format: str
    kind: Kind
    title: str
    why: str
    source: str
    mirror: str | None
