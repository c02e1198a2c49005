"""Carrying out orders to send dead letters again: a dry run, and once somebody confirmed it the replay.

An order is taken under a lease. Whoever takes it after a worker died finishes what that one began: what was sent stands in
`TOPIC.replays`, in the transaction that sent it, and is not sent again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from deedbox.client import ClientError, Problem, UnexpectedReply, is_unavailable
from deedbox.kafka.errors import BrokerUnavailable, Fenced, LiveError, RegistryAway
from deedbox.kafka.letters.replaying import Query, Replay, Replayer, judge_of
from deedbox.kafka.letters.reports import readable
from deedbox.kafka.lookup import Lookup

if TYPE_CHECKING:
    from deedbox.client import RegistryClient
    from deedbox.kafka.broker import Broker

log = logging.getLogger("deedbox.dlq")

DRY_RUN = "dry-run"
ATTEMPTS = 4
"""How often what the broker refuses is tried before the order fails."""
_MOST_REASON, _MOST_ERROR = 1_000, 2_000
_LAST_SECOND = 1
"""The shortest lease: what a worker that is told to stop takes to give an order back."""


class Stopped(Exception):
    """The worker is told to stop."""


class _LeaseLost(Exception):
    """The order is another worker's now, or was cancelled."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of an order: `done`, `failed` (the registry has the error), or `left` for later or for others."""

    id: str
    task: str
    outcome: Literal["done", "failed", "left"]
    error: str = ""


class Carrier:
    """Carries out orders, one at a time.

    Args:
        broker: a filling of the port.
        client: of the registry.
        worker: the name of this process, which no other one has.
        values: whether reasons are told that may quote a message.
        lease_seconds: after which another may take over from this one where it died.
        per_second: messages sent a second, at most; 0 for no limit.
        going: raises `Stopped` where this is to stop; asked between batches.
        sleep: waits so many seconds, or until this is to stop.
    """

    def __init__(
        self,
        broker: Broker,
        client: RegistryClient,
        worker: str,
        *,
        values: bool = False,
        lease_seconds: int = 60,
        per_second: float = 0.0,
        going: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._broker, self._client, self._worker = broker, client, worker
        self._values, self._seconds, self._rate = values, lease_seconds, per_second
        self._going, self._sleep, self._clock = going, sleep, clock
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}

    def carry_out(self, order: Mapping[str, Any]) -> Carried | None:
        """Takes an order and does what is to be done with it now. None where there is nothing to do, or another has it.

        Raises:
            Stopped: it was given back. RegistryAway, ClientError: the registry did not answer; its lease runs out.
        """
        id = str(order["id"])
        if self._not_before.get(id, 0.0) > self._clock():
            return None
        try:
            claimed = self._client.claim_order(id, self._worker, self._seconds)
        except Problem as problem:
            if problem.status in (404, 409):
                return None
            raise
        try:
            held, task = dict(claimed["order"]), str(claimed["task"])
            replayer = self._replayer(held, task, _Lease(self._client, id, self._worker, self._seconds, self._clock))
        except (LookupError, TypeError, ValueError) as error:
            raise UnexpectedReply(
                f"the registry gave an order that this worker cannot read ({type(error).__name__}: {error}). "
                "Are both of one release?",
                url=self._client.url,
            ) from None
        return self._settle(held, task, replayer)

    def _replayer(self, order: Mapping[str, Any], task: str, lease: _Lease) -> Replayer:
        def advance(_: int) -> None:
            self._going()
            lease.keep()

        ends = None
        if task != DRY_RUN and order["trial"]["ends"]:
            ends = {int(span["partition"]): int(span["end"]) for span in order["trial"]["ends"]}
        return Replayer(
            self._broker,
            str(order["topic"]),
            str(order["id"]),
            judge_of(Lookup(self._client)),  # one of its own: what was published a moment ago counts
            query=Query(fingerprint=str(order["fingerprint"])),
            per_second=self._rate,
            by=str(order["by"]),
            ends=ends,
            advance=advance,
            sleep=self._sleep,
        )

    def _settle(self, order: Mapping[str, Any], task: str, replayer: Replayer) -> Carried:
        id, error = str(order["id"]), ""
        try:
            done = replayer.dry_run() if task == DRY_RUN else replayer.run()
        except Stopped:
            self._give_back(id)
            raise
        except RegistryAway:
            raise
        except ClientError as refusal:
            if is_unavailable(refusal):
                raise
            done, error = replayer.so_far(), str(refusal)
        except _LeaseLost as lost:
            if task == DRY_RUN:
                return self._left(id, task, str(lost))
            done, error = replayer.so_far(), f"{lost}; what had been sent by then is counted"
        except Fenced as fenced:
            self._not_before[id] = self._clock() + self._seconds
            return self._left(id, task, str(fenced))
        except LiveError as failure:
            again = self._again(id, failure)
            if again:
                return self._left(id, task, again)
            done, error = replayer.so_far(), str(failure)
        except Exception as fault:
            # Whatever it is: an order that always ends so must not keep this worker from all the others.
            log.exception("order %s: a fault in deedbox itself, please report it", id)
            done, error = replayer.so_far(), f"a fault in deedbox itself: {type(fault).__name__}: {fault}"
        return self._record(order, task, done, error)

    def _again(self, id: str, failure: LiveError) -> str:
        """What to say where it is tried again later; empty where it was tried often enough."""
        failures = self._failures[id] = self._failures.get(id, 0) + 1
        # A broker that says nothing comes back some day. One that answers and refuses will refuse again.
        if failures >= ATTEMPTS and not isinstance(failure, BrokerUnavailable):
            return ""
        pause = min(2.0**failures, 60.0)
        self._not_before[id] = self._clock() + pause
        return f"{failure}. It is tried again in {pause:.0f} seconds"

    def _left(self, id: str, task: str, why: str) -> Carried:
        log.warning("order %s: %s: %s", id, task, why, extra={"fields": {"order": id, "task": task}})
        return Carried(id, task, "left", why)

    def _give_back(self, id: str) -> None:
        try:
            self._client.claim_order(id, self._worker, _LAST_SECOND)
        except ClientError as error:
            log.info("order %s: its lease runs out by itself: %s", id, error)

    def _record(self, order: Mapping[str, Any], task: str, done: Replay, error: str) -> Carried:
        id = str(order["id"])
        result = result_of(done, self._worker, error, values=self._values)
        try:
            self._client.record_order_result(id, task, result)
        except Problem as problem:
            if problem.status not in (404, 409) or is_unavailable(problem):
                raise
            return self._left(id, task, f"its result is not wanted any more: {problem}")
        self._failures.pop(id, None)
        self._not_before.pop(id, None)
        said = {name: result[name] for name in ("read", "replayed", "quarantined", "failing", "skipped")}
        fields = {"order": id, "task": task, "topic": order["topic"], "fingerprint": order["fingerprint"], **said}
        would = "would be " if task == DRY_RUN else ""
        words = (
            f"of {done.read} letters {said['replayed']} {would}sent, {said['quarantined']} {would}put in quarantine, "
            f"{said['failing']} left since they would fail, {said['skipped']} skipped"
        )
        if error:
            log.error("order %s: %s failed (%s): %s", id, task, words, error, extra={"fields": fields})
            return Carried(id, task, "failed", error)
        log.info("order %s: %s: %s", id, task, words, extra={"fields": fields})
        return Carried(id, task, "done")


