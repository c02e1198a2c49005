"""When to stop dead-lettering: counted over messages, each once."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import astuple

import pytest
from deedbox.kafka.errors import LimitReached
from deedbox.kafka.limits import Breaker, Limits


def test_a_batch_that_is_read_again_counts_once() -> None:
    breaker = Breaker(Limits(consecutive=10))
    for _ in range(5):
        for _ in range(8):
            breaker.observe("t", True)
        breaker.undone()
    for _ in range(8):
        breaker.observe("t", True)
    breaker.settled()
    breaker.undone()
    breaker.observe("t", True)
    breaker.observe("t", True)
    with pytest.raises(LimitReached, match="more than 10 messages in a row"):
        breaker.observe("t", True)


@pytest.mark.parametrize("seed", range(20))
def test_undoing_leaves_it_as_if_nothing_had_been_noted(seed: int) -> None:
    chance = random.Random(seed)
    limits = Limits(ratio=1, window=7, consecutive=1_000)
    breaker, other = Breaker(limits), Breaker(limits)

    def batch() -> list[tuple[str, bool]]:
        return [(chance.choice("ab"), chance.random() < 0.5) for _ in range(chance.randrange(12))]

    for _ in range(30):
        notes, kept = batch(), chance.random() < 0.5
        for topic, bad in notes:
            breaker.observe(topic, bad)
        if kept:
            breaker.settled()
            for topic, bad in notes:
                other.observe(topic, bad)
            other.settled()
        else:
            breaker.undone()
    fresh = (deque[bool](), 0, 0)
    states = [{topic: astuple(seen) for topic, seen in b._topics.items()} for b in (breaker, other)]
    for topic in "ab":
        assert states[0].get(topic, fresh) == states[1].get(topic, fresh)
