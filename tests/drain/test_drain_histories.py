"""Claims against the truth: never wrong, in the end true, and wrong as soon as any one condition is left out."""

from __future__ import annotations

import os

import pytest
from deedbox.checker.drain.conditions import CONDITIONS
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from .histories import ACTIONS, WEIGHTED, act, run
from .world import COPY, GRACE, MAIN, World, WrongClaim

HISTORIES = int(os.environ.get("DEEDBOX_DRAIN_HISTORIES", "150"))


class Histories(RuleBasedStateMachine):
    """Producers, consumers, retention and the guard do what they like; claims are made at any time."""

    @initialize(
        partitions=st.integers(1, 2),
        cleanup=st.sampled_from([("delete",), ("compact",), ("compact", "delete")]),
        rogue=st.booleans(),
    )
    def begin(self, partitions: int, cleanup: tuple[str, ...], rogue: bool) -> None:
        self.world = World(partitions=partitions, cleanup=cleanup, rogue=rogue)

    @rule(name=st.sampled_from(WEIGHTED), data=st.data())
    def anything(self, name: str, data: st.DataObject) -> None:
        act(self.world, name, lambda below: data.draw(st.integers(0, below - 1)))

    @rule(meanwhile=st.lists(st.lists(st.sampled_from(sorted(ACTIONS)), max_size=3), max_size=5), data=st.data())
    def claim(self, meanwhile: list[list[str]], data: st.DataObject) -> None:
        pending = iter(meanwhile)

        def between() -> None:
            for name in next(pending, ()):
                act(self.world, name, lambda below: data.draw(st.integers(0, below - 1)))

        self.world.claim(between)

    @invariant()
    def gone_is_the_greater_claim(self) -> None:
        assert not hasattr(self, "world") or self.world.consumed or not self.world.gone

    def teardown(self) -> None:
        if hasattr(self, "world"):
            made = self.world.end_well()
            assert made.gone, [reason.message for reason in made.reasons]


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=HISTORIES,
    stateful_step_count=40,
    deadline=None,
    derandomize="DEEDBOX_DRAIN_HISTORIES" not in os.environ,
    suppress_health_check=list(HealthCheck),
    database=None,
)


def test_claims_are_never_wrong_and_come_true() -> None:
    """Histories that reach `gone` by themselves must be among them, else nothing was tested."""
    outcome = run(range(HISTORIES * 4))
    assert not outcome.wrong
    assert outcome.ended_gone == outcome.histories
    assert outcome.gone > outcome.histories / 20
    print(f"{outcome.gone} of {outcome.histories} histories reached gone by themselves, {outcome.consumed} consumed")


FOUND_BY_CHANCE = {
    "producers-retired": 39,
    "grace": 482,
    "no-gap": 175,
    "observed-to-end": 2290,
    "log-unmoved": 410,
    "consumers-known": 47,
    "groups-readable": 19,
    "committed-known": 47,
    "offsets-past": 183,
    "copies": 1141,
    "log-start-past": 47,
}
"""About where a history shows a wrong claim where that condition is left out; `make drain-histories` searches anew."""
NEAR = 500


@pytest.mark.parametrize("condition", FOUND_BY_CHANCE)
def test_each_condition_is_needed(condition: str) -> None:
    seed = FOUND_BY_CHANCE[condition]
    outcome = run(range(seed, seed + NEAR), {condition}, stop=True)
    assert "after it was claimed" in outcome.wrong
    found = seed + outcome.histories - 1
    assert not run(range(found, found + 1)).wrong


def test_every_condition_is_shown_to_be_needed() -> None:
    assert {*FOUND_BY_CHANCE, *WRITTEN} == {condition.id for condition in CONDITIONS}


def _read_all(world: World) -> None:
    for name in world.readers:
        world.join(name)
        for place in world.logs(MAIN):
            world.fetch(name, place.partition, 100)
            world.handle(name, place.partition)
            world.fetch(name, place.partition, 100)


