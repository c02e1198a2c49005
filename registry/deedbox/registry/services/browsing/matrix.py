"""Who fits whom: every version of a contract against every version of the other side, and the badge that says it short."""

from __future__ import annotations

from typing import Any

from deedbox.registry.services import links as linking
from deedbox.registry.services.browsing.contracts import known
from deedbox.registry.services.browsing.fits import Fits, settled
from deedbox.registry.services.browsing.overview import Overview
from deedbox.registry.services.links import End
from deedbox.registry.storage import browsing
from deedbox.registry.storage.browsing import BriefVersion
from deedbox.registry.storage.database import Database

_MOST_NEW = 60
_OWN, _OTHER, _COLUMNS = 12, 4, 40
"""How many own versions, versions of each other contract, and of them together one matrix shows."""


class Matrix:
    """Reading models of the matrix pages and the badges."""

    def __init__(self, database: Database, overview: Overview, fits: Fits) -> None:
        self._database, self._overview, self._fits = database, overview, fits

    def index(self, offset: int, limit: int) -> tuple[dict[str, Any], bool]:
        """Each sending contract, how many links it has, and how many of them do not hold: those with the worst first.

        Args:
            offset: contracts to leave out first.
            limit: how many.

        Raises:
            Busy, StorageUnavailable: as they say.
        """
        snapshot = self._overview.current()
        fits = self._fits.of(snapshot.pairs(), _MOST_NEW)
        rows: dict[str, dict[str, Any]] = {}
        for fit in fits:
            row = rows.setdefault(
                fit.pair.producer.contract,
                {"contract": fit.pair.producer.contract, "readers": set(), "holds": 0, "broken": 0, "undecided": 0},
            )
            row["readers"].add(fit.pair.consumer.contract)
            row[fit.state] += 1
        ordered = sorted(rows.values(), key=lambda row: (not row["broken"], not row["undecided"], row["contract"]))
        view = {
            "items": [{**row, "readers": sorted(row["readers"])} for row in ordered[offset : offset + limit]],
            "total": len(ordered),
            "next": offset + limit if len(ordered) > offset + limit else None,
            "contracts": len(snapshot.heads),
        }
        return view, settled(fits)

    def matrix(self, contract: str) -> tuple[dict[str, Any], bool]:
        """The newest unretired versions of a contract against those of every contract it is linked with.

        Returns:
            The view, and whether it stays true until the next entry.

        Raises:
            NotFound: no such contract. Busy, StorageUnavailable: as they say.
        """
        snapshot = self._overview.current()
        head = known(snapshot, contract)
        others = sorted(
            {
                end.contract
                for pair in snapshot.pairs(contract=contract)
                for end in (pair.producer, pair.consumer)
                if end.contract != contract
            }
        )
        with self._database.reading() as session:
            rows = list(browsing.versions(session, [contract, *others]))
        mine = [v for v in rows if v.row.contract == contract and not v.retired]
        own = _newest(mine, _OWN)
        theirs = [[v for v in rows if v.row.contract == name and not v.retired] for name in others]
        columns = [v for versions in theirs for v in _newest(versions, _OTHER)][:_COLUMNS]
        asked = []
        for i, version in enumerate(own):
            for j, other in enumerate(columns):
                asked += [(i, j, pair) for pair in _pairs(_end(version), _end(other))[:1]]
        fits = self._fits.of([pair for _, _, pair in asked], _MOST_NEW)
        cells: list[list[dict[str, Any] | None]] = [[None] * len(columns) for _ in own]
        for (i, j, _), fit in zip(asked, fits, strict=True):
            told = fit.outcome().as_dict()
            cells[i][j] = {"state": fit.state, "reason": told["reason"], "witness": told["witness"]}
        live = {
            (e.contract, e.version)
            for h in snapshot.heads.values()
            for e in h.live
            if h.contract in {contract, *others}
        }
        view = {
            "contract": contract,
            "role": head.role,
            "rows": [{"version": v.row.version, "live": (contract, v.row.version) in live} for v in own],
            "columns": [
                {"contract": v.row.contract, "version": v.row.version, "live": (v.row.contract, v.row.version) in live}
                for v in columns
            ],
            "cells": cells,
            "rows_left_out": len(mine) - len(own),
            "left_out": sum(map(len, theirs)) - len(columns),
        }
        return view, settled(fits)

    def badge(self, contract: str) -> dict[str, Any]:
        """What a badge says: the latest version, and whether it fits everybody it is linked with.

        Raises:
            NotFound: no such contract. Busy, StorageUnavailable: as they say.
        """
        snapshot = self._overview.current()
        head = known(snapshot, contract)
        states = [fit.state for fit in self._fits.of(snapshot.pairs(contract=contract), _MOST_NEW)]
        state, said = "none", "not linked"
        if "broken" in states:
            state, said = "bad", f"{states.count('broken')} broken"
        elif "undecided" in states:
            state, said = "warn", "undecided"
        elif states:
            state, said = "good", f"fits {len(states)}"
        return {
            "contract": contract,
            "version": head.latest,
            "state": state,
            "message": f"{head.latest or 'no release'} {said}",
        }


def _newest(versions: list[BriefVersion], most: int) -> list[BriefVersion]:
    return versions[::-1][:most]


def _end(version: BriefVersion) -> End:
    return linking.end_of(version)


def _pairs(own: End, other: End) -> list[linking.Pair]:
    if own.role == "consumes":
        return linking.pairs(other, own) if other.role != "consumes" else []
    return linking.pairs(own, other) if other.role == "consumes" else []
