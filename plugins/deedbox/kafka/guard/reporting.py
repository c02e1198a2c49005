"""Sending what a guard saw to the registry: a thread of its own, so that no message ever waits for the registry."""

from __future__ import annotations

import logging
import random
from threading import Event, Thread
from typing import TYPE_CHECKING

from deedbox.client import ClientError, Problem, is_unavailable
from deedbox.kafka.errors import SpoolFailed

if TYPE_CHECKING:
    from deedbox.client import RegistryClient
    from deedbox.kafka.guard.spool import Spool

log = logging.getLogger("deedbox.guard")

_LEAST, _MOST = 1.0, 60.0
"""Seconds between attempts while the registry is away."""


class Reporter:
    """Sends the reports of a spool, oldest first, and again after a pause where the registry does not answer.

    Args:
        spool: where they wait.
        client: of the registry; a report sent twice is recorded once, by its id.
        least, most: the pause after the first failure, doubled up to the most.
    """

    def __init__(self, spool: Spool, client: RegistryClient, *, least: float = _LEAST, most: float = _MOST) -> None:
        self._spool, self._client = spool, client
        self._least, self._most = least, most
        self._pause = 0.0
        self._wake, self._stopping = Event(), False
        self._thread: Thread | None = None
        self.sent = self.refused = 0

    def start(self) -> None:
        """Starts the thread."""
        self._thread = Thread(target=self._run, name="deedbox-reporter", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Says that there is something to send."""
        if not self._pause:
            self._wake.set()

    def stop(self, seconds: float = 5.0) -> None:
        """Ends the thread after one more attempt, waiting at most so long. What is left waits on disk."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            last = self._stopping
            self._pause = 0.0 if self.send_all() else min(max(self._pause * 2, self._least), self._most)
            if last:
                return
            # Jittered: guards that lost the registry together must not come back together.
            wait = self._pause * random.uniform(0.5, 1.0) if self._pause else 1.0  # noqa: S311 - no secret
            self._wake.wait(wait)
            self._wake.clear()

    def send_all(self) -> bool:
        """Sends what waits. False where the registry did not answer, or the disk did not."""
        try:
            while (waiting := self._spool.oldest()) is not None:
                try:
                    self._client.observe(waiting.report)
                except ClientError as error:
                    if not isinstance(error, Problem) or is_unavailable(error):
                        log.debug("the registry is away, reports wait: %s", error)  # the lookup says it once
                        return False
                    # It will say the same again: one bad report must not hold up all others.
                    log.error("the registry refuses a report: %s", error)
                    self._spool.refused(waiting.number)
                    self.refused += 1
                else:
                    self._spool.sent(waiting.number)
                    self.sent += 1
        except SpoolFailed as error:
            log.error("%s", error)
            return False
        return True
