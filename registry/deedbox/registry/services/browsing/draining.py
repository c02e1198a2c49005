"""The drain board: what evidence says, ready to be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from deedbox.checker.drain.claiming import STATES, State
from deedbox.registry.services.browsing.fields import Path, message_pointer
from deedbox.registry.services.drains import Drains, FieldView
from deedbox.registry.storage import browsing, observations, obsolete
from deedbox.registry.storage import drains as store
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.drains import DrainEvidence

_READINGS = 30
_SEEN = 10
_SCREEN = 12
"""Fields of one page: each is judged by every version of the contracts that may have it."""
_TURNS = ("blocked", "draining", "stopped", "marked", "consumed", "gone", "dropped")
_IN_THE_WAY = "offsets-past"


class Draining:
    """Reading models of the drain board."""

    def __init__(self, database: Database, drains: Drains) -> None:
        self._database, self._drains = database, drains

    def board(self, contract: str, offset: int) -> dict[str, Any]:
        """Obsolete fields, a screen of them: how far each has drained, and what is in its way.

        What is in the way of something comes first, then what nobody has read for, then what is done.

        Args:
            contract: only its fields; those of all contracts where empty.
            offset: fields to leave out first.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        with self._database.reading() as session:
            states = browsing.drain_states(session)
            marked = sorted(
                obsolete.fields(session, contract or None),
                key=lambda field: (
                    _turn(states.get((field.contract, field.pointer), "marked")),
                    field.seq,
                    field.pointer,
                ),
            )
        shown = marked[offset : offset + _SCREEN]
        views = self._drains.views(shown)
        with self._database.reading() as session:
            readings = store.readings(session, [(v.life.contract, v.life.pointer) for v in views], _READINGS)
        items = [_row(view, readings[view.life.contract, view.life.pointer]) for view in views]
        items.sort(key=lambda row: _turn(row["state"]))
        return {
            "items": items,
            "total": len(marked),
            "next": offset + _SCREEN if len(marked) > offset + _SCREEN else None,
            "chosen": {"contract": contract},
        }

    def of_field(self, contract: str, path: Path) -> list[dict[str, Any]]:
        """How one field drains, as the board says it, and each state that readings found; none where it is not marked.

        Args:
            contract: that marks it.
            path: where it stands in a message.
        """
        pointer = message_pointer(path)
        with self._database.reading() as session:
            marked = [field for field in obsolete.fields(session, contract) if field.pointer == pointer]
            rows = store.readings(session, [(contract, pointer)], _READINGS)[contract, pointer]
        return [{**_row(view, rows), "states": _states(rows)} for view in self._drains.views(marked)]

    def last_seen(self, contract: str, path: Path) -> list[dict[str, Any]]:
        """Where guards saw an obsolete field last, once for each version that it was written as, newest first."""
        with self._database.reading() as session:
            rows = observations.last_sightings(session, contract, message_pointer(path), topic=None, cluster=None)
        found: dict[tuple[str, str], observations.LastSeen] = {}
        for row in sorted(rows, key=lambda row: (row.at is not None, row.at or 0, row.offset)):
            found[row.writer, row.writer_version] = row
        return [
            {
                "contract": row.writer,
                "version": row.writer_version,
                "topic": row.topic,
                "partition": row.partition,
                "offset": row.offset,
                "at": row.at,
            }
            for row in reversed(list(found.values()))
        ][:_SEEN]

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
        with self._database.reading() as session:
            marked = obsolete.count(session)
            fields = browsing.read_fields(session, limit)
            readings = list(store.readings(session, fields, _READINGS).values())
            gone_back = store.revoked(session, [rows[0].seq for rows in readings])
        items = [self._read(rows, gone_back) for rows in readings]
        return {"items": items, "marked": marked}


def _states(readings: Sequence[DrainEvidence]) -> list[dict[str, Any]]:
    """The readings that found another state than the one before, oldest first."""
    found: list[dict[str, Any]] = []
    for row in reversed(readings):
        if not found or found[-1]["state"] != row.state:
            found.append({"state": row.state, "as_of": row.claim["as_of"], "evidence": row.uuid})
    return found


def _turn(state: str) -> int:
    return _TURNS.index(state) if state in _TURNS else len(_TURNS)


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
        "told": STATES.get(cast(State, state), ""),
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
