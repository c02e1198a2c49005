"""Wheels: the same bytes again, a process of its own, and documents that are out to break it."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from deedbox.checker.errors import DuplicateKey, NotASchema, UnresolvedReference
from deedbox.codegen import PackageRequest, build, build_package, umbrella, wheel_bytes
from deedbox.codegen.errors import AdmitsNothing, BuildTimedOut, UnsupportedFormat
from deedbox.codegen.loading import loaded

SMALL = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"$ref": "#/$defs/B"}},
    "$defs": {"B": {"type": "integer"}},
}


def request(document: Any, **more: Any) -> PackageRequest:
    return PackageRequest("billing/order-placed", "2.3.0", document, **more)


def test_the_same_contract_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setenv("PYTHONHASHSEED", "17")
    first = build(request(SMALL))
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    package = build_package(request({"$defs": SMALL["$defs"], "properties": SMALL["properties"], "type": "object"}))
    assert [w.sha256 for w in first] == [wheel_bytes(package).sha256, wheel_bytes(umbrella(package)).sha256]


def test_the_readme_says_what_was_removed_and_why_it_could_go() -> None:
    wanted = request(SMALL, removed=(("/coupon", "drained (gone) as of 2026-11-20"),))
    readme = build_package(wanted).readme
    assert "## Removed in 2.3.0" in readme
    assert "- `/coupon`: drained (gone) as of 2026-11-20" in readme
    assert "Removed in" not in build_package(request(SMALL)).readme
    first, again = build(wanted), build(wanted)
    assert [w.sha256 for w in first] == [w.sha256 for w in again]
    assert b"- `/coupon`: drained (gone) as of 2026-11-20" in first[0].metadata


def test_a_rebuild_is_another_file() -> None:
    one, two = (wheel_bytes(build_package(request(SMALL, build=n))) for n in (1, 2))
    assert one.filename == "billing_order_placed_v2-2.3.0-1-py3-none-any.whl"
    assert two.filename == "billing_order_placed_v2-2.3.0-2-py3-none-any.whl"
    assert one.sha256 != two.sha256


def test_a_wheel_is_well_formed() -> None:
    code, whole = build(request(SMALL, owner="Team Billing", description="What billing reads."))
    for wheel in (code, whole):
        assert wheel.sha256 == hashlib.sha256(wheel.content).hexdigest()
        with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
            assert archive.testzip() is None
            info = f"{wheel.filename.split('-')[0]}-2.3.0.dist-info"
            assert archive.read(f"{info}/METADATA") == wheel.metadata
            assert b"Build: 1\n" in archive.read(f"{info}/WHEEL")
            recorded = {line.split(b",")[0].decode() for line in archive.read(f"{info}/RECORD").splitlines()}
            assert recorded == set(archive.namelist())
    metadata = BytesParser().parsebytes(code.metadata)
    assert metadata["Name"] == "billing-order-placed-v2"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Summary"] == "What billing reads."
    assert metadata["Author"] == "Team Billing"
    assert BytesParser().parsebytes(whole.metadata).get_all("Requires-Dist") == ["billing-order-placed-v2 ==2.3.0"]
    assert not set(zip_names(code.content)) & set(zip_names(whole.content))
    assert "billing_order_placed/__init__.py" not in zip_names(code.content), "it would hide the other majors"


def zip_names(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.namelist()


def test_a_build_is_stopped_at_its_time_limit() -> None:
    start = time.monotonic()
    with pytest.raises(BuildTimedOut, match=r"took longer than 0\.2 s"):
        build(request(SMALL), seconds=0.2)
    assert time.monotonic() - start < 20


def test_a_build_that_dies_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deedbox.codegen.building.sys.executable", shutil.which("false"))
    with pytest.raises(BuildTimedOut, match="ended with"):
        build(request(SMALL))


def test_errors_cross_the_process_with_their_fields() -> None:
    with pytest.raises(AdmitsNothing) as caught:
        build(request(False))
    assert caught.value.pointer == ""
    with pytest.raises(DuplicateKey):
        build(request(b'{"type": "object", "type": "object"}'))


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"type": "sting"}, NotASchema),
        ([], NotASchema),
        ({"$ref": "https://example.org/other.json"}, UnresolvedReference),
        ({"$ref": "file:///etc/passwd"}, UnresolvedReference),
        ({"allOf": [False]}, AdmitsNothing),
    ],
)
def test_documents_that_give_no_classes(document: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        build_package(request(document))


def test_unknown_formats_and_styles() -> None:
    with pytest.raises(UnsupportedFormat, match="json-schema, openapi, asyncapi"):
        build_package(request(SMALL, format="avro"))
    with pytest.raises(UnsupportedFormat, match="pydantic, dataclass, typeddict"):
        build_package(request(SMALL, style="attrs"))


def test_no_keyword_of_a_document_is_obeyed() -> None:
    """Generators know extensions that name modules to import: a document must not choose what runs here."""
    document = {
        "type": "object",
        "customBasePath": "os.system",
        "x-python-type": "os.system",
        "properties": {
            "a": {
                "type": "string",
                "customTypePath": "antigravity.Nothing",
                "x-python-import": {"module": "antigravity"},
            },
            "b": {
                "type": "string",
                "default": "'); import antigravity #",
                "description": '"""\nimport antigravity\n"""',
            },
        },
        "title": '"""\nimport antigravity\n"""',
        "description": '\\"""\nimport antigravity\n"""\\',
    }
    package = build_package(request(document, owner='"""', description='"""\nimport antigravity\n\\'))
    for path, content in package.files.items():
        if path.endswith(".py"):
            imported = {
                alias.name
                for node in ast.walk(ast.parse(content))
                if isinstance(node, ast.Import | ast.ImportFrom)
                for alias in node.names
            }
            assert "antigravity" not in imported, path
            assert "Nothing" not in imported, path
    assert package.fidelity.lossless


@pytest.mark.parametrize(
    "document",
    [
        True,
        {},
        {"type": "string"},
        {"enum": [1, "a", None, {"b": [1.5]}]},
        {
            "$defs": {"A": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/A"}}, {"type": "integer"}]}},
            "$ref": "#/$defs/A",
        },
        {
            "type": "object",
            "properties": {"next": {"$ref": "#"}, "either": {"oneOf": [{"$ref": "#"}, {"type": "null"}]}},
        },
        {
            "type": "object",
            "properties": {n: {"type": "string"} for n in ("a-b", "a_b", "a b", "class", "", "🚀", "1")},
        },
        {
            "$defs": {n: {"type": "object", "properties": {"x": {}}} for n in ("a-b", "a_b", "A B", "class", "None")},
            "type": "object",
        },
        {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
        {"type": "object", "patternProperties": {"^x-": {"type": "integer"}}, "additionalProperties": False},
        {"type": "object", "additionalProperties": {"type": "number", "multipleOf": 0.01}},
        {"if": {"properties": {"a": {"const": 1}}}, "then": {"required": ["b"]}, "type": "object"},
    ],
    ids=str,
)
def test_unusual_documents_round_trip(document: Any) -> None:
    package = build_package(request(document))
    assert package.fidelity.messages
    assert package.fidelity.round_tripped == package.fidelity.accepted == package.fidelity.messages
    with loaded(package.files, package.module) as module:
        assert module.OrderPlaced


def test_five_thousand_definitions() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code, _ = build(request(definitions(5_000)), seconds=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime - before.ru_utime < 30, "of the processor: a machine may have other work"
    assert code.package.fidelity.lossless


def definitions(count: int) -> dict[str, Any]:
    made = {f"Thing{i}": {"type": "object", "properties": {"v": {"type": "integer"}}} for i in range(count)}
    return {"type": "object", "properties": {"a": {"$ref": "#/$defs/Thing7"}}, "$defs": made}


def test_a_build_that_is_killed_half_way_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    outcome: list[BaseException] = []

    def work() -> None:
        try:
            build(request(definitions(2_000)))
        except BuildTimedOut as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    children = Path(f"/proc/self/task/{thread.native_id}/children")
    for _ in range(600):
        # Half-way: it has begun to write its temporary files.
        if list(tmp_path.glob("*/*")) and (found := children.read_text().split()):
            os.kill(int(found[0]), signal.SIGKILL)
            break
        time.sleep(0.05)
    thread.join(60)
    assert "ended with -9" in str(outcome[0])
    assert list(tmp_path.iterdir()) == []


def test_a_build_knows_no_secret_of_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, str] = {}
    real = subprocess.run

    def run(command: Any, **options: Any) -> Any:
        seen.update(options["env"])
        return real(command, **options)

    monkeypatch.setenv("DEEDBOX_DATABASE_URL", "postgresql://ada:secret@db/x")
    monkeypatch.setattr("deedbox.codegen.building.subprocess.run", run)
    build(request(SMALL))
    assert "secret" not in str(seen)


_BUILD = """
import json, os, sys
os.umask(int(sys.argv[1], 8))
from deedbox.codegen import PackageRequest, build_package, umbrella, wheel_bytes
package = build_package(PackageRequest("billing/order-placed", "2.3.0", json.load(sys.stdin), history=()))
print(wheel_bytes(package).sha256, wheel_bytes(umbrella(package)).sha256)
"""


def test_no_hash_seed_time_zone_umask_locale_or_folder_changes_the_bytes(tmp_path: Path) -> None:
    document = {
        "type": "object",
        "properties": {name: {"anyOf": [{"type": "string"}, {"enum": [1, 2]}]} for name in ("b", "ä", "a", "c d")},
        "dependentRequired": {"a": ["b"]},
        "$defs": {name: {"type": "object", "properties": {"x": {"pattern": "^[a-c]{2}$"}}} for name in "zyx"},
    }
    outcomes = set()
    for seed, zone, umask, locale in (("1", "UTC", "022", "C"), ("4242", "Asia/Kathmandu", "077", "C.UTF-8")):
        environment = {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale, "PATH": os.environ["PATH"]}
        environment |= {"SOURCE_DATE_EPOCH": "17"} if seed == "1" else {}
        folder = tmp_path / seed
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", _BUILD, umask],
            input=json.dumps(document),
            env=environment | {"TMPDIR": str(folder)},
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        outcomes.add(done.stdout)
    assert len(outcomes) == 1
