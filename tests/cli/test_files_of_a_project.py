"""Documents that refer to files elsewhere in their project: read in every command, and from nowhere outside."""

import json

import pytest
from deedbox.registry.serving import run_in_background

from .commands import committed, run

ORDER = """\
{
  "type": "object",
  "properties": {
    "to": {"$ref": "../common/address.json"},
    "note": {"type": "string"}
  }
}
"""
ADDRESS = """\
{
  "type": "object",
  "properties": {
    "country": {"$ref": "country.json"},
    "note": {"$ref": "../contracts/order.json#/properties/note"}
  }
}
"""
COUNTRY = '{\n  "enum": ["DE", "FR"]\n}\n'
API = """\
openapi: 3.1.0
info: {title: Orders, version: "1"}
paths:
  /orders:
    get:
      responses:
        "200":
          description: ok
          content:
            application/json:
              schema: {$ref: ../common/address.json}
"""
TOML = """\
[deedbox]
service = "shop"
[[contract]]
name = "order"
file = "contracts/order.json"
role = "produces"
channels = ["orders"]
[[contract]]
name = "api"
file = "contracts/api.yaml"
role = "provides"
"""
FILES = {
    "contracts/order.json": ORDER,
    "contracts/api.yaml": API,
    "common/address.json": ADDRESS,
    "common/country.json": COUNTRY,
}
WIDER = COUNTRY.replace('"FR"', '"FR", "IT"')


def write(folder, **more):
    for name, text in (FILES | more).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    with run_in_background(f"sqlite:///{tmp_path_factory.mktemp('registry')}/d.db") as server:
        yield server.url


def places(result):
    return {(f["file"], f["line"]) for f in result["findings"] if f["level"] == "breaking"}


def test_git_and_the_registry_have_the_files_of_the_whole_project(tmp_path, registry):
    folder = write(tmp_path / "repository/shop", **{"deedbox.toml": TOML})
    committed(folder.parent)
    said = run(folder, "publish", DEEDBOX_URL=registry)
    assert said.count("published") == 2
    assert run(folder, "publish", DEEDBOX_URL=registry).count("unchanged") == 2
    write(folder, **{"common/country.json": WIDER})
    for against, where, up in (("git:HEAD", folder, ""), ("registry:latest", folder / "contracts", "../")):
        said = run(where, "check", "--against", against, "--format", "json", code=1, DEEDBOX_URL=registry)
        results = json.loads(said)["results"]
        assert [result["verdict"] for result in results] == ["breaking", "additive"]
        assert places(results[0]) == {(f"{up}common/country.json", 1)}


def test_a_diff_reads_under_the_root_of_each_files_project_or_repository(tmp_path):
    old, new = write(tmp_path / "old"), write(tmp_path / "new", **{"common/country.json": WIDER})
    refused = run(tmp_path, "diff", "old/contracts/order.json", "new/contracts/order.json", code=2)
    assert (
        f"old/contracts/order.json:4:12: at /properties/to: '../common/address.json' leads out of {old}/contracts"
        in refused
    )
    committed(old)
    (new / "deedbox.toml").write_text(TOML)
    for name, role in (("order.json", "produces"), ("api.yaml", "consumes")):
        pair = (f"old/contracts/{name}", f"new/contracts/{name}")
        said = run(tmp_path, "diff", *pair, "--role", role, "--format", "json", code=1 if name == "order.json" else 0)
        assert {f["file"] for f in json.loads(said)["findings"]} == {"new/common/country.json"}


def test_a_project_file_beside_the_documents_leaves_them_where_they_are(tmp_path):
    """What is outside of the project file's folder is under the root of the repository."""
    folder = write(tmp_path / "shop", **{"ci/deedbox.toml": TOML.replace("contracts/", "../contracts/")})
    arguments = ("check", "--config", "ci/deedbox.toml", "--against", "git:HEAD", "--format", "json")
    committed(folder)
    assert {r["verdict"] for r in json.loads(run(folder, *arguments))["results"]} == {"identical"}


def test_nothing_above_the_project_is_read(tmp_path):
    folder = write(tmp_path / "shop", **{"deedbox.toml": TOML})
    (tmp_path / "secret.json").write_text('{"type": "object"}')
    for reference, says in (
        ("../../secret.json", f"leads out of {folder}: only files under it are read"),
        ("../common/link.json", "there is no file common/link.json"),
    ):
        write(folder, **{"contracts/order.json": ORDER.replace("../common/address.json", reference)})
        if not (folder / "common/link.json").exists():
            (folder / "common/link.json").symlink_to(tmp_path / "secret.json")
        said = run(folder, "check", "contracts/order.json", "--against", "contracts/order.json", code=2)
        assert "contracts/order.json:4:12:" in said
        assert says in said
