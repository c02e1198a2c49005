"""What the guard and the consumer counted, for Prometheus. Read when it is asked for: nothing is done for each message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deedbox.kafka.errors import PortTaken
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from deedbox.kafka.consuming import ContractConsumer
    from deedbox.kafka.counting import Counts
    from deedbox.kafka.guard.guarding import Guard
    from deedbox.kafka.lookup import Lookup

Source = Callable[[], Iterable[Metric]]

_ABOUT = ["channel", "contract", "version"]


class LiveMetrics(Collector):
    """Metrics of one process; give it to a `CollectorRegistry`, and add what there is to count."""

    def __init__(self) -> None:
        self._sources: list[Source] = []

    def add_guard(self, guard: Guard) -> None:
        """Messages by channel, contract, version and status; faults and notes by rule; how often the guard began anew."""
        self.add_counts(guard.counts)
        self._sources.append(lambda: [_counter("guard_restarts", "Times that the guard began anew", guard.restarts)])

    def add_counts(self, counts: Counts) -> None:
        """What an `Inspector` or a serializer counted."""
        self._sources.append(lambda: _of_counts(counts))

    def add_consumer(self, consumer: ContractConsumer, group: str) -> None:
        """What became of the messages of a consumer."""

        def read() -> list[Metric]:
            family = CounterMetricFamily(
                "deedbox_consumer_messages", "Messages that a consumer dealt with", labels=["group", "outcome"]
            )
            for outcome in ("handled", "duplicates", "stale", "tombstones", "dead_letters"):
                family.add_metric([group, outcome], getattr(consumer.counts, outcome))
            return [family]

        self._sources.append(read)

    def add_lookup(self, lookup: Lookup) -> None:
        """Whether the registry answered when it was last asked."""

        def read() -> list[Metric]:
            text = "Whether the registry answered when it was last asked"
            return [GaugeMetricFamily("deedbox_registry_up", text, value=0 if lookup.is_away else 1)]

        self._sources.append(read)

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        for source in self._sources:
            yield from source()

    @contextmanager
    def served(self, port: int, host: str = "127.0.0.1") -> Iterator[int]:
        """Serves them by HTTP at `/metrics` for as long as the block runs; gives the port, a free one where it is 0.

        Raises:
            PortTaken: somebody else listens there.
        """
        registry = CollectorRegistry()
        registry.register(self)
        try:
            server, thread = start_http_server(port, host, registry)
        except OSError as error:
            raise PortTaken(f"metrics cannot be served at {host}:{port}: {error.strerror}. Name another port") from None
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _of_counts(counts: Counts) -> list[Metric]:
    tally = counts.read()
    messages: Counter[tuple[str, ...]] = Counter()
    faults: Counter[tuple[str, ...]] = Counter()
    notes: Counter[tuple[str, ...]] = Counter()
    for cell, count in tally.cells.items():
        about = (cell.channel, cell.contract, cell.version)
        if not cell.rule:
            messages[*about, cell.kind] += count
        elif cell.kind == "fault":
            faults[*about, cell.rule] += count
        else:
            notes[*about, cell.rule] += count
    families: list[Metric] = []
    for name, text, label, found in (
        ("deedbox_messages", "Messages judged", "status", messages),
        ("deedbox_faults", "Invalid messages by what is wrong", "rule", faults),
        ("deedbox_notes", "Messages that are not as registered, though valid", "rule", notes),
    ):
        family = CounterMetricFamily(name, text, labels=[*_ABOUT, label])
        for labels, count in sorted(found.items()):
            family.add_metric(labels, count)
        families.append(family)
    families.append(_counter("counts_crowded", "Messages counted without a cell of their own", tally.crowded))
    return families


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"deedbox_{name}", text, value=value)
