"""Calls of a client that never come back."""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest
from deedbox.kafka import confluent, librdkafka
from deedbox.kafka.bounded import NoReturn, within
from deedbox.kafka.confluent import ConfluentBroker, ConfluentProducer
from deedbox.kafka.errors import BrokerUnavailable


def test_an_answer_and_an_error_come_through() -> None:
    assert within(5, lambda: 42) == 42
    assert within(5, lambda: None) is None
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)


def test_what_does_not_come_back_is_not_waited_for() -> None:
    ever = Event()
    with pytest.raises(NoReturn, match="no answer within 0 s"):
        within(0.05, ever.wait)
    ever.set()


def test_a_producer_whose_call_hangs_is_given_up_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confluent, "_OFFSETS_SECONDS", 0.05)
    ever, called = Event(), list[str]()

    class Hanging:
        def send_offsets_to_transaction(self, *_: Any) -> None:
            ever.wait()

        def __getattr__(self, name: str) -> Any:
            called.append(name)
            return lambda *_: None

    producer = ConfluentProducer(Hanging())  # type: ignore[arg-type]
    producer.begin()
    with pytest.raises(BrokerUnavailable, match="no answer within"):
        producer.send_offsets({}, None)
    producer.abort()
    producer.close()
    assert called == ["begin_transaction"]
    ever.set()


def test_who_did_not_answer_is_not_asked_again_by_the_same_client(monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[Any]()

    class Silent:
        def __init__(self, *_: Any, **__: Any) -> None:
            made.append(self)

        def list_topics(self, *_: Any) -> Any:
            raise TimeoutError

        def poll(self, _: float) -> int:
            return 0

    monkeypatch.setattr(confluent, "AdminClient", Silent)
    broker = ConfluentBroker("nowhere:1")
    for _ in range(2):
        with pytest.raises(BrokerUnavailable):
            broker.ends("t")
    assert len(made) == 2


def test_what_librdkafka_says_at_every_attempt_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    for n in range(5):
        librdkafka.log.error("FAIL [rdkafka#producer-%d] connection refused (after %dms)", n, n)
    librdkafka.log.error("something else")
    assert len(caplog.messages) == 2
