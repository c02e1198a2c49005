"""Files beside a document are read, and nothing outside of its folder."""

from __future__ import annotations

from pathlib import Path

from deedbox.client.folders import loader_of


def test_files_of_the_folder_are_read_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("a: 1\n")
    folder = tmp_path / "api"
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "thing.yaml").write_text("Thing: {type: object}\n")
    (folder / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    load = loader_of(folder)
    found = load("parts/thing.yaml")
    assert found is not None
    assert found.value == {"Thing": {"type": "object"}}
    assert found.name == str(folder / "parts" / "thing.yaml")
    for path in ("../outside.yaml", "link.yaml", "missing.yaml", "parts", str(tmp_path / "outside.yaml")):
        assert load(path) is None
