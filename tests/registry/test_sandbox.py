"""Comparing processes that hang, die or run out of memory cost an answer, never the service."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from deedbox.checker.errors import NotASchema, UnresolvedReference
from deedbox.registry import verdict_text
from deedbox.registry.errors import Busy
from deedbox.registry.sandbox.pool import NoAnswer, Sandbox
from deedbox.registry.sandbox.protocol import Ask, Checked

OPEN = '{"type":"object"}'


@pytest.fixture
def pool() -> Iterator[Sandbox]:
    pool = Sandbox(workers=1, seconds=3, memory_mb=700, queue_seconds=1)
    yield pool
    pool.close()


def compare(old: str, new: str) -> Ask:
    return Ask("compare", "json-schema", "tolerant", None, old, new)


def check(text: str, name: str = "schema") -> Ask:
    return Ask("check", "json-schema", "tolerant", None, text, name=name)


def process_id(pool: Sandbox) -> int:
    process = pool._workers[0]._process
    assert process is not None
    return process.pid


def test_answers_come_in_order(pool: Sandbox) -> None:
    answers = pool.ask([compare(OPEN, OPEN), check(OPEN), check('{"type": 1}'), compare("true", OPEN)])
    assert verdict_text.decode(answers[0]).backward.holds is True
    assert isinstance(answers[1], Checked)
    assert answers[1].canonical == OPEN
    assert isinstance(answers[2], NotASchema)
    assert answers[2].pointer == "/type"
    assert verdict_text.decode(answers[3]).old_digest != verdict_text.decode(answers[3]).new_digest


def test_errors_keep_their_place(pool: Sandbox) -> None:
    (error,) = pool.ask([check('{\n "properties": {\n  "a": {"$ref": "#/$defs/none"}\n }\n}', "a.json")])
    assert isinstance(error, UnresolvedReference)
    assert (error.source, error.pointer, error.line) == ("a.json", "/properties/a", 3)


def test_a_process_that_died_idle_is_replaced(pool: Sandbox) -> None:
    pool.start()
    first = process_id(pool)
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert isinstance(pool.ask([check(OPEN)])[0], Checked)
    assert process_id(pool) != first
    assert pool.killed == 0


def test_a_process_that_hangs_is_killed_and_the_question_put_again_without_the_algebra(pool: Sandbox) -> None:
    pool.start()
    first = process_id(pool)
    os.kill(first, signal.SIGSTOP)
    started = time.monotonic()
    answer = pool.ask([compare(OPEN, OPEN)])[0]
    assert verdict_text.decode(answer).backward.holds is True
    assert 2.9 < time.monotonic() - started < 15
    assert pool.killed == 1
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


def test_a_question_that_kills_twice_has_no_answer_and_the_others_have(pool: Sandbox) -> None:
    stop = threading.Event()

    def kill_whatever_runs() -> None:
        while not stop.is_set():
            process = pool._workers[0]._process
            if process is not None and process.poll() is None:
                os.kill(process.pid, signal.SIGSTOP)
            time.sleep(0.01)

    killer = threading.Thread(target=kill_whatever_runs)
    pool.start()
    killer.start()
    pool.seconds = 1
    try:
        # A fresh process may need the start-up allowance to be stopped in; shorten that too.
        answer = pool.ask([check(OPEN)])[0]
    finally:
        stop.set()
        killer.join()
    assert isinstance(answer, NoAnswer)
    assert "took longer than 1 s" in answer.reason
    assert isinstance(pool.ask([check(OPEN)])[0], Checked)


def test_memory_is_limited() -> None:
    small = Sandbox(workers=1, seconds=20, memory_mb=300, queue_seconds=1)
    try:
        # 8 MB of text that take some 500 MB once parsed.
        answer = small.ask([check('{"enum": [' + '{"":0},' * 1_200_000 + "0]}")])[0]
        assert isinstance(answer, NoAnswer)
        assert "300 MiB" in answer.reason
        assert small.killed == 1
        assert isinstance(small.ask([check(OPEN)])[0], Checked)
    finally:
        small.close()


def test_who_waits_too_long_for_a_process_is_told_to_come_back(pool: Sandbox) -> None:
    pool.start()
    os.kill(process_id(pool), signal.SIGSTOP)
    answers: list[Any] = []
    holder = threading.Thread(target=lambda: answers.extend(pool.ask([check(OPEN)])))
    holder.start()
    time.sleep(0.2)
    with pytest.raises(Busy):
        pool.ask([check(OPEN)])
    holder.join()
    assert isinstance(answers[0], NoAnswer)


def test_a_parent_that_is_gone_takes_its_process_along(pool: Sandbox) -> None:
    pool.start()
    process = pool._workers[0]._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(10) == 0
