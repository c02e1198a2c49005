"""Jobs: leases, attempts, pauses, and the workers that share them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from deedbox.registry.errors import LeaseLost, StorageUnavailable
from deedbox.registry.services import SlowWork
from deedbox.registry.services.jobs import Jobs, Patience, state_of
from deedbox.registry.services.releases import BuildStopped
from deedbox.registry.storage import jobs as stored
from deedbox.registry.storage import migrate
from deedbox.registry.storage.database import Database
from deedbox.registry.working import Worker

from .releasing import FIRST, NAME, files, slow_work, work_off

if TYPE_CHECKING:
    from .conftest import Api


class Errand:
    """A saga of two steps, which do what they are told."""

    kind = "errand"
    steps = ("first", "second")

    def __init__(self) -> None:
        self.did: list[tuple[str, int]] = []
        self.given: list[tuple[str, str]] = []
        self.before: Callable[[str, Any], None] = lambda step, work: None

    def step(self, name: str, work: Any) -> None:
        self.before(name, work)
        with work.recording(name) as (_, data):
            data["attempt"] = work.attempt
        self.did.append((name, work.attempt))

    def given_up(self, session: Any, work: Any, code: str, reason: str) -> None:
        self.given.append((code, reason))


def ask(jobs: Jobs, subject: str = "x") -> str:
    with jobs.database.writing() as session:
        return str(jobs.add(session, "errand", subject, {}, "ann").id)


@pytest.fixture
def errand() -> Errand:
    return Errand()


def quick(database: Database, **more: Any) -> Jobs:
    return Jobs(database, Patience(**{"lease_seconds": 30, "attempts": 3, "first_pause": 0.01, **more}))


def test_a_job_is_done_step_by_step(database: Database, errand: Errand) -> None:
    jobs = quick(database)
    id_ = ask(jobs)
    assert state_of(jobs.job(id_)) == "waiting"
    work = jobs.take({"errand": errand}, "w1")
    assert work is not None
    assert state_of(jobs.job(id_)) == "running"
    assert jobs.take({"errand": errand}, "w2") is None
    jobs.run(work)
    record = jobs.job(id_)
    assert state_of(record) == "done"
    assert [(s.name, s.attempt) for s in record.steps] == [("first", 1), ("second", 1)]
    assert [(a.number, a.worker) for a in record.attempts] == [(1, "w1")]
    assert jobs.take({"errand": errand}, "w1") is None


def test_what_fails_is_tried_again_and_then_given_up(database: Database, errand: Errand) -> None:
    jobs = quick(database)
    id_ = ask(jobs)

    def fail(step: str, work: Any) -> None:
        if step == "second":
            raise BuildStopped(f"no luck {work.attempt}")

    errand.before = fail
    for _ in range(3):
        jobs.run(taken(jobs, errand))
    record = jobs.job(id_)
    assert state_of(record) == "failed"
    assert [(o.state, o.code) for o in record.outcomes] == [("retry", "build-stopped")] * 2 + [
        ("failed", "build-stopped")
    ]
    assert record.outcomes[-1].reason == "no luck 3 (tried 3 times)"
    assert errand.did == [("first", 1)], "a step that is done is not done again"
    assert errand.given == [("build-stopped", "no luck 3 (tried 3 times)")]


def taken(jobs: Jobs, saga: Any, seconds: float = 10) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        work = jobs.take({saga.kind: saga}, "w")
        if work is not None:
            return work
        time.sleep(0.02)
    raise AssertionError("nothing to take")


def test_pauses_grow_to_five_minutes(database: Database, errand: Errand) -> None:
    jobs = quick(database, first_pause=100.0, attempts=5)
    id_ = ask(jobs)
    errand.before = lambda step, work: (_ for _ in ()).throw(BuildStopped("no"))
    for attempt, (least, most) in enumerate(((70, 130), (145, 255), (220, 380), (220, 380)), start=1):
        jobs.run(taken(jobs, errand))
        queued = jobs.job(id_).queued
        with database.reading() as session:
            assert queued is not None
            assert stored.clock(session, least) < queued.ready_at < stored.clock(session, most)
        assert jobs.take({"errand": errand}, "w") is None
        with database.writing() as session:
            assert stored.give_back(session, id_, attempt, 0), "so that nobody has to wait for it here"


def test_a_lease_that_ends_lets_another_go_on_and_shuts_the_first_out(database: Database, errand: Errand) -> None:
    jobs = quick(database, lease_seconds=0.3)
    id_ = ask(jobs)
    slow = taken(jobs, errand)
    with slow.recording("first"):
        pass
    assert jobs.renew(slow)
    other = taken(jobs, errand)
    assert (other.attempt, list(other.done)) == (2, ["first"])
    assert not jobs.renew(slow)
    with pytest.raises(LeaseLost), slow.recording("second") as _:
        raise AssertionError("never gets here")
    with pytest.raises(LeaseLost):
        jobs.give_back(slow)
    jobs.run(other)
    assert errand.did == [("second", 2)]
    assert state_of(jobs.job(id_)) == "done"


def test_a_job_that_kills_its_workers_is_given_up(database: Database, errand: Errand) -> None:
    jobs = quick(database, lease_seconds=0)
    id_ = ask(jobs)
    for _ in range(3):
        assert jobs.take({"errand": errand}, "killed") is not None
    assert jobs.take({"errand": errand}, "w") is None
    record = jobs.job(id_)
    assert state_of(record) == "failed"
    assert record.outcomes[-1].code == "attempts-exhausted"
    assert "died" in record.outcomes[-1].reason
    assert len(errand.given) == 1


def test_stopping_a_worker_is_held_against_nobody(database: Database, errand: Errand) -> None:
    jobs = quick(database)
    id_ = ask(jobs)
    for _ in range(8):
        jobs.give_back(taken(jobs, errand))
    errand.before = lambda step, work: (_ for _ in ()).throw(BuildStopped("no"))
    for _ in range(2):
        jobs.run(taken(jobs, errand))
    errand.before = lambda step, work: None
    jobs.run(taken(jobs, errand))
    assert state_of(jobs.job(id_)) == "done"


def test_many_workers_share_the_work_and_do_each_thing_once(database: Database, errand: Errand) -> None:
    jobs = quick(database)
    ids = [ask(jobs, f"s{i}") for i in range(40)]
    barrier = threading.Barrier(6)

    def work() -> None:
        barrier.wait(20)
        while (found := jobs.take({"errand": errand}, threading.current_thread().name)) is not None:
            jobs.run(found)

    threads = [threading.Thread(target=work, name=f"w{i}") for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    # One that met only rows that others were taking may have ended early; nothing may be left all the same.
    while (found := jobs.take({"errand": errand}, "last")) is not None:
        jobs.run(found)
    records = [jobs.job(id_) for id_ in ids]
    assert [state_of(record) for record in records] == ["done"] * 40
    assert [len(record.attempts) for record in records] == [1] * 40
    assert len(errand.did) == 80


def test_a_database_that_goes_away_leaves_the_job_to_the_next(database: Database) -> None:
    jobs, errand = quick(database, lease_seconds=0.2), Errand()
    id_ = ask(jobs)
    errand.before = lambda step, work: (_ for _ in ()).throw(StorageUnavailable("away"))
    jobs.run(taken(jobs, errand))
    errand.before = lambda step, work: None
    jobs.run(taken(jobs, errand))
    assert state_of(jobs.job(id_)) == "done"


@pytest.fixture
def running(database: Database) -> Iterator[tuple[SlowWork, Worker]]:
    slow = slow_work(database)
    worker = Worker(slow, 2)
    worker.start()
    yield slow, worker
    worker.stop()


def test_workers_beside_the_server_start_at_once(running: tuple[SlowWork, Worker]) -> None:
    slow, _ = running
    errand = Errand()
    slow.sagas["errand"] = errand
    ids = [ask(slow.jobs, f"s{i}") for i in range(5)]
    deadline = time.monotonic() + 20
    while any(state_of(slow.jobs.job(id_)) != "done" for id_ in ids):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_worker_of_its_own_leaves_is_taken_up(api: Api, number: signal.Signals) -> None:
    """`deedbox worker` told to stop gives its job back at once, whatever its lease; killed, when the lease ends."""
    url = api.services.database.url.render_as_string(hide_password=False)
    big = {"type": "object", "properties": {f"p{i}": {"type": ["string", "null"]} for i in range(150)}}
    job = api.publish(NAME, big, **FIRST, package="billing-order-placed").json["job"]
    lease = "600" if number == signal.SIGTERM else "1"
    worker = subprocess.Popen(
        [sys.executable, "-m", "deedbox.cli.main", "worker", "--database-url", url],
        env={**os.environ, "DEEDBOX_JOB_LEASE_SECONDS": lease},
        stderr=subprocess.PIPE,
    )
    try:
        deadline = time.monotonic() + 60
        while len(api.get(f"/jobs/{job}").json["steps"]) < 2:
            assert time.monotonic() < deadline
            assert worker.poll() is None
            time.sleep(0.02)
    finally:
        worker.send_signal(number)
        _, told = worker.communicate(timeout=60)
    assert worker.returncode == (0 if number == signal.SIGTERM else -number), told.decode()
    if number == signal.SIGTERM:
        assert api.get(f"/jobs/{job}").json["state"] in ("waiting", "done")
    deadline = time.monotonic() + 90
    while api.get(f"/jobs/{job}").json["state"] != "done":
        assert time.monotonic() < deadline
        work_off(api.services.slow)
        time.sleep(0.05)
    assert len(files(api, "billing-order-placed-v1")) == 1


@pytest.mark.postgres
def test_workers_pass_over_what_another_is_taking(postgres: Any) -> None:
    """On PostgreSQL nobody waits for a row that somebody else has locked."""
    url = postgres()
    first, second = Database(url), Database(url, busy_seconds=1)
    migrate.upgrade(first)
    jobs = quick(first)
    ids = {ask(jobs, f"s{i}") for i in range(2)}
    with first.writing(entries=False) as one:
        taken_first = stored.claim(one, ["errand"], "w1", 30)
        with second.writing(entries=False) as other:
            taken_second = stored.claim(other, ["errand"], "w2", 30)
            assert stored.claim(other, ["errand"], "w2", 30) is None
    assert taken_first is not None
    assert taken_second is not None
    assert {taken_first[0].id, taken_second[0].id} == ids
    first.close()
    second.close()


def test_jobs_are_counted(each_api: Api) -> None:
    api = each_api
    jobs, errand = Jobs(api.services.database, Patience(30, 2, 0.0)), Errand()

    def told() -> set[str]:
        return {line for line in api.client.get("/metrics").text.splitlines() if line.startswith("deedbox_job")}

    assert 'deedbox_jobs_open{state="waiting"} 0.0' in told()
    for i in range(3):
        ask(jobs, f"s{i}")
    jobs.run(taken(jobs, errand))
    errand.before = lambda step, work: (_ for _ in ()).throw(BuildStopped("no"))
    jobs.run(taken(jobs, errand))
    taken(jobs, errand)
    assert told() == {
        'deedbox_jobs_open{state="waiting"} 1.0',
        'deedbox_jobs_open{state="running"} 1.0',
        'deedbox_job_attempts_total{outcome="done"} 1.0',
        'deedbox_job_attempts_total{outcome="retry"} 1.0',
        'deedbox_job_attempts_total{outcome="failed"} 0.0',
    }
