"""The interlock: whether a consumer's contract may drop an obsolete field, by which evidence, or what is in the way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from deedbox.registry.services.values import Candidate
from deedbox.registry.storage import drains as store
from deedbox.registry.storage import queries
from deedbox.registry.storage.drains import DrainEvidence
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Passage:
    """Whether a field may be dropped, by which evidence, or what is in the way."""

    pointer: str
    opens: bool
    obstacle: str
    evidence: str
    digest: str
    state: str
    as_of: int

    def as_dict(self) -> dict[str, Any]:
        """As a publication keeps it."""
        return {
            "pointer": self.pointer,
            "evidence": self.evidence,
            "digest": self.digest,
            "state": self.state,
            "as_of": self.as_of,
        }


def passages_for(session: Session, candidate: Candidate) -> tuple[Passage, ...]:
    """What is known of the fields that a consumer's contract may drop: by its own evidence, and its producers'."""
    if candidate.role != "consumes" or not candidate.channels:
        return ()
    name = candidate.contract.partition("/")[2]
    others = queries.counterparts(session, candidate.contract, name, "produces", candidate.of, candidate.channels)
    rows = store.latest_of(session, [candidate.contract, *others])
    revoked = store.revoked(session, [row.seq for row in rows])
    again = _declared_again(session, {row.contract for row in rows})
    found: dict[str, Passage] = {}
    for row in rows:
        passage = _passage(row, revoked.get(row.seq), again.get((row.contract, row.pointer)), candidate.channels)
        if row.pointer not in found or passage.opens:
            found[row.pointer] = passage
    return tuple(found.values())


def _passage(row: DrainEvidence, revoked: str | None, again: str | None, channels: Sequence[str]) -> Passage:
    kept = json.loads(row.evidence)
    goal: Literal["gone", "consumed"] = kept["policy"]["opens_at"]
    read = {topic["name"] for topic in kept["topics"] if not topic["copy"]}
    obstacle = ""
    if revoked is not None:
        obstacle = f"the proof was revoked: {revoked}"
    elif again is not None:
        obstacle = f"{again} declares it, and is not retired"
    elif not set(channels) <= read:
        obstacle = f"the evidence does not cover {', '.join(sorted(set(channels) - read))}"
    elif not (row.gone or (goal == "consumed" and row.consumed)):
        reasons = [r["message"] for r in row.claim["reasons"] if goal in r["blocks"]]
        obstacle = "; ".join(reasons[:3]) + (f"; and {len(reasons) - 3} more" if len(reasons) > 3 else "")
    return Passage(row.pointer, not obstacle, obstacle, row.uuid, row.digest, row.state, row.claim["as_of"])


def _declared_again(session: Session, contracts: Iterable[str]) -> dict[tuple[str, str], str]:
    """By contract and pointer, a producer's version that may send the field now, whatever was proved before."""
    from deedbox.registry.services import lives  # it reads what is latest by the judge's own rule

    return {
        (life.contract, life.pointer): f"{writer.contract} {writer.version}"
        for contract in sorted(contracts)
        for life in lives.all_lives(session, contract)
        for writer in reversed(life.producers)  # so that the first is named
        if writer.retired_at is None
    }
