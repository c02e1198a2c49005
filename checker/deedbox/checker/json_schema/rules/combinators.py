"""Rules about alternatives, negation and conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema.portable import portable, portables
from deedbox.checker.json_schema.rules.definition import inclusion, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.json_schema.branches import Match
    from deedbox.checker.json_schema.facts import Fact
    from deedbox.checker.json_schema.places import Pair, Probes
    from deedbox.checker.json_schema.probes import Probe
    from deedbox.checker.json_schema.schema import Node
    from deedbox.checker.json_schema.sides import Group, Part, Side, Start
    from deedbox.checker.rules.rule import Rule

_CORE = "JSON Schema 2020-12 core "


def _alternatives(keyword: str, prefix: str, source: str, caution: str) -> tuple[Rule, Rule, Rule, Rule]:
    """The four rules of a group: a branch added and removed, the group added and removed."""
    return (
        inclusion(f"{prefix}-branch-added", f"`{keyword}` has one more alternative.",
                  "Readers on the old version refuse what only the new alternative accepts." + caution, source,
                  mirror=f"{prefix}-branch-removed"),
        inclusion(f"{prefix}-branch-removed", f"`{keyword}` has one alternative less.",
                  "Messages that only this alternative accepted are refused." + caution, source,
                  mirror=f"{prefix}-branch-added"),
        inclusion(f"{prefix}-added", f"A message must fit `{keyword}` here, where it need not before.",
                  "Messages that fit none of the alternatives are refused." + caution, source, mirror=f"{prefix}-removed"),
        inclusion(f"{prefix}-removed", f"A message need no longer fit `{keyword}` here.",
                  "Readers on the old version refuse messages that fit none of their alternatives." + caution, source,
                  mirror=f"{prefix}-added"),
    )  # fmt: skip


ANY_OF = _alternatives("anyOf", "any-of", _CORE + "§10.2.1.2 (anyOf)", "")
ONE_OF = _alternatives(
    "oneOf", "one-of", _CORE + "§10.2.1.3 (oneOf)", " Of `oneOf` exactly one may fit: overlaps count."
)
BECAME_ONE_OF = inclusion(
    "any-of-became-one-of",
    "Exactly one alternative must fit, where several could.",
    "Messages that fit two alternatives are refused: make them exclude each other by a tag, or keep `anyOf`.",
    _CORE + "§10.2.1.2, §10.2.1.3 (anyOf, oneOf)",
    mirror="one-of-became-any-of",
)
BECAME_ANY_OF = inclusion(
    "one-of-became-any-of",
    "Several alternatives may fit, where exactly one had to.",
    "Readers on the old version refuse messages that fit two alternatives.",
    _CORE + "§10.2.1.2, §10.2.1.3 (anyOf, oneOf)",
    mirror="any-of-became-one-of",
)
_NOT = _CORE + "§10.2.1.4 (not)"
NOT_ADDED = inclusion(
    "not-added",
    "What fits a subschema is refused now.",
    "Messages that fit what stands under `not` were accepted before.",
    _NOT,
    mirror="not-removed",
)
NOT_REMOVED = inclusion(
    "not-removed",
    "What fits a subschema is no longer refused.",
    "Readers on the old version still refuse it.",
    _NOT,
    mirror="not-added",
)
NOT_CHANGED = inclusion(
    "not-changed",
    "Other messages than before are refused by `not`.",
    "Under `not` all is reversed: what narrows the inner schema widens what is accepted.",
    _NOT,
    mirror="not-changed",
)
_IF = _CORE + "§10.2.2.1 to §10.2.2.3 (if, then, else)"
CONDITION_ADDED = inclusion(
    "conditional-added",
    "A condition applies that did not before.",
    "Messages that meet the `if` and not the `then`, or neither it nor the `else`, are refused.",
    _IF,
    mirror="conditional-removed",
)
CONDITION_REMOVED = inclusion(
    "conditional-removed",
    "A condition no longer applies.",
    "Readers on the old version refuse messages that do not keep theirs.",
    _IF,
    mirror="conditional-added",
)
CONDITION_CHANGED = inclusion(
    "conditional-changed",
    "Other messages than before are subject to `then` and `else`.",
    "The `if` was changed: messages may pass from the one consequence to the other.",
    _IF,
    mirror="conditional-changed",
)
_DEPENDENT = _CORE + "§10.2.2.4 (dependentSchemas)"
DEPENDENT_ADDED = inclusion(
    "dependent-schema-added",
    "Where a property is present, the whole object must fit a schema that it need not before.",
    "Objects with the property that do not fit are refused.",
    _DEPENDENT,
    mirror="dependent-schema-removed",
)
DEPENDENT_REMOVED = inclusion(
    "dependent-schema-removed",
    "Where a property is present, the object need no longer fit a schema.",
    "Readers on the old version refuse objects with the property that do not fit.",
    _DEPENDENT,
    mirror="dependent-schema-added",
)
RULES = (
    *ANY_OF, *ONE_OF, BECAME_ONE_OF, BECAME_ANY_OF, NOT_ADDED, NOT_REMOVED, NOT_CHANGED, CONDITION_ADDED,
    CONDITION_REMOVED, CONDITION_CHANGED, DEPENDENT_ADDED, DEPENDENT_REMOVED,
)  # fmt: skip


def alternatives(at: Pair, match: Match) -> Iterator[Fact]:
    """States what became of one group: its keyword, and the branches that have no partner."""
    old, new = match.old, match.new
    group = new or old
    assert group is not None
    rules = ANY_OF if group.keyword == "anyOf" else ONE_OF
    if old is not None and new is not None:
        yield from _keyword(at, old, new)
    elif not match.pairs:
        yield _whole(at, group, rules, added=new is not None)
        return
    for start in match.come:
        probes: Probes = {"forward": _only_in(at, start, old, at.old)}
        if (old or group).keyword == "oneOf" or group.keyword == "oneOf":
            probes["backward"] = _overlap(at, start, at.old, new or group)
        names = _name(start)
        yield at.fact(rules[0], f"one more alternative is accepted{names}", new=start, alone=True, probes=probes)
    for start in match.gone:
        probes = {"backward": _only_in(at, start, new, at.new)}
        if (new or group).keyword == "oneOf" or (old or group).keyword == "oneOf":
            probes["forward"] = _overlap(at, start, at.new, old or group)
        removed = (ANY_OF if (old or group).keyword == "anyOf" else ONE_OF)[1]
        yield at.fact(
            removed, f"an alternative is gone{_name(start)}", old=start, alone=True, probes=probes
        )  # fmt: skip


def _name(start: Start) -> str:
    value = start.node.value
    held = value if isinstance(value, dict) else {}
    for keyword in ("title", "$ref", "const", "enum", "type"):
        if keyword in held:
            return f": {shown(held[keyword])}"
    return ""


def _only_in(at: Pair, start: Start, group: Group | None, side: Side) -> Probe:
    """The values of a branch that the other side's group (or, without one, all it says) does not accept."""
    others = [member.node for member in (group.members if group else side.starts)]
    written = portables([start.node, *others])
    fragment = None
    if written is not None:
        fragment = {"allOf": [written[0]], "not": {("anyOf" if group else "allOf"): written[1:]}}
    elif not others:
        fragment = {"not": {}}
    reader = group.part.node if group else side.starts[0].node if side.starts else None
    return at.probe(fragment, writer=start.node, reader=reader)


