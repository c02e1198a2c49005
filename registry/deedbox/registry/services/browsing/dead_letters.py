"""Dead letters: what workers read in dead-letter topics, what guards counted, and the orders to send letters again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deedbox.checker.policy import API_FORMATS
from deedbox.checker.versions import greatest
from deedbox.registry.errors import Busy, NotFound
from deedbox.registry.services.browsing.causes import cause
from deedbox.registry.services.browsing.overview import Overview
from deedbox.registry.services.browsing.trying import Trying
from deedbox.registry.services.replay_orders import COUNTS
from deedbox.registry.storage import browsing, dead_letters, replay_orders
from deedbox.registry.storage import observations as seen
from deedbox.registry.storage.browsing import BriefVersion
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.dead_letters import DeadLetterSample, Grouped
from deedbox.registry.storage.models import Entry
from deedbox.registry.storage.observations import Counted
from deedbox.registry.storage.replay_orders import OrderRecord, ReplayResult
from deedbox.registry.storage.replays import Replay
from sqlalchemy.orm import Session

SUFFIX = ".dlt"
"""Of a dead-letter topic, behind the name of the topic that its letters come from, where nobody names it otherwise."""
_UNKNOWN = ("unknown-version", "unknown-contract", "unknown-schema")
"""Rules of letters that name what was not registered: they are judged by that, once it is, and by nothing else."""
_FRAMED = ("\\x00", "\x01")
"""How the text of a value begins that names its schema itself, in bytes that are no JSON."""
_SCREEN = 100
_COUNTED = 500
_RUNS, _ORDERS = 20, 20
_SAMPLE = (
    "partition",
    "offset",
    "at",
    "version",
    "origin",
    "origin_partition",
    "origin_offset",
    "key",
    "value",
    "truncated",
)
_COUNT = ("topic", "contract", "version", "rule", "pointer", "count", "until")


class Letters:
    """Reading models of the dead letters' pages."""

    def __init__(self, database: Database, trying: Trying, overview: Overview) -> None:
        self._database, self._trying, self._overview = database, trying, overview

    def board(self, before: int | None) -> dict[str, Any]:
        """Every kind of dead letter, those that were reported last first, and what was done about them.

        Args:
            before: only groups that were reported before this number, None for the newest.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        with self._database.reading() as session:
            groups = dead_letters.groups(session, before=before, limit=_SCREEN + 1)
            totals = dead_letters.totals(session)
            reported = dead_letters.reported(session)
            read = _read(session)
            counted = seen.counts(session)
            waiting = replay_orders.orders(session, states=replay_orders.OPEN, newest_first=True, limit=_SCREEN)
            newest = replay_orders.newest_of(session, [group.key for group in groups[:_SCREEN]])
            runs = browsing.last_replays(session, _RUNS)
            ordered = replay_orders.orders_of_runs(session, [row.seq for row, _ in runs])
        last = {(o["cluster"], o["topic"], o["fingerprint"]): o for o in map(order_view, newest)}
        counts = {(cluster, topic): (letters, kinds) for cluster, topic, letters, kinds in totals}
        unread = [cell for cell in counted if cell.topic not in read]
        return {
            "groups": [{**_brief(group), "order": last.get(group.key)} for group in groups[:_SCREEN]],
            "next": groups[_SCREEN - 1].newest.number if len(groups) > _SCREEN else None,
            "topics": [
                {
                    "cluster": cluster,
                    "topic": topic,
                    "letters": counts.get((cluster, topic), (0, 0))[0],
                    "kinds": counts.get((cluster, topic), (0, 0))[1],
                    "at": at,
                    "by": by,
                }
                for cluster, topic, at, by in reported
            ],
            "counted": _counted(unread),
            "unread": [
                {"channel": topic, "topic": topic + SUFFIX, "messages": count}
                for topic, count in _messages(unread).items()
                if count
            ],
            "observed": bool(counted),
            "orders": [order_view(record) for record in waiting],
            "replays": [_run(row, entry, ordered.get(row.seq)) for row, entry in runs],
        }

    def lately(self, limit: int) -> dict[str, Any]:
        """How many dead letters there are, of how many kinds, and those that were reported last.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        with self._database.reading() as session:
            groups = dead_letters.groups(session, limit=limit)
            totals = dead_letters.totals(session)
            read = _read(session)
            unread = [cell for cell in seen.counts(session) if cell.topic not in read]
        counted = _counted(unread)
        return {
            "groups": ([_brief(group) for group in groups] + counted)[:limit],
            "messages": sum(letters for _, _, letters, _ in totals) + sum(_messages(unread).values()),
            "kinds": sum(kinds for _, _, _, kinds in totals) + len(counted),
        }

    def group(self, topic: str, fingerprint: str, cluster: str) -> dict[str, Any]:
        """One kind of dead letter: what is wrong, the newest letters, whether they pass now, and its orders.

        Args:
            topic: the dead-letter topic.
            fingerprint: of the kind.
            cluster: Kafka's id; the one that was reported last where empty.

        Raises:
            NotFound: nobody reported such letters. StorageUnavailable: the database does not answer.
        """
        with self._database.reading() as session:
            found = dead_letters.groups(session, topic=topic, fingerprint=fingerprint, limit=_SCREEN)
            group = next((g for g in found if cluster in ("", g.newest.cluster)), None)
            if group is None:
                raise NotFound(f"no worker has reported letters of {ascii(fingerprint)[:80]} in {ascii(topic)[:80]}")
            orders = replay_orders.orders(
                session,
                cluster=group.newest.cluster,
                topic=topic,
                fingerprint=fingerprint,
                newest_first=True,
                limit=_ORDERS,
            )
        return {
            "group": _brief(group),
            "samples": [{**_sample(sample), "now": self._now(group, sample)} for sample in group.samples],
            "elsewhere": [g.newest.cluster for g in found if g is not group],
            "orders": [order_view(record) for record in orders],
            "open": next((record.order.uuid for record in orders if record.state in replay_orders.OPEN), None),
        }

    def order(self, record: OrderRecord) -> dict[str, Any]:
        """One order, with the letters that it is about where they are still known.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        order = record.order
        with self._database.reading() as session:
            found = dead_letters.groups(session, topic=order.topic, fingerprint=order.fingerprint, limit=_SCREEN)
        group = next((g for g in found if g.newest.cluster == order.cluster), None)
        return {"order": order_view(record), "group": _brief(group) if group is not None else None}

    def _now(self, group: Grouped, sample: DeadLetterSample) -> dict[str, Any] | None:
        """Whether a letter passes now, by the two versions that a dry run may judge it by; None where that is not known.

        A letter that names its version, by a header or a schema's id, is judged by that one. Any other is judged by what
        its channel decides. Samples come without their headers: where the two disagree, so does `passes` (None).
        """
        if sample.value is None or sample.truncated or sample.value.startswith(_FRAMED):
            return None
        contract = group.newest.contract
        named = self._versions(contract).get(sample.version) if sample.version else None
        names_one = group.newest.rule in _UNKNOWN
        unnamed = None if names_one else self._decided(sample.origin or next(iter(group.kind.origins), ""))
        versions = [version for version in (named, unnamed) if version is not None]
        if not versions:
            return None
        try:
            answers = iter(self._trying.as_guards_judge(sample.value, versions))
        except Busy:
            return None
        told = [None if version is None else _judged(version, *next(answers)) for version in (named, unnamed)]
        said = {one["accepts"] for one in told if one is not None}
        return {"named": told[0], "unnamed": told[1], "passes": said.pop() if len(said) == 1 else None}

    def _versions(self, contract: str) -> dict[str, BriefVersion]:
        """The versions of a contract of messages, retired ones too, by their numbers."""
        with self._database.reading() as session:
            found = browsing.versions(session, [contract])
            return {v.row.version: v for v in found if v.row.format not in API_FORMATS}

    def _decided(self, channel: str) -> BriefVersion | None:
        """What a message without a name is taken for: the greatest release of the only sender, or only reader, there."""
        heads = [head for head in self._overview.current().heads.values() if channel in head.channels]
        for role in ("produces", "consumes"):
            contracts = [head.contract for head in heads if head.role == role]
            if contracts:
                versions = self._versions(contracts[0]) if len(contracts) == 1 else {}
                there = [v for v in versions.values() if channel in v.row.channels]
                for some in ([v for v in there if not v.retired], there):
                    number = greatest(v.row.version for v in some)
                    if number is not None:
                        return versions[number]
                return None
        return None


def _judged(version: BriefVersion, accepts: bool | None, why: str) -> dict[str, Any]:
    return {"contract": version.row.contract, "version": version.row.version, "accepts": accepts, "why": why}


def order_view(record: OrderRecord) -> dict[str, Any]:
    """An order with all that happened to it. `claim` is there while a worker's lease on it runs."""
    order, lease = record.order, record.lease
    return {
        "id": order.uuid,
        "cluster": order.cluster,
        "topic": order.topic,
        "fingerprint": order.fingerprint,
        "state": record.state,
        **_told(record.entry),
        "trial": _result(*record.trial) if record.trial else None,
        "confirmation": {"digest": record.confirmation[0].digest, **_told(record.confirmation[1])}
        if record.confirmation
        else None,
        "cancellation": {"reason": record.cancellation[0].reason, **_told(record.cancellation[1])}
        if record.cancellation
        else None,
        "outcome": _result(*record.outcome) if record.outcome else None,
        "claim": {"worker": lease.worker, "task": lease.task, "until": lease.until}
        if lease is not None and record.running
        else None,
    }


