"""Jobs: leases, attempts, and the release saga, which is killed between its steps and goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from deedbox.registry.config import Settings
from deedbox.registry.errors import StorageUnavailable
from deedbox.registry.services import SlowWork
from deedbox.registry.services.jobs import Jobs, LeaseLost, Patience, state_of
from deedbox.registry.services.releases import BuildStopped
from deedbox.registry.storage import jobs as stored
from deedbox.registry.storage import migrate, packages
from deedbox.registry.storage.database import Database
from deedbox.registry.working import Worker

from .package_files import form, wheel, wheel_name

if TYPE_CHECKING:
    from .conftest import Api

NAME = "billing/order-placed"
ORDER = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
FIRST = {"role": "consumes", "kind": "event", "channels": ["shop.orders"]}
STEPS = ["check", "version", "build", "index", "notify"]


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


def test_pauses_grow(database: Database, errand: Errand) -> None:
    jobs = quick(database, first_pause=100.0, attempts=5)
    id_ = ask(jobs)
    errand.before = lambda step, work: (_ for _ in ()).throw(BuildStopped("no"))
    jobs.run(taken(jobs, errand))
    queued = jobs.job(id_).queued
    with database.reading() as session:
        assert queued is not None
        assert stored.clock(session, 70) < queued.ready_at < stored.clock(session, 130)
    assert jobs.take({"errand": errand}, "w") is None


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


# --- releases -------------------------------------------------------------------------------------------------------


def slow_work(database: Database, **settings: Any) -> SlowWork:
    return SlowWork(database, Settings(**settings))


def work_off(slow: SlowWork, seconds: float = 60) -> None:
    """Does every job that is ready."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        work = slow.jobs.take(slow.sagas, "here")
        if work is None:
            return
        slow.jobs.run(work)


def files(api: Api, name: str) -> list[dict[str, Any]]:
    answer = api.client.get(f"/api/v1/packages/{name}")
    return list(answer.json["files"]) if answer.status_code == 200 else []


def messages(api: Api) -> list[Any]:
    with api.services.database.reading() as session:
        return stored.messages_after(session, 0, 100)


def test_publishing_a_version_with_a_package_releases_it(each_api: Api) -> None:
    api = each_api
    made = api.publish(NAME, ORDER, **FIRST, package="billing-order-placed", version="1.2.0")
    assert made.status_code == 201
    job = made.json["job"]
    assert api.get(f"/jobs/{job}").json["state"] == "waiting"
    assert files(api, "billing-order-placed") == []
    work_off(api.services.slow)
    told = api.get(f"/jobs/{job}").json
    assert told["state"] == "done", told
    assert [step["name"] for step in told["steps"]] == STEPS
    assert (told["subject"], told["code"], told["ready_at"]) == (f"{NAME}@1.2.0", None, None)
    (whole,) = files(api, "billing-order-placed")
    (code,) = files(api, "billing-order-placed-v1")
    assert whole["filename"] == "billing_order_placed-1.2.0-1-py3-none-any.whl"
    assert (code["contract"], code["contract_version"], code["build"]) == (NAME, "1.2.0", 1)
    kinds = [(e["kind"], e["subject"]) for e in api.get("/events").json["items"]]
    assert kinds == [
        ("publication", f"{NAME}@1.2.0"),
        ("package-name", "billing-order-placed"),
        ("package", "billing-order-placed-v1==1.2.0"),
        ("package", "billing-order-placed==1.2.0"),
        ("release", f"{NAME}@1.2.0"),
        ("package-name", "billing-contracts"),
        ("package", "billing-contracts==1.0.0"),
        ("bundle", "billing"),
    ]
    message, bundled = messages(api)
    assert (bundled.kind, bundled.subject, bundled.position) == ("bundle-done", "billing", 2)
    assert (message.kind, message.subject, message.data["files"]) == (
        "release-done", f"{NAME}@1.2.0", [code["filename"], whole["filename"]],
    )  # fmt: skip
    assert api.get(f"/contracts/{NAME}/versions/1.2.0").json["package"] == "billing-order-placed"
    again = api.publish(NAME, ORDER, package="billing-order-placed", version="1.2.0")
    assert (again.status_code, again.json["job"]) == (200, job)


