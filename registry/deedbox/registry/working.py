"""Workers: threads that take jobs and do them, beside the server or apart from it (`deedbox worker`).

Any number may share a database, on one machine or several. The slow part of a job runs in a process of its own, so a
thread is enough for each.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING
from uuid import uuid4

from deedbox.registry.config import Settings
from deedbox.registry.errors import RegistryError

if TYPE_CHECKING:
    from deedbox.registry.services import SlowWork
    from deedbox.registry.services.jobs import Work

log = logging.getLogger("deedbox.working")

_IDLE_SECONDS = 1.0


class Worker:
    """Takes jobs and does them, `count` at once, until it is stopped."""

    def __init__(self, slow: SlowWork, count: int) -> None:
        self._jobs, self._sagas = slow.jobs, slow.sagas
        self._stopping = threading.Event()
        self._active: dict[str, Work] = {}
        self._lock = threading.Lock()
        self.name = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
        targets = [self._work] * count + [self._renew]
        self._threads = [threading.Thread(target=target, daemon=True) for target in targets]

    def start(self) -> None:
        """Starts working."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Takes no more, and gives back what it has, so that another worker goes on with it at once."""
        self._stopping.set()
        self._jobs.woken.set()
        with self._lock:
            active = list(self._active.values())
        for work in active:
            try:
                self._jobs.give_back(work)
            except RegistryError as error:
                log.warning("job %s could not be given back: %s", work.job.id, error.message)

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._jobs.woken.clear()
            try:
                work = self._jobs.take(self._sagas, self.name)
            except RegistryError as error:
                log.warning("no job could be taken: %s", error.message)
                self._stopping.wait(_IDLE_SECONDS)
                continue
            if work is None:
                self._jobs.woken.wait(_IDLE_SECONDS)
                continue
            with self._lock:
                self._active[work.job.id] = work
            try:
                self._jobs.run(work)
            finally:
                with self._lock:
                    self._active.pop(work.job.id, None)

    def _renew(self) -> None:
        while not self._stopping.wait(self._jobs.patience.lease_seconds / 3):
            with self._lock:
                active = list(self._active.values())
            for work in active:
                try:
                    if not self._jobs.renew(work):
                        log.warning("the lease of job %s was lost", work.job.id)
                except RegistryError as error:
                    log.warning("the lease of job %s could not be renewed: %s", work.job.id, error.message)


def work(settings: Settings) -> None:
    """Works until it is told to stop (SIGINT, SIGTERM). Brings the database to this release first.

    Raises:
        StorageUnavailable: the database does not answer. ConfigurationError: a setting that cannot work.
    """
    from deedbox.registry.services import SlowWork
    from deedbox.registry.storage import migrate
    from deedbox.registry.storage.database import Database
    from deedbox.registry.web import logs

    settings.check()
    logs.configure(settings.log_level)
    database = Database(settings.database_url, settings.busy_seconds)
    migrate.upgrade(database)
    worker = Worker(SlowWork(database, settings), max(1, settings.job_workers))
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    worker.start()
    log.info("working", extra={"fields": {"worker": worker.name}})
    told.wait()
    worker.stop()
    database.close()


if __name__ == "__main__":
    work(Settings.from_environment())