class _Lease:
    """An order that a worker has for a while, and keeps for as long as it works on it."""

    def __init__(self, client: RegistryClient, id: str, worker: str, seconds: int, clock: Callable[[], float]) -> None:
        self._client, self._id, self._worker, self._seconds, self._clock = client, id, worker, seconds, clock
        self._next = clock() + seconds / 3
        self._said = False

    def keep(self) -> None:
        """Has it for longer, where it is time to say so.

        Raises:
            _LeaseLost: somebody else has it, or it was cancelled.
        """
        if self._clock() < self._next:
            return
        self._next = self._clock() + self._seconds / 3
        try:
            self._client.claim_order(self._id, self._worker, self._seconds)
        except Problem as problem:
            if problem.status in (404, 409):
                raise _LeaseLost(f"the order was taken away: {problem}") from problem
            self._not_extended(problem)
        except ClientError as error:
            self._not_extended(error)

    def _not_extended(self, error: ClientError) -> None:
        # No harm in going on: whoever takes it over fences this one, and sends nothing twice.
        if not self._said:
            log.warning("order %s: its lease is not extended, and the work goes on: %s", self._id, error)
        self._said = True


def result_of(done: Replay, worker: str, error: str = "", *, values: bool = False) -> dict[str, Any]:
    """What came of a task as the registry takes it: of the whole order, with what earlier runs of it did."""
    before = done.replayed_before + done.quarantined_before
    return {
        "worker": worker,
        "read": done.read,
        "replayed": done.replayed + done.replayed_before,
        "quarantined": done.quarantined + done.quarantined_before,
        "failing": done.failing,
        "skipped": done.skipped - before,
        "examples": [
            {
                "partition": partition,
                "offset": offset,
                "reason": readable(why.reason if values else why.short, _MOST_REASON),
            }
            for partition, offset, why in done.examples
        ],
        "ends": [{"partition": n, "end": end} for n, end in sorted(done.ends.items())],
        "error": readable(error, _MOST_ERROR) if error else None,
    }
