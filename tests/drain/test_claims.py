"""What evidence comes to: states, reasons with their places, waivers, progress."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from deedbox.checker.drain.claiming import STATES, claim
from deedbox.checker.drain.conditions import CONDITIONS
from deedbox.checker.drain.evidence import (
    NO_EPOCH,
    Committed,
    Consumer,
    End,
    Evidence,
    Group,
    Partition,
    Policy,
    Producer,
    Span,
    Topic,
    Waiver,
)
from deedbox.checker.drain.progress import progress

DAY = 86_400_000


def end(at: int, **more: Any) -> End:
    return replace(End(0, 10, 10, at, at, "t1", 0), **more)


SPAN = Span(0, 10, "t1", 0, 0, 5_000, 4, 4_000)
GROUP = Group("billing", "classic", "Stable", 1, (Committed("orders", 0, 10),))
PARTITION = Partition("orders", 0, (end(5_000), end(10_000)), (SPAN,))
EVIDENCE = Evidence(
    "billing/order-placed", "/coupon", "c1", "test", 9_000, 9_500, 10_000, 10_500,
    (Topic("orders", "t1", "t1", 1, 1, retention_ms=DAY),), (PARTITION,), (GROUP,),
    (Producer("orders/order-placed", "1.0.0", 1_000),), (Consumer("billing/order-placed", ("billing",), ("orders",)),),
    policy=Policy(2_000), marked_at=1, stopped_at=2,
)  # fmt: skip


def of(partition: Partition | None = None, **more: Any) -> Evidence:
    return replace(EVIDENCE, partitions=(partition or PARTITION,), **more)


def why(evidence: Evidence) -> set[str]:
    return {reason.condition for reason in claim(evidence).reasons}


def past(at: int) -> Partition:
    return replace(PARTITION, ends=(end(at, log_start=5), end(10_000, log_start=5)))


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        (of(marked_at=None), "unmarked"),
        (of(producers=(Producer("orders/order-placed", "1.0.0"),), stopped_at=None), "marked"),
        (of(producers=(Producer("orders/order-placed", "1.0.0", 9_999),)), "stopped"),
        (of(groups=(replace(GROUP, committed=(Committed("orders", 0, 3),)),)), "draining"),
        (of(groups=(replace(GROUP, members=0, committed=(Committed("orders", 0, 3),)),)), "blocked"),
        (of(groups=()), "blocked"),
        (of(), "consumed"),
        (of(past(5_000)), "gone"),
        (of(past(5_000), dropped_at=9_000), "dropped"),
    ],
)
def test_states(evidence: Evidence, state: str) -> None:
    assert claim(evidence).state == state


def test_every_state_is_described_and_every_condition_says_what_meets_it() -> None:
    assert {"unmarked", "gone", "dropped"} < set(STATES)
    assert len({c.id for c in CONDITIONS}) == len(CONDITIONS)
    for condition in CONDITIONS:
        assert condition.sentence.endswith(".")
        assert condition.why.endswith(".")
        assert condition.unblocks


def test_consumed_warns_that_it_may_be_rewound_and_gone_does_not() -> None:
    assert "rewound" in claim(of()).warnings[0]
    assert claim(of(past(5_000))).warnings == ()


def test_a_log_that_began_behind_the_field_just_now_is_not_gone_yet() -> None:
    assert why(of(past(9_000))) == {"settled-start", "quiet"}


@pytest.mark.parametrize(
    ("partition", "expected"),
    [
        (replace(PARTITION, spans=()), {"no-gap", "observed-to-end", "quiet"}),
        (replace(PARTITION, spans=(replace(SPAN, end=9),)), {"observed-to-end", "quiet"}),
        (replace(PARTITION, spans=(replace(SPAN, topic_id="t0"),)), {"no-gap", "observed-to-end", "quiet"}),
        (replace(PARTITION, spans=(replace(SPAN, epoch=1),)), {"no-gap", "observed-to-end", "quiet"}),
        (replace(PARTITION, ends=(end(5_000), end(10_000, high=9, stable=9))), {"log-unmoved"}),
        (replace(PARTITION, ends=(end(5_000, log_start=2), end(10_000))), {"log-unmoved"}),
        (replace(PARTITION, ends=(end(5_000, epoch=NO_EPOCH), end(10_000, epoch=NO_EPOCH))), {"log-unmoved"}),
        (replace(PARTITION, ends=(end(5_000), end(10_000, stable=3))), {"transactions"}),
    ],
)
def test_what_does_not_count(partition: Partition, expected: set[str]) -> None:
    assert expected <= why(of(partition))
    assert not claim(of(partition)).consumed


def test_a_gap_counts_as_carrying_the_field_and_what_is_above_it_does_not() -> None:
    gap = replace(PARTITION, spans=(replace(SPAN, end=3, seen=None), replace(SPAN, start=6, seen=None)))
    (reason,) = claim(of(gap)).against("gone")
    assert (reason.offset, reason.needed) == (0, 6)


def test_a_waiver_holds_until_its_day_is_over() -> None:
    blocked = of(groups=())
    waiver = Waiver("billing", "was never run", "ann", 1, until=10_000)
    assert claim(replace(blocked, waivers=(waiver,))).consumed
    assert not claim(replace(blocked, waivers=(replace(waiver, until=9_999),))).consumed
    assert claim(replace(blocked, waivers=(replace(waiver, subject="billing/order-placed"),))).consumed


def test_a_rescan_of_a_compacted_topic_takes_the_place_of_what_was_seen_before() -> None:
    table = (replace(EVIDENCE.topics[0], cleanup=("compact",)),)
    seen = of(topics=table)
    assert not claim(seen).gone
    rescan = replace(SPAN, began=6_000, ended=7_000, seen=None, seen_time=None)
    again = of(replace(PARTITION, spans=(SPAN, rescan)), topics=table)
    assert claim(again).gone
    fresh = of(replace(PARTITION, spans=(SPAN, replace(rescan, ended=9_000))), topics=table)
    assert "compaction" in {reason.condition for reason in claim(fresh).against("gone")}


def test_progress_says_what_is_left_and_when_it_may_be_over() -> None:
    slow = of(groups=(replace(GROUP, committed=(Committed("orders", 0, 3),)),))
    before = replace(slow, groups_at=8_500, groups=(replace(GROUP, committed=(Committed("orders", 0, 1),)),))
    far = progress(slow, before)
    assert (far.remaining, far.slowest, far.lag) == (5, "billing", 2)
    assert far.consumed_at == 10_500, "two messages in a second, and two to go"
    assert far.gone_at == 4_000 + DAY
    assert progress(of(past(5_000))).remaining == 0


def test_evidence_goes_through_json_and_keeps_its_digest() -> None:
    assert Evidence.from_dict(EVIDENCE.as_dict()) == EVIDENCE
    assert replace(EVIDENCE, ends_at=10_001).digest != EVIDENCE.digest
