"""Guards as processes on a real Kafka, with faults in their way: nothing lost, nothing doubled, never stuck.

Small runs of what `make bench-faults` does at length, there with a broker that is restarted, members that come and go,
and clocks gone wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from deedbox.registry.serving import BackgroundServer, run_in_background

from . import faults
from .faults import World
from .kafka_server import KafkaServer

CLIENTS = ("kafka-python", "confluent-kafka")


@pytest.fixture
def registry_server(tmp_path: Path) -> Iterator[BackgroundServer]:
    with run_in_background(f"sqlite:///{tmp_path}/registry.db") as server:
        yield server


@pytest.fixture(params=["kafka-python"])
def made(
    request: pytest.FixtureRequest, bootstrap: str, registry_server: BackgroundServer, topic: str, tmp_path: Path
) -> Iterator[World]:
    with faults.world(bootstrap, registry_server.url, topic, tmp_path, 20, request.param) as made:
        yield made


@pytest.mark.parametrize("made", CLIENTS, indirect=True)
def test_guards_killed_mid_batch(made: World) -> None:
    assert faults.killed(made, 160, 1).wrong == []


def test_poison_pills_of_every_kind(made: World) -> None:
    outcome = faults.poisoned(made, 1)
    assert outcome.wrong == []
    assert outcome.invalid > 10


@pytest.mark.parametrize("made", CLIENTS, indirect=True)
def test_a_dead_letter_topic_that_refuses(made: World, kafka_server: KafkaServer, bootstrap: str) -> None:
    if bootstrap != kafka_server.bootstrap:
        pytest.skip("the Kafka that is given is not ours to configure")
    assert faults.refused(made, 60, kafka_server.limit_message_bytes).wrong == []


def test_a_registry_away_over_the_guards_end(made: World, registry_server: BackgroundServer, tmp_path: Path) -> None:
    port = int(registry_server.url.rpartition(":")[2])
    again: list[BackgroundServer] = []

    def start() -> None:
        again.append(run_in_background(f"sqlite:///{tmp_path}/registry.db", port))

    try:
        assert faults.registry_away(made, 120, registry_server.stop, start).wrong == []
    finally:
        for server in again:
            server.stop()
