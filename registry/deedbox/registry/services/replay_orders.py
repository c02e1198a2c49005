"""Orders to send dead letters again: asked for and confirmed by people, carried out by workers beside Kafka.

The registry has no Kafka. A worker asks for what there is to do, takes an order under a lease, and says what came of
it: first of a dry run, then, once somebody confirmed just that, of the replay.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal
from uuid import uuid4

from deedbox.registry.errors import (
    IdTaken,
    InvalidRequest,
    LeaseLost,
    NotFound,
    OrderClaimed,
    OrderNotReady,
    OrderOpen,
    PreconditionFailed,
)
from deedbox.registry.services import replays
from deedbox.registry.services.names import check_channel, check_uuid
from deedbox.registry.services.replays import Run
from deedbox.registry.services.values import Page
from deedbox.registry.storage import dead_letters, queries
from deedbox.registry.storage import replay_orders as store
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.replay_orders import (
    DRY_RUN,
    REPLAY,
    OrderRecord,
    ReplayCancellation,
    ReplayConfirmation,
    ReplayOrder,
    ReplayResult,
)
from sqlalchemy.orm import Session

COUNTS = ("read", "replayed", "quarantined", "failing", "skipped")


@dataclass(frozen=True, slots=True)
class Result:
    """What a worker says of a task; see `storage.replay_orders.ReplayResult`."""

    worker: str
    read: int
    replayed: int
    quarantined: int
    failing: int
    skipped: int
    examples: tuple[dict[str, Any], ...]
    ends: tuple[dict[str, int], ...]
    error: str | None

    def said(self) -> dict[str, Any]:
        """Its fields as they are kept."""
        return {
            "worker": self.worker,
            **{name: getattr(self, name) for name in COUNTS},
            "examples": list(self.examples),
            "ends": list(self.ends),
            "error": self.error,
        }


@dataclass(frozen=True, slots=True)
class Written:
    """An order as it stands after a write, and whether this call wrote anything."""

    record: OrderRecord
    created: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """An order that a worker has until a time, and what it is to do."""

    record: OrderRecord
    task: str
    until: str


class ReplayOrders:
    """The use cases around replay orders."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def order(self, uuid: str, cluster: str, topic: str, fingerprint: str, by: str) -> Written:
        """Orders the letters of a fingerprint to be sent again. The same id with the same content again is no second one.

        Raises:
            InvalidRequest, InvalidName: says which field. IdTaken: the id names another order.
            NotFound: no worker reported such letters. OrderOpen: another order for them has not ended; says which.
            Busy, StorageUnavailable: nothing was written.
        """
        uuid = check_uuid(uuid)
        check_channel(topic)
        said = {"cluster": cluster, "topic": topic, "fingerprint": fingerprint}
        with self.database.writing() as session:
            known = store.by_uuid(session, uuid)
            if known is not None:
                if any(getattr(known.order, name) != held for name, held in said.items()):
                    raise IdTaken(f"order {uuid} was made by {known.entry.by} with other content: use a new id")
                return Written(known, created=False)
            named = "\x00" not in cluster + fingerprint  # which PostgreSQL cannot be asked for
            if not (named and dead_letters.exists(session, cluster, topic, fingerprint)):
                raise NotFound(
                    f"no worker has reported letters of {ascii(fingerprint)[:80]} in {topic} of cluster "
                    f"{ascii(cluster)[:80]}: run `deedbox dlq work` for that topic"
                )
            for other in store.orders(
                session, states=store.OPEN, cluster=cluster, topic=topic, fingerprint=fingerprint, limit=1
            ):
                raise OrderOpen(
                    f"order {other.order.uuid} by {other.entry.by} for these letters is {other.state}: "
                    "confirm or cancel it first",
                    order=other.order.uuid,
                )
            entry = queries.add_entry(session, by, "replay-order", _subject(topic, fingerprint), {"id": uuid, **said})
            session.add(ReplayOrder(seq=entry.seq, uuid=uuid, **said))
            session.flush()
            return Written(_known(session, uuid), created=True)

    def get(self, uuid: str) -> OrderRecord:
        """An order as it stands.

        Raises:
            NotFound: there is none of that id. StorageUnavailable: the database does not answer.
        """
        with self.database.reading() as session:
            return _known(session, uuid)

    def orders(
        self, *, states: tuple[str, ...], topic: str | None, cluster: str | None, after: int, limit: int
    ) -> Page:
        """Orders in the states (all where none is named), in their order.

        Raises:
            InvalidRequest: no such state. StorageUnavailable: the database does not answer.
        """
        for state in states:
            if state not in store.STATES:
                message = f"state={ascii(state)[:40]}: there are {', '.join(store.STATES)}"
                raise InvalidRequest(message, pointer="/state")
        with self.database.reading() as session:
            found = store.orders(
                session,
                states=states or store.STATES,
                cluster=cluster,
                topic=topic,
                after=after,
                limit=limit + 1,
            )
        items: list[Any] = found[:limit]
        return Page(items, str(found[limit - 1].order.seq) if len(found) > limit else None)

    def claim(self, uuid: str, worker: str, seconds: float) -> Claim:
        """Gives a worker an order for some seconds, or for some more where it has it.

        Raises:
            NotFound: no such order. OrderNotReady: nothing is to be done with it now.
            OrderClaimed: another worker has it, or is sending other letters of the topic; says which, and until when.
            Busy, StorageUnavailable: nothing was taken.
        """
        with self.database.writing() as session:
            record = _known(session, uuid)
            task = record.task
            if task is None:
                waits = "it waits for somebody to confirm it" if record.state == "tried" else "it has ended"
                raise OrderNotReady(f"order {uuid} is {record.state}: {waits}", state=record.state)
            lease = record.lease
            if lease is not None and record.running and lease.worker != worker:
                raise OrderClaimed(
                    f"{lease.worker} has order {uuid} until {lease.until}", worker=lease.worker, until=lease.until
                )
            if task == REPLAY:
                _check_alone(session, record, worker)
            lease = store.take(session, record, worker, task, seconds)
            return Claim(_known(session, uuid), task, lease.until)

    def result(self, uuid: str, task: Literal["dry-run", "replay"], result: Result, by: str) -> Written:
        """Records what came of a task, once. A replay is also a run in the audit feed, as every other.

        Raises:
            NotFound: no such order. IdTaken: another result of the task was recorded.
            LeaseLost: the worker did not take the order for this task, or another one has taken it since.
            OrderNotReady: the order was cancelled before it was tried. Busy, StorageUnavailable: nothing was written.
        """
        with self.database.writing() as session:
            record = _known(session, uuid)
            digest = _digest(uuid, task, result)
            known = record.trial if task == DRY_RUN else record.outcome
            if known is not None:
                if known[0].digest != digest:
                    raise IdTaken(f"{known[0].worker} has said already what came of the {task} of order {uuid}")
                return Written(record, created=False)
            lease = record.lease
            if lease is None or lease.worker != result.worker or lease.task != task:
                if record.task != task:
                    raise OrderNotReady(f"order {uuid} is {record.state}: no {task} is to be done", state=record.state)
                holder = "nobody" if lease is None else f"{lease.worker}, for {lease.task}"
                raise LeaseLost(f"order {uuid} was taken last by {holder}: claim it before saying what came of it")
            seq = _add_result(session, record.order, task, result, digest, by)
            session.add(ReplayResult(seq=seq, order_seq=record.order.seq, task=task, digest=digest, **result.said()))
            session.flush()
            store.let_go(session, record)
            return Written(_known(session, uuid), created=True)

    def confirm(self, uuid: str, digest: str, by: str) -> Written:
        """Says that what the dry run found, by its digest, is to be done.

        Raises:
            NotFound: no such order. PreconditionFailed: the dry run found something else.
            OrderNotReady: it was not tried yet, has ended, or would send nothing.
            Busy, StorageUnavailable: nothing was written.
        """
        with self.database.writing() as session:
            record = _known(session, uuid)
            known = record.confirmation
            if known is not None and known[0].digest == digest:
                return Written(record, created=False)
            if record.trial is None or record.state not in ("tried", "confirmed"):
                raise OrderNotReady(f"order {uuid} is {record.state}: there is nothing to confirm", state=record.state)
            trial, tried = record.trial
            if trial.digest != digest:
                raise PreconditionFailed(
                    f"the dry run of order {uuid} found something else than what you saw: read it again",
                    missed=[{"digest": trial.digest, "at": tried.at, "by": tried.by}],
                )
            if not trial.replayed + trial.quarantined:
                message = (
                    f"the dry run of order {uuid} would send nothing: cancel it, and order another when that changed"
                )
                raise OrderNotReady(message, state=record.state)
            data = {"id": uuid, "digest": digest, "replayed": trial.replayed, "quarantined": trial.quarantined}
            entry = queries.add_entry(session, by, "replay-confirmation", _subject_of(record.order), data)
            session.add(ReplayConfirmation(seq=entry.seq, order_seq=record.order.seq, digest=digest))
            session.flush()
            return Written(_known(session, uuid), created=True)

    def cancel(self, uuid: str, reason: str, by: str) -> Written:
        """Ends an order that is not done. Cancelled again it stays as it was.

        Raises:
            NotFound: no such order. OrderNotReady: it has ended, or is being sent right now.
            Busy, StorageUnavailable: nothing was written.
        """
        with self.database.writing() as session:
            record = _known(session, uuid)
            if record.state == "cancelled":
                return Written(record, created=False)
            if record.state not in store.OPEN:
                raise OrderNotReady(f"order {uuid} is {record.state}: it cannot be cancelled", state=record.state)
            lease = record.lease
            sending = lease is not None and lease.task == REPLAY
            if lease is not None and sending and record.running:
                message = f"{lease.worker} is sending the letters of order {uuid}, until {lease.until} at least"
                raise OrderNotReady(message, state=record.state)
            data = {"id": uuid, "reason": reason}
            entry = queries.add_entry(session, by, "replay-cancellation", _subject_of(record.order), data)
            session.add(ReplayCancellation(seq=entry.seq, order_seq=record.order.seq, reason=reason))
            session.flush()
            if not sending:
                store.let_go(session, record)  # else its worker may still say what it sent
            return Written(_known(session, uuid), created=True)


