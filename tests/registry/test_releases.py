"""The release of a version as a package: its steps, killed between them, its failures, names, builds and bundles."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from deedbox.registry.services.jobs import Patience
from deedbox.registry.storage import packages

from .package_files import form, wheel, wheel_name
from .releasing import FIRST, NAME, ORDER, files, messages, work_off

if TYPE_CHECKING:
    from .conftest import Api

STEPS = ["check", "version", "build", "index", "notify"]


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
    taken = api.post(f"/contracts/{NAME}/versions/1.0.0/packages", {"id": id_, "style": "dataclass"})
    assert (taken.status_code, taken.json["code"], taken.json["pointer"]) == (409, "id-taken", "/id")
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


def test_kept_contents_are_those_of_the_files(api: Api) -> None:
    api.publish(NAME, ORDER, **FIRST, package="billing-order-placed")
    work_off(api.services.slow)
    job = json.loads(api.client.get("/api/v1/packages/billing-order-placed").data)["files"][0]
    with api.services.database.reading() as session:
        assert packages.contents_known(session, [job["sha256"]]) == {job["sha256"]}
