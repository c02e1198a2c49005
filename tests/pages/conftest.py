"""A registry that tells the demo's story, and tabs of a real headless Chromium to look at it with."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deedbox.cli.demonstration import story_folder
from deedbox.cli.telling import tell as past
from deedbox.client import RegistryClient
from deedbox.registry.serving import run_in_background

from tests.chromium import Visit


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with the demo's past and its story."""
    folder = tmp_path_factory.mktemp("shop")
    past(f"sqlite:///{folder}/shop.db", story_folder())
    with run_in_background(f"sqlite:///{folder}/shop.db") as server:
        tell(server.url, folder / "files")
        yield server.url


def tell(url: str, folder: Path) -> None:
    """Publishes what the demo's story publishes."""
    story = story_folder()
    with RegistryClient(url) as registry:
        for step in tomllib.loads((story / "story.toml").read_text())["step"]:
            shutil.copytree(story / step["folder"], folder, dirs_exist_ok=True)
            for entry in step["run"]:
                if entry["command"][0] == "publish" and entry["exit"] == 0:
                    _publish(registry, folder / entry["service"], entry["service"])


def _publish(registry: Any, folder: Path, service: str) -> None:
    project = tomllib.loads((folder / "deedbox.toml").read_text())
    for contract in project["contract"]:
        said = {k: contract[k] for k in ("role", "kind", "channels", "groups", "version") if k in contract}
        said["schema"] = (folder / contract["file"]).read_text()
        registry.publish(f"{service}/{contract['name']}", said)


@pytest.fixture(scope="module")
def tabs(browser: Any, shop: str) -> Iterator[dict[str, Visit]]:
    """Two tabs that stay open while page after page is looked at: a desk in the light, and a phone in the dark."""
    kept = {
        "desk": Visit(browser, shop),
        "phone": Visit(browser, shop, viewport={"width": 360, "height": 740}, color_scheme="dark"),
    }
    yield kept
    for one in kept.values():
        one.close()


@pytest.fixture
def visit(browser: Any, shop: str) -> Iterator[Any]:
    """Makes tabs on the shop."""
    made: list[Visit] = []

    def make(**options: Any) -> Visit:
        made.append(Visit(browser, shop, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
