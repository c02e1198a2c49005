"""JSON Schemas of several files on the command line: diff, git, the registry, and the package made of them."""

import json

import pytest
from deedbox.cli import packaging, project
from deedbox.registry.serving import run_in_background

from .commands import committed, run

ORDER = """\
{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "properties": {
    "id": {"type": "string"},
    "to": {"$ref": "parts/address.json"},
    "lines": {"type": "array", "items": {"$ref": "parts/common.yaml#/line"}}
  },
  "required": ["id"]
}
"""
ADDRESS = """\
{
  "$id": "https://example.org/address",
  "type": "object",
  "properties": {
    "street": {"type": "string"},
    "country": {"enum": ["DE", "FR"]}
  }
}
"""
COMMON = """\
line:
  type: object
  properties:
    sku: {type: string}
    note: {type: string}
"""
TOML = '[deedbox]\nservice = "shop"\n[[contract]]\nname = "order"\nfile = "order.json"\nrole = "consumes"\nchannels = ["o"]\n'
CHANGED = {
    "parts/address.json": ADDRESS.replace(', "FR"', ""),
    "parts/common.yaml": COMMON.replace("    note: {type: string}\n", ""),
}


def write(folder, **files):
    given = {"order.json": ORDER, "parts/address.json": ADDRESS, "parts/common.yaml": COMMON, "deedbox.toml": TOML}
    for name, text in (given | files).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def places(found):
    return {f["rule"]: (f["file"], f["line"]) for f in found["findings"] if f["level"] == "breaking"}


def test_each_finding_has_its_place_in_the_file_it_stands_in(tmp_path):
    write(tmp_path / "a")
    write(tmp_path / "b", **CHANGED)
    found = json.loads(run(tmp_path, "diff", "a/order.json", "b/order.json", "--format", "json", code=1))
    assert places(found) == {
        "enum-value-removed": ("b/parts/address.json", 6),
        "property-removed": ("a/parts/common.yaml", 3),
    }
    text = run(tmp_path, "changelog", "a/order.json", "b/order.json")
    assert "### lines\\[\\].note" in text
    write(tmp_path / "b", **{"parts/common.yaml": COMMON.replace("string", "sting")})
    assert "b/parts/common.yaml:4" in run(tmp_path, "diff", "a/order.json", "b/order.json", code=2)
    (tmp_path / "b/parts/common.yaml").unlink()
    assert "b/order.json:7:" in run(tmp_path, "diff", "a/order.json", "b/order.json", code=2)


def test_git_has_the_other_files_too(tmp_path):
    write(tmp_path)
    committed(tmp_path)
    (same,) = json.loads(run(tmp_path, "check", "--against", "git:HEAD", "--format", "json"))["results"]
    assert same["verdict"] == "identical"
    write(tmp_path, **CHANGED)
    (result,) = json.loads(run(tmp_path, "check", "--against", "git:HEAD", "--format", "json", code=1))["results"]
    assert places(result) == {
        "enum-value-removed": ("parts/address.json", 6),
        "property-removed": ("parts/common.yaml", 3),
    }


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    with run_in_background(f"sqlite:///{tmp_path_factory.mktemp('registry')}/d.db") as server:
        yield server.url


def test_the_registry_keeps_one_document_and_its_findings_come_back_to_the_files(tmp_path, registry):
    folder = write(tmp_path)
    assert "published" in run(folder, "publish", DEEDBOX_URL=registry)
    assert "unchanged" in run(folder, "publish", DEEDBOX_URL=registry)
    write(folder, **CHANGED)
    for against in ("registry:latest", "registry:1.0.0"):
        said = run(folder, "check", "--against", against, "--format", "json", code=1, DEEDBOX_URL=registry)
        (result,) = json.loads(said)["results"]
        assert places(result) == {
            "enum-value-removed": ("parts/address.json", 6),
            "property-removed": ("parts/common.yaml", 3),
        }
    lines = run(folder, "check", "--format", "github", code=1, DEEDBOX_URL=registry, GITHUB_WORKSPACE=str(folder))
    assert "::error file=parts/address.json,line=6,col=" in lines
    write(folder, **{"parts/address.json": ADDRESS.replace('"string"', "7")})
    (result,) = json.loads(run(folder, "check", "--format", "json", code=2, DEEDBOX_URL=registry))["results"]
    assert (result["error"]["file"], result["error"]["line"]) == ("parts/address.json", 5)


def test_a_package_is_made_of_all_the_files(tmp_path):
    folder = write(tmp_path)
    (contract,) = project.read((folder / "deedbox.toml").read_bytes(), folder / "deedbox.toml").contracts
    wanted = packaging.Wanted("shop/order", contract)
    made = packaging.from_file(wanted, "1.0.0", packaging.Shape(None, None, ""))
    assert json.loads(made.document)["definitions"].keys() == {"address", "common"}
