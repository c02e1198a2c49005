"""Reading ranges of a log: nothing outside of them, and no more said to be read than was."""

from __future__ import annotations

from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.reading import stretches, whole

from .letters import DLT, letter


def test_what_comes_behind_the_range_is_neither_read_nor_said_to_be() -> None:
    broker = MemoryBroker()
    broker.append([letter(n) for n in range(5)])
    (stretch,) = stretches(broker, DLT, {0: (1, 3)})
    assert ([record.offset for record in stretch.records], dict(stretch.reached)) == ([1, 2], {0: 3})


def test_all_of_several_partitions_in_turns() -> None:
    broker = MemoryBroker(2)
    broker.append([letter(n)._replace(partition=n % 2) for n in range(9)])
    turns = list(stretches(broker, DLT, whole(broker.ends(DLT)), most=2))
    read = sorted((record.partition, record.offset) for turn in turns for record in turn.records)
    assert read == [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 0), (1, 1), (1, 2), (1, 3)]
    assert {n: end for turn in turns for n, end in turn.reached.items()} == {0: 5, 1: 4}
