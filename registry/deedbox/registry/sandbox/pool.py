"""Comparing documents from outside, in processes of their own with a limit on memory and time.

The set algebra under the checker can take all memory, all time, or the whole process with it, on a few hundred bytes.
Here that costs one comparing process: it is killed and replaced, the question is put once more without the algebra,
and what even then has no answer is undecided.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import queue
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from deedbox.registry.errors import Busy
from deedbox.registry.sandbox.protocol import LENGTH, Ask, Fault, write_frame

log = logging.getLogger("deedbox.sandbox")

_START_SECONDS = 60


class WorkerLost(Exception):
    """The process died or was killed while it worked on a question. `why` says which."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NoAnswer:
    """A question that cost processes their lives, or met a fault of the checker. `reason` says so to people."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Sandbox:
    """A pool of comparing processes. Threads share it; each question has a process to itself while it lasts.

    Args:
        workers: processes, started when first needed.
        seconds: wall-clock time for one question.
        memory_mb: address space of a process.
        queue_seconds: how long to wait for a free process.
    """

    def __init__(self, workers: int, seconds: int, memory_mb: int, queue_seconds: int) -> None:
        self.seconds, self.memory_mb, self.queue_seconds = seconds, memory_mb, queue_seconds
        self.killed = 0
        """Processes lost so far, for the metrics."""
        self._slots: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self._workers = [_Worker(self) for _ in range(workers)]
        for worker in self._workers:
            self._slots.put(worker)

    def ask(self, asks: Sequence[Ask]) -> list[Any]:
        """Answers in order: what the worker answered, a CheckerError, or NoAnswer.

        Raises:
            Busy: no process came free in time.
        """
        if not asks:
            return []
        try:
            worker = self._slots.get(timeout=self.queue_seconds)
        except queue.Empty:
            raise Busy("every comparing process is at work: ask again", retry_after=5) from None
        try:
            return self._ask(worker, list(asks))
        finally:
            self._slots.put(worker)

    def _ask(self, worker: _Worker, asks: list[Ask]) -> list[Any]:
        answers: list[Any] = []
        while len(answers) < len(asks):
            try:
                worker.ask(asks[len(answers) :], answers)
            except WorkerLost as lost:
                self.killed += 1
                ask = asks[len(answers)]
                log.warning("comparing process lost: %s (%s of %s)", lost.why, ask.action, ask.name)
                if ask.algebra and ask.action == "compare":
                    asks[len(answers)] = replace(ask, algebra=False)
                else:
                    answers.append(NoAnswer(f"the comparison {lost.why}, also without the set algebra"))
        return [self._explained(answer, ask) for answer, ask in zip(answers, asks, strict=True)]

    @staticmethod
    def _explained(answer: Any, ask: Ask) -> Any:
        if isinstance(answer, Fault):
            log.error("the checker failed on %s of %s\n%s", ask.action, ask.name, answer.trace)
            return NoAnswer(f"the checker failed ({answer.summary}): a fault of its own, told in the server's log")
        return answer

    def start(self) -> None:
        """Starts the processes that are not running and not at work."""
        idle: list[_Worker] = []
        try:
            while True:
                worker = self._slots.get_nowait()
                idle.append(worker)
                worker.start()
        except queue.Empty:
            pass
        finally:
            for worker in idle:
                self._slots.put(worker)

    def close(self) -> None:
        """Ends all processes."""
        for worker in self._workers:
            worker.stop()


class _Worker:
    """One process and the pipes to it. Used by one thread at a time."""

    def __init__(self, pool: Sandbox) -> None:
        self._pool = pool
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def ask(self, asks: Sequence[Ask], answers: list[Any]) -> None:
        """Appends an answer for each question, as they come.

        Raises:
            WorkerLost: at the question behind the last answer.
        """
        process = self._running()
        assert process.stdin is not None
        try:
            write_frame(process.stdin, list(asks))
        except OSError:
            self.stop()  # it died while idle: not this question's fault
            process = self._running()
            assert process.stdin is not None
            write_frame(process.stdin, list(asks))
        for _ in asks:
            answers.append(self._read(process, self._pool.seconds))

    def start(self) -> None:
        """Starts the process, if it is not running."""
        self._running()

    def stop(self) -> None:
        """Kills the process, if any."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):  # what was buffered for a dead process
                        stream.close()

    def _running(self) -> subprocess.Popen[bytes]:
        process = self._process
        if process is not None and process.poll() is None:
            return process
        self.stop()
        command = [sys.executable, "-m", "deedbox.registry.sandbox.worker"]
        process = subprocess.Popen(  # noqa: S603 - our own module
            [*command, str(self._pool.memory_mb), str(self._pool.seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        with self._lock:
            self._process = process
        try:
            self._read(process, _START_SECONDS)
        except WorkerLost as lost:
            raise RuntimeError(f"a comparing process did not start: it {lost.why}") from None
        return process

    def _read(self, process: subprocess.Popen[bytes], seconds: float) -> Any:
        assert process.stdout is not None
        deadline = time.monotonic() + seconds
        head = self._bytes(process, 4, deadline, seconds)
        body = self._bytes(process, LENGTH.unpack(head)[0], deadline, seconds)
        return pickle.loads(body)  # noqa: S301 - from our own other half

    def _bytes(self, process: subprocess.Popen[bytes], size: int, deadline: float, seconds: float) -> bytes:
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        parts, missing = [], size
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while missing:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self.stop()
                    raise WorkerLost(f"took longer than {seconds:g} s")
                part = os.read(descriptor, min(missing, 1 << 20))
                if not part:
                    self.stop()
                    code = process.returncode
                    out_of_memory = code == 3
                    raise WorkerLost(
                        f"needed more than {self._pool.memory_mb} MiB"
                        if out_of_memory
                        else f"ended its process (exit {code})"
                    )
                parts.append(part)
                missing -= len(part)
        return b"".join(parts)
