from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from deedbox.checker.model import Comparison, Finding, Inclusion, Role, Witness
from deedbox.checker.policy import Acceptance, Gate, LinkOutcome, Release, gate, judge, to_compare

TODAY = date(2026, 6, 1)
YES = Inclusion(True, "search")
NO = Inclusion(False, witness=Witness({"a": 1}, "because"))
OPEN = Inclusion(None, reason="the budget ran out")


def finding(rule: str, **fields: Any) -> Finding:
    base = {
        "rule": rule, "kind": "inclusion", "pointer": "/properties/a", "location": "/properties/a", "level": "breaking",
        "direction": "backward", "message": rule, "witness": None, "fingerprint": f"fp-{rule}",
    }  # fmt: skip
    return Finding(**(base | fields))


def comparison(
    backward: Inclusion = YES,
    forward: Inclusion = YES,
    equal: bool | None = False,
    *findings: Finding,
    same: bool = False,
) -> Comparison:
    return Comparison("json-schema", "tolerant", "d1", "d1" if same else "d2", backward, forward, equal, findings)


BREAK = comparison(NO, YES, False, finding("enum-value-removed"))
ADDITION = comparison(YES, YES, False, finding("property-added", level="additive", direction="forward"))
REMOVAL = comparison(YES, YES, False, finding("property-removed", kind="policy", direction="policy"))
DROP = comparison(YES, YES, False, finding("obsolete-property-removed", kind="policy", direction="policy"))
UNDECIDED = comparison(OPEN, YES, None, finding("undecided", level="undecided", pointer=""))


@pytest.mark.parametrize(
    ("case", "role", "expected"),
    [
        (comparison(same=True, equal=True), "consumes", ("identical", "none")),
        (BREAK, "consumes", ("breaking", "major")), (BREAK, "produces", ("additive", "minor")),
        (BREAK, "both", ("breaking", "major")), (BREAK, "provides", ("breaking", "major")),
        (ADDITION, "consumes", ("additive", "minor")),
        (comparison(equal=True), "consumes", ("patch", "patch")),
        (comparison(equal=None), "consumes", ("additive", "minor")),
        (comparison(YES, YES, True, finding("default-changed", kind="annotation", level="additive", direction="policy")),
         "consumes", ("additive", "minor")),
        (comparison(YES, YES, True, finding("title-changed", kind="annotation", level="patch", direction="policy")),
         "consumes", ("patch", "patch")),
        (REMOVAL, "consumes", ("breaking", "major")), (REMOVAL, "produces", ("breaking", "major")),
        (UNDECIDED, "consumes", ("undecided", None)), (UNDECIDED, "produces", ("additive", "minor")),
        (comparison(OPEN, NO, False), "both", ("breaking", "major")),
    ],
)  # fmt: skip
def test_verdicts(case: Comparison, role: Role, expected: tuple[str, str | None]) -> None:
    judgement = judge(case, role)
    assert (judgement.verdict, judgement.bump) == expected


def test_a_finding_of_the_other_direction_is_lowered_and_one_fact_is_said_once() -> None:
    both = [finding("type-changed", direction=d) for d in ("forward", "backward")]
    case = comparison(NO, NO, False, *both, finding("enum-value-added", direction="forward", pointer="/b"))
    found = judge(case, "consumes").findings
    assert [(f.rule, f.level, f.direction) for f in found] == [
        ("type-changed", "breaking", "backward"),
        ("enum-value-added", "additive", "forward"),
    ]


def answer(
    new: Comparison,
    declared: str | None,
    *,
    role: Role = "consumes",
    history: dict[str, Any] | None = None,
    **more: Any,
) -> Gate:
    versions = history if history is not None else {"1.2.0": new}
    releases = [Release(v.rstrip("!"), v.endswith("!"), c) for v, c in versions.items()]
    return gate(role, declared, releases, more.pop("links", ()), more.pop("accepted", ()), TODAY, **more)


def test_the_first_publication_is_1_0_0() -> None:
    first = answer(ADDITION, None, history={})
    assert (first.verdict, first.needed, first.allowed) == ("new", "1.0.0", True)


@pytest.mark.parametrize(
    ("new", "declared", "allowed", "allowed_by", "codes"),
    [
        (ADDITION, None, True, "", []), (ADDITION, "1.3.0", True, "", []),
        (ADDITION, "1.2.1", False, "", ["version-too-low"]),
        (BREAK, "2.0.0", True, "version", []), (BREAK, "1.3.0", False, "", ["version-too-low"]),
        (BREAK, "2.0.0-rc.1", True, "version", []),
        (BREAK, None, False, "", ["breaking-change"]),
        (UNDECIDED, "2.0.0", True, "version", []), (UNDECIDED, "1.3.0", None, "", ["undecided"]), (UNDECIDED, None, None, "", ["undecided"]),
        (REMOVAL, "2.0.0", False, "", ["field-life"]),
        (DROP, "2.0.0", False, "", ["field-life"]),
    ],
)  # fmt: skip
def test_the_gate(new: Comparison, declared: str | None, allowed: bool, allowed_by: str, codes: list[str]) -> None:
    got = answer(new, declared)
    assert (got.allowed, got.allowed_by, [r.code for r in got.refusals]) == (allowed, allowed_by, codes)


