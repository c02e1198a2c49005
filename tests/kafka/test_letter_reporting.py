"""What a worker tells the registry of dead letters: each once, whoever tells, and whatever they hold."""

from __future__ import annotations

import logging
import time
from threading import Event, Thread
from typing import Any

import pytest
from deedbox.client import Problem, UnexpectedReply
from deedbox.kafka.letters import dead_letters
from deedbox.kafka.letters.carrying_out import Stopped
from deedbox.kafka.letters.dead_letters import Origin
from deedbox.kafka.letters.reporting import LetterReporter
from deedbox.kafka.letters.worker import LetterWorker
from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.messages import Record

from .conftest import NOW, Clock, Registry
from .letters import DLT, ORIGIN, Shaped, groups, letter, stand, wait_for, worker


def test_each_letter_is_told_of_once_whoever_tells(registry: Registry) -> None:
    broker = MemoryBroker()
    broker.append([letter(n) for n in range(5)])
    first = worker(registry, broker)
    assert (first.turn().letters, first.turn().letters, stand(registry)) == (5, 0, {0: 5})
    broker.append([letter(5, replay_count="1"), letter(6, rule="enum", fingerprint="ba9876543210")])
    assert (worker(registry, broker).turn().letters, first.turn().letters) == (2, 0)
    enum, type_ = groups(registry)
    assert (type_["count"], type_["replayed"], type_["first_at"], type_["last_at"]) == (6, 1, NOW, NOW + 5)
    assert [(s["offset"], s["origin_offset"], s["at"]) for s in type_["samples"]] == [
        (5, 5, NOW + 5), (4, 4, NOW + 4), (3, 3, NOW + 3),
    ]  # fmt: skip
    assert (enum["count"], enum["origins"]) == (1, [ORIGIN])


def test_what_a_message_holds_is_told_only_where_it_is_wanted(registry: Registry) -> None:
    broker = MemoryBroker()
    broker.append([letter(0, reason='"ada@example.com" is not of type "integer"')])
    assert worker(registry, broker).turn().letters == 1
    (group,) = groups(registry)
    assert "ada" not in repr(group)
    assert (group["reason"], group["samples"][0]["key"], group["samples"][0]["value"]) == ("", None, None)
    broker.append([letter(1, value=b'{"id":"ada"}', reason='"ada" is wrong')])
    assert worker(registry, broker, values=True).turn().letters == 1
    (group,) = groups(registry)
    newest = group["samples"][0]
    assert (group["reason"], newest["key"], newest["value"], newest["truncated"]) == (
        '"ada" is wrong', "k", '{"id":"ada"}', False,
    )  # fmt: skip


def test_letters_of_every_kind_are_taken(registry: Registry) -> None:
    broker = MemoryBroker()
    spring = [
        ("kafka_dlt-exception-fqcn", b"com.example.Broken"),
        *dead_letters.origin_headers(Origin(ORIGIN, 3, 99, -1)),
    ]
    whoever = [("deedbox-rule", b"\xff\xfe"), ("kafka_dlt-original-topic", b"../etc"), ("x", b"\0" * 100)]
    negative = dead_letters.origin_headers(Origin(ORIGIN, -7, -1, -9))
    far = dead_letters.origin_headers(Origin(ORIGIN, 0, 2**62, 2**63 - 1))
    broker.append(
        [
            Record(DLT, 0, -1, None, b"{}", spring, NOW),
            Record(DLT, 0, -1, b"\xff", None, whoever, NOW),
            Record(DLT, 0, -1, None, b"", negative, -1),
            Record(DLT, 0, -1, b"\0", b'a\0b\xff{"\xf0\x9f\x98\x80"}', far, NOW),
            letter(4, value="😀".encode() * 2_000_000, key=b"k" * 9_000, contract="c" * 9_000),
            letter(5, value=None, failed_contract="a\0b" * 300, failed_version="\0" * 300, rule="r" * 300,
                   pointer="/é" * 900, reason="\0" * 9_000, fingerprint="no fingerprint \0"),
            letter(6, value=b"\xed\xa0\x80" * 3_000),
        ]
    )  # fmt: skip
    assert worker(registry, broker, values=True).turn().letters == 7
    told = groups(registry)
    assert sum(group["count"] for group in told) == 7
    by_offset = {sample["offset"]: (group, sample) for group in told for sample in group["samples"]}
    assert sorted(by_offset) == list(range(7))
    group, sample = by_offset[0]
    assert (group["rule"], sample["origin_partition"], sample["origin_offset"], sample["at"]) == (
        "com.example.Broken", 3, 99, NOW,
    )  # fmt: skip
    for offset in (1, 2):
        group, sample = by_offset[offset]
        assert (group["rule"], group["fingerprint"], group["origins"]) == ("no-origin", dead_letters.NO_ORIGIN, [])
        assert (sample["origin_partition"], sample["origin_offset"]) == (None, None)
    assert (by_offset[1][1]["key"], by_offset[1][1]["value"]) == ("\\xff", None)
    assert (by_offset[3][1]["key"], by_offset[3][1]["value"]) == ("\\x00", 'a\\x00b\\xff{"😀"}')
    assert by_offset[3][1]["at"] is None
    group, sample = by_offset[4]
    assert (sample["value"], len(sample["key"]), sample["truncated"]) == ("😀" * 4_096, 4_096, True)
    group, sample = by_offset[5]
    assert (len(group["contract"]), len(group["pointer"]), len(group["reason"])) == (201, 500, 1_000)
    assert by_offset[6][1]["truncated"]


