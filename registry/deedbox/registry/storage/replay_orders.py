"""Orders to send dead letters again: what was asked, tried, confirmed or cancelled, and what became of it.

Each is an entry and a row of its kind. `replay_leases` states no fact: it has a row for each order that a worker has in
hand, which moves with its lease and goes with the worker's result.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from deedbox.registry.storage.jobs import clock
from deedbox.registry.storage.models import Base, Entry
from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    UniqueConstraint,
    case,
    delete,
    func,
    select,
    tuple_,
)
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

STATES = ("asked", "tried", "confirmed", "done", "cancelled", "failed")
OPEN = ("asked", "tried", "confirmed")
DRY_RUN, REPLAY = "dry-run", "replay"
TASKS = (DRY_RUN, REPLAY)
_TASK_OF = {"asked": DRY_RUN, "confirmed": REPLAY}


class ReplayOrder(Base):
    """That somebody asked for the letters of one fingerprint in a dead-letter topic to be sent again."""

    __tablename__ = "replay_orders"
    __table_args__ = (UniqueConstraint("uuid"), Index(None, "cluster", "topic", "fingerprint"))

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    uuid: Mapped[str] = mapped_column(String(36))
    cluster: Mapped[str] = mapped_column(String(100))
    topic: Mapped[str] = mapped_column(String(249))
    fingerprint: Mapped[str] = mapped_column(String(100))


class ReplayResult(Base):
    """What a worker found of a task: of a dry run, what would be; of a replay, what was. `error` is why it did not end.

    `ends` are the offsets, by partition, before which the letters stood that the worker read. `digest` is of it all.
    """

    __tablename__ = "replay_results"
    __table_args__ = (UniqueConstraint("order_seq", "task"),)

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    order_seq: Mapped[int] = mapped_column(ForeignKey("replay_orders.seq"))
    task: Mapped[str] = mapped_column(String(16))
    worker: Mapped[str] = mapped_column(String(200))
    read: Mapped[int]
    replayed: Mapped[int]
    quarantined: Mapped[int]
    failing: Mapped[int]
    skipped: Mapped[int]
    examples: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    ends: Mapped[list[dict[str, int]]] = mapped_column(JSON)
    error: Mapped[str | None] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))


class ReplayConfirmation(Base):
    """That somebody saw the result of the dry run with this digest, and wants it done."""

    __tablename__ = "replay_confirmations"
    __table_args__ = (UniqueConstraint("order_seq"),)

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    order_seq: Mapped[int] = mapped_column(ForeignKey("replay_orders.seq"))
    digest: Mapped[str] = mapped_column(String(64))


class ReplayCancellation(Base):
    """That nobody is to go on with an order."""

    __tablename__ = "replay_cancellations"
    __table_args__ = (UniqueConstraint("order_seq"),)

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    order_seq: Mapped[int] = mapped_column(ForeignKey("replay_orders.seq"))
    reason: Mapped[str] = mapped_column(Text)


class ReplayLease(Base):
    """The worker that took an order last, for which task, and until when nobody else may."""

    __tablename__ = "replay_leases"

    order_seq: Mapped[int] = mapped_column(ForeignKey("replay_orders.seq"), primary_key=True, autoincrement=False)
    worker: Mapped[str] = mapped_column(String(200))
    task: Mapped[str] = mapped_column(String(16))
    until: Mapped[str] = mapped_column(String(32))


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order with all that happened to it, each with its entry. `running` says whether the lease has not run out."""

    order: ReplayOrder
    entry: Entry
    trial: tuple[ReplayResult, Entry] | None
    confirmation: tuple[ReplayConfirmation, Entry] | None
    cancellation: tuple[ReplayCancellation, Entry] | None
    outcome: tuple[ReplayResult, Entry] | None
    lease: ReplayLease | None
    state: str
    running: bool

    @property
    def task(self) -> str | None:
        """What a worker is to do now."""
        return _TASK_OF.get(self.state)


_trial, _outcome = aliased(ReplayResult, name="trial"), aliased(ReplayResult, name="outcome")
_at_trial, _at_outcome = aliased(Entry, name="at_trial"), aliased(Entry, name="at_outcome")
_at_confirmation, _at_cancellation = aliased(Entry, name="at_confirmation"), aliased(Entry, name="at_cancellation")
# What was sent was sent: a replay's result says more than a cancellation that came while it ran.
_STATE = case(
    (_outcome.seq.is_not(None) & _outcome.error.is_(None), "done"),
    (_outcome.seq.is_not(None), "failed"),
    (ReplayCancellation.seq.is_not(None), "cancelled"),
    (_trial.error.is_not(None), "failed"),
    (ReplayConfirmation.seq.is_not(None), "confirmed"),
    (_trial.seq.is_not(None), "tried"),
    else_="asked",
)


