"""Slow work: asking for it, taking it, recording its steps, and ending it. What the work is, is a `Saga`'s to say.

A job is taken under a lease that its worker renews. Where the worker dies, the lease ends, and whoever takes the job
next goes on behind the last step that was recorded. Each step is recorded in the transaction that does it, and only by
the worker that still has the lease, so no step happens twice or by halves.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from deedbox.registry.errors import LeaseLost, NotFound, NotPackageable, PackageNameTaken, RegistryError
from deedbox.registry.services.names import check_uuid
from deedbox.registry.storage import jobs as stored

if TYPE_CHECKING:
    from deedbox.registry.storage.database import Database
    from deedbox.registry.storage.jobs import Job, JobRecord
    from sqlalchemy.orm import Session

log = logging.getLogger("deedbox.jobs")

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 300.0
STOPPED = "worker-stopped"
"""The code of an attempt that was given back because its worker was told to stop: it is held against nobody."""


class Saga(Protocol):
    """A kind of job: its steps in order, how each is done, and what it means that one cannot be.

    `step` does the work and then records it with `Work.recording`, once. `given_up` compensates, in the transaction
    that ends the job.
    """

    kind: str
    steps: tuple[str, ...]

    def step(self, name: str, work: Work) -> None:
        """Does one step and records it."""

    def given_up(self, session: Session, work: Work, code: str, reason: str) -> None:
        """Compensates for what was done, once it is clear that the rest never will be."""


@dataclass(slots=True)
class Work:
    """One attempt at a job. `done` has what each step that is behind it found.

    `tries` counts the attempts so far without those that were given back; `attempt` numbers them all.
    """

    jobs: Jobs
    saga: Saga
    job: Job
    attempt: int
    tries: int
    done: dict[str, dict[str, Any]] = field(default_factory=dict)

    @contextmanager
    def recording(self, step: str) -> Iterator[tuple[Session, dict[str, Any]]]:
        """The transaction in which a step happens: gives its session, and a dict for what is to be remembered of it.

        The last step of the saga ends the job.

        Raises:
            LeaseLost: the job is somebody else's by now. Nothing was written.
        """
        data: dict[str, Any] = {}
        with self.jobs.database.writing() as session:
            self._hold(session)
            yield session, data
            stored.add_step(session, self.job.id, step, self.attempt, data)
            if step == self.saga.steps[-1]:
                stored.add_outcome(session, self.job.id, self.attempt, "done")
        self.done[step] = data

    def end(self, code: str, reason: str) -> None:
        """Gives the job up for good, with what the saga does then.

        Raises:
            LeaseLost: as `recording`.
        """
        with self.jobs.database.writing() as session:
            self._hold(session)
            self.saga.given_up(session, self, code, reason)
            stored.add_outcome(session, self.job.id, self.attempt, "failed", code, reason)
        log.warning("%s %s failed (%s): %s", self.job.kind, self.job.subject, code, reason)

    def again(self, code: str, reason: str, seconds: float) -> None:
        """Leaves the job to whoever takes it after a pause.

        Raises:
            LeaseLost: as `recording`.
        """
        with self.jobs.database.writing(entries=False) as session:
            self._hold(session)
            stored.add_outcome(session, self.job.id, self.attempt, "retry", code, reason)
            stored.give_back(session, self.job.id, self.attempt, seconds)
        log.info("%s %s is tried again in %.0f s (%s): %s", self.job.kind, self.job.subject, seconds, code, reason)

    def _hold(self, session: Session) -> None:
        if not stored.hold(session, self.job.id, self.attempt):
            raise LeaseLost(f"job {self.job.id} was taken by another worker, as this one's lease had ended")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a worker's lease is, how often a job is tried, and how the pauses between grow."""

    lease_seconds: float = 30
    attempts: int = 5
    first_pause: float = _FIRST_PAUSE


