"""A Kafka for a benchmark."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def a_kafka() -> Iterator[str]:
    """The addresses of KAFKA_BOOTSTRAP_SERVERS, or of a Kafka of our own."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        yield given
        return
    from tests.kafka.kafka_server import KafkaServer

    with tempfile.TemporaryDirectory() as folder:
        server = KafkaServer(Path(folder))
        server.start()
        try:
            yield server.bootstrap
        finally:
            server.stop()
