"""The drain board: what evidence says, ready to be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deedbox.checker import pointers
from deedbox.checker.json_schema.obsolete import ITEMS
from deedbox.registry.services.browsing.fields import ITEM, Path
from deedbox.registry.services.browsing.overview import Overview
from deedbox.registry.services.drains import Drains, FieldView
from deedbox.registry.storage import browsing
from deedbox.registry.storage import drains as store
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.drains import DrainEvidence

_READINGS = 30
_IN_THE_WAY = "offsets-past"


class Draining:
    """Reading models of the drain board."""

    def __init__(self, database: Database, drains: Drains, overview: Overview) -> None:
        self._database, self._drains, self._overview = database, drains, overview

    def board(self) -> dict[str, Any]:
        """Every obsolete field: how far it has drained, and what is in its way.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        with self._database.reading() as session:
            marked = browsing.any_obsolete(session)
        views = self._drains.fields() if marked else []  # they read every version there is
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

    def of_field(self, contract: str, path: Path) -> list[dict[str, Any]]:
        """What evidence says of one field, none where none was recorded.

        Args:
            contract: that marks it.
            path: where it stands in a message.
        """
        pointer = pointers.join("", *(ITEMS if step == ITEM else step for step in path))
        with self._database.reading() as session:
            rows = store.evidence_of(session, contract, pointer, _READINGS)
            gone_back = store.revoked(session, [row.seq for row in rows[:1]])
        return [self._read(rows, gone_back)] if rows else []

    @staticmethod
    def _read(rows: Sequence[DrainEvidence], gone_back: Mapping[int, str]) -> dict[str, Any]:
        return {
            "contract": rows[0].contract,
            "pointer": rows[0].pointer,
            "overdue": False,
            "revoked": gone_back.get(rows[0].seq),
            **_measured(rows, rows[0].state, held=rows[0].seq not in gone_back),
        }

    def lately(self, limit: int) -> dict[str, Any]:
        """The fields that were read last, from their evidence alone, and how many fields are marked in all.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        marked = sum(word.obsolete for head in self._overview.current().heads.values() for word in head.words)
        with self._database.reading() as session:
            fields = browsing.read_fields(session, limit)
            readings = [store.evidence_of(session, contract, pointer, _READINGS) for contract, pointer in fields]
            gone_back = store.revoked(session, [rows[0].seq for rows in readings])
        items = [self._read(rows, gone_back) for rows in readings]
        return {"items": items, "marked": marked}


def _row(view: FieldView, readings: Sequence[DrainEvidence]) -> dict[str, Any]:
    life = view.life
    return {
        "contract": life.contract,
        "pointer": life.pointer,
        "overdue": view.overdue,
        "marked_in": life.marked_in,
        "marked_at": life.marked_at,
        "channels": list(life.channels),
        "readers": [reader.contract for reader in life.consumers],
        "writers": [f"{w.contract} {w.version}" for w in life.producers if w.retired_at is None],
        "revoked": view.revoked,
        **_measured(readings, view.state, held=view.revoked is None),
    }


def _measured(readings: Sequence[DrainEvidence], state: str, *, held: bool) -> dict[str, Any]:
    """What readings say, newest first: how much is left, who is slowest, what is in the way."""
    series = [_remaining(row) for row in reversed(readings)]
    newest = readings[0] if readings else None
    reasons = list(newest.claim["reasons"]) if newest is not None and held else []
    behind = [r for r in reasons if r["condition"] == _IN_THE_WAY and r["offset"] is not None]
    slowest = max(behind, key=lambda r: r["needed"] - r["offset"], default=None)
    done = state in ("consumed", "gone", "dropped")
    most = max(series, default=0)
    return {
        "state": state,
        "remaining": series[-1] if series else None,
        "share": 100 if done else round(100 * (1 - series[-1] / most)) if most else None,
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
        if newest is None
        else {"id": newest.uuid, "digest": newest.digest, "as_of": newest.claim["as_of"]},
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