def _overlap(at: Pair, start: Start, side: Side, group: Group) -> Probe:
    """The values that a branch and another of its group accept: `oneOf` refuses them for it."""
    others = [member.node for member in group.members if member != start]
    written = portables([start.node, *others])
    fragment = None if written is None else {"allOf": [written[0], {"anyOf": written[1:]}]}
    return at.probe(fragment, writer=start.node, reader=(side.main or group.part).node)


def _keyword(at: Pair, old: Group, new: Group) -> Iterator[Fact]:
    if old.keyword == new.keyword:
        return
    narrowed = new.keyword == "oneOf"
    group = new if narrowed else old
    other = old if narrowed else new
    written = portables([member.node for member in group.members])
    fragment = None if written is None else {"anyOf": written, "not": {"oneOf": written}}
    probe = at.probe(fragment, writer=other.part.node, reader=group.part.node)
    where: dict[str, Any] = {"old": old.part, "new": new.part}
    if narrowed:
        yield at.fact(BECAME_ONE_OF, "exactly one alternative must fit now", **where, probes={"backward": probe})
    else:
        yield at.fact(BECAME_ANY_OF, "several alternatives may fit now", **where, probes={"forward": probe})


def _whole(at: Pair, group: Group, rules: tuple[Rule, Rule, Rule, Rule], *, added: bool) -> Fact:
    written = portables([member.node for member in group.members])
    fragment = None if written is None else {"not": {group.keyword: written}}
    probe = at.probe(fragment, reader=group.part.node)
    if added:
        message = f"messages must fit one of {len(group.members)} alternatives now"
        return at.fact(rules[2], message, new=group.part, probes={"backward": probe})
    message = f"messages need no longer fit one of {len(group.members)} alternatives"
    return at.fact(rules[3], message, old=group.part, probes={"forward": probe})


