"""Each rule of the API formats has a case; each case finds what it lists, and its mirror when old and new change places."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from deedbox.checker import compare, load_document
from deedbox.checker.rules import catalogue

FOLDER = Path(__file__).resolve().parents[3] / "fixtures" / "rules"
FORMATS = ("openapi", "asyncapi")
WAIVERS: dict[str, str] = {}
"""Rule without a mirror → why that is right."""


@dataclass(frozen=True)
class Case:
    format: str
    rule: str
    name: str
    old: str
    new: str
    expect: dict[str, Any]

    def compared(self, *, swapped: bool = False) -> Any:
        old, new = (self.new, self.old) if swapped else (self.old, self.new)
        return compare(old, new, format=self.format)


CASES = [
    Case(
        name, folder.parent.name, folder.name, (folder / "old.yaml").read_text(), (folder / "new.yaml").read_text(),
        json.loads((folder / "expect.json").read_text()),
    )
    for name in FORMATS
    for folder in sorted((FOLDER / name).glob("*/*"))
]  # fmt: skip
each_case = pytest.mark.parametrize("case", CASES, ids=[f"{c.rule}/{c.name}" for c in CASES])


@pytest.mark.parametrize("name", FORMATS)
def test_every_api_rule_has_a_case_and_every_case_a_rule(name: str) -> None:
    assert {c.rule for c in CASES if c.format == name} == {r.id for r in catalogue().values() if r.format == name}


@each_case
def test_an_api_case_finds_what_it_lists(case: Case) -> None:
    comparison = case.compared()
    assert comparison.backward.holds is case.expect["backward"]
    assert comparison.forward.holds is case.expect["forward"]
    found = sorted((f.rule, f.pointer, f.level, f.direction) for f in comparison.findings)
    assert found == sorted((f["rule"], f["pointer"], f["level"], f["direction"]) for f in case.expect["findings"])
    assert case.rule in {f.rule for f in comparison.findings}
    for role, answer in case.expect["judge"].items():
        judgement = comparison.judge(role)
        assert [judgement.verdict, judgement.bump] == answer
    for direction, value in case.expect.get("witness", {}).items():
        assert value in [
            f.witness.value
            for f in comparison.findings
            if f.rule == case.rule and f.direction == direction and f.witness
        ]


@each_case
def test_every_break_of_an_api_case_is_shown(case: Case) -> None:
    for finding in case.compared().findings:
        assert (finding.witness is not None) == (finding.level == "breaking"), finding
        document = load_document(case.old if finding.side == "old" else case.new)
        assert document.line(finding.location) is not None


@each_case
def test_swapping_an_api_case_fires_the_mirror(case: Case) -> None:
    mirror = catalogue()[case.rule].mirror
    if mirror is None:
        assert case.rule in WAIVERS
    else:
        assert mirror in {f.rule for f in case.compared(swapped=True).findings}


SIDES = {
    "request-body-": "what is said of a request's body",
    "parameter-": "what is said of a parameter",
    "response-header-": "what is said of a response's header",
}


@pytest.mark.parametrize("fact", ["added", "removed", "became-required", "became-optional"])
@pytest.mark.parametrize("side", SIDES)
def test_parameters_headers_and_bodies_are_treated_alike(side: str, fact: str) -> None:
    assert side + fact in catalogue()


@pytest.mark.parametrize("fact", ["media-type-added", "media-type-removed"])
@pytest.mark.parametrize("side", ["request-", "response-"])
def test_requests_and_responses_are_treated_alike(side: str, fact: str) -> None:
    assert side + fact in catalogue()