def _result(row: ReplayResult, entry: Entry) -> dict[str, Any]:
    return {
        "worker": row.worker,
        **{name: getattr(row, name) for name in COUNTS},
        "examples": row.examples,
        "ends": row.ends,
        "error": row.error,
        "digest": row.digest,
        **_told(entry),
    }


def _told(entry: Entry) -> dict[str, Any]:
    return {"at": entry.at, "by": entry.by}


def group_view(group: Grouped) -> dict[str, Any]:
    """One kind of dead letter with its newest samples."""
    kind, newest = group.kind, group.newest
    return {
        "cluster": kind.cluster,
        "topic": kind.topic,
        "fingerprint": kind.fingerprint,
        "contract": newest.contract,
        "versions": kind.versions,
        "rule": newest.rule,
        "pointer": newest.pointer,
        "reason": newest.reason,
        "origins": kind.origins,
        "count": kind.count,
        "replayed": kind.replayed,
        "first_at": kind.first_at,
        "last_at": kind.last_at,
        "samples": [_sample(sample) for sample in group.samples],
    }


def _sample(sample: DeadLetterSample) -> dict[str, Any]:
    return {name: getattr(sample, name) for name in _SAMPLE}


def _brief(group: Grouped) -> dict[str, Any]:
    view = group_view(group)
    del view["samples"]
    return {**view, "cause": cause(view["rule"], view["pointer"], view["reason"])}


