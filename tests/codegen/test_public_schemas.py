"""Real schemas as packages: whole, lossless, and better at refusing than not at all."""

from __future__ import annotations

import pytest
from deedbox.codegen import PackageRequest, build_package

from tests.conftest import public_cases


@pytest.mark.cases
@pytest.mark.parametrize("name", ["schemastore_pairs.jsonl.gz", "iglu_pairs.jsonl.gz"])
def test_real_schemas_round_trip(name: str) -> None:
    rejected = broken = 0
    for number, row in enumerate(public_cases(name)):
        if number % 16:
            continue
        fidelity = build_package(PackageRequest("real/contract", "1.0.0", row["new"], dialect=row["dialect"])).fidelity
        assert fidelity.messages >= 3, row["id"]
        assert fidelity.lossless, (row["id"], fidelity.loosened)
        rejected, broken = rejected + fidelity.rejected, broken + fidelity.broken
    assert broken > 100
    assert rejected / broken > 0.85