def test_a_report_leaves_out_the_partitions_that_it_did_not_come_to(registry: Registry) -> None:
    broker = MemoryBroker(2)
    broker.append([letter(n) for n in range(1_100)] + [letter(n)._replace(partition=1) for n in range(1_100, 1_102)])
    assert worker(registry, broker).turn().letters == 1_102
    assert (groups(registry)[0]["count"], stand(registry)) == (1_102, {0: 1_100, 1: 2})


def test_another_worker_was_quicker(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    broker = MemoryBroker()
    broker.append([letter(n) for n in range(3)])
    slow, quick = worker(registry, broker), worker(registry, broker)
    assert slow.turn().letters == 3
    broker.append([letter(n) for n in range(3, 5)])
    assert quick.turn().letters == 2
    broker.append([letter(n) for n in range(5, 9)])
    with caplog.at_level(logging.INFO, "deedbox.dlq"):
        assert slow.turn().letters == 4, "it thought that it stands at 3"
    assert "another worker has reported some of it" in caplog.text
    assert (groups(registry)[0]["count"], stand(registry)) == (9, {0: 9})


def test_a_registry_that_contradicts_itself_is_not_asked_for_ever(registry: Registry) -> None:
    broker, asked = MemoryBroker(), []
    broker.append([letter(0)])

    class Stubborn:
        url = "http://stubborn.example"

        def dead_letter_positions(self, *_: str) -> dict[int, int]:
            return {}

        def report_dead_letters(self, id: Any, report: Any) -> Any:
            asked.append(report["ranges"])
            raise Problem(409, {"code": "offsets-taken", "positions": [{"partition": 0, "next": 0}]}, url=self.url)

    reporter = LetterReporter(broker, Stubborn())  # type: ignore[arg-type]
    with pytest.raises(UnexpectedReply, match=f"takes no report of {DLT}"):
        reporter.report(DLT, broker.describe([DLT])[DLT])
    assert asked == [[{"partition": 0, "start": 0, "end": 1}]]


def test_topics_that_come_grow_forget_and_are_made_anew(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    broker = Shaped()
    telling = worker(registry, broker)
    assert telling.turn().letters == 0
    assert telling.turn().letters == 0
    assert caplog.text.count(f"{DLT}: there is no such topic yet") == 1
    broker.append([letter(n) for n in range(4)])
    assert telling.turn().letters == 4
    broker.append([letter(n) for n in range(4, 8)])
    broker.begun = {0: 6}  # two of them were dropped before anybody read them
    assert (telling.turn().letters, stand(registry), groups(registry)[0]["count"]) == (2, {0: 8}, 6)
    broker._partitions = 2
    broker.places(DLT)
    broker.append([letter(8)._replace(partition=1), letter(9)])
    assert (telling.turn().letters, stand(registry)) == (2, {0: 9, 1: 1})
    broker.logs.clear()
    broker.begun = {}
    broker.topic_ids[DLT] = "another"
    broker.append([letter(0), letter(1)])
    assert (telling.turn().letters, stand(registry, "another"), stand(registry)) == (2, {0: 2}, {0: 9, 1: 1})
    assert groups(registry)[0]["count"] == 2, "what there is now"
    broker.logs.clear()
    broker.append([letter(0)])  # by a broker that does not say that it is another topic
    assert telling.turn().letters == 0
    assert telling.turn().letters == 0
    assert caplog.text.count("partition 0 ends at 1, and was reported up to 2") == 1


def test_a_registry_that_is_away_is_waited_for_and_nothing_is_lost(
    registry: Registry, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker, stopping = MemoryBroker(), Event()
    monkeypatch.setattr("deedbox.kafka.letters.worker._LEAST", 0.05)
    monkeypatch.setattr("deedbox.kafka.letters.worker._MOST", 0.2)
    broker.append([letter(n) for n in range(3)])
    registry.switch.on = False
    thread = Thread(target=worker(registry, broker, stopping=stopping).run, args=(0.05,))
    thread.start()
    try:
        time.sleep(1.5)
        assert 4 <= len(registry.switch.asked) <= 40, "it asks again, and not all the time"
        broker.down = True
        registry.switch.on = True
        time.sleep(0.5)
        broker.down = False
        wait_for(lambda: stand(registry) == {0: 3})
        broker.append([letter(3)])
        wait_for(lambda: stand(registry) == {0: 4})
    finally:
        stopping.set()
        thread.join(10)
    assert groups(registry)[0]["count"] == 4
    assert caplog.text.count("the registry is away") == 1
    assert caplog.text.count("the broker is away") == 1
    assert caplog.text.count("the broker answers again") == 1


def test_what_is_refused_of_one_topic_holds_up_nothing_else(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broker, clock = MemoryBroker(), Clock()
    broker.append([letter(0), letter(0)._replace(topic="other.dlt")])
    telling = LetterWorker(broker, registry.client, ["other.dlt", DLT], "w", clock=clock)
    send = registry.client.report_dead_letters

    def refuse(id: Any, report: Any) -> Any:
        if report["topic"] == "other.dlt":
            raise Problem(422, {"code": "invalid"}, url="")
        return send(id, report)

    monkeypatch.setattr(registry.client, "report_dead_letters", refuse)
    done = telling.turn()
    assert (done.letters, [type(trouble) for trouble in done.troubles]) == (1, [Problem])
    assert "other.dlt: not reported, and tried again in a minute" in caplog.text
    assert telling.turn().troubles == [], "not at once"
    monkeypatch.setattr(registry.client, "report_dead_letters", send)
    clock.now += 61
    assert telling.turn().letters == 1


def test_a_registry_that_does_not_know_orders_ends_it(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = MemoryBroker()
    broker.append([letter(0)])

    def unknown(*_: Any) -> Any:
        raise Problem(404, {"code": "not-found", "detail": "there is no such address"}, url="")

    monkeypatch.setattr(registry.client, "replay_orders", unknown)
    with pytest.raises(Problem, match="there is no such address"):
        worker(registry, broker).run(0.1)


def test_it_stops_behind_the_report_in_hand(registry: Registry) -> None:
    broker, stopping = MemoryBroker(), Event()
    broker.append([letter(n) for n in range(1_200)])
    telling = worker(registry, broker, stopping=stopping)
    send = registry.client.report_dead_letters

    def and_stop(id: Any, report: Any) -> Any:
        stopping.set()
        return send(id, report)

    registry.client.report_dead_letters = and_stop  # type: ignore[method-assign]
    with pytest.raises(Stopped):
        telling.turn()
    assert stand(registry) == {0: 500}
    del registry.client.report_dead_letters
    assert (worker(registry, broker).turn().letters, groups(registry)[0]["count"]) == (700, 1_200)