def test_a_version_published_without_a_package_has_none_until_asked(api: Api) -> None:
    api.publish(NAME, ORDER, **FIRST)
    work_off(api.services.slow)
    assert api.get("/packages").json["items"] == []
    id_ = str(uuid4())
    asked = api.post(f"/contracts/{NAME}/versions/1.0.0/packages", {"id": id_})
    assert asked.status_code == 202
    assert asked.headers["Location"] == f"/api/v1/jobs/{id_}"
    again = api.post(f"/contracts/{NAME}/versions/1.0.0/packages", {"id": id_})
    assert (again.status_code, again.json) == (202, asked.json)
    other = api.post(f"/contracts/{NAME}/versions/1.0.0/packages", {"style": "dataclass"})
    assert (other.status_code, other.json["code"], other.json["job"]) == (409, "release-under-way", id_)
    work_off(api.services.slow)
    assert api.client.get(asked.headers["Location"]).json["state"] == "done"
    assert [p["distribution"] for p in api.get("/packages").json["items"]] == [
        "billing-contracts",
        "billing-order-placed",
        "billing-order-placed-v1",
    ]
    # What is there already is not built again; another style is another build, beside the first.
    without_body = api.client.post(f"/api/v1/contracts/{NAME}/versions/1.0.0/packages")
    work_off(api.services.slow)
    done = api.client.get(without_body.headers["Location"]).json
    assert done["state"] == "done"
    assert [f["build"] for f in files(api, "billing-order-placed-v1")] == [1]
    before = api.client.get(files(api, "billing-order-placed-v1")[0]["url"]).data
    api.post(f"/contracts/{NAME}/versions/1.0.0/packages", {"style": "dataclass"})
    work_off(api.services.slow)
    first, second = files(api, "billing-order-placed-v1")
    assert (first["build"], second["build"], second["recipe"]["style"]) == (1, 2, "dataclass")
    assert api.client.get(first["url"]).data == before
    assert second["filename"] == "billing_order_placed_v1-1.0.0-2-py3-none-any.whl"


