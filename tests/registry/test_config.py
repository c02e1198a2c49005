"""Settings: one place, documented, refused where they cannot work."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from deedbox.registry import config
from deedbox.registry.config import Settings
from deedbox.registry.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]
ROOM = ROOT / "registry" / "deedbox" / "registry"


def test_the_page_is_that_of_the_code() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    assert page == config.page(), "run: python -m deedbox.registry.config > docs/configuration.md"


def test_every_setting_is_documented_and_used() -> None:
    code = "\n".join(p.read_text() for p in ROOM.rglob("*.py") if p.name != "config.py")
    for setting in fields(Settings):
        assert setting.metadata["doc"].endswith("."), setting.name
        assert f"settings.{setting.name}" in code, f"nobody uses {setting.name}"


def test_the_environment_and_what_overrides_it() -> None:
    environment = {"DEEDBOX_PORT": "9000", "DEEDBOX_LOG_LEVEL": "", "DEEDBOX_OTHER": "x"}
    settings = Settings.from_environment(environment, host="::1", workers=None)
    assert (settings.port, settings.host, settings.workers, settings.log_level) == (9000, "::1", 1, "info")
    assert Settings.from_environment(environment, port=1).port == 1
    assert Settings.from_environment(settings.to_environment()) == settings


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "x"), ("PORT", "-1"), ("WORKERS", "0"), ("COMPARE_MEMORY_MB", "1"), ("LOG_LEVEL", "loud")],
)
def test_a_value_that_cannot_work_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"DEEDBOX_{name}"):
        Settings.from_environment({f"DEEDBOX_{name}": value})
