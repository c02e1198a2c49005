"""Calls of a client that never come back."""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest
from deedbox.kafka import confluent, kafka_python, librdkafka
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


class Hanging:
    """A client one of whose calls never comes back."""

    def __init__(self, name: str) -> None:
        self.name, self.called, self.ever = name, list[str](), Event()

    def __getattr__(self, name: str) -> Any:
        def call(*_: Any, **__: Any) -> None:
            self.called.append(name)
            if name == self.name:
                self.ever.wait()

        return call


def test_a_producer_whose_call_hangs_is_given_up_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confluent, "_OFFSETS_SECONDS", 0.05)
    client = Hanging("send_offsets_to_transaction")
    producer = ConfluentProducer(client)  # type: ignore[arg-type]
    producer.begin()
    with pytest.raises(BrokerUnavailable, match="no answer within"):
        producer.send_offsets({}, None)
    producer.abort()
    producer.close()
    assert client.called == ["begin_transaction", "send_offsets_to_transaction"]
    client.ever.set()


@pytest.mark.parametrize("name", ["send_offsets_to_transaction", "commit_transaction", "abort_transaction"])
def test_so_is_one_of_kafka_python(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_python, "_TRANSACTION_SECONDS", 0.05)
    client = Hanging(name)
    producer = kafka_python.KafkaPythonProducer(client)
    producer.begin()
    steps = {"commit_transaction": producer.commit, "abort_transaction": producer.abort}
    with pytest.raises(BrokerUnavailable, match="no answer within"):
        steps.get(name, lambda: producer.send_offsets({}, None))()
    producer.abort()
    producer.close()
    assert client.called.count("abort_transaction") == (name == "abort_transaction")
    assert client.called[-1] == "close", "its connections are given back"
    client.ever.set()


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
