"""Comparing in a process that may die of it: whatever a document does, the command line answers, and soon."""

from __future__ import annotations

import os
import pickle
import select
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from deedbox.checker.comparison import DEFAULT_MILLISECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from deedbox.checker.documents import Document
    from deedbox.checker.model import Comparison, ContentModel

_GRACE_SECONDS = 8.0
"""What a comparison may take beyond its budget: reading, preparing and verifying are not counted in it."""
_MEMORY = 4 << 30
"""Address space of the comparing process, in bytes."""


def compare(
    old: Document,
    new: Document,
    *,
    format: str = "json-schema",
    content_model: ContentModel = "tolerant",
    dialect: str | None = None,
    milliseconds: float = DEFAULT_MILLISECONDS,
    contract: str = "",
) -> Comparison:
    """`deedbox.checker.compare` in a child process with a limit on time and memory.

    A child that dies or is over time is followed by one without the set algebra, which cannot be interrupted. If that
    one ends no better, both directions are undecided, with the reason. Where processes cannot fork there is no limit.

    Raises:
        CheckerError: a document cannot be used.
    """
    from deedbox import checker

    seconds = milliseconds / 1_000 + _GRACE_SECONDS
    reason = ""
    for algebra in (True, False):

        def work(algebra: bool = algebra) -> Comparison:
            return checker.compare(
                old,
                new,
                format=format,
                content_model=content_model,
                dialect=dialect,
                milliseconds=milliseconds,
                algebra=algebra,
                contract=contract,
            )

        if not hasattr(os, "fork"):
            return work()
        found, reason = _in_child(work, seconds)
        if found is not None:
            if isinstance(found, Exception):
                raise found
            return found
    return _undecided(old, new, format, content_model, reason)


def _undecided(old: Document, new: Document, format: str, content_model: ContentModel, reason: str) -> Comparison:
    from deedbox.checker.canonical import digest
    from deedbox.checker.model import Comparison, Inclusion

    unknown = Inclusion(holds=None, reason=reason)
    digests = digest(old.value), digest(new.value)
    return Comparison(format, content_model, *digests, unknown, unknown, None, ())


def _in_child(work: Callable[[], Comparison], seconds: float) -> tuple[Comparison | Exception | None, str]:
    """What the work gave or raised in a child, or None and why there is nothing."""
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_the_child(work, writing)
    os.close(writing)
    try:
        data = _read_all(reading, time.monotonic() + seconds)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if data is None:
        return None, f"the comparison was stopped after {seconds:.0f} s"
    if not data:
        return None, "the comparison took the process down that made it, by its memory or its depth"
    found: Comparison | Exception = pickle.loads(data)  # noqa: S301 - written by the child, which is this program
    return found, ""


def _read_all(pipe: int, deadline: float) -> bytes | None:
    parts: list[bytes] = []
    while (left := deadline - time.monotonic()) > 0:
        if select.select([pipe], [], [], left)[0]:
            part = os.read(pipe, 1 << 20)
            if not part:
                return b"".join(parts)
            parts.append(part)
    return None


def _be_the_child(work: Callable[[], Comparison], writing: int) -> Any:
    """Works, writes, and ends without the parent's clean-up: its buffers and handlers are not ours."""
    from deedbox.checker.errors import CheckerError

    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _limit_memory()
        try:
            data = pickle.dumps(work())
        except CheckerError as error:
            data = pickle.dumps(error)
        except MemoryError:
            data = b""
        except Exception as error:  # noqa: BLE001 - a fault is the parent's to tell
            data = _pickled_fault(error)
        while data:
            data = data[os.write(writing, data) :]
    finally:
        os._exit(0)


def _pickled_fault(error: Exception) -> bytes:
    if os.environ.get("DEEDBOX_DEBUG"):
        import traceback

        traceback.print_exc()
    return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))


def _limit_memory() -> None:
    try:
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY if most < 0 else min(_MEMORY, most), most))
    except (ImportError, ValueError, OSError):
        return  # no such limit here: the one on time still holds
