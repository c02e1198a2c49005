"""npm packages, compiled by a strict TypeScript compiler, where node is."""

from __future__ import annotations

import contextlib
import http.server
import io
import json
import shutil
import subprocess
import tarfile
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from deedbox.codegen import PackageRequest
from deedbox.codegen.errors import InvalidName, ToolMissing, VersionNotPackageable
from deedbox.codegen.typescript import npm_package

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENT: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["id", "pair"],
    "properties": {
        "id": {"type": "string", "tsType": "never"},
        "pair": {
            "type": "array",
            "prefixItems": [{"type": "string"}, {"type": "integer"}],
            "items": False,
            "minItems": 2,
        },
        "path": {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}, "minItems": 1},
        "status": {"enum": ["new", "paid"]},
        "customer_name": {"type": "string", "deprecated": True, "description": "Use customer instead."},
        "line": {"$ref": "#/$defs/Line"},
    },
    "$defs": {"Line": {"type": "object", "properties": {"sku": {"type": "string"}}, "additionalProperties": False}},
}
REQUEST = PackageRequest("billing/order-placed", "2.3.0-rc.1", DOCUMENT, owner="Team Billing")


def test_types_compile_strictly_and_refuse_what_is_wrong(modules: Path, tmp_path: Path) -> None:
    package = npm_package(
        replace(REQUEST, removed=(("/coupon", "drained (gone) as of 2026-11-20"),)), scope="acme", modules=modules
    )
    assert (package.name, package.version) == ("@acme/billing-order-placed", "2.3.0-rc.1")
    assert package.filename == "acme-billing-order-placed-2.3.0-rc.1.tgz"
    site = tmp_path / "node_modules" / "@acme" / "billing-order-placed"
    with tarfile.open(fileobj=io.BytesIO(package.content)) as archive:
        archive.extractall(tmp_path, filter="data")
    site.parent.mkdir(parents=True)
    (tmp_path / "package").rename(site)
    readme = (site / "README.md").read_text()
    assert "## Removed in 2.3.0-rc.1\n\n- `/coupon`: drained (gone) as of 2026-11-20\n" in readme
    types = (site / "index.d.ts").read_text()
    assert "@deprecated" in types
    assert "customer_name is obsolete since 2.3.0-rc.1: Use customer instead." in types
    start = 'import {type OrderPlaced, VERSION} from "@acme/billing-order-placed";\n'
    good = 'const held: OrderPlaced = {id: "a", pair: ["b", 1], status: "paid", line: {sku: "x"}, path: ["a", 1, 2]}; console.log(VERSION, held.id);\n'
    (tmp_path / "good.mts").write_text(start + good)
    (tmp_path / "bad.mts").write_text(
        start + 'export const held: OrderPlaced = {id: 3, pair: ["b"], status: "gone", path: ["a", 1, true]};\n'
    )
    options = [
        "--strict",
        "--noEmit",
        "--module",
        "nodenext",
        "--target",
        "es2022",
        "--lib",
        "es2022,dom",
    ]
    tsc = [str(modules / "node_modules" / ".bin" / "tsc"), *options]
    run = {"cwd": tmp_path, "capture_output": True, "text": True, "timeout": 120}
    done = subprocess.run([*tsc, "good.mts"], check=False, **run)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout
    done = subprocess.run([*tsc, "bad.mts"], check=False, **run)  # type: ignore[call-overload]
    assert all(f"'{name}'" in done.stdout or name in done.stdout for name in ("number", "gone", "boolean")), done.stdout
    assert done.returncode != 0


