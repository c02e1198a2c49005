"""The index with the clients that people have: pip, uv and twine, against a running server."""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deedbox.registry.serving import BackgroundServer, run_in_background
from packaging.requirements import Requirement

from .package_files import sdist, wheel, wheel_name

NAME = "billing/order-placed"
V1 = {"type": "object", "properties": {"id": {"type": "string"}, "note": {"type": "string"}}, "required": ["id"]}
V1_1 = {**V1, "properties": {**V1["properties"], "total": {"type": "number"}}}  # type: ignore[dict-item]
V2 = {**V1, "required": ["id", "note"]}
REASON = 'Totals were rounded: use 1.0.0 "for now" <&>'


def send(server: BackgroundServer, path: str, body: Any) -> Any:
    request = urllib.request.Request(server.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def read(server: BackgroundServer, path: str) -> Any:
    with urllib.request.urlopen(server.url + path, timeout=60) as response:
        return json.load(response)


def release(server: BackgroundServer, schema: Any, version: str, **more: Any) -> None:
    body = {"schema": schema, "role": "produces", "kind": "event", "channels": ["shop.orders"], "version": version}
    made = send(server, f"/api/v1/contracts/{NAME}/versions", {**body, "package": "billing-order-placed", **more})
    deadline = time.monotonic() + 90
    while (job := read(server, f"/api/v1/jobs/{made['job']}"))["state"] != "done":
        assert job["state"] != "failed", job
        assert time.monotonic() < deadline, job
        time.sleep(0.05)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackgroundServer]:
    """A server whose index has 1.0.0, 1.1.0 (retired) and 2.0.0 of one contract."""
    folder = tmp_path_factory.mktemp("index")
    with run_in_background(f"sqlite:///{folder}/r.db", environment={"DEEDBOX_COMPARE_WORKERS": "1"}) as running:
        release(running, V1, "1.0.0")
        release(running, V1_1, "1.1.0")
        send(running, f"/api/v1/contracts/{NAME}/versions/1.1.0/retirement", {"reason": REASON})
        yield running


