"""The pages that are generated from the code: `python -m tests.documentation` writes them, a test finds stale ones."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deedbox.checker.asyncapi import rules as asyncapi
from deedbox.checker.drain.claiming import STATES
from deedbox.checker.drain.conditions import CONDITIONS
from deedbox.checker.json_schema import rules as json_schema
from deedbox.checker.openapi import rules as openapi
from deedbox.cli import reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deedbox.checker.rules.rule import Rule

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "fixtures" / "rules"
FAMILIES = (*json_schema.FAMILIES, *openapi.FAMILIES, *asyncapi.FAMILIES)

_HEAD = """\
# Rules

Made from the catalogue and the cases of `fixtures/rules` by `make docs`: change it there.

Every finding names a rule. A rule says what happened; how bad it is, is decided apart:

- An **inclusion** rule is a fact about which messages are accepted. In each direction that it can break (*backward*: the
  new version reads what the old one allowed; *forward*: the reverse) a proof gives it its level: *breaking* with a
  message that shows it, *additive* or *patch* where no such message exists, *undecided* where it could not be told.
- A **policy** rule is about what the schemas let pass and should not go unseen: its level is fixed, and its message is
  one that both versions accept and whose value the new one drops.
- An **annotation** rule is about words that judge no message: its level is fixed.

The same rule with old and new exchanged is its *mirror*. `deedbox explain RULE` prints an entry.
"""


_TOLD = {
    "backward": "accepted by old, not by new",
    "forward": "accepted by new, not by old",
    "policy": "accepted by both; new drops a value of it",
}


def rules_page() -> str:
    """docs/rules.md."""
    return "\n".join(_rules_lines()).rstrip() + "\n"


def _rules_lines() -> Iterator[str]:
    yield _HEAD
    for title, rules in FAMILIES:
        yield f"- [{title}](#{_anchor(title)}): " + ", ".join(f"[`{r.id}`](#{r.id})" for r in rules)
    for title, rules in FAMILIES:
        yield f"\n## {title}"
        for rule in rules:
            yield from _rule_lines(rule)


def _rule_lines(rule: Rule) -> Iterator[str]:
    yield f"\n### {rule.id}\n"
    yield f"{rule.title} {rule.why}\n"
    mirror = "its own mirror" if rule.mirror == rule.id else rule.mirror and f"mirror [`{rule.mirror}`](#{rule.mirror})"
    yield "*" + " · ".join(filter(None, [rule.kind, mirror, rule.source])) + "*\n"
    folder = sorted((CASES / rule.format / rule.id).iterdir())[0]
    if rule.format != "json-schema":
        yield from _api_case(folder)
        return
    old, new, expect = (json.loads((folder / f"{part}.json").read_text()) for part in ("old", "new", "expect"))
    yield "```text"
    yield f"old      {_shown(old)}"
    yield f"new      {_shown(new)}"
    for direction, value in expect.get("witness", {}).items():
        yield f"message  {_shown(value)}  ({_TOLD[direction]})"
    judge = expect["judge"]
    yield "verdict  " + ", ".join(f"{role}: {verdict}" for role, (verdict, _) in judge.items())
    yield "```"


def _api_case(folder: Path) -> Iterator[str]:
    """What changed between two documents, each place with a line or two around it."""
    old, new = ((folder / f"{part}.yaml").read_text().splitlines() for part in ("old", "new"))
    expect = json.loads((folder / "expect.json").read_text())
    yield "```diff"
    yield from list(difflib.unified_diff(old, new, lineterm="", n=2))[2:]
    yield "```"
    yield "```text"
    for direction, value in expect.get("witness", {}).items():
        yield f"{direction}  {json.dumps(value, ensure_ascii=False)}"
    yield "verdict  " + ", ".join(f"{role}: {verdict}" for role, (verdict, _) in expect["judge"].items())
    yield "```"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        value = {key: held for key, held in value.items() if key != "$schema"} or value
    return json.dumps(value, ensure_ascii=False)


def _anchor(title: str) -> str:
    return title.lower().replace(",", "").replace(":", "").replace(" ", "-")


DRAIN = ROOT / "docs" / "drain.md"


def drain_page() -> str:
    """docs/drain.md: written by hand, but for its lists of states and conditions."""
    states = "\n".join(f"| {state} | {text} |" for state, text in STATES.items())
    conditions = "\n".join(_condition_lines())
    return _filled(_filled(DRAIN.read_text(encoding="utf-8"), "states", states), "conditions", conditions)


def _condition_lines() -> Iterator[str]:
    yield "| condition | withholds | |\n|---|---|---|"
    for condition in CONDITIONS:
        told = f"**{condition.sentence}** {condition.why} *What meets it:* {condition.unblocks}."
        yield f"| `{condition.id}` | {', '.join(condition.blocks)} | {told} |"


def _filled(page: str, name: str, text: str) -> str:
    """The page with what stands between two marks made anew."""
    head, _, rest = page.partition(f"<!-- {name} -->\n")
    return f"{head}<!-- {name} -->\n{text}\n<!-- /{name} -->{rest.partition(f'<!-- /{name} -->')[2]}"


PAGES: dict[Path, Callable[[], str]] = {
    ROOT / "docs" / "rules.md": rules_page,
    ROOT / "docs" / "cli.md": reference.page,
    DRAIN: drain_page,
}
"""Each generated page, and what makes it."""


def main() -> None:
    """Writes every page."""
    for path, make in PAGES.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
