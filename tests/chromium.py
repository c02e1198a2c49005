"""A real headless Chromium, for whatever room has something to look at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ARTEFACTS = Path(__file__).resolve().parents[1] / ".artefacts" / "pages"
PATIENCE = 60_000
"""Milliseconds that something may take on a machine with much else to do. What comes is waited for, never a time."""


def chromium_path() -> str | None:
    """Where Debian and others put it."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, without a sandbox of its own: it sees only this machine's own server."""
    from tests.conftest import UNDER_CI

    path = chromium_path()
    if path is None:
        if UNDER_CI:
            pytest.fail("chromium is not installed: .ci/run installs it")
        pytest.skip("chromium is not installed: the pages were not looked at in a browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A tab, and all that it asked for and complained about."""

    def __init__(self, browser: Any, base: str, **options: Any) -> None:
        self.base = base
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: str) -> Any:
        """Goes to an address of the server."""
        return self.page.goto(self.base + path)

    def follow(self, control: Any) -> None:
        """Presses what leads to another page, and waits until that page is there."""
        with self.page.expect_navigation():
            control.click()

    def until_there(self, wanted: Any, times: int = 600) -> None:
        """Asks for the same page again and again, as one without JavaScript has to, until it shows something."""
        for _ in range(times):
            if wanted.is_visible():
                return
            self.page.wait_for_timeout(200)
            self.page.goto(self.page.url)
        raise AssertionError(f"never there: {wanted}")

    def keep(self, name: str) -> None:
        """Takes a picture of the whole page for people to look at."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(ARTEFACTS / f"{name}.png"), full_page=True, timeout=2 * PATIENCE)

    def forgive(self, status: str) -> None:
        """Takes back the browser's complaint about a status that was meant."""
        self.complaints = [said for said in self.complaints if f"status of {status}" not in said]

    def close(self) -> None:
        """Ends it, and sees that nothing went elsewhere or wrong."""
        self.context.close()
        elsewhere = [url for url in self.asked if not url.startswith(self.base)]
        assert not elsewhere, elsewhere
        assert not self.complaints, self.complaints
