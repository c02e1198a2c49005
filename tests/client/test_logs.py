"""Tests of what daemons write on standard error."""

from __future__ import annotations

import json
import logging

import pytest
from deedbox.cli.daemons import logging_to_stderr
from deedbox.client import logs
from deedbox.client.logs import Repeats


def _record(text: str) -> logging.LogRecord:
    return logging.LogRecord("kafka.conn", logging.WARNING, "", 0, text, (), None)


def test_the_same_text_passes_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(logs.time, "monotonic", lambda: now)
    repeats = Repeats()
    assert repeats.filter(_record("node 1 is away, asked again in 0.1 s"))
    assert not repeats.filter(_record("node 2 is away, asked again in 12.5 s"))
    assert repeats.filter(_record("node 1 answers"))
    now = 59.0
    assert not repeats.filter(_record("node 1 is away, asked again in 0.1 s"))
    now = 61.0
    assert repeats.filter(_record("node 1 is away, asked again in 0.1 s"))


def test_texts_without_end_take_no_memory_without_end() -> None:
    repeats = Repeats()
    for n in range(3_000):
        assert repeats.filter(_record("x" * n))
    assert len(repeats._said) <= 1_000


def test_a_daemon_says_all_of_its_own_and_once_what_its_client_repeats(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to_stderr("json", "deedbox.guard"):
        for n in range(3):
            logging.getLogger("kafka.conn").error("connection %d failed", n)
            logging.getLogger("deedbox.guard").warning("guard begins anew: %d", n)
        # What kafka-python says where nothing is wrong.
        logging.getLogger("kafka.cluster").error("Topic %s not found in cluster metadata", "a.dlt")
        slow = "Task %r ran for %.3fs (>%.3fs threshold). It is blocking the event loop -- likely a tight sync loop"
        logging.getLogger("kafka.net.selector").warning(slow, "t", 0.2, 0.1)
    said = [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()]
    assert said == ["connection 0 failed", *(f"guard begins anew: {n}" for n in range(3))]
