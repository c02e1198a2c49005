"""What DESIGN means by the content models, by example: the rows of fixtures/tolerant.jsonl."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from deedbox.checker import compare

ROWS = [
    json.loads(line)
    for line in (Path(__file__).resolve().parents[3] / "fixtures" / "tolerant.jsonl").read_text().splitlines()
]


@pytest.mark.parametrize(
    ("row", "model"), [(row, model) for row in ROWS for model in row["expect"]], ids=lambda v: v if isinstance(v, str) else v["id"]
)  # fmt: skip
def test_row(row: dict[str, Any], model: str) -> None:
    comparison = compare(row["old"], row["new"], content_model=model)  # type: ignore[arg-type]
    for question, answer in row["expect"][model].items():
        if question in ("backward", "forward"):
            assert getattr(comparison, question).holds is answer, question
        else:
            judgement = comparison.judge(question)
            assert [judgement.verdict, judgement.bump] == answer, question


def test_the_table_is_whole() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS) == 17