def _quiet_for_a_grace_period(world: World) -> None:
    """Two readings, a grace period apart, of what is observed by then."""
    for _ in range(2):
        for _ in range(GRACE + 1):
            world.tick()
        for topic in (MAIN, COPY):
            for place in world.logs(topic):
                world.observe(topic, place.partition, 100)
        world.claim()


def _transactions(world: World) -> None:
    """The guard reads committed messages: that of an open transaction it has not seen."""
    world.write(0, 1, carries=False)
    world.begin(0, 1)
    world.retire()
    _read_all(world)
    _quiet_for_a_grace_period(world)
    world.finish(commit=True)
    _read_all(world)


def _topic_unchanged(world: World) -> None:
    """A partition comes in the middle of the reading, with a message before its version is retired."""
    _read_all(world)
    for _ in range(GRACE + 1):
        world.tick()
    world.write(0, 1, carries=False)
    _read_all(world)
    world.observe(MAIN, 0, 100)
    _quiet_for_a_grace_period(world)
    world.write(0, 1, carries=False)
    world.observe(MAIN, 0, 100)
    calls = iter(range(100))

    def between() -> None:
        if next(calls) == 1:
            world.add_partition()
            world.write(1, 1, carries=True)
            for _ in range(GRACE + 1):
                world.tick()

    world.retire()
    _read_all(world)
    world.claim(between)
    _read_all(world)


def _offsets_within_log(world: World) -> None:
    """An unclean leader has cut the log off below an offset: the group is sent back to the start."""
    world.write(0, 1, carries=True)
    for _ in range(3):
        world.write(0, 1, carries=False)
    world.retire()
    _read_all(world)
    for name in world.readers:
        world.leave(name)
    world.cut_off(0, 1)
    for _ in range(2):
        for _ in range(GRACE + 1):
            world.tick()
        world.scan(MAIN, 0)
        world.claim()
    _read_all(world)


def _quiet(world: World) -> None:
    """Somebody writes on who never heard of a retirement."""
    world.rogue = True
    world.retire()
    _quiet_for_a_grace_period(world)
    _read_all(world)
    world.scan(MAIN, 0)
    world.claim()
    _quiet_for_a_grace_period(world)
    _read_all(world)


def _same_topic(world: World) -> None:
    """What was observed of a topic is said of the one that was made in its place."""
    for name in world.readers:
        world.join(name)
    for _ in range(3):
        world.write(0, 1, carries=False)
    world.retire()
    world.scan(MAIN, 0)
    world.recreate()
    for carries in (True, False, False):
        world.write(0, 1, carries=carries)
    for _ in range(2):
        for _ in range(GRACE + 1):
            world.tick()
        world.claim()
    _read_all(world)


def _compaction(world: World) -> None:
    """A table is read anew from its start."""
    world = World(partitions=1, cleanup=("compact",), without=world.without)
    world.write(0, 1, carries=True)
    world.retire()
    _read_all(world)
    for _ in range(2):
        for _ in range(GRACE + 1):
            world.tick()
        world.scan(MAIN, 0)
        world.claim()
    world.leave("table")
    _read_all(world)


def _settled_start(world: World) -> None:
    """A message was fetched before its log began behind it, and is handled after."""
    for name in world.readers:
        world.join(name)
    world.write(0, 1, carries=True)
    world.retire()
    for _ in range(2):
        for _ in range(GRACE + 1):
            world.tick()
        world.scan(MAIN, 0)
        world.claim()
    world.fetch("mail", 0, 10)
    world.delete_before(MAIN, 0, 1)
    world.claim()
    world.handle("mail", 0)


WRITTEN = {
    "quiet": _quiet,
    "same-topic": _same_topic,
    "compaction": _compaction,
    "settled-start": _settled_start,
    "transactions": _transactions,
    "topic-unchanged": _topic_unchanged,
    "offsets-within-log": _offsets_within_log,
}


@pytest.mark.parametrize("condition", WRITTEN)
def test_each_rare_condition_is_needed(condition: str) -> None:
    WRITTEN[condition](World(partitions=1))
    with pytest.raises(WrongClaim):
        WRITTEN[condition](World(partitions=1, without={condition}))
