"""Slow work: what was asked for, who tried it, which steps are done, how it ended; and the outbox of what to tell others.

Jobs, attempts, steps and outcomes are facts and never change. `job_queue` is no fact: it has a row for each open job,
which moves with its lease and goes when the job ends, so that finding work costs the same whatever was done before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from deedbox.registry.storage.models import Base
from deedbox.registry.storage.queries import now
from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column


class Job(Base):
    """Something slow that somebody asked for. `subject` is what it is about, as in `entries`."""

    __tablename__ = "jobs"
    __table_args__ = (Index(None, "kind", "subject", "at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(500))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[str] = mapped_column(String(32))


class JobAttempt(Base):
    """One worker that took a job, and when."""

    __tablename__ = "job_attempts"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    worker: Mapped[str] = mapped_column(String(200))
    at: Mapped[str] = mapped_column(String(32))


class JobStep(Base):
    """A step of a job that is done, and what it found. It is written once, with what the step did."""

    __tablename__ = "job_steps"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    attempt: Mapped[int]
    at: Mapped[str] = mapped_column(String(32))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)


class JobOutcome(Base):
    """How an attempt ended: `done`, `retry` or `failed`. One that a killed worker left behind has none."""

    __tablename__ = "job_outcomes"
    __table_args__ = (Index(None, "state"),)

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text)


class QueuedJob(Base):
    """An open job. `ready_at` is when a worker may take it: at once, after a pause, or when the lease on it ends.

    `worker` has it now; None where it waits. `attempt` is the number of the last attempt.
    """

    __tablename__ = "job_queue"
    __table_args__ = (Index(None, "ready_at"),)

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    ready_at: Mapped[str] = mapped_column(String(32))
    attempt: Mapped[int]
    worker: Mapped[str | None] = mapped_column(String(200))


class OutboxMessage(Base):
    """Something to tell others, written in the transaction that made it true. `id` is what receivers deduplicate by."""

    __tablename__ = "outbox"
    __table_args__ = (UniqueConstraint("id"),)

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(String(36))
    at: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(500))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job with all that happened to it; `queued` is None once it has ended."""

    job: Job
    queued: QueuedJob | None
    attempts: list[JobAttempt]
    steps: list[JobStep]
    outcomes: list[JobOutcome]


def clock(session: Session, seconds: float = 0) -> str:
    """The database's time, some seconds on. Workers on several machines share it, whatever their own clocks say."""
    if session.get_bind().dialect.name == "postgresql":
        at: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    else:
        at = datetime.now(UTC)
    at = at.astimezone(UTC) + timedelta(seconds=seconds)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def add_job(session: Session, id_: str, kind: str, subject: str, payload: Mapping[str, Any], by: str) -> Job:
    """A new job, ready to be taken when the transaction commits."""
    job = Job(id=id_, kind=kind, subject=subject, payload=dict(payload), by=by, at=now())
    session.add(job)
    session.flush()
    session.add(QueuedJob(job_id=id_, kind=kind, ready_at=clock(session), attempt=0, worker=None))
    session.flush()
    return job


def job(session: Session, id_: str) -> JobRecord | None:
    """A job and what happened to it."""
    row = session.get(Job, id_)
    if row is None:
        return None
    return JobRecord(
        row,
        session.get(QueuedJob, id_),
        list(session.execute(select(JobAttempt).where(JobAttempt.job_id == id_).order_by(JobAttempt.number)).scalars()),
        list(session.execute(select(JobStep).where(JobStep.job_id == id_).order_by(JobStep.at)).scalars()),
        list(
            session.execute(select(JobOutcome).where(JobOutcome.job_id == id_).order_by(JobOutcome.attempt)).scalars()
        ),
    )


def newest_job(session: Session, kind: str, subject: str) -> Job | None:
    """The job that was asked for last."""
    statement = select(Job).where(Job.kind == kind, Job.subject == subject).order_by(Job.at.desc(), Job.id).limit(1)
    return session.execute(statement).scalar_one_or_none()


def any_ready(session: Session, kinds: Collection[str]) -> bool:
    """Whether a worker of these kinds would find work."""
    statement = select(QueuedJob.job_id).where(QueuedJob.ready_at <= clock(session), QueuedJob.kind.in_(kinds))
    return session.execute(statement.limit(1)).scalar_one_or_none() is not None