def test_another_generator_is_another_build(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.publish(NAME, ORDER, **FIRST, package="billing-order-placed")
    work_off(api.services.slow)
    import deedbox.codegen.generating as generating

    revised = "datamodel-code-generator 99, revision 7"
    monkeypatch.setattr(generating, "generator_version", lambda: revised)
    api.client.post(f"/api/v1/contracts/{NAME}/versions/1.0.0/packages")
    work_off(api.services.slow)
    builds = files(api, "billing-order-placed-v1")
    assert [(f["build"], f["recipe"]["generator"] == revised) for f in builds] == [(1, False), (2, True)]


CRASH = """
import os, signal, sys
from deedbox.registry.config import Settings
from deedbox.registry.services import SlowWork
from deedbox.registry.services.jobs import Patience
from deedbox.registry.storage import jobs as stored
from deedbox.registry.storage.database import Database
url, where, step = sys.argv[1:]
slow = SlowWork(Database(url), Settings())
slow.jobs.patience = Patience(lease_seconds=0.2)
releases = slow.releases
plain, recorded = releases.step, stored.add_step
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
def before(name, work):
    if name == step:
        die()
    plain(name, work)
def within(session, job, name, attempt, data):
    recorded(session, job, name, attempt, data)
    if name == step:
        die()
if where == "before":
    releases.step = before
else:
    stored.add_step = within
work = slow.jobs.take(slow.sagas, "doomed")
assert work is not None
slow.jobs.run(work)
"""


@pytest.mark.parametrize("where", ["before", "within"])
def test_a_release_goes_on_wherever_its_worker_was_killed(api: Api, where: str) -> None:
    """kill -9 before each step, and within each step's transaction after all its writes."""
    url = api.services.database.url.render_as_string(hide_password=False)
    for number, step in enumerate(STEPS[1:] if where == "before" else STEPS):
        contract = f"billing/killed-{where}-{number}"
        job = api.publish(contract, ORDER, **FIRST, package=contract.replace("/", "-")).json["job"]
        done = subprocess.run([sys.executable, "-c", CRASH, url, where, step], check=False, capture_output=True)
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
        told = api.get(f"/jobs/{job}").json
        assert [s["name"] for s in told["steps"]] == STEPS[: STEPS.index(step)]
        on_index = files(api, contract.replace("/", "-")), files(api, contract.replace("/", "-") + "-v1")
        assert [len(part) for part in on_index] == ([1, 1] if step == "notify" else [0, 0])
        assert len([m for m in messages(api) if m.kind == "release-done"]) == number
        deadline = time.monotonic() + 20
        while api.get(f"/jobs/{job}").json["state"] != "done":
            assert time.monotonic() < deadline
            work_off(api.services.slow)
            time.sleep(0.05)
        told = api.get(f"/jobs/{job}").json
        assert [(s["name"], s["attempt"]) for s in told["steps"]] == [
            (name, 1 if STEPS.index(name) < STEPS.index(step) else 2) for name in STEPS
        ]
        assert (told["attempts"][0]["worker"], told["attempts"][0]["state"]) == ("doomed", None)
        assert [len(files(api, contract.replace("/", "-") + end)) for end in ("", "-v1")] == [1, 1]
    assert len({m.id for m in messages(api)}) == len(messages(api))


def test_a_build_that_is_killed_leaves_nothing_and_is_tried_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time limit kills the process that builds; five times, and the release has failed, with the reason."""
    releases = api.services.releases
    monkeypatch.setattr(releases, "build_seconds", 0.05)
    monkeypatch.setattr(api.services.jobs, "patience", Patience(30, 2, 0.01))
    job = api.publish(NAME, ORDER, **FIRST, package="billing-order-placed").json["job"]
    deadline = time.monotonic() + 30
    while (told := api.get(f"/jobs/{job}").json)["state"] != "failed":
        assert time.monotonic() < deadline
        work_off(api.services.slow)
        time.sleep(0.02)
    assert (told["code"], len(told["attempts"])) == ("build-stopped", 2)
    assert "longer than 0.05 s" in told["reason"]
    assert api.get("/packages").json["items"] == []
    event = api.get("/events").json["items"][-1]
    assert (event["kind"], event["data"]["state"], event["data"]["code"]) == ("release", "failed", "build-stopped")
    (message,) = messages(api)
    assert (message.kind, message.data["job"]) == ("release-failed", job)
    assert api.get(f"/contracts/{NAME}/versions/1.0.0").status_code == 200, "the version stays"
    # Publishing again asks again, and it may go well this time.
    monkeypatch.setattr(releases, "build_seconds", 60)
    again = api.publish(NAME, ORDER, package="billing-order-placed").json["job"]
    assert again != job
    work_off(api.services.slow)
    assert api.get(f"/jobs/{again}").json["state"] == "done"


def test_a_service_s_bundle_follows_its_packages(each_api: Api) -> None:
    api = each_api
    other = "billing/order-paid"
    V = {"version": "1.0.0"}
    api.publish(NAME, ORDER, **FIRST, **V, package="billing-order-placed")
    api.publish(other, ORDER, **FIRST, **V, package="paid")
    api.publish("billing/unpackaged", ORDER, **FIRST, **V)
    work_off(api.services.slow)
    wider = {**ORDER, "properties": {**ORDER["properties"], "note": {"type": "string"}}}
    api.publish(NAME, wider, version="1.1.0", package="billing-order-placed")
    work_off(api.services.slow)

    def bundles() -> list[tuple[str, Any]]:
        return [(f["version"], f["recipe"]["members"]) for f in files(api, "billing-contracts")]

    first = [[other, "1.0.0", "paid"], [NAME, "1.0.0", "billing-order-placed"]]
    second = [[other, "1.0.0", "paid"], [NAME, "1.1.0", "billing-order-placed"]]
    assert bundles()[-1] == ("1.2.0", second)
    assert first in [members for _, members in bundles()]
    (whole,) = [f for f in files(api, "billing-contracts") if f["version"] == "1.2.0"]
    metadata = api.client.get(whole["url"] + ".metadata").text
    assert "Requires-Dist: billing-order-placed-v1 ==1.1.0" in metadata
    assert "Requires-Dist: paid-v1 ==1.0.0" in metadata
    # A retirement falls back to what is left, under a version of its own; the older bundles stay.
    api.post(f"/contracts/{NAME}/versions/1.1.0/retirement", {"reason": "wrong"})
    work_off(api.services.slow)
    assert bundles()[-1] == ("2.0.0", first)
    count = len(bundles())
    asked = api.post("/services/billing/packages", "")
    work_off(api.services.slow)
    assert api.client.get(asked.headers["Location"]).json["state"] == "done"
    assert len(bundles()) == count, "nothing new to bundle"
    assert api.post("/services/nobody/packages", "").status_code == 404


def test_a_bundle_whose_name_is_taken_fails_apart(api: Api) -> None:
    content = wheel("billing-contracts", "0.1")
    sent = api.client.post("/legacy/", data=form(wheel_name("billing-contracts", "0.1"), content))
    assert sent.status_code == 200
    job = api.publish(NAME, ORDER, **FIRST, package="billing-order-placed").json["job"]
    work_off(api.services.slow)
    assert api.get(f"/jobs/{job}").json["state"] == "done"
    told = [m for m in messages(api) if m.kind == "bundle-failed"]
    assert [m.data["code"] for m in told] == ["package-name-taken"]


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        (False, "admits-nothing"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "admits-nothing"),
    ],
)
def test_what_gives_no_package_fails_at_once_with_the_reason(api: Api, schema: Any, code: str) -> None:
    job = api.publish(NAME, schema, **FIRST, package="billing-order-placed").json["job"]
    work_off(api.services.slow)
    told = api.get(f"/jobs/{job}").json
    assert (told["state"], told["code"], len(told["attempts"])) == ("failed", code, 1)
    assert api.get("/packages").json["items"] == []


OPENAPI = """\
openapi: 3.1.0
info: {title: Orders, version: 1.0.0}
paths:
  /orders:
    post:
      requestBody:
        content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}
      responses: {'201': {description: made}}
components:
  schemas:
    Order: {type: object, required: [id], properties: {id: {type: string}}}
