"""The output formats, over reports that are built by hand: worst cases of other people's text included."""

import json
import re
import xml.etree.ElementTree as ET
from decimal import Decimal

import click
import pytest
from deedbox.checker.model import Finding, Inclusion, Witness
from deedbox.checker.policy import Refusal
from deedbox.cli.exits import Exit
from deedbox.cli.report import Change, Failure, Located, Publication, Report
from deedbox.cli.reports import FORMATS, github, gitlab, json_report, junit, markdown, sarif, text
from deedbox.client.values import Link
from markdown_it import MarkdownIt

NASTY = "a%b\r\n::error::c, d:e <script>|`*_@you\x1b[31m\x00\ud7ff"


def finding(
    level="breaking", rule="enum-value-removed", pointer="/properties/status", fingerprint="3f9a1c02b7de", **kw
):
    given = {
        "rule": rule,
        "kind": "inclusion",
        "pointer": pointer,
        "location": pointer,
        "level": level,
        "direction": "backward",
        "message": "'refunded' is no longer allowed",
        "witness": Witness({"status": "refunded", "total": Decimal("12.30")}, "'refunded' is none of paid, sent"),
        "fingerprint": fingerprint,
    }
    return Finding(**(given | kw))


def change(findings=(), **kw):
    given = {
        "name": "billing/order-placed",
        "old": "registry:latest",
        "new": "contracts/order-placed.json",
        "role": "consumes",
        "content_model": "tolerant",
        "verdict": "breaking",
        "bump": "major",
        "allowed": False,
        "backward": Inclusion(False, witness=Witness({"status": "refunded"}, "why")),
        "forward": Inclusion(True, "algebra"),
        "findings": tuple(Located(f, "contracts/order-placed.json", 14) for f in findings),
        "file": "contracts/order-placed.json",
        "previous": "1.2.0",
        "declared": "1.3.0",
        "needed": "2.0.0",
    }
    return Change(**(given | kw))


REFUSED = change(
    [finding(), finding("additive", "property-added", "/properties/b", "aaaaaaaaaaaa", witness=None)],
    refusals=(Refusal("version-too-low", "this needs 2.0.0, you said 1.3.0", ("3f9a1c02b7de",)),),
    links=(
        Link(
            "orders/order-placed",
            "2.3.0",
            "billing/order-placed",
            "1.3.0",
            "shop.orders",
            False,
            "no",
            Witness(7, "why not"),
        ),
        Link("web/order-placed", "1.0.0", "billing/order-placed", "1.3.0", "shop.orders", True),
    ),
)
UNDECIDED = change(
    verdict="undecided", bump=None, allowed=None, backward=Inclusion(None, reason="a backreference"), needed=None
)
NASTY_CHANGE = change(
    [finding(message=NASTY, pointer=f"/properties/{NASTY}", witness=Witness({NASTY: NASTY}, NASTY))], name="s/n"
)
FAILED = Failure("syntax-invalid", "a.json:3:4: not JSON", "billing/a", "a.json", 3, 4, None)
REPORTS = {
    "refused": Report("check", (REFUSED,)),
    "undecided": Report("check", (UNDECIDED,)),
    "nasty": Report("check", (NASTY_CHANGE,)),
    "failed": Report("check", (REFUSED, UNDECIDED), (FAILED,)),
    "fine": Report("check", (change(verdict="patch", bump="patch", allowed=True),)),
}


@pytest.fixture(params=REPORTS)
def report(request):
    return REPORTS[request.param]


@pytest.mark.parametrize(
    ("name", "code", "allowed"),
    [
        ("refused", Exit.NO, False),
        ("undecided", Exit.UNKNOWN, None),
        ("failed", Exit.WRONG, False),
        ("fine", Exit.FINE, True),
    ],
)
def test_the_exit_code_is_2_then_1_then_3_then_0(name, code, allowed):
    assert REPORTS[name].exit is code
    assert REPORTS[name].allowed is allowed


def test_one_refused_and_one_undecided_is_a_no():
    assert Report("check", (REFUSED, UNDECIDED)).exit is Exit.NO


def test_a_break_that_the_gate_lets_pass_is_a_warning_and_no_error():
    passed = change([finding()], allowed=True, allowed_by="version")
    assert [issue.severity for issue in passed.issues()] == ["warning"]
    assert Report("check", (passed,)).exit is Exit.FINE
    assert "allowed: its version says so" in click.unstyle(text.render(Report("check", (passed,))))


