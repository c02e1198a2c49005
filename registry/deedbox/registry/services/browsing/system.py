"""Services and what runs between them: the service page, and the map of the whole system or a part of it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from deedbox.registry.errors import NotFound
from deedbox.registry.services.browsing.fits import Fit, Fits, settled
from deedbox.registry.services.browsing.overview import Overview, ServiceHead, Snapshot
from deedbox.registry.services.browsing.views import entry_view, fit_view, head_view
from deedbox.registry.storage import browsing
from deedbox.registry.storage.database import Database

DRAWN_ONE_BY_ONE = 40
"""Services up to which a map shows each; of more it shows groups."""
_MOST_DRAWN = 90
_MOST_NEW_LINKS = 60
_WORST = ("broken", "undecided", "holds")


class System:
    """Reading models of the service pages and the map."""

    def __init__(self, database: Database, overview: Overview, fits: Fits) -> None:
        self._database, self._overview, self._fits = database, overview, fits

    def services(self, after: str, limit: int) -> dict[str, Any]:
        """Services by name.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        snapshot = self._overview.current()
        names = [name for name in sorted(snapshot.services) if name > after]
        items = []
        for name in names[:limit]:
            head = snapshot.services[name]
            roles = [snapshot.heads[c].role for c in head.contracts]
            items.append(
                {
                    "service": name,
                    "owner": head.owner,
                    "description": head.description,
                    "roles": {role: roles.count(role) for role in ("produces", "consumes", "provides")},
                    "environments": head.environments,
                }
            )
        return {
            "items": items,
            "next": names[limit - 1] if len(names) > limit else None,
            "total": len(snapshot.services),
        }

    def service(self, name: str) -> tuple[dict[str, Any], bool]:
        """One service, and the map of its neighbours.

        Returns:
            The view, and whether it stays true until the next entry.

        Raises:
            NotFound: neither described, nor deployed, nor publishing. Busy, StorageUnavailable: as they say.
        """
        snapshot = self._overview.current()
        head = snapshot.services.get(name)
        if head is None:
            raise NotFound(f"there is no service {name}")
        fits = self._fits.of(snapshot.pairs(service=name), _MOST_NEW_LINKS)
        with self._database.reading() as session:
            running = browsing.deployments_of(session, name)
            lately = browsing.newest_entries(session, 8, about=f"{name}/")
        heads = [snapshot.heads[c] for c in head.contracts]
        words = self._overview.words(heads)
        contracts = [head_view(h, words[h.contract].whole) for h in heads]
        view = {
            "service": name,
            "owner": head.owner,
            "description": head.description,
            "group": group_of(head),
            "contracts": {
                role: [c for c in contracts if c["role"] == role] for role in ("produces", "consumes", "provides")
            },
            "deployments": [
                {
                    "environment": row.environment,
                    "service_version": row.service_version,
                    "contracts": row.contracts,
                    "at": entry.at,
                    "by": entry.by,
                }
                for row, entry in running
            ],
            "links": [fit_view(fit) for fit in fits],
            "map": _map(snapshot, fits, {}, here=name),
            "recent": [entry_view(entry) for entry in lately],
        }
        return view, settled(fits)

    def map(
        self, *, group: str, other: str, state: str, query: str, offset: int, limit: int
    ) -> tuple[dict[str, Any], bool]:
        """The whole system, or one group of services with what is around it, and its links as a list.

        Args:
            group: the name of a group; all groups where empty.
            other: only links between the group and this one; all of the group's where empty.
            state: only links that are so ("holds", "broken", "undecided"); all where empty.
            query: only links with this in a contract's or channel's name; all where empty.
            offset: links to leave out first.
            limit: how many links.

        Returns:
            The view, and whether it stays true until the next entry.

        Raises:
            NotFound: no such group. Busy, StorageUnavailable: as they say.
        """
        snapshot = self._overview.current()
        groups = {name: group_of(head) for name, head in snapshot.services.items()}
        if group and group not in groups.values():
            raise NotFound(f"there is no group {group}: groups are owners, or the first words of services' names")
        fits = self._fits.of(snapshot.pairs(), _MOST_NEW_LINKS)
        inside = {name for name, of in groups.items() if of == group}
        if group:
            fits = [f for f in fits if _services(f)[0] in inside or _services(f)[1] in inside]
        if group and other:
            beside = {name for name, of in groups.items() if of == other}
            fits = [f for f in fits if any(name in beside for name in _services(f))]
        wanted = [
            fit
            for fit in fits
            if state in ("", fit.state)
            and (
                not query
                or query.lower()
                in f"{fit.pair.producer.contract} {fit.pair.consumer.contract} {fit.pair.channel}".lower()
            )
        ]
        folded = {} if len(snapshot.services) <= DRAWN_ONE_BY_ONE else groups
        if group:
            folded = {name: of for name, of in groups.items() if of != group}
        names = inside if group else set(snapshot.services)
        sizes: dict[str, int] = defaultdict(int)
        for of in groups.values():
            sizes[of] += 1
        view = {
            "services": len(snapshot.services),
            "groups": [{"group": name, "services": n} for name, n in sorted(sizes.items())],
            "chosen": {"group": group, "other": other, "state": state, "query": query},
            "map": _map(
                snapshot,
                wanted if (state or query) else fits,
                folded,
                also=names if not (state or query or other) else set(),
            ),
            "items": [fit_view(fit) for fit in wanted[offset : offset + limit]],
            "total": len(wanted),
            "next": offset + limit if len(wanted) > offset + limit else None,
        }
        return view, settled(fits)


