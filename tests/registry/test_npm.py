"""npm packages: made with a release where node is, installed by npm itself."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from deedbox.registry.serving import BackgroundServer, run_in_background

from tests.codegen.conftest import modules  # noqa: F401 - a fixture

from .releasing import FIRST, ORDER, work_off
from .test_index_clients import REASON, V1, V1_1, V2, box, read, release, send

if TYPE_CHECKING:
    from .conftest import Api

NAME = "billing/order-placed"
PACKAGE = "@acme/billing-order-placed"


@pytest.fixture(scope="module")
def server(modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackgroundServer]:  # noqa: F811
    """A server that makes npm packages, with 1.0.0 and 1.1.0 (retired) of one contract."""
    folder = tmp_path_factory.mktemp("npm")
    environment = {
        "DEEDBOX_COMPARE_WORKERS": "1",
        "DEEDBOX_NPM_MODULES": str(modules),
        "DEEDBOX_NPM_SCOPE": "acme",
    }
    with run_in_background(f"sqlite:///{folder}/r.db", environment=environment) as running:
        release(running, V1, "1.0.0")
        release(running, V1_1, "1.1.0")
        send(running, f"/api/v1/contracts/{NAME}/versions/1.1.0/retirement", {"reason": REASON})
        yield running


def npm(server: BackgroundServer, folder: Path, *arguments: str) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.lower().startswith("npm_")}
    done = subprocess.run(
        [
            "npm", *arguments, f"--@acme:registry={server.url}/npm/", "--prefix", str(folder), "--no-audit", "--no-fund",
            "--cache", str(folder / "cache"), "--userconfig", os.devnull, "--fetch-retries", "0",
        ],
        capture_output=True, text=True, timeout=120, check=False, cwd=folder, env=clean,
    )  # fmt: skip
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    return told


def test_npm_installs_the_latest_and_warns_of_what_is_retired(server: BackgroundServer, tmp_path: Path) -> None:
    site = tmp_path / "node_modules" / PACKAGE
    told = npm(server, tmp_path, "install", PACKAGE)
    assert json.loads((site / "package.json").read_text())["version"] == "1.0.0"
    assert "deprecated" not in told
    assert "export interface OrderPlaced" in (site / "index.d.ts").read_text()
    lock = json.loads((tmp_path / "package-lock.json").read_text())["packages"][f"node_modules/{PACKAGE}"]
    assert lock["resolved"].startswith(f"{server.url}/npm/@acme/billing-order-placed/-/")
    assert lock["integrity"].startswith("sha512-")
    told = npm(server, tmp_path, "install", f"{PACKAGE}@1.1.0")
    assert json.loads((site / "package.json").read_text())["version"] == "1.1.0"
    assert "deprecated" in told
    assert REASON in told
    script = f"import('{PACKAGE}').then(p => console.log(p.CONTRACT, p.VERSION))"
    done = subprocess.run(["node", "-e", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{NAME} 1.1.0"


def test_the_npm_line_on_the_contracts_page_is_true(server: BackgroundServer, tmp_path: Path) -> None:
    line = next(line for line in box(server) if line.startswith("npm "))
    tool, *arguments = shlex.split(line)
    assert tool == "npm"
    npm(server, tmp_path, *arguments)
    told = json.loads((tmp_path / "node_modules" / PACKAGE / "package.json").read_text())
    assert told["version"] == "1.0.0"


def test_what_npm_is_told(server: BackgroundServer) -> None:
    release(server, V2, "2.0.0-rc.1", channels=["shop.orders.v2"])
    told = read(server, "/npm/@acme%2fbilling-order-placed")
    assert told == read(server, "/npm/@acme/billing-order-placed")
    assert told["dist-tags"] == {"latest": "1.0.0"}
    assert list(told["versions"]) == ["1.0.0", "1.1.0", "2.0.0-rc.1"]
    assert [v.get("deprecated") for v in told["versions"].values()] == [None, REASON, None]
    one = told["versions"]["1.0.0"]
    assert (one["name"], one["version"], len(one["dist"]["shasum"])) == (PACKAGE, "1.0.0", 40)
    events = read(server, "/api/v1/events?limit=1000")["items"]
    assert [e["subject"] for e in events if e["kind"] == "npm-package"] == [
        f"{PACKAGE}@{version}" for version in ("1.0.0", "1.1.0", "2.0.0-rc.1")
    ]


@pytest.mark.parametrize("settings", [{}, {"npm_modules": "/nowhere"}])
def test_none_are_made_where_the_compiler_is_not(api: Api, settings: dict[str, Any]) -> None:
    api.services.npm.modules = settings.get("npm_modules", "")
    job = api.publish(NAME, ORDER, **FIRST, package="billing-order-placed").json["job"]
    work_off(api.services.slow)
    told = api.get(f"/jobs/{job}").json
    assert told["state"] == "done"
    assert next(s for s in told["steps"] if s["name"] == "version")["data"]["npm"] is False
    for path in ("/npm/billing-order-placed", "/npm/@acme/billing-order-placed/-/x.tgz", "/npm/-/ping"):
        assert api.client.get(path).status_code == 404


def test_a_version_released_before_gets_its_npm_package_when_asked(
    api: Api,
    modules: Path,  # noqa: F811
) -> None:
    api.publish(NAME, ORDER, **FIRST, package="billing-order-placed")
    work_off(api.services.slow)
    api.services.npm.modules = str(modules)
    for _ in range(2):
        job = api.client.post(f"/api/v1/contracts/{NAME}/versions/1.0.0/packages").json["id"]
        work_off(api.services.slow)
        assert api.get(f"/jobs/{job}").json["state"] == "done"
    told = api.client.get("/npm/billing-order-placed").json
    assert list(told["versions"]) == ["1.0.0"]
    path = told["versions"]["1.0.0"]["dist"]["tarball"].partition("/npm/")[2]
    assert api.client.get(f"/npm/{path}").headers["Cache-Control"].endswith("immutable")
    builds = api.get("/packages/billing-order-placed-v1").json["files"]
    assert [f["build"] for f in builds] == [1], "no wheel was built again"
