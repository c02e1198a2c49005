"""What happened: the home page, the audit feed, and the search over all that is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import shorten
from typing import Any

from deedbox.registry.services.browsing.dead_letters import Letters
from deedbox.registry.services.browsing.draining import Draining
from deedbox.registry.services.browsing.fits import Fits
from deedbox.registry.services.browsing.overview import Head, Overview, Snapshot
from deedbox.registry.services.browsing.views import entry_view, fit_view, head_view
from deedbox.registry.services.browsing.words import Word, Words
from deedbox.registry.storage import browsing, queries, refusals
from deedbox.registry.storage.database import Database
from sqlalchemy.orm import Session

_RECENT = 12
_STOPPED = 8
_ROUTINE = ("bundle", "drain-evidence", "npm-package", "package", "package-name")
"""Entries that come by themselves, of each publication or each reading of a cluster: on the home page they would hide what
people did. The audit page has them."""
_MOST_NEW_LINKS = 40
_EACH = 30
"""Results of a search, of each kind."""


class History:
    """Reading models of the home, audit and search pages."""

    def __init__(
        self, database: Database, overview: Overview, fits: Fits, draining: Draining, letters: Letters
    ) -> None:
        self._database, self._overview, self._fits = database, overview, fits
        self._draining, self._letters = draining, letters

    def home(self) -> dict[str, Any]:
        """Counts, what changed lately, what is blocked, what drains, and dead letters.

        Raises:
            Busy, StorageUnavailable: as they say.
        """
        snapshot = self._overview.current()
        fits = self._fits.of(snapshot.pairs(), _MOST_NEW_LINKS)
        with self._database.reading() as session:
            recent = browsing.newest_entries(session, _RECENT, without=_ROUTINE)
            refused = _standing(session, refusals.newest(session, 50))
        states = [fit.state for fit in fits]
        return {
            "services": len(snapshot.services),
            "contracts": len(snapshot.heads),
            "versions": snapshot.versions,
            "links": {state: states.count(state) for state in ("holds", "broken", "undecided")},
            "recent": [entry_view(entry) for entry in recent],
            "refusals": [_refusal_view(row) for row in refused[:_STOPPED]],
            "refusals_left_out": max(0, len(refused) - _STOPPED),
            "broken": [fit_view(fit) for fit in fits if fit.state != "holds"][:20],
            "drains": self._draining.lately(6),
            "dead_letters": self._letters.lately(5),
        }

    def audit(self, *, before: int | None, kinds: list[str], about: str, limit: int) -> dict[str, Any]:
        """Entries, newest first, with the number to go on from.

        Args:
            before: only entries below this number.
            kinds: only those; all where empty.
            about: how the subject starts.
            limit: how many.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        with self._database.reading() as session:
            entries = browsing.newest_entries(session, limit + 1, before=before, kinds=kinds, about=about)
            known = browsing.entry_kinds(session)
            total = queries.last_seq(session)
        return {
            "items": [entry_view(entry) for entry in entries[:limit]],
            "next": entries[limit - 1].seq if len(entries) > limit else None,
            "kinds": known,
            "total": total,
            "chosen": {"kinds": kinds, "about": about},
        }

    def search(self, query: str) -> dict[str, Any]:
        """Services, contracts, fields and descriptions that have all words of a query, best first.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        words = query.lower().split()
        snapshot = self._overview.current()
        found: dict[str, Any] = {"query": query, "services": [], "contracts": [], "fields": []}
        if not words:
            return found
        known = self._overview.words(snapshot.heads.values())
        services = _ranked(words, ((s.name, f"{s.owner} {s.description}", s) for s in snapshot.services.values()))
        contracts = _ranked(words, ((h.contract, _about(h, known[h.contract]), h) for h in snapshot.heads.values()))
        fields = _ranked(words, _fields(words, snapshot, known))
        found["services"] = [
            {"service": s.name, "owner": s.owner, "description": s.description, "contracts": len(s.contracts)}
            for s in services[:_EACH]
        ]
        found["contracts"] = [head_view(h, known[h.contract].whole) for h in contracts[:_EACH]]
        found["fields"] = [
            {
                "contract": h.contract,
                "pointer": w.pointer,
                "name": w.name,
                "description": shorten(w.text, 300, placeholder=" …"),
            }
            for h, w in fields[:_EACH]
        ]
        found["more"] = {
            name: max(0, len(all_) - _EACH)
            for name, all_ in (("services", services), ("contracts", contracts), ("fields", fields))
        }
        return found


def _standing(session: Session, refused: Sequence[refusals.Refusal]) -> list[refusals.Refusal]:
    """Those after which nothing was published of the contract: the others have had their answer."""
    lasts = browsing.last_versions(session, {row.contract for row in refused})
    return [row for row in refused if row.contract not in lasts or lasts[row.contract].at < row.at]


def _refusal_view(row: refusals.Refusal) -> dict[str, Any]:
    return {
        "at": row.at,
        "by": row.by,
        "contract": row.contract,
        "declared": row.version,
        "verdict": row.answer["verdict"],
        "needed": row.answer["needed"],
        "messages": [refusal["message"] for refusal in row.answer["refusals"]],
    }


def _about(head: Head, words: Words) -> str:
    return f"{head.kind} {head.role} {' '.join(head.channels)} {words.whole}"


def _fields(
    wanted: Sequence[str], snapshot: Snapshot, known: Mapping[str, Words]
) -> Iterator[tuple[str, str, tuple[Head, Word]]]:
    for head in snapshot.heads.values():
        for word in known[head.contract].having(wanted):
            yield word.name, word.text, (head, word)


def _ranked(words: list[str], things: Iterable[tuple[str, str, Any]]) -> list[Any]:
    """Things whose name or text has every word: those named so first, then those whose name starts so."""
    found: list[tuple[int, str, int, Any]] = []
    for number, (name, text, thing) in enumerate(things):
        lowered = name.lower()
        if all(word in lowered for word in words):
            last = lowered.rpartition("/")[2]
            rank = 0 if words[0] in (lowered, last) else 1 if last.startswith(words[0]) else 2
        elif all(word in lowered or word in text.lower() for word in words):
            rank = 3
        else:
            continue
        found.append((rank, name, number, thing))
    return [thing for _, _, _, thing in sorted(found, key=lambda f: f[:3])]