def claim(session: Session, kinds: Collection[str], worker: str, lease_seconds: float) -> tuple[Job, int] | None:
    """Takes the job that has been ready longest, for as long as the lease; None where none is.

    Returns:
        The job, and the number of this attempt at it.
    """
    # Rows that other workers are taking are passed over on PostgreSQL; on SQLite writers are alone anyway.
    statement = (
        select(QueuedJob)
        .where(QueuedJob.ready_at <= clock(session), QueuedJob.kind.in_(kinds))
        .order_by(QueuedJob.ready_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    queued = session.execute(statement).scalar_one_or_none()
    if queued is None:
        return None
    queued.attempt += 1
    queued.worker = worker
    queued.ready_at = clock(session, lease_seconds)
    session.add(JobAttempt(job_id=queued.job_id, number=queued.attempt, worker=worker, at=clock(session)))
    session.flush()
    taken = session.get(Job, queued.job_id)
    assert taken is not None, "a foreign key says so"
    return taken, queued.attempt


def renew(session: Session, job_id: str, attempt: int, lease_seconds: float) -> bool:
    """Holds a job for another lease; False where it is somebody else's by now."""
    statement = update(QueuedJob).where(QueuedJob.job_id == job_id, QueuedJob.attempt == attempt)
    return _count(session, statement.values(ready_at=clock(session, lease_seconds))) == 1


def hold(session: Session, job_id: str, attempt: int) -> bool:
    """Whether this attempt is still the last one; if so nobody else takes the job before the transaction ends."""
    statement = (
        select(QueuedJob.job_id)
        .where(QueuedJob.job_id == job_id, QueuedJob.attempt == attempt, QueuedJob.worker.is_not(None))
        .with_for_update()
    )
    return session.execute(statement).scalar_one_or_none() is not None


def give_back(session: Session, job_id: str, attempt: int, seconds: float) -> bool:
    """Lets any worker take a job again, after a pause; False where it is somebody else's by now."""
    statement = update(QueuedJob).where(QueuedJob.job_id == job_id, QueuedJob.attempt == attempt)
    return _count(session, statement.values(worker=None, ready_at=clock(session, seconds))) == 1


def add_step(session: Session, job_id: str, name: str, attempt: int, data: Mapping[str, Any]) -> None:
    """Records that a step is done."""
    session.add(JobStep(job_id=job_id, name=name, attempt=attempt, at=clock(session), data=dict(data)))
    session.flush()


def add_outcome(session: Session, job_id: str, attempt: int, state: str, code: str = "", reason: str = "") -> None:
    """Records how an attempt ended; `done` and `failed` end the job."""
    session.add(
        JobOutcome(job_id=job_id, attempt=attempt, at=clock(session), state=state, code=code[:64], reason=reason)
    )
    if state != "retry":
        session.execute(delete(QueuedJob).where(QueuedJob.job_id == job_id))
    session.flush()


def add_message(session: Session, id_: str, kind: str, subject: str, data: Mapping[str, Any]) -> OutboxMessage:
    """Puts a message into the outbox. Only inside `Database.writing()`, where nobody else takes the same position."""
    position = session.execute(select(func.coalesce(func.max(OutboxMessage.position), 0))).scalar_one() + 1
    message = OutboxMessage(position=position, id=id_, at=now(), kind=kind, subject=subject, data=dict(data))
    session.add(message)
    session.flush()
    return message


def messages_after(session: Session, position: int, limit: int) -> list[OutboxMessage]:
    """The outbox from behind one position, in order."""
    statement = select(OutboxMessage).where(OutboxMessage.position > position).order_by(OutboxMessage.position)
    return list(session.execute(statement.limit(limit)).scalars())


def counts(session: Session) -> dict[str, dict[str, int]]:
    """Open jobs by whether they wait or run, and ended attempts by how: `{"open": {…}, "attempts": {…}}`."""
    running = QueuedJob.worker.is_not(None) & (QueuedJob.ready_at > clock(session))
    open_ = session.execute(select(running, func.count()).group_by(running))
    ended = session.execute(select(JobOutcome.state, func.count()).group_by(JobOutcome.state))
    found = {bool(row[0]): int(row[1]) for row in open_}
    return {
        "open": {"waiting": found.get(False, 0), "running": found.get(True, 0)},
        "attempts": {"done": 0, "retry": 0, "failed": 0} | {row[0]: int(row[1]) for row in ended},
    }


def _count(session: Session, statement: Any) -> int:
    count: int = session.execute(statement).rowcount  # type: ignore[attr-defined] # of an UPDATE
    return count