def test_only_findings_that_the_refusals_rest_on_are_errors():
    two = change(
        [finding(), finding(fingerprint="bbbbbbbbbbbb", pointer="/properties/accepted")],
        refusals=(Refusal("field-life", "goes before its time", ("3f9a1c02b7de",)),),
    )
    severities = {issue.fingerprint: issue.severity for issue in two.issues()}
    assert severities == {"3f9a1c02b7de": "error", "bbbbbbbbbbbb": "warning"}


def test_an_issue_stands_for_every_reason_to_say_no():
    for reason in (
        change(refusals=(Refusal("version-too-low", "too low"),)),
        change(links=REFUSED.links),
        change([finding()]),
    ):
        assert [issue for issue in reason.issues() if issue.severity == "error"]


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_renders_every_report(format, report):
    from importlib import import_module

    rendered = import_module(f"deedbox.cli.reports.{FORMATS[format]}").render(report)
    assert rendered.endswith("\n") or not rendered
    assert "\x00" not in rendered
    rendered.encode()


def test_text_shows_place_sentence_witness_why_and_how_to_accept():
    shown = click.unstyle(text.render(REPORTS["refused"]))
    assert "billing/order-placed (consumes) against registry:latest: breaking, needs 2.0.0" in shown
    assert "refused: this needs 2.0.0, you said 1.3.0" in shown
    assert "breaking contracts/order-placed.json:14 /properties/status [enum-value-removed]" in shown
    assert 'message: {"status": "refunded", "total": 12.30}' in shown
    assert "why: 'refunded' is none of paid, sent" in shown
    assert "deedbox accept 3f9a1c02b7de" in shown
    assert "billing/order-placed 1.3.0 cannot read all that orders/order-placed 2.3.0 sends on shop.orders: no" in shown
    assert shown.index("breaking contracts") < shown.index("additive contracts")
    assert shown.endswith("1 contract: 1 refused.\n")


def test_text_lets_no_control_character_of_a_document_reach_the_terminal():
    shown = click.unstyle(text.render(REPORTS["nasty"]))
    assert "\x1b" not in shown
    assert "\\u001b[31m" in shown
    assert all(line.isprintable() for line in shown.splitlines())


def test_text_of_a_publication_says_what_is_new():
    published = (Publication("a/b", "1.0.0", True), Publication("a/c", "2.0.0", False))
    shown = click.unstyle(text.render(Report("publish", (), (), published)))
    assert shown == "published a/b 1.0.0\nunchanged a/c 2.0.0\n"


def test_json_of_a_diff_is_one_object_with_exact_numbers():
    rendered = json_report.render(Report("diff", (change([finding()]),)))
    found = json.loads(rendered, parse_float=Decimal)
    assert set(found) == {"verdict", "bump", "role", "content_model", "backward", "forward", "findings"}
    assert found["findings"][0]["line"] == 14
    assert found["findings"][0]["file"] == "contracts/order-placed.json"
    assert "12.30" in rendered


def test_json_of_a_check_has_a_diff_a_contract_and_the_failures():
    found = json.loads(json_report.render(REPORTS["failed"]))
    assert found["allowed"] is False
    assert [r.get("allowed") for r in found["results"]] == [False, None, None]
    assert found["results"][0]["links"][0]["witness"] == {"value": 7, "why": "why not"}
    assert found["results"][0]["refusals"][0]["findings"] == ["3f9a1c02b7de"]
    assert found["results"][2]["error"]["line"] == 3
    assert {"verdict", "bump", "backward", "forward", "findings"} <= set(found["results"][0])


def test_json_of_a_diff_that_failed_says_where():
    found = json.loads(json_report.render(Report("diff", (), (FAILED,))))
    assert found["error"]["code"] == "syntax-invalid"
    assert found["error"]["column"] == 4


def test_github_commands_are_one_line_each_and_escaped():
    lines = github.render(REPORTS["nasty"]).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(
        "::error file=contracts/order-placed.json,line=14,title=s/n%3A enum-value-removed::a%25b"
    )
    assert "\\u000d%0A" in lines[0]
    assert "::error::c" not in lines[0].partition("::a%25b")[0]


def test_github_keeps_to_ten_of_a_kind_and_says_how_many_are_left():
    many = change([finding(pointer=f"/properties/p{n}", fingerprint=f"{n:012}") for n in range(25)])
    lines = github.render(Report("check", (many,))).splitlines()
    assert len(lines) == 10
    assert lines[-1] == "::error title=deedbox::and 16 more findings: see the log"


