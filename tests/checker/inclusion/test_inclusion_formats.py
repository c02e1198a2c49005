"""Asserted formats at the calendar's edges (RFC 3339 §5.7, appendix C)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from deedbox.checker.json_schema.inclusion import Outcome


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("2024-02-29", True), ("2023-02-29", False), ("1900-02-29", False), ("2000-02-29", True), ("2023-02-28", True),
        ("2026-04-30", True), ("2026-04-31", False), ("2026-12-31", True), ("2026-13-01", False), ("2026-00-10", False),
        ("2026-01-00", False), ("2026-1-01", False),
    ],
)  # fmt: skip
def test_dates(ask: Callable[..., Outcome], text: str, valid: bool) -> None:
    outcome = ask({"const": text}, {"format": "date"}, format_assertion=True)
    assert outcome.status == ("empty" if valid else "found")