def test_the_refusal_says_what_is_needed() -> None:
    got = answer(BREAK, "2.4.0", history={"2.3.0": BREAK})
    assert got.needed == "3.0.0"
    assert got.refusals[0].message == "this needs 3.0.0, you said 2.4.0"
    assert got.refusals[0].findings == ("fp-enum-value-removed",)


def test_an_accepted_break_passes_below_its_major() -> None:
    accepted = [Acceptance("fp-enum-value-removed", "enum-value-removed", "nobody sends it", "ada", date(2026, 6, 1))]
    got = answer(BREAK, "1.3.0", accepted=accepted)
    assert (got.allowed, got.allowed_by, got.needed) == (True, "accepted", "1.3.0")


def test_an_acceptance_ends() -> None:
    accepted = [Acceptance("fp-enum-value-removed", "enum-value-removed", "for a while", "ada", date(2026, 5, 31))]
    assert answer(BREAK, "1.3.0", accepted=accepted).allowed is False


def test_an_undecided_change_can_be_accepted_by_name() -> None:
    accepted = [Acceptance("fp-undecided", "undecided", "read by hand", "ada")]
    assert answer(UNDECIDED, "1.3.0", accepted=accepted).allowed is True


def test_an_accepted_removal_passes() -> None:
    accepted = [Acceptance("fp-property-removed", "property-removed", "never sent", "ada")]
    got = answer(REMOVAL, "1.3.0", accepted=accepted)
    assert (got.allowed, got.allowed_by) == (True, "accepted")


@pytest.mark.parametrize(
    ("role", "more", "allowed"),
    [
        ("produces", {}, True),  # a stop waits for no queue
        ("consumes", {"queued": False}, True),
        ("consumes", {"drained": {"/a": "consumed"}}, False),
        ("consumes", {"drained": {"/a": "gone"}}, True),
    ],
)
def test_a_marked_field_goes_when_it_is_gone(role: Role, more: dict[str, Any], allowed: bool) -> None:
    assert answer(DROP, "2.0.0", role=role, **more).allowed is allowed


def test_a_field_that_was_marked_is_not_said_to_be_unmarked_in_the_versions_before() -> None:
    elsewhere = finding("property-removed", kind="policy", direction="policy", pointer="/properties/b", fingerprint="b")
    before = comparison(YES, YES, False, *REMOVAL.findings, elsewhere)
    got = answer(DROP, None, role="produces", history={"1.0.0": REMOVAL, "1.1.0": REMOVAL, "1.2.0": DROP})
    assert [r.code for r in got.refusals] == ["breaking-change"]
    got = answer(DROP, None, role="produces", history={"1.0.0": before, "1.2.0": DROP})
    assert [r.findings for r in got.refusals if r.code == "field-life"] == [("b",)]


def test_every_version_of_the_line_must_be_kept() -> None:
    """Tolerant inclusion is not transitive: 1.2.0 is kept, 1.0.0 is broken, so this is no 1.3.0."""
    history = {"1.0.0": BREAK, "1.1.0!": BREAK, "1.2.0": ADDITION}
    got = answer(ADDITION, "1.3.0", history=history)
    assert (got.allowed, [r.code for r in got.refusals]) == (False, ["version-too-low"])
    assert "it breaks 1.0.0" in got.refusals[0].message
    assert answer(ADDITION, "2.0.0", history=history).allowed is True
    assert answer(ADDITION, "1.3.0", history={"1.0.0!": BREAK, "1.2.0": ADDITION}).allowed is True


def test_what_is_compared() -> None:
    releases = [Release(v.rstrip("!"), v.endswith("!")) for v in ("1.0.0", "1.4.0", "2.0.0", "2.1.0!", "2.2.0-rc.1")]
    assert to_compare(None, releases) == ("2.0.0", [])
    assert to_compare("1.4.1", releases) == ("1.4.0", ["1.0.0"])
    assert to_compare("3.0.0", releases) == ("2.0.0", [])
    assert to_compare("0.9.0", releases) == (None, [])


def test_below_one_a_break_bumps_the_minor() -> None:
    assert answer(BREAK, "0.4.3", history={"0.4.2": BREAK}).needed == "0.5.0"
    assert answer(BREAK, "0.5.0", history={"0.4.2": BREAK}).allowed is True


@pytest.mark.parametrize(("holds", "allowed", "code"), [(False, False, "link-broken"), (None, None, "undecided")])
def test_a_live_link_changes_the_answer_not_the_bump(holds: bool | None, allowed: bool | None, code: str) -> None:
    link = LinkOutcome("orders/order-placed", "2.0.0", "billing/order-placed", "1.0.0", "shop.orders", holds, "why")
    got = answer(ADDITION, "1.3.0", links=[link])
    assert (got.allowed, got.bump, got.needed, got.refusals[0].code) == (allowed, "minor", "1.3.0", code)
    assert "orders/order-placed 2.0.0 → billing/order-placed 1.0.0" in got.refusals[0].message


def test_a_version_that_is_published_already_is_compared_with_itself() -> None:
    same = answer(comparison(same=True, equal=True), "1.2.0", history={"1.1.0": BREAK, "1.2.0": comparison(same=True)})
    assert (same.previous, same.verdict, same.allowed) == ("1.2.0", "identical", True)
    other = answer(ADDITION, "1.2.0", history={"1.2.0": ADDITION})
    assert [r.code for r in other.refusals] == ["version-too-low"]