def test_npm_installs_the_tarball_and_node_runs_it(modules: Path, tmp_path: Path) -> None:
    package = npm_package(REQUEST, modules=modules)
    assert package.content == npm_package(REQUEST, modules=modules).content
    (tmp_path / package.filename).write_bytes(package.content)
    install = ["npm", "install", "--silent", "--offline", "--no-audit", "--no-fund", f"./{package.filename}"]
    subprocess.run(install, check=True, cwd=tmp_path, capture_output=True, timeout=120)
    code = 'import {CONTRACT, VERSION} from "billing-order-placed"; console.log(CONTRACT, VERSION)'
    (tmp_path / "use.mjs").write_text(code)
    done = subprocess.run(["node", "use.mjs"], check=True, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout == "billing/order-placed 2.3.0-rc.1\n"


def test_messages_of_an_event_api_are_types_by_their_own_names(modules: Path, tmp_path: Path) -> None:
    document = {
        "asyncapi": "3.0.0",
        "channels": {"orders": {"messages": {"placed": {"$ref": "#/components/messages/OrderPlaced"}}}},
        "components": {
            "messages": {"OrderPlaced": {"payload": {"$ref": "#/components/schemas/Order"}}},
            "schemas": {"Order": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}},
        },
    }
    package = npm_package(PackageRequest("orders/events", "1.0.0", document, format="asyncapi"), modules=modules)
    with tarfile.open(fileobj=io.BytesIO(package.content)) as archive:
        archive.extractall(tmp_path, filter="data")
    (tmp_path / "use.ts").write_text(
        'import type {Order, OrderPlaced} from "./package/index.js";\n'
        'export const order: Order = {id: "a"};\nexport const placed: OrderPlaced = order;\n'
        "// @ts-expect-error: an id is a text\nexport const wrong: OrderPlaced = {id: 3};\n"
    )
    tsc = [str(modules / "node_modules" / ".bin" / "tsc"), "--strict", "--noEmit", "--skipLibCheck", "use.ts"]
    done = subprocess.run(tsc, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout


@contextlib.contextmanager
def serving(answers: dict[str, bytes]) -> Iterator[str]:
    """An npm registry of these paths."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = answers.get(self.path)
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write(found or b"{}")

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_npm_takes_it_from_a_registry_and_says_what_is_deprecated(modules: Path, tmp_path: Path) -> None:
    package = npm_package(replace(REQUEST, version="2.3.0"), scope="acme", modules=modules)
    answers = {"/acme.tgz": package.content}
    with serving(answers) as url:
        version = package.version_object(f"{url}/acme.tgz", "retired: use 3")
        packument = {"name": package.name, "dist-tags": {"latest": "2.3.0"}, "versions": {"2.3.0": version}}
        answers["/@acme%2fbilling-order-placed"] = json.dumps(packument).encode()
        command = ["npm", "install", "--no-audit", "--no-fund", "--registry", url, "--cache", str(tmp_path / "cache")]
        done = subprocess.run(
            [*command, package.name], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert "retired: use 3" in done.stderr
        lock = json.loads((tmp_path / "package-lock.json").read_text())
        held = lock["packages"]["node_modules/@acme/billing-order-placed"]
        assert (held["version"], held["integrity"]) == ("2.3.0", package.integrity)
        # Another tarball under the same promise is refused.
        answers["/acme.tgz"] = npm_package(replace(REQUEST, version="2.3.1"), modules=modules).content
        shutil.rmtree(tmp_path / "node_modules")
        shutil.rmtree(tmp_path / "cache")
        done = subprocess.run([*command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
        assert "EINTEGRITY" in done.stderr


def test_versions_and_scopes_that_npm_cannot_have() -> None:
    with pytest.raises(VersionNotPackageable, match="build metadata"):
        npm_package(replace(REQUEST, version="1.0.0+b"))
    with pytest.raises(InvalidName):
        npm_package(REQUEST, scope="@acme/x")


def test_without_its_tools_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if shutil.which("node"):
        with pytest.raises(ToolMissing, match="npm install json-schema-to-typescript") as caught:
            npm_package(REQUEST, modules=tmp_path)
        assert caught.value.tool == "json-schema-to-typescript"
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="node"):
        npm_package(REQUEST)
