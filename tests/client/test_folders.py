"""Files beside a document are read, from the folder that is never left and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from deedbox.checker.bundling import Bundle
from deedbox.checker.documents import load_document
from deedbox.checker.errors import FileMissing, LeadsOut
from deedbox.client.folders import Source, source_of, whole

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = '{"properties": {"a": {"$ref": "../common/a.json"}}}'
API = 'openapi: 3.1.0\ninfo: {title: T, version: "1"}\npaths:\n  /a:\n    $ref: ../common/a.json\n'


def test_files_of_the_folder_are_read_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("a: 1\n")
    folder = tmp_path / "api"
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "thing.yaml").write_text("Thing: {type: object}\n")
    (folder / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    source = source_of(folder / "api.yaml", "api/api.yaml")
    assert source.own == "api.yaml"
    found = source.load("parts/thing.yaml")
    assert found is not None
    assert found.value == {"Thing": {"type": "object"}}
    assert found.name == "api/parts/thing.yaml"
    for path in ("../outside.yaml", "link.yaml", "missing.yaml", "parts", str(tmp_path / "outside.yaml")):
        assert source.load(path) is None


@pytest.mark.parametrize(("text", "name"), [(SCHEMA, "order.json"), (API, "api.yaml")])
def test_a_document_says_the_same_however_much_lies_around_its_files(tmp_path: Path, text: str, name: str) -> None:
    """What it is called from a root far above is in nothing that is published or compared."""
    document = tmp_path / "repository/project/contracts" / name
    for path in (document, document.parents[1] / "common/a.json"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if path is document else '{"type": "object"}')

    def read(folder: Path | None) -> Any:
        return whole(load_document(document.read_bytes(), name), source_of(document, name, folder))

    near, far = (read(tmp_path / "repository" / folder) for folder in ("project", ""))
    assert near.value == far.value
    assert isinstance(near, Bundle)
    assert [file.name for file in near.files.values()] == ["../common/a.json"]
    assert set(near.files) == {"common/a.json"}
    for folder in (None, document.parent, tmp_path / "elsewhere"):
        with pytest.raises(LeadsOut, match=f"leads out of {document.parent}: only files under it") as caught:
            read(folder)
        assert caught.value.line


def test_a_link_to_a_document_and_from_it_leads_out_of_nothing(tmp_path: Path) -> None:
    for folder in ("project/contracts", "secrets"):
        (tmp_path / folder).mkdir(parents=True)
    document = tmp_path / "project/contracts/order.json"
    document.write_text(SCHEMA)
    (tmp_path / "secrets/a.json").write_text("{}")
    (tmp_path / "project/common").symlink_to(tmp_path / "secrets")
    source = source_of(document, "order.json", tmp_path / "project")
    with pytest.raises(FileMissing, match=r"there is no file common/a\.json"):
        whole(load_document(SCHEMA, "order.json"), source)


def test_a_file_is_read_once_however_far_up_the_search_for_the_lowest_folder_goes() -> None:
    asked = []

    def load(path: str) -> Any:
        asked.append(path)
        return load_document('{"properties": {"b": {"$ref": "../common/b.json"}}}' if "part" in path else "{}", path)

    text = '{"properties": {"a": {"$ref": "part.json"}}}'
    found = whole(load_document(text, "order.json"), Source("project", "x/y/order.json", load))
    assert isinstance(found, Bundle)
    assert asked == ["x/y/part.json", "x/common/b.json"]
