"""The process that compares documents: `python -m deedbox.registry.sandbox.worker MEMORY_MB SECONDS`."""

from __future__ import annotations

import os
import resource
import sys
import traceback
from functools import lru_cache
from typing import Any

from deedbox.checker import compare
from deedbox.checker.canonical import canonical, digest
from deedbox.checker.comparison import check_document
from deedbox.checker.documents import load_document
from deedbox.checker.errors import CheckerError, DocumentError
from deedbox.checker.formats import detect
from deedbox.checker.json_schema.dialects import DIALECTS
from deedbox.checker.json_schema.schema import Schema
from deedbox.checker.json_schema.verify import Reader
from deedbox.registry import verdict_text
from deedbox.registry.sandbox.protocol import Ask, Checked, Fault, Tried, read_frame, write_frame


def answer(ask: Ask) -> Checked | Tried | str:
    """The answer to one question: for `compare` the text of the Comparison.

    Raises:
        CheckerError: the document cannot be used.
    """
    if ask.action == "compare":
        comparison = compare(
            _read(ask.old, ask.old_dialect),
            _read(ask.new, ask.old_dialect and ask.dialect),
            format=ask.format,
            content_model=ask.content_model,
            dialect=ask.dialect,
            algebra=ask.algebra,
            contract=ask.contract,
        )
        return verdict_text.encode(comparison)
    return _try(ask) if ask.action == "try" else _check(ask)


def _try(ask: Ask) -> Tried:
    reader = Reader(Schema(load_document(ask.old, "schema.json"), ask.dialect))
    message = load_document(ask.new, "message.json").value
    accepts = reader.accepts(message, closed=ask.content_model == "closed")
    if accepts is None:
        return Tried(None, "the validators disagree, or judging it would take too long")
    return Tried(accepts, "" if accepts else reader.why(message))


def _check(ask: Ask) -> Checked:
    document = load_document(ask.old, ask.name)
    named = ask.format or detect(document)
    try:
        check_document(document, named, ask.dialect)
    except DocumentError as error:
        if error.line is None and error.pointer is not None:
            error.line, error.column = document.position(error.pointer) or (None, None)
        raise
    return Checked(digest(document.value), canonical(document.value).decode(), document.syntax, named)


@lru_cache(maxsize=64)
def _read(text: str, dialect: str | None) -> Any:
    value = load_document(text, "schema.json").value
    if dialect is not None and isinstance(value, dict):
        # compare() takes one dialect for both documents: say it in the document itself.
        value = {**value, "$schema": DIALECTS[dialect].uri}
    return value


def _limit_processor(seconds: int) -> None:
    # Bounds a process whose parent died while it was in native code and cannot see the end of its input.
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def main(memory_mb: int, seconds: int) -> None:
    """Answers until the parent is gone."""
    limit = memory_mb << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    requests, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a stray print must not break the frames
    try:
        write_frame(replies, "ready")
        while True:
            for ask in read_frame(requests):
                _limit_processor(seconds)
                write_frame(replies, _reply(ask))
    except (EOFError, BrokenPipeError):
        os._exit(0)  # not by way of closing what nobody reads


def _reply(ask: Ask) -> Any:
    try:
        return answer(ask)
    except CheckerError as error:
        return error
    except MemoryError:
        os._exit(3)  # what is left of the heap is not to be trusted
    except Exception as error:  # noqa: BLE001 - whatever it is, the next question may fare better
        return Fault(f"{type(error).__name__}: {error}"[:200], traceback.format_exc())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
