from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from deedbox.checker.documents import load_document
from deedbox.checker.json_schema.facts import Fact
from deedbox.checker.json_schema.schema import Schema
from deedbox.checker.json_schema.walker import walk

Walk = Callable[..., list[Fact]]


@pytest.fixture
def facts() -> Walk:
    """Walks two documents, given as values."""

    def run(old: Any, new: Any, dialect: str | None = None, **options: Any) -> list[Fact]:
        return walk(Schema(load_document(old, "old"), dialect), Schema(load_document(new, "new"), dialect), **options)

    return run
