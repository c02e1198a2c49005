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


MIRRORS: tuple[tuple[str, str, str], ...] = (
    ("request ↔ response", "request-", "response-"),
    ("added ↔ removed", "added", "removed"),
    ("required ↔ optional", "became-required", "became-optional"),
    ("allowed ↔ refused", "allowed", "refused"),
    ("parameter ↔ response header", "parameter-", "response-header-"),
    ("parameter ↔ request body", "parameter-", "request-body-"),
    ("deprecated ↔ not", "-deprecated", "-no-longer-deprecated"),
    ("tightened ↔ loosened", "tightened", "loosened"),
    ("earlier ↔ later", "earlier", "later"),
    ("narrowed ↔ widened", "narrowed", "widened"),
)  # fmt: skip
"""Ways to look at a rule from the other side: what is put in the place of what."""

NO_COUNTERPART: dict[str, str] = {
    "required-request-body-": "a response has no body of its own: its statuses and media types come and go",
    "request-body-": "a response has no body of its own: its statuses and media types come and go",
    "error-response-removed": "an error that comes is response-added, which is of the same weight",
    "response-added": "requests have no statuses",
    "response-removed": "requests have no statuses",
    "response-range-": "requests have no statuses",
    "response-header-": "what is the request's header is a parameter, and has the parameters' rules",
    "required-parameter-": "a header that must be there is response-header-added: no client is refused for what it gets",
    "parameter-deprecated": "headers share the rule; a body cannot be marked",
    "parameter-no-longer-deprecated": "headers share the rule; a body cannot be marked",
    "parameter-serialization-changed": "a body is written as its media type says: encoding-changed is about its parts",
    "path-parameter-renamed": "only a path's variables are known by their place and not by their name",
}
"""Rule, or the start of its id → why another position has no such rule. One that is not needed is a fault."""


def counterparts(rule: str) -> dict[str, str]:
    """What a rule would be called from each other side."""
    found = {}
    for name, one, other in MIRRORS:
        for here, there in ((one, other), (other, one)):
            if here in rule and not (len(there) > len(here) and there in rule):
                found[f"{name} of {here}"] = rule.replace(here, there)
    return found


def test_every_rule_has_its_counterparts_or_a_waiver_that_says_why() -> None:
    ids = {r.id for r in catalogue().values() if r.format == "openapi"}
    missing, used = {}, set()
    for rule in sorted(ids):
        for look, other in counterparts(rule).items():
            if other in ids:
                continue
            waiver = next((w for w in NO_COUNTERPART if rule == w or (w.endswith("-") and rule.startswith(w))), None)
            if waiver is None:
                missing[rule, look] = other
            else:
                used.add(waiver)
    assert missing == {}
    assert used == set(NO_COUNTERPART)


@pytest.mark.parametrize(
    "gone", ["parameter-removed", "response-media-type-added", "security-loosened", "sunset-later"]
)
def test_a_rule_that_is_taken_away_is_missed(gone: str) -> None:
    ids = {r.id for r in catalogue().values() if r.format == "openapi"} - {gone}
    missed = {other for rule in ids for other in counterparts(rule).values() if other not in ids}
    assert gone in missed