def run(*command: str, code: int = 0, cwd: Path | None = None) -> str:
    """What a client printed; its settings are those of nobody."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_", "TWINE_"))}
    quiet = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    offline = {"UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1", "COLUMNS": "200"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**clean, **quiet, **offline}, cwd=cwd
    )
    told = done.stdout + done.stderr
    assert done.returncode == code, told
    return told


def pip(server: BackgroundServer, *arguments: str, code: int = 0) -> str:
    action, *rest = arguments
    index = ("--no-cache-dir", "--index-url", f"{server.url}/simple/")
    return run(sys.executable, "-m", "pip", action, *index, *rest, code=code)


def uv(*arguments: str) -> str:
    tool = shutil.which("uv", path=f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', '')}")
    assert tool is not None, "uv is a dependency of the tests"
    return run(tool, *arguments, "--no-cache")


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A new virtual environment that sees what is installed here, so that only our packages are asked for."""
    folder = tmp_path / "environment"
    venv.create(folder, with_pip=False, symlinks=True)
    site = next((folder / "lib").glob("python*/site-packages"))
    (site / "here.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def versions_in(environment: Path) -> dict[str, str]:
    site = next((environment / "lib").glob("python*/site-packages"))
    found = [p.name.removesuffix(".dist-info").split("-") for p in site.glob("*.dist-info")]
    return dict(found)  # type: ignore[arg-type] # pairs


def test_pip_installs_what_it_requires_by_the_metadata_apart(server: BackgroundServer, environment: Path) -> None:
    python = str(environment / "bin" / "python")
    told = run(
        sys.executable, "-m", "pip", "--python", python, "install", "-vv", "--no-cache-dir",
        "--index-url", f"{server.url}/simple/", "billing-order-placed",
    )  # fmt: skip
    assert versions_in(environment) == {"billing_order_placed": "1.0.0", "billing_order_placed_v1": "1.0.0"}
    assert "Obtaining dependency information for billing-order-placed" in told
    assert "py3-none-any.whl.metadata" in told
    code = (
        "from billing_order_placed.v1 import OrderPlaced, dump, parse, VERSION, CONTRACT\n"
        'order = parse(b\'{"id": "a", "note": "x"}\')\n'
        "assert isinstance(order, OrderPlaced) and order.id == 'a'\n"
        "assert dump(order) == {'id': 'a', 'note': 'x'}\n"
        "print(CONTRACT, VERSION)\n"
    )
    assert run(python, "-c", code, cwd=environment).strip() == "billing/order-placed 1.0.0"


def test_pip_passes_over_what_is_retired_and_says_why_where_it_is_named(
    server: BackgroundServer, tmp_path: Path
) -> None:
    told = pip(server, "download", "--no-deps", "-d", str(tmp_path / "any"), "billing-order-placed-v1")
    assert [p.name for p in (tmp_path / "any").iterdir()] == ["billing_order_placed_v1-1.0.0-1-py3-none-any.whl"]
    assert "yanked" not in told
    told = pip(server, "download", "--no-deps", "-d", str(tmp_path / "one"), "billing-order-placed-v1==1.1.0")
    assert [p.name for p in (tmp_path / "one").iterdir()] == ["billing_order_placed_v1-1.1.0-1-py3-none-any.whl"]
    assert "yanked version" in told
    assert REASON in told


def test_uv_does_the_same(server: BackgroundServer, tmp_path: Path) -> None:
    names = ("billing-order-placed", "billing-order-placed-v1")
    install = ("pip", "install", "--no-deps", "--default-index", f"{server.url}/simple/", "--target")
    uv(*install, str(tmp_path / "any"), *names)
    assert {p.name for p in (tmp_path / "any").glob("*.dist-info")} == {
        "billing_order_placed-1.0.0.dist-info",
        "billing_order_placed_v1-1.0.0.dist-info",
    }
    told = uv(*install, str(tmp_path / "one"), "billing-order-placed==1.1.0")
    assert "yanked" in told
    assert REASON in told


def test_both_majors_side_by_side(server: BackgroundServer, environment: Path) -> None:
    release(server, V2, "2.0.0", channels=["shop.orders.v2"])
    python = str(environment / "bin" / "python")
    run(
        sys.executable, "-m", "pip", "--python", python, "install", "--no-cache-dir",
        "--index-url", f"{server.url}/simple/", "billing-order-placed==2.0.0", "billing-order-placed-v1",
    )  # fmt: skip
    code = "import billing_order_placed.v1 as a, billing_order_placed.v2 as b; print(a.VERSION, b.VERSION)"
    assert run(python, "-c", code, cwd=environment).strip() == "1.0.0 2.0.0"


def test_a_project_file_asks_for_its_package(server: BackgroundServer, tmp_path: Path) -> None:
    (tmp_path / "order-shipped.json").write_text(json.dumps(V1))
    (tmp_path / "deedbox.toml").write_text(
        f'[deedbox]\nregistry = "{server.url}"\nservice = "shipping"\n[[contract]]\nname = "order-shipped"\n'
        'file = "order-shipped.json"\nrole = "produces"\nchannels = ["shop.shipped"]\npackage = "shipped"\n'
    )
    run(sys.executable, "-m", "deedbox.cli.main", "publish", cwd=tmp_path)
    job = read(server, "/api/v1/contracts/shipping/order-shipped/versions/1.0.0")
    assert job["package"] == "shipped"
    deadline = time.monotonic() + 90
    while "shipped" not in [p["distribution"] for p in read(server, "/api/v1/packages")["items"]]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    pip(server, "download", "--no-deps", "-d", str(tmp_path / "got"), "shipped==1.0.0", "shipped-v1")
    assert len(list((tmp_path / "got").iterdir())) == 2
    # A name that cannot be one is refused before anything is published.
    toml = (tmp_path / "deedbox.toml").read_text()
    (tmp_path / "deedbox.toml").write_text(toml.replace('"shipped"\n', '"json"\n'))
    assert "json" in run(sys.executable, "-m", "deedbox.cli.main", "publish", cwd=tmp_path, code=2)


def box(server: BackgroundServer) -> list[str]:
    """The lines to type that the contract's page shows for its packages."""
    request = urllib.request.Request(f"{server.url}/contracts/{NAME}", headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=60) as response:
        page = response.read().decode()
    section = page.partition('<h2 id="install">')[2].partition("</section>")[0]
    return [html.unescape(line) for line in re.findall(r"<code[^>]*>([^<]+)</code>", section)]


def test_the_lines_on_the_contracts_page_are_true(server: BackgroundServer, environment: Path) -> None:
    needed, install, imported = box(server)[:3]
    tool, action, *arguments = shlex.split(install)
    assert (tool, action) == ("pip", "install")
    python = str(environment / "bin" / "python")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-cache-dir", *arguments)
    name = imported.rpartition(" ")[2]
    told = run(python, "-c", f"{imported}\nprint({name}.__name__)", cwd=environment)
    assert told.strip() == "OrderPlaced"
    # This environment sees Pydantic and the like, an empty one does not: the page says what comes from elsewhere.

    def requirements(distribution: str) -> list[Requirement]:
        code = f"from importlib.metadata import requires; print(*requires({distribution!r}), sep='\\n')"
        return [Requirement(line) for line in run(python, "-c", code, cwd=environment).splitlines()]

    (of_its_major,) = requirements("billing-order-placed")
    asked = {str(requirement) for requirement in requirements(of_its_major.name)}
    tool, action, *elsewhere = shlex.split(needed)
    assert (tool, action) == ("pip", "install")
    assert set(elsewhere) == asked
    assert any(line.startswith("pydantic") for line in asked)
    with urllib.request.urlopen(f"{server.url}/packages", timeout=60) as response:
        assert 'id="billing-order-placed"' in response.read().decode()


def test_the_packages_of_a_publication_do_not_hide_it_on_the_home_page(server: BackgroundServer) -> None:
    """One publication makes six entries of its packages."""
    recent = [entry["kind"] for entry in read(server, "/index.json")["recent"]]
    assert recent.count("publication") >= 2
    assert not {"bundle", "package", "package-name"} & set(recent)
    assert {"package", "package-name"} <= {entry["kind"] for entry in read(server, "/audit.json")["items"]}


def test_pip_checks_the_bytes(server: BackgroundServer, tmp_path: Path) -> None:
    file = read(server, "/api/v1/packages/billing-order-placed-v1")["files"][0]
    locked = tmp_path / "locked.txt"
    for digest, code in ((file["sha256"], 0), ("0" * 64, 1)):
        locked.write_text(f"billing-order-placed-v1==1.0.0 --hash=sha256:{digest}\n")
        told = pip(
            server, "download", "--no-deps", "--require-hashes", "-d", str(tmp_path), "-r", str(locked), code=code
        )
        assert ("DO NOT MATCH" in told) == (code == 1)


def twine(server: BackgroundServer, *arguments: str, code: int = 0) -> str:
    access = ("--repository-url", f"{server.url}/legacy/", "-u", "ann", "-p", "secret")
    return run(sys.executable, "-m", "twine", "upload", "--non-interactive", *access, *arguments, code=code)


def test_twine_uploads_what_pip_then_installs(server: BackgroundServer, tmp_path: Path) -> None:
    whole, source = tmp_path / wheel_name("left-pad", "1.0"), tmp_path / "left_pad-1.0.tar.gz"
    whole.write_bytes(wheel("left-pad", "1.0"))
    source.write_bytes(sdist("left-pad", "1.0"))
    twine(server, str(whole), str(source))
    twine(server, str(whole))
    pip(server, "download", "--no-deps", "-d", str(tmp_path / "got"), "left-pad")
    assert (tmp_path / "got" / whole.name).read_bytes() == whole.read_bytes()
    before = whole.read_bytes()
    whole.write_bytes(wheel("left-pad", "1.0", text="changed = True\n"))
    assert "409" in twine(server, str(whole), code=1)
    shutil.rmtree(tmp_path / "got")
    pip(server, "download", "--no-deps", "-d", str(tmp_path / "got"), "left-pad")
    assert (tmp_path / "got" / whole.name).read_bytes() == before
    events = read(server, "/api/v1/events?limit=1000")["items"]
    assert {e["by"] for e in events if e["subject"] == "left-pad==1.0"} == {"ann"}


def test_nobody_uploads_under_the_name_of_a_contract_s_package(server: BackgroundServer, tmp_path: Path) -> None:
    for name in ("billing-order-placed", "billing-order-placed-v1", "billing-order-placed-v9"):
        file = tmp_path / wheel_name(name, "99.0")
        file.write_bytes(wheel(name, "99.0"))
        assert "403" in twine(server, str(file), code=1)
    assert "99.0" not in read(server, "/api/v1/packages/billing-order-placed")["versions"]


def test_uv_uploads_too(server: BackgroundServer, tmp_path: Path) -> None:
    file = tmp_path / wheel_name("right-pad", "1.0")
    file.write_bytes(wheel("right-pad", "1.0"))
    for _ in range(2):
        uv(
            "publish", "--publish-url", f"{server.url}/legacy/", "-u", "bob", "-p", "secret",
            "--trusted-publishing", "never", str(file),
        )  # fmt: skip
    assert [f["by"] for f in read(server, "/api/v1/packages/right-pad")["files"]] == ["bob"]