def group_of(service: ServiceHead) -> str:
    """What a service is grouped by: its owner, else the first word of its name."""
    return service.owner or re.split(r"[-._]", service.name, maxsplit=1)[0]


def _services(fit: Fit) -> tuple[str, str]:
    return fit.pair.producer.contract.partition("/")[0], fit.pair.consumer.contract.partition("/")[0]


def _map(
    snapshot: Snapshot,
    fits: Sequence[Fit],
    folded: dict[str, str],
    *,
    here: str | None = None,
    also: set[str] | None = None,
) -> dict[str, Any]:
    """Nodes and edges to draw. Services in `folded` stand under the name of their group.

    Of more nodes than a drawing can show, those with the most links are kept, and `left_out` says how many are not.
    """
    edges: dict[tuple[str, str], list[Fit]] = defaultdict(list)
    members: dict[str, set[str]] = defaultdict(set)

    def node_of(service: str) -> str:
        name = f"group:{folded[service]}" if service in folded else service
        members[name].add(service)
        return name

    for fit in fits:
        one, other = (node_of(service) for service in _services(fit))
        if one != other or not one.startswith("group:"):
            edges[one, other].append(fit)
    for service in {*(also or ()), *((here,) if here else ())}:
        node_of(service)
    weight: dict[str, int] = defaultdict(int)
    for (one, other), between in edges.items():
        weight[one] += len(between)
        weight[other] += len(between)
    kept = set(sorted(members, key=lambda n: (n != here, -weight[n], n))[:_MOST_DRAWN])
    return {
        "nodes": [_node(snapshot, name, members[name], here) for name in sorted(kept)],
        "edges": [
            _edge(one, other, between)
            for (one, other), between in sorted(edges.items())
            if one in kept and other in kept
        ],
        "left_out": len(members) - len(kept),
    }


def _node(snapshot: Snapshot, name: str, members: set[str], here: str | None) -> dict[str, Any]:
    if name.startswith("group:"):
        return {"id": name, "label": name[6:], "kind": "group", "services": len(members), "here": False}
    head = snapshot.services.get(name)
    return {
        "id": name,
        "label": name,
        "kind": "service",
        "contracts": len(head.contracts) if head else 0,
        "here": name == here,
    }


def _edge(one: str, other: str, between: Sequence[Fit]) -> dict[str, Any]:
    states = [fit.state for fit in between]
    return {
        "from": one,
        "to": other,
        "state": next(state for state in _WORST if state in states),
        "channels": sorted({fit.pair.channel for fit in between if fit.pair.channel}),
        "links": len(between),
        "broken": states.count("broken"),
    }
