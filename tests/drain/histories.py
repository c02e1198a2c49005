"""Random histories of the world: what may happen, by name, so that hypothesis and a plain generator draw from one list."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass

from .world import COPY, MAIN, World, WrongClaim

Draw = Callable[[int], int]
"""A number from 0 to below another."""

_NAMES = ("billing", "mail", "table")


def _name(world: World, draw: Draw) -> str:
    return _NAMES[draw(len(world.readers))]


def _scan_all(world: World, _: Draw) -> None:
    for topic in (MAIN, COPY):
        for place in world.logs(topic):
            world.scan(topic, place.partition)


def _observe_all(world: World, _: Draw) -> None:
    for topic in (MAIN, COPY):
        for place in world.logs(topic):
            world.observe(topic, place.partition, 100)


def _all_read(world: World, draw: Draw) -> None:
    name = _name(world, draw)
    world.join(name)
    for place in world.logs(MAIN):
        world.fetch(name, place.partition, 100)
        world.handle(name, place.partition)
        world.fetch(name, place.partition, 100)


def _delete_all(world: World, _: Draw) -> None:
    for topic in (MAIN, COPY):
        for place in world.logs(topic):
            world.delete_before(topic, place.partition, world.cluster.log(place).high)


def _opaque(world: World, draw: Draw) -> None:
    group = world.cluster.by_group.get(_name(world, draw))
    if group is not None:
        group.opaque = True


def _wait(world: World, _: Draw) -> None:
    for _ in range(3):
        world.tick()


ACTIONS: dict[str, tuple[int, Callable[[World, Draw], None]]] = {
    "tick": (6, lambda w, d: w.tick()),
    "wait": (4, _wait),
    "write": (4, lambda w, d: w.write(d(3), d(3), carries=True)),
    "write without": (3, lambda w, d: w.write(d(3), d(3), carries=False)),
    "begin": (1, lambda w, d: w.begin(d(3), d(3))),
    "commit": (1, lambda w, d: w.finish(commit=True)),
    "abort": (1, lambda w, d: w.finish(commit=False)),
    "rogue write": (1, lambda w, d: w.rogue_write(d(3))),
    "retire": (2, lambda w, d: w.retire()),
    "stop rogue": (1, lambda w, d: w.stop_rogue()),
    "delete": (2, lambda w, d: w.delete_before((MAIN, COPY)[d(2)], d(3), d(12))),
    "delete all": (3, _delete_all),
    "compact": (2, lambda w, d: w.compact()),
    "fail over": (1, lambda w, d: w.fail_over(d(3))),
    "cut off": (1, lambda w, d: w.cut_off(d(3), 1 + d(3))),
    "add partition": (1, lambda w, d: w.add_partition() if len(w.logs(MAIN)) < 3 else None),
    "recreate": (1, lambda w, d: w.recreate()),
    "join": (3, lambda w, d: w.join(_name(w, d))),
    "leave": (1, lambda w, d: w.leave(_name(w, d))),
    "fetch": (3, lambda w, d: w.fetch(_name(w, d), d(3), 1 + d(4))),
    "handle": (3, lambda w, d: w.handle(_name(w, d), d(3))),
    "read all": (5, _all_read),
    "rewind": (1, lambda w, d: w.rewind(_name(w, d))),
    "expire": (1, lambda w, d: w.expire(_name(w, d))),
    "opaque": (1, _opaque),
    "replay": (1, lambda w, d: w.replay()),
    "observe": (3, lambda w, d: w.observe((MAIN, COPY)[d(2)], d(3), 1 + d(6), skip=d(4) // 3)),
    "observe all": (5, _observe_all),
    "scan": (2, lambda w, d: w.scan((MAIN, COPY)[d(2)], d(3))),
    "scan all": (4, _scan_all),
}
WEIGHTED = [name for name, (weight, _) in ACTIONS.items() for _ in range(weight)]


def act(world: World, name: str, draw: Draw) -> None:
    """Lets one thing happen."""
    ACTIONS[name][1](world, draw)


@dataclass
class Outcome:
    """What became of some histories: how many made a claim, and the wrong ones."""

    histories: int = 0
    consumed: int = 0
    gone: int = 0
    ended_gone: int = 0
    wrong: str = ""
    stuck: str = ""


def run(seeds: range, without: Collection[str] = (), *, steps: int = 60, stop: bool = False) -> Outcome:
    """Random histories, one a seed; `stop` ends at the first wrong claim."""
    outcome = Outcome()
    for seed in seeds:
        source = random.Random(seed)
        draw = source.randrange
        world = World(
            partitions=1 + draw(2), cleanup=(("delete",), ("delete",), ("compact",), ("compact", "delete"))[draw(4)],
            rogue=draw(3) == 0, without=without,
        )  # fmt: skip

        def between(world: World = world, draw: Draw = draw) -> None:
            while draw(4) == 0:
                act(world, WEIGHTED[draw(len(WEIGHTED))], draw)

        outcome.histories += 1
        try:
            for _ in range(steps):
                if draw(5) == 0:
                    world.claim(between)
                act(world, WEIGHTED[draw(len(WEIGHTED))], draw)
            outcome.consumed += world.consumed
            outcome.gone += world.gone
            ended = world.end_well()
            outcome.ended_gone += ended.gone
            if not ended.gone:
                outcome.stuck = f"seed {seed}: {ended.reasons[0].message}"
        except WrongClaim as wrong:
            outcome.wrong = outcome.wrong or f"seed {seed}: {wrong}"
            if stop:
                break
    return outcome


def find(condition: str, most: int) -> tuple[int, str] | None:
    """The first seed whose history shows a wrong claim where a condition is left out, and what was wrong."""
    for seed in range(most):
        outcome = run(range(seed, seed + 1), {condition}, stop=True)
        if outcome.wrong:
            return seed, outcome.wrong
    return None


def main(most: int) -> None:
    """Prints how many histories came to which claim, and for each condition the first that shows it to be needed."""
    from deedbox.checker.drain.conditions import CONDITIONS

    outcome = run(range(most))
    share = outcome.gone / outcome.histories
    print(
        f"{outcome.histories} histories: {outcome.consumed} claimed consumed and {outcome.gone} ({share:.1%}) gone by"
    )
    print(f"themselves, {outcome.ended_gone} once nothing stood in the way; wrong claims: {outcome.wrong or 'none'}")
    for condition in CONDITIONS:
        found = find(condition.id, most)
        print(f"without {condition.id}: {found[1] if found else 'no wrong claim in them'}", flush=True)


if __name__ == "__main__":
    import sys

    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