"""


@pytest.mark.parametrize(
    ("schema", "more"),
    [
        ("type: object\nproperties:\n  id: {type: string}\n", {}),
        (OPENAPI, {"role": "provides", "kind": "api", "format": "openapi", "channels": []}),
    ],
)
def test_documents_in_yaml_and_of_apis_are_released_too(api: Api, schema: str, more: dict[str, Any]) -> None:
    made = api.publish(NAME, schema, **{**FIRST, **more}, package="billing-order-placed")
    assert made.status_code == 201, made.json
    work_off(api.services.slow)
    told = api.get(f"/jobs/{made.json['job']}").json
    assert told["state"] == "done", told["reason"]


@pytest.mark.parametrize(
    ("package", "reason"),
    [
        ("", "invalid-package-name"),
        ("\N{FIRE}", "invalid-package-name"),
        ("class", "invalid-package-name"),
        ("-x-", "invalid-package-name"),
        ("a" * 101, "invalid-package-name"),
        ("json", "reserved-package-name"),
        ("Pydantic", "reserved-package-name"),
    ],
)
def test_names_that_no_package_can_have_are_refused_before_anything_is_written(
    api: Api, package: str, reason: str
) -> None:
    for answer in (
        api.publish(NAME, ORDER, **FIRST, package=package),
        api.post("/check", {"contracts": [{"contract": NAME, "schema": ORDER, **FIRST, "package": package}]}),
    ):
        assert (answer.status_code, answer.json["code"], answer.json["reason"]) == (422, "not-packageable", reason)
        assert answer.json["pointer"] == "/package"
    assert api.get("/events").json["items"] == []


def test_a_version_that_installers_cannot_order_is_refused_with_its_package(api: Api) -> None:
    answer = api.publish(NAME, ORDER, **FIRST, version="1.0.0-nightly.7", package="billing-order-placed")
    assert (answer.status_code, answer.json["reason"]) == (422, "version-not-packageable")
    assert api.get("/events").json["items"] == []
    assert api.publish(NAME, ORDER, **FIRST, version="1.0.0-nightly.7").status_code == 201


def test_a_name_is_one_contract_s_for_good(api: Api) -> None:
    assert api.publish(NAME, ORDER, **FIRST, package="orders").status_code == 201
    for name in ("orders", "Orders", "orders-v3"):
        refused = api.publish("shipping/order-placed", ORDER, **FIRST, package=name)
        assert (refused.status_code, refused.json["code"], refused.json["owner"]) == (403, "package-name-taken", NAME)
    assert api.get("/contracts/shipping/order-placed").status_code == 404, "nothing of it was published"
    assert api.publish("shipping/order-placed", ORDER, **FIRST, package="orders-vast").status_code == 201


def test_a_prefix_of_this_index_is_kept(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.services.releases, "prefix", "acme")
    refused = api.publish(NAME, ORDER, **FIRST, package="orders")
    assert "acme-orders" in refused.json["detail"]
    assert api.publish(NAME, ORDER, **FIRST, package="acme-orders").status_code == 201


def test_a_retired_version_is_not_released(api: Api) -> None:
    api.publish(NAME, ORDER, **FIRST)
    job = api.post(f"/contracts/{NAME}/versions/1.0.0/packages", {}).json["id"]
    api.post(f"/contracts/{NAME}/versions/1.0.0/retirement", {"reason": "wrong"})
    work_off(api.services.slow)
    assert "retired meanwhile" in api.get(f"/jobs/{job}").json["reason"]
    refused = api.post(f"/contracts/{NAME}/versions/1.0.0/packages", {})
    assert (refused.status_code, refused.json["code"]) == (422, "not-packageable")
    assert api.post(f"/contracts/{NAME}/versions/9.9.9/packages", {}).status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"style": "attrs"}, "/style"),
        ({"open_enums": "yes"}, "/open_enums"),
        ({"id": "7"}, "/id"),
        ({"package": 7}, "/package"),
        ({"pakage": "x"}, "/pakage"),
    ],
)
def test_wishes_that_cannot_be_read(api: Api, body: Any, pointer: str) -> None:
    api.publish(NAME, ORDER, **FIRST)
    answer = api.post(f"/contracts/{NAME}/versions/1.0.0/packages", body)
    assert (answer.status_code, answer.json["pointer"]) == (422, pointer)
    assert api.get("/jobs/none").status_code == 404


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


def test_kept_contents_are_those_of_the_files(api: Api) -> None:
    api.publish(NAME, ORDER, **FIRST, package="billing-order-placed")
    work_off(api.services.slow)
    job = json.loads(api.client.get("/api/v1/packages/billing-order-placed").data)["files"][0]
    with api.services.database.reading() as session:
        assert packages.contents_known(session, [job["sha256"]]) == {job["sha256"]}