def _read(session: Session) -> set[str]:
    """Channels whose dead letters a worker has told of: what guards counted there is not said twice."""
    topics = {topic.removesuffix(SUFFIX) for _, topic, _, _ in dead_letters.totals(session)}
    return topics | dead_letters.origins(session)


def _counted(cells: Sequence[Counted]) -> list[dict[str, Any]]:
    """What guards counted as bad where no worker told of letters, by what is wrong; most first."""
    groups = [
        {**{name: getattr(cell, name) for name in _COUNT}, "cause": cause(cell.rule, cell.pointer, "")}
        for cell in cells
        if cell.kind == "fault"
    ]
    return sorted(groups, key=lambda group: (-int(str(group["count"])), str(group["topic"])))[:_COUNTED]


def _messages(cells: Sequence[Counted]) -> dict[str, int]:
    """Bad messages by topic: of those with several faults one each."""
    messages: dict[str, int] = {}
    for cell in cells:
        if cell.kind == "invalid":
            messages[cell.topic] = messages.get(cell.topic, 0) + cell.count
    return messages


def _run(row: Replay, entry: Entry, order: str | None) -> dict[str, Any]:
    counts = {name: getattr(row, name) for name in COUNTS}
    return {**_told(entry), "topic": row.topic, "name": row.name, "query": row.query, **counts, "order": order}