def test_gitlab_entries_have_what_the_widget_needs_and_no_fingerprint_twice():
    same = change([finding(), finding()])
    entries = json.loads(gitlab.render(Report("check", (same,))))
    assert len({entry["fingerprint"] for entry in entries}) == 2
    for entry in entries:
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert entry["location"] == {"path": "contracts/order-placed.json", "lines": {"begin": 14}}


def test_gitlab_without_issues_is_an_empty_array():
    assert json.loads(gitlab.render(REPORTS["fine"])) == []


def test_junit_is_xml_with_counts_that_agree():
    for name, (tests, failures, errors) in {
        "refused": (1, 1, 0),
        "undecided": (1, 0, 1),
        "nasty": (1, 1, 0),
        "failed": (3, 1, 2),
        "fine": (1, 0, 0),
    }.items():
        root = ET.fromstring(junit.render(REPORTS[name]).encode())
        suite = root.find("testsuite")
        counted = tuple(int(suite.get(key)) for key in ("tests", "failures", "errors"))
        assert counted == (tests, failures, errors)
        assert len(suite.findall("testcase")) == tests
        assert len(suite.findall("testcase/failure")) == failures
        assert len(suite.findall("testcase/error")) == errors


def test_junit_carries_the_witness():
    root = ET.fromstring(junit.render(REPORTS["refused"]).encode())
    assert '"refunded"' in root.find("testsuite/testcase/failure").text


def test_sarif_has_the_structure_that_code_scanning_reads():
    for report in REPORTS.values():
        log = json.loads(sarif.render(report))
        assert log["version"] == "2.1.0"
        (run,) = log["runs"]
        driver = run["tool"]["driver"]
        assert driver["name"] == "deedbox"
        ids = [rule["id"] for rule in driver["rules"]]
        assert len(ids) == len(set(ids))
        for result in run["results"]:
            assert ids[result["ruleIndex"]] == result["ruleId"]
            assert result["level"] in {"none", "note", "warning", "error"}
            assert result["message"]["text"]
            for location in result["locations"]:
                physical = location["physicalLocation"]
                assert not physical["artifactLocation"]["uri"].startswith("/")
                assert physical.get("region", {"startLine": 1})["startLine"] >= 1
        assert run["invocations"] == [{"executionSuccessful": not report.failures}]


def test_sarif_fingerprints_let_results_be_followed():
    (run,) = json.loads(sarif.render(REPORTS["refused"]))["runs"]
    assert run["results"][0]["partialFingerprints"] == {"deedbox/v1": "3f9a1c02b7de"}


def test_markdown_takes_foreign_markup_literally():
    shown = markdown.render(REPORTS["nasty"])
    html = MarkdownIt("commonmark").render(shown)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "@you" not in re.sub(r"<code.*?</code>", "", html, flags=re.DOTALL)
    assert "<em>" not in html
    assert "### Contracts: refused" in shown
    assert "```json" in shown


def test_markdown_folds_what_is_no_news():
    shown = markdown.render(REPORTS["refused"])
    assert "<details><summary>billing/order-placed: 1 other change, 1 link that holds</summary>" in shown
    assert "- refused: this needs 2.0.0, you said 1.3.0" in shown


@pytest.mark.parametrize("name", ["refused", "undecided", "failed"])
def test_no_format_looks_green_where_the_answer_is_not_yes(name):
    report = REPORTS[name]
    assert "fine" not in click.unstyle(text.render(report))
    assert json.loads(json_report.render(report))["allowed"] is not True
    assert "fine" not in markdown.render(report).splitlines()[0]
    assert github.render(report)
    assert json.loads(gitlab.render(report))
    assert json.loads(sarif.render(report))["runs"][0]["results"]
    root = ET.fromstring(junit.render(report).encode())
    assert root.find("testsuite/testcase/failure") is not None or root.find("testsuite/testcase/error") is not None


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("the property is gone", False),
        ("the body of 200 at /items: the property is gone", False),
        ("at /a: 1 is not 2", True),
        ("the message has no place for it", True),
    ],
)
@pytest.mark.parametrize("render", [text, github, sarif, junit, markdown], ids=lambda module: module.__name__)
def test_a_reason_that_the_message_has_given_is_not_given_again(render, why, told):
    said = "the body of 200 at /items/a: the property is gone"
    one = finding(message=said, witness=Witness({"a": 1}, why))
    shown = click.unstyle(render.render(Report("check", (change([one], links=()),))))
    assert ("is not 2" in shown or "no place for it" in shown) is told
    assert shown.lower().count("why: ") == (told and render is not markdown)