def negations(at: Pair) -> Iterator[Fact]:
    """Compares what `not` refuses, one with one of the other side's."""
    old, new = _unlike(at, "not")
    for ours in new[len(old) :]:
        yield at.fact(
            NOT_ADDED, "what fits this is refused now", new=ours, alone=True,
            probes={"backward": at.probe(portable(ours.node), reader=_holder(ours))},
        )  # fmt: skip
    for theirs in old[len(new) :]:
        yield at.fact(
            NOT_REMOVED, "what fits this is no longer refused", old=theirs, alone=True,
            probes={"forward": at.probe(portable(theirs.node), reader=_holder(theirs))},
        )  # fmt: skip
    for theirs, ours in zip(old, new, strict=False):
        yield at.fact(
            NOT_CHANGED, "what is refused is another", old=theirs, new=ours,
            probes={
                "backward": at.probe(portable(ours.node), writer=_holder(theirs), reader=_holder(ours)),
                "forward": at.probe(portable(theirs.node), writer=_holder(ours), reader=_holder(theirs)),
            },
        )  # fmt: skip


def _holder(start: Start) -> Node:
    node = start.node
    return type(node)(node.schema, node.pointer.rpartition("/")[0])


def _unlike(at: Pair, keyword: str) -> tuple[list[Start], list[Start]]:
    """The subschemas under a keyword that the other side has no equal of."""
    old = [part.start.below(keyword) for part, _ in at.old.by.get(keyword, ())]
    new = [part.start.below(keyword) for part, _ in at.new.by.get(keyword, ())]
    for theirs in list(old):
        for ours in new:
            if at.options.sameness.holds(theirs.node, ours.node):
                old.remove(theirs)
                new.remove(ours)
                break
    return old, new


def conditions(at: Pair) -> Iterator[Fact]:
    """States which conditions have come, gone, or changed their `if`; the walker compares the consequences."""
    old, new = _unlike(at, "if")
    parts_old = {part.start.below("if"): part for part, _ in at.old.by.get("if", ())}
    parts_new = {part.start.below("if"): part for part, _ in at.new.by.get("if", ())}
    for theirs, ours in zip(old, new, strict=False):
        before, after = parts_old[theirs], parts_new[ours]
        yield at.fact(
            CONDITION_CHANGED, "the condition is another", old=theirs, new=ours,
            probes={
                "backward": at.probe(_breaking(after), writer=before.node, reader=after.node),
                "forward": at.probe(_breaking(before), writer=after.node, reader=before.node),
            },
        )  # fmt: skip
    for ours in new[len(old) :]:
        part = parts_new[ours]
        if "then" in part.keywords or "else" in part.keywords:
            yield at.fact(
                CONDITION_ADDED, "a condition applies now", new=ours, alone=True,
                probes={"backward": at.probe(_breaking(part), reader=part.node)},
            )  # fmt: skip
    for theirs in old[len(new) :]:
        part = parts_old[theirs]
        if "then" in part.keywords or "else" in part.keywords:
            yield at.fact(
                CONDITION_REMOVED, "a condition applies no longer", old=theirs, alone=True,
                probes={"forward": at.probe(_breaking(part), reader=part.node)},
            )  # fmt: skip


def _breaking(part: Part) -> dict[str, Any] | None:
    """The values that do not keep a condition; None where it cannot be written out."""
    keywords = [keyword for keyword in ("if", "then", "else") if keyword in part.keywords]
    written = portables([part.node.child(keyword) for keyword in keywords])
    return None if written is None else {"not": dict(zip(keywords, written, strict=True))}


def dependent_schemas(at: Pair) -> Iterator[Fact]:
    """States which properties have come to bring a schema for the whole object, or bring one no longer."""
    if "object" not in at.shared_types:
        return
    old, new = dependent_starts(at.old), dependent_starts(at.new)
    for name, start in new.items():
        if name not in old:
            yield at.fact(
                DEPENDENT_ADDED, f"where {shown(name)} is, the object must fit a schema now", new=start, alone=True,
                probes={"backward": _failing(at, name, start)},
            )  # fmt: skip
    for name, start in old.items():
        if name not in new:
            yield at.fact(
                DEPENDENT_REMOVED, f"where {shown(name)} is, the object need not fit a schema any more", old=start,
                alone=True, probes={"forward": _failing(at, name, start)},
            )  # fmt: skip


def _failing(at: Pair, name: str, start: Start) -> Probe:
    written = portable(start.node)
    fragment = None if written is None else {"type": "object", "required": [name], "not": written}
    return at.probe(fragment, reader=start.node)


def dependent_starts(side: Side) -> dict[str, Start]:
    """The schemas that a property brings for the whole object, by its name."""
    return {
        name: part.start.below(keyword, name)
        for keyword in ("dependentSchemas", "dependencies")
        for part, held in side.by.get(keyword, ())
        for name, dependency in held.items()
        if not isinstance(dependency, list)
    }
