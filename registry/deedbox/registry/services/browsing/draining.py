"""The drain board and the dead letters: what evidence and guards' reports say, ready to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deedbox.registry.services.browsing.overview import Overview
from deedbox.registry.services.drains import Drains, FieldView
from deedbox.registry.storage import drains as store
from deedbox.registry.storage import observations as seen
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.drains import DrainEvidence

_READINGS = 30
_IN_THE_WAY = "offsets-past"


class Draining:
    """Reading models of the drain board and the dead letters."""

    def __init__(self, database: Database, drains: Drains, overview: Overview) -> None:
        self._database, self._drains, self._overview = database, drains, overview

    def board(self) -> dict[str, Any]:
        """Every obsolete field: how far it has drained, and what is in its way.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        if not self.any_obsolete():
            return {"items": [], "contracts": len(self._overview.current().heads)}
        views = self._drains.fields()
        with self._database.reading() as session:
            readings = {
                (v.life.contract, v.life.pointer): store.evidence_of(
                    session, v.life.contract, v.life.pointer, _READINGS
                )
                for v in views
            }
        items = [_row(view, readings[view.life.contract, view.life.pointer]) for view in views]
        order = {"blocked": 0, "draining": 1, "stopped": 2, "marked": 3, "consumed": 4, "gone": 5, "dropped": 6}
        items.sort(key=lambda row: (order.get(row["state"], 9), row["contract"], row["pointer"]))
        return {"items": items, "contracts": len(self._overview.current().heads)}

    def any_obsolete(self) -> bool:
        """Whether any shown version marks a field: else there is nothing to work out."""
        return any(word.obsolete for head in self._overview.current().heads.values() for word in head.words)

    def dead_letters(self) -> dict[str, Any]:
        """What guards counted as bad, grouped by what is wrong with it; most first.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        with self._database.reading() as session:
            counted = seen.counts(session)
        groups = [
            {
                "topic": cell.topic,
                "contract": cell.contract,
                "version": cell.version,
                "rule": cell.rule,
                "pointer": cell.pointer,
                "count": cell.count,
                "until": cell.until,
            }
            for cell in counted
            if cell.kind == "fault"
        ]
        groups.sort(key=lambda group: (-int(str(group["count"])), str(group["topic"])))
        messages: dict[str, int] = {}
        for cell in counted:
            if cell.kind == "invalid":
                messages[cell.topic] = messages.get(cell.topic, 0) + cell.count
        return {"groups": groups[:500], "messages": messages, "observed": bool(counted)}


def _row(view: FieldView, readings: Sequence[DrainEvidence]) -> dict[str, Any]:
    life = view.life
    series = [_remaining(row) for row in reversed(readings)]
    reasons = list(view.row.claim["reasons"]) if view.row is not None and view.revoked is None else []
    behind = [r for r in reasons if r["condition"] == _IN_THE_WAY and r["offset"] is not None]
    slowest = max(behind, key=lambda r: r["needed"] - r["offset"], default=None)
    done = view.state in ("consumed", "gone", "dropped")
    most = max(series, default=0)
    share = 100 if done else round(100 * (1 - series[-1] / most)) if series and most else None
    return {
        "contract": life.contract,
        "pointer": life.pointer,
        "state": view.state,
        "overdue": view.overdue,
        "marked_in": life.marked_in,
        "marked_at": life.marked_at,
        "channels": list(life.channels),
        "readers": [reader.contract for reader in life.consumers],
        "writers": [f"{w.contract} {w.version}" for w in life.producers if w.retired_at is None],
        "remaining": series[-1] if series else None,
        "share": share,
        "series": [
            {"at": row.claim["as_of"], "remaining": left} for row, left in zip(reversed(readings), series, strict=True)
        ],
        "slowest": None
        if slowest is None
        else {
            "group": slowest["group"],
            "topic": slowest["topic"],
            "partition": slowest["partition"],
            "behind": slowest["needed"] - slowest["offset"],
        },
        "estimate": None if done else _estimate(readings, series),
        "reasons": [{"condition": r["condition"], "message": r["message"], "unblocks": r["unblocks"]} for r in reasons],
        "evidence": None
        if view.row is None
        else {"id": view.row.uuid, "digest": view.row.digest, "as_of": view.row.claim["as_of"]},
        "revoked": view.revoked,
    }


def _remaining(row: DrainEvidence) -> int:
    """Messages that groups have yet to pass before the last with the field is behind all of them."""
    return sum(
        reason["needed"] - reason["offset"]
        for reason in row.claim["reasons"]
        if reason["condition"] == _IN_THE_WAY and reason["offset"] is not None and reason["needed"] is not None
    )


def _estimate(readings: Sequence[DrainEvidence], series: Sequence[int]) -> int | None:
    """When the remaining is passed at the pace of the readings, in milliseconds since 1970; None where it does not shrink."""
    if len(series) < 2 or series[-1] >= series[0] or not series[-1]:
        return None
    first, last = readings[-1].claim["as_of"], readings[0].claim["as_of"]
    pace = (series[0] - series[-1]) / max(1, last - first)
    return int(last + series[-1] / pace)
