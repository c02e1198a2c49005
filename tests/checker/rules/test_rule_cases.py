"""Each rule has a case, each case fires its rule, and says nothing else than what it lists."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from deedbox.checker import compare
from deedbox.checker.documents import load_document
from deedbox.checker.json_schema.closing import Location
from deedbox.checker.json_schema.facts import Fact
from deedbox.checker.json_schema.probes import probe_schema
from deedbox.checker.json_schema.rules import generic
from deedbox.checker.json_schema.schema import Schema
from deedbox.checker.json_schema.walker import walk
from deedbox.checker.rules import catalogue

FOLDER = Path(__file__).resolve().parents[3] / "fixtures" / "rules" / "json-schema"
GENERIC = {rule.id for rule in generic.RULES}
"""Stated by `compare` itself, not by the walker."""
WAIVERS: dict[str, str] = {}
"""Rule without a mirror → why that is right."""


@dataclass(frozen=True)
class Case:
    rule: str
    name: str
    old: Any
    new: Any
    expect: dict[str, Any]

    @property
    def model(self) -> str:
        return self.expect.get("content_model", "tolerant")  # type: ignore[no-any-return]

    @property
    def asserted(self) -> bool:
        return bool(self.expect.get("format_assertion", False))

    def facts(self, *, swapped: bool = False) -> list[Fact]:
        old, new = (Schema(load_document(d), None) for d in (self.old, self.new))
        if swapped:
            old, new = new, old
        return walk(old, new, content_model=self.model, format_assertion=self.asserted)  # type: ignore[arg-type]

    def compared(self, *, swapped: bool = False) -> Any:
        old, new = (self.new, self.old) if swapped else (self.old, self.new)
        return compare(old, new, content_model=self.model, format_assertion=self.asserted)  # type: ignore[arg-type]


def _cases() -> list[Case]:
    return [
        Case(
            folder.parent.name,
            folder.name,
            *(json.loads((folder / f"{part}.json").read_text()) for part in ("old", "new", "expect")),
        )
        for folder in sorted(FOLDER.glob("*/*"))
    ]


CASES = _cases()
each_case = pytest.mark.parametrize("case", CASES, ids=[f"{c.rule}/{c.name}" for c in CASES])


def _validator(document: Any, *, formats: bool) -> Any:
    kind = jsonschema.validators.validator_for(document)
    return kind(document, format_checker=kind.FORMAT_CHECKER if formats else None)


def _accepts(document: Any, value: Any, *, closed: bool, formats: bool = False) -> bool:
    if not _validator(document, formats=formats).is_valid(value):
        return False
    return not closed or Location([Schema(load_document(document)).node]).refusal(load_document(value).value) is None


def test_every_rule_has_a_case_and_every_case_a_rule() -> None:
    assert {case.rule for case in CASES} == {rule.id for rule in catalogue().values() if rule.format == "json-schema"}


def test_the_catalogue_says_everything_of_every_rule() -> None:
    for rule in catalogue().values():
        assert rule.title.endswith("."), rule.id
        assert rule.why.endswith("."), rule.id
        assert rule.source.startswith(("JSON Schema ", "Deedbox policy: ", "OpenAPI ", "AsyncAPI ", "RFC ")), rule.id
        assert (rule.mirror in catalogue()) or WAIVERS.get(rule.id), f"{rule.id} has neither a mirror nor a waiver"
    titles = [rule.title for rule in catalogue().values()]
    assert len(titles) == len(set(titles)), "two rules of one title"


def test_mirrors_point_back() -> None:
    """What mirrors a removal is an addition, whatever the removed thing was marked as."""
    for rule in catalogue().values():
        if rule.mirror is not None and rule.id not in ("obsolete-property-removed", "error-response-removed"):
            assert catalogue()[rule.mirror].mirror == rule.id


@each_case
def test_the_walker_states_what_the_case_lists(case: Case) -> None:
    listed = {(f["rule"], f["pointer"]) for f in case.expect["findings"] if f["rule"] not in GENERIC}
    stated = {(fact.rule.id, fact.pointer) for fact in case.facts()}
    assert stated == listed
    assert case.rule in {rule for rule, _ in listed} or case.rule in GENERIC


@each_case
def test_a_witness_proves_the_case(case: Case) -> None:
    """By `jsonschema` alone: accepted by the writer, refused by the reader, and such as the fact says."""
    broken = {d for d in ("backward", "forward") if case.expect[d] is False}
    broken |= {"policy"} & {f["direction"] for f in case.expect["findings"] if f["level"] == "breaking"}
    witnesses = case.expect.get("witness", {})
    own = {f["direction"] for f in case.expect["findings"] if f["rule"] == case.rule and f["level"] == "breaking"}
    if "backward" in own:  # what the new version refuses, both versions cannot accept
        own.discard("policy")
    assert own & broken <= witnesses.keys(), "a break of the rule without its witness"
    for direction, value in witnesses.items():
        writer, reader = (case.new, case.old) if direction == "forward" else (case.old, case.new)
        assert _accepts(writer, value, closed=case.model != "open", formats=case.asserted)
        refused = not _accepts(reader, value, closed=case.model == "closed", formats=case.asserted)
        assert refused == (direction != "policy")
        probes = [f.probes[direction] for f in case.facts() if f.rule.id == case.rule and direction in f.probes]  # type: ignore[index]
        if case.rule not in GENERIC:
            assert probes
        for probe in probes:
            schema = json.loads(json.dumps(probe_schema(probe), default=float))
            jsonschema.Draft202012Validator.check_schema(schema)
            checker = jsonschema.Draft202012Validator.FORMAT_CHECKER if case.asserted else None
            assert jsonschema.Draft202012Validator(schema, format_checker=checker).is_valid(value)


@each_case
def test_swapping_old_and_new_fires_the_mirror(case: Case) -> None:
    mirror = catalogue()[case.rule].mirror
    if mirror is None:
        assert case.rule in WAIVERS
    elif case.rule in GENERIC:
        assert mirror in {finding.rule for finding in case.compared(swapped=True).findings}
    else:
        assert mirror in {fact.rule.id for fact in case.facts(swapped=True)}


@each_case
def test_compare_finds_what_the_case_lists(case: Case) -> None:
    comparison = case.compared()
    assert comparison.backward.holds is case.expect["backward"]
    assert comparison.forward.holds is case.expect["forward"]
    found = sorted((f.rule, f.pointer, f.level, f.direction) for f in comparison.findings)
    assert found == sorted((f["rule"], f["pointer"], f["level"], f["direction"]) for f in case.expect["findings"])
    for role, answer in case.expect["judge"].items():
        judgement = comparison.judge(role)
        assert [judgement.verdict, judgement.bump] == answer, role


@each_case
def test_every_breaking_finding_has_its_own_true_witness(case: Case) -> None:
    for finding in case.compared().findings:
        if finding.level != "breaking":
            continue
        assert finding.witness is not None or finding.direction == "policy", finding
        if finding.witness is None:  # the new version refuses every message that has the property
            assert case.expect["backward"] is False
            continue
        writer, reader = (case.new, case.old) if finding.direction == "forward" else (case.old, case.new)
        value = finding.witness.value
        assert _accepts(writer, value, closed=case.model != "open", formats=case.asserted)
        refused = not _accepts(reader, value, closed=case.model == "closed", formats=case.asserted)
        assert refused == (finding.direction != "policy")