def _known(session: Session, uuid: str) -> OrderRecord:
    try:
        record = store.by_uuid(session, check_uuid(uuid))
    except InvalidRequest:
        record = None
    if record is None:
        raise NotFound(f"there is no replay order {ascii(uuid)[:60]}")
    return record


def _check_alone(session: Session, record: OrderRecord, worker: str) -> None:
    """Two that send letters of one topic would end each other again and again: Kafka lets only the later one write."""
    order = record.order
    for sending in store.being_sent(session, order.cluster, order.topic):
        lease = sending.lease
        if lease is not None and sending.running and lease.worker != worker:
            raise OrderClaimed(
                f"{lease.worker} is sending letters of {order.topic} until {lease.until}, by order {sending.order.uuid}: "
                f"order {order.uuid} is for behind that",
                worker=lease.worker,
                until=lease.until,
            )


def _add_result(session: Session, order: ReplayOrder, task: str, result: Result, digest: str, by: str) -> int:
    """The entry of a result: its sequence number."""
    counts = {name: getattr(result, name) for name in COUNTS}
    if task == REPLAY:
        run = Run(order.topic, order.uuid, f"fingerprint={order.fingerprint}", **counts)
        return replays.add(session, str(uuid4()), run, by, order=order.uuid, error=result.error).row.seq
    data = {"id": order.uuid, **counts, "error": result.error, "digest": digest}
    return queries.add_entry(session, by, "replay-trial", _subject_of(order), data).seq


def _digest(uuid: str, task: str, result: Result) -> str:
    return sha256(json.dumps({"order": uuid, "task": task, **result.said()}, sort_keys=True).encode()).hexdigest()


def _subject_of(order: ReplayOrder) -> str:
    return _subject(order.topic, order.fingerprint)


def _subject(topic: str, fingerprint: str) -> str:
    return f"{topic}#{fingerprint}"