class Jobs:
    """The use cases of slow work. `woken` is set when this process adds a job, for workers that wait in it."""

    def __init__(self, database: Database, patience: Patience) -> None:
        self.database, self.patience = database, patience
        self.woken = threading.Event()

    def add(
        self, session: Session, kind: str, subject: str, payload: dict[str, Any], by: str, id_: str | None = None
    ) -> Job:
        """A job, in the caller's transaction: it is there if that commits."""
        job = stored.add_job(session, check_uuid(id_) if id_ is not None else str(uuid4()), kind, subject, payload, by)
        # Woken a moment early, a worker finds nothing and looks again soon.
        self.woken.set()
        return job

    def job(self, id_: str) -> JobRecord:
        """A job and what happened to it.

        Raises:
            NotFound: nobody asked for it.
        """
        with self.database.reading() as session:
            found = stored.job(session, id_)
        if found is None:
            raise NotFound(f"there is no job {ascii(id_)[:60]}")
        return found

    def counts(self) -> dict[str, dict[str, int]]:
        """Open jobs by state (`open`), and attempts that ended by outcome (`attempts`).

        Raises:
            Busy, StorageUnavailable: the database does not answer.
        """
        with self.database.reading() as session:
            return stored.counts(session)

    def take(self, sagas: dict[str, Saga], worker: str) -> Work | None:
        """The next job of these kinds, under a lease; None where none is ready.

        Raises:
            Busy, StorageUnavailable: nothing was taken.
        """
        with self.database.reading() as session:
            if not stored.any_ready(session, sagas):
                return None
        with self.database.writing(entries=False) as session:
            claimed = stored.claim(session, sagas, worker, self.patience.lease_seconds)
            if claimed is None:
                return None
            job, attempt = claimed
            record = stored.job(session, job.id)
            assert record is not None, "it was just claimed"
            done = {step.name: step.data for step in record.steps}
        stopped = sum(o.state == "retry" and o.code == STOPPED for o in record.outcomes)
        work = Work(self, sagas[job.kind], job, attempt, attempt - stopped, done)
        if work.tries > self.patience.attempts:
            last = next((o for o in reversed(record.outcomes) if o.code != STOPPED), None)
            told = f": {last.reason}" if last is not None else ", and its workers died each time"
            work.end("attempts-exhausted", f"it was tried {self.patience.attempts} times{told}")
            return None
        return work

    def renew(self, work: Work) -> bool:
        """Keeps a job for another lease; False where it is lost.

        Raises:
            Busy, StorageUnavailable: it is kept for no longer than it was.
        """
        with self.database.writing(entries=False) as session:
            return stored.renew(session, work.job.id, work.attempt, self.patience.lease_seconds)

    def give_back(self, work: Work) -> None:
        """Lets another worker take a job at once, as this one has to stop.

        Raises:
            LeaseLost: one has it already. Busy, StorageUnavailable: it will when the lease ends.
        """
        work.again(STOPPED, "its worker was told to stop", 0)

    def run(self, work: Work) -> None:
        """Does the steps that are left of a job, and ends it; never raises for what goes wrong in a step."""
        try:
            for step in work.saga.steps:
                if step not in work.done:
                    self._step(work, step)
        except LeaseLost as error:
            log.warning("%s", error.message)
        except (NotPackageable, PackageNameTaken) as error:
            code, message = str(error.extra.get("reason") or error.code), error.message
            self._quietly(lambda: work.end(code, message))
        except RegistryError as error:
            self._retry(work, error.code, error.message)
        except Exception as error:
            log.exception("%s %s failed unexpectedly", work.job.kind, work.job.subject)
            self._retry(work, "internal", f"{type(error).__name__}: {error}"[:1000])

    def _step(self, work: Work, step: str) -> None:
        work.saga.step(step, work)
        assert step in work.done, f"{step} recorded nothing"

    def _retry(self, work: Work, code: str, reason: str) -> None:
        pause = min(self.patience.first_pause * 2 ** (work.tries - 1), _LONGEST_PAUSE) * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        if work.tries >= self.patience.attempts:
            self._quietly(lambda: work.end(code, f"{reason} (tried {work.tries} times)"))
        else:
            self._quietly(lambda: work.again(code, reason, pause))

    def _quietly(self, end: Callable[[], None]) -> None:
        try:
            end()
        except RegistryError as error:
            # The lease ends by itself, and the next attempt finds the steps that are recorded.
            log.warning("how an attempt ended could not be recorded: %s", error.message)


def state_of(record: JobRecord) -> str:
    """`waiting`, `running`, `done` or `failed`."""
    if record.queued is None:
        return record.outcomes[-1].state
    return "running" if record.queued.worker is not None else "waiting"