def _records() -> Select[*tuple[Any, ...]]:
    return (
        select(
            ReplayOrder,
            Entry,
            _trial,
            _at_trial,
            ReplayConfirmation,
            _at_confirmation,
            ReplayCancellation,
            _at_cancellation,
            _outcome,
            _at_outcome,
            ReplayLease,
            _STATE,
        )
        .join(Entry, Entry.seq == ReplayOrder.seq)
        .outerjoin(_trial, (_trial.order_seq == ReplayOrder.seq) & (_trial.task == DRY_RUN))
        .outerjoin(_at_trial, _at_trial.seq == _trial.seq)
        .outerjoin(_outcome, (_outcome.order_seq == ReplayOrder.seq) & (_outcome.task == REPLAY))
        .outerjoin(_at_outcome, _at_outcome.seq == _outcome.seq)
        .outerjoin(ReplayConfirmation, ReplayConfirmation.order_seq == ReplayOrder.seq)
        .outerjoin(_at_confirmation, _at_confirmation.seq == ReplayConfirmation.seq)
        .outerjoin(ReplayCancellation, ReplayCancellation.order_seq == ReplayOrder.seq)
        .outerjoin(_at_cancellation, _at_cancellation.seq == ReplayCancellation.seq)
        .outerjoin(ReplayLease, ReplayLease.order_seq == ReplayOrder.seq)
    )


def by_uuid(session: Session, uuid: str) -> OrderRecord | None:
    """The order with this id."""
    found = _read(session, _records().where(ReplayOrder.uuid == uuid))
    return found[0] if found else None


def orders(
    session: Session,
    *,
    states: Collection[str] = STATES,
    cluster: str | None = None,
    topic: str | None = None,
    fingerprint: str | None = None,
    after: int = 0,
    newest_first: bool = False,
    limit: int,
) -> list[OrderRecord]:
    """Orders behind a sequence number, in their order or the newest first."""
    statement = _records().where(ReplayOrder.seq > after)
    if set(states) != set(STATES):
        statement = statement.where(_STATE.in_(sorted(states)))
    for column, wanted in (
        (ReplayOrder.cluster, cluster),
        (ReplayOrder.topic, topic),
        (ReplayOrder.fingerprint, fingerprint),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    order = ReplayOrder.seq.desc() if newest_first else ReplayOrder.seq
    return _read(session, statement.order_by(order).limit(limit))


def being_sent(session: Session, cluster: str, topic: str) -> list[OrderRecord]:
    """The orders about a topic whose letters a worker has taken to send, also where its lease has run out."""
    return _read(
        session,
        _records().where(ReplayOrder.cluster == cluster, ReplayOrder.topic == topic, ReplayLease.task == REPLAY),
    )


def newest_of(session: Session, keys: Collection[tuple[str, str, str]]) -> list[OrderRecord]:
    """The last order for each of these letters: by cluster, topic and fingerprint."""
    columns = ReplayOrder.cluster, ReplayOrder.topic, ReplayOrder.fingerprint
    last = select(func.max(ReplayOrder.seq)).where(tuple_(*columns).in_(list(keys))).group_by(*columns)
    return _read(session, _records().where(ReplayOrder.seq.in_(last.scalar_subquery())))


def orders_of_runs(session: Session, seqs: Iterable[int]) -> dict[int, str]:
    """By the entry of a run that was ordered, the order's id."""
    statement = (
        select(ReplayResult.seq, ReplayOrder.uuid)
        .join(ReplayOrder, ReplayOrder.seq == ReplayResult.order_seq)
        .where(ReplayResult.seq.in_(list(seqs)))
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def take(session: Session, record: OrderRecord, worker: str, task: str, seconds: float) -> ReplayLease:
    """Gives a worker an order for some seconds. Only inside `Database.writing()`, when nobody else has it."""
    until = clock(session, seconds)
    lease = record.lease
    if lease is None:
        lease = ReplayLease(order_seq=record.order.seq, worker=worker, task=task, until=until)
        session.add(lease)
    else:
        lease.worker, lease.task, lease.until = worker, task, until
    session.flush()
    return lease


def let_go(session: Session, record: OrderRecord) -> None:
    """Ends the lease on an order."""
    session.execute(delete(ReplayLease).where(ReplayLease.order_seq == record.order.seq))


def _read(session: Session, statement: Select[*tuple[Any, ...]]) -> list[OrderRecord]:
    rows = list(session.execute(statement))
    now = clock(session) if any(row[10] is not None for row in rows) else ""
    return [_record(row, now) for row in rows]


def _record(row: Iterable[Any], now: str) -> OrderRecord:
    order, entry, *joined, lease, state = row
    trial, confirmation, cancellation, outcome = (
        (joined[n], joined[n + 1]) if joined[n] is not None else None for n in (0, 2, 4, 6)
    )
    running = lease is not None and lease.until > now
    return OrderRecord(order, entry, trial, confirmation, cancellation, outcome, lease, state, running)
