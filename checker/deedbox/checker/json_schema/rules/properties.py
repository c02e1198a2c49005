"""Rules about the properties that are named one by one: added, removed, renamed, required, dependent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema.portable import bare
from deedbox.checker.json_schema.probes import Probe, Property
from deedbox.checker.json_schema.rules.definition import inclusion, listing, policy, shown
from deedbox.checker.json_schema.sameness import text_key
from deedbox.checker.json_schema.sides import Side

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.json_schema.facts import Fact
    from deedbox.checker.json_schema.places import Pair, Probes
    from deedbox.checker.json_schema.sides import Part, Start
    from deedbox.checker.model import Direction

_PROPERTIES = "JSON Schema 2020-12 core §10.3.2.1 (properties)"
_REQUIRED = "JSON Schema 2020-12 validation §6.5.3 (required)"
_DEPENDENT = "JSON Schema 2020-12 validation §6.5.4 (dependentRequired)"
_LIFE = "Deedbox policy: the life of a field"

ADDED = inclusion(
    "property-added",
    "A property is described that was not before.",
    "Under the tolerant content model old readers ignore it. It breaks where the old reader refuses unknown names, and "
    "where old writers may already have sent the name with another meaning.",
    _PROPERTIES,
    mirror="property-removed",
)
REMOVED = policy(
    "property-removed",
    "A property is gone that no published version had marked obsolete.",
    "Messages that carry it are still accepted, but its value is silently dropped. Mark it with `deprecated: true` in a "
    "published version first.",
    _LIFE,
    mirror="property-added",
)
RENAMED = policy(
    "property-renamed",
    "A property is gone, and the same schema stands under a new name.",
    "Readers look under the new name and find nothing in the messages of old writers. Keep both names, and mark the old "
    "one obsolete.",
    _LIFE,
    mirror="property-renamed",
)
OBSOLETE_REMOVED = policy(
    "obsolete-property-removed",
    "A property that was marked obsolete is gone.",
    "This is how a field should go, under a new major version: for a producer once no live consumer requires it, for a "
    "consumer once every queue has drained of it.",
    _LIFE,
    mirror="property-added",
)
REQUIRED_ADDED = inclusion(
    "required-added",
    "A property must be there that could be left out before.",
    "Messages without it are refused. Make it optional, with a default in the reader, until every writer sends it.",
    _REQUIRED,
    mirror="required-removed",
)
REQUIRED_REMOVED = inclusion(
    "required-removed",
    "A property may be left out that had to be there before.",
    "Readers on the old version refuse messages without it.",
    _REQUIRED,
    mirror="required-added",
)
DEPENDENT_ADDED = inclusion(
    "dependent-required-added",
    "A property must now be there wherever another one is.",
    "Messages with the one and without the other are refused.",
    _DEPENDENT,
    mirror="dependent-required-removed",
)
DEPENDENT_REMOVED = inclusion(
    "dependent-required-removed",
    "A property need no longer be there where another one is.",
    "Readers on the old version refuse messages with the one and without the other.",
    _DEPENDENT,
    mirror="dependent-required-added",
)
RULES = (
    ADDED, REMOVED, RENAMED, OBSOLETE_REMOVED, REQUIRED_ADDED, REQUIRED_REMOVED, DEPENDENT_ADDED, DEPENDENT_REMOVED,
)  # fmt: skip


def named_properties(at: Pair) -> Iterator[Fact]:
    """States which properties have come, gone, and changed their name."""
    if "object" not in at.shared_types or not (at.gone or at.come):
        return
    renamed = _renames(at)
    for name in at.gone:
        start = at.old.properties[name][0]
        probes: Probes = {
            "policy": at.probe(True, Property(name)),
        }
        if not at.unsent(name, at.place.new):
            # Once the name means nothing any more, anything may stand under it: the old version accepts only its own.
            probes["forward"] = at.refused_by(tuple(at.old.properties[name]), Property(name))
        refusal = refusals(at.new, at, name, at.old.properties[name])
        if refusal:
            probes["backward"] = refusal
        if name in renamed:
            successor = renamed[name]
            come = at.new.properties[successor]
            if not refusal and not at.unsent(successor, at.place.old):
                probes["backward"] = at.refused_by(tuple(come), Property(successor))
            refusal = refusals(at.old, at, successor, come)
            if refusal:
                probes["forward"] = refusal
            yield at.fact(
                RENAMED, f"{shown(name)} is gone and {shown(successor)} was added with the same schema: a rename",
                old=start, new=come[0], side="old", level="breaking", probes=probes,
            )  # fmt: skip
        elif name in at.obsolete:
            yield at.fact(
                OBSOLETE_REMOVED, f"the obsolete property {shown(name)} is gone",
                old=start, alone=True, level="breaking", probes=probes,
            )  # fmt: skip
        else:
            yield at.fact(
                REMOVED, f"the property {shown(name)} is gone, and was not marked obsolete before",
                old=start, alone=True, level="breaking", probes=probes,
            )  # fmt: skip
    for name in at.come:
        if name in renamed.values():
            continue
        starts = at.new.properties[name]
        # Where the old version could not send the name, that is told at once: most added properties are of this kind.
        unsent = at.unsent(name, at.place.old)
        probes = {
            "backward": at.probe(False, Property(name)) if unsent else at.refused_by(tuple(starts), Property(name))
        }
        refusal = refusals(at.old, at, name, starts)
        if refusal:
            probes["forward"] = refusal
        yield at.fact(ADDED, f"the property {shown(name)} was added", new=starts[0], alone=True, probes=probes)


def refusals(side: Side, at: Pair, name: str, starts: list[Start]) -> Probe | None:
    """How a side that does not name a property may refuse it; None where it cannot."""
    closed = any(
        held is False for keyword in ("additionalProperties", "unevaluatedProperties") for held in side.values(keyword)
    )
    # Under the closed model what a reader does not declare is refused: whether it declares the name the search knows.
    if closed or at.options.content_model == "closed":
        return at.probe(True, Property(name))
    others = side.of("additionalProperties") or side.of("unevaluatedProperties")
    return at.refused_by(others, Property(name), writer=tuple(starts)) if others else None


def _renames(at: Pair) -> dict[str, str]:
    """Old name → new name, where each is the other's only candidate (annotations apart)."""
    if not at.gone or not at.come:
        return {}
    old = {name: _content(at.old.properties[name]) for name in at.gone if name not in at.obsolete}
    new = {name: _content(at.new.properties[name]) for name in at.come}
    contents_old, contents_new = list(old.values()), list(new.values())
    return {
        name: next(other for other, held in new.items() if held == content)
        for name, content in old.items()
        if contents_old.count(content) == 1 and contents_new.count(content) == 1
    }


def _content(starts: list[Start]) -> str:
    return text_key([bare(start.node) for start in starts])


def required(at: Pair) -> Iterator[Fact]:
    """Compares the names that must be there; a name that is described is named at its own place."""
    if "object" not in at.shared_types:
        return
    old = _required(at.old)
    new = _required(at.new)
    yield from _required_facts(at, new, old, added=True)
    yield from _required_facts(at, old, new, added=False)


def _required(side: Side) -> dict[str, Part]:
    return {name: part for part, held in side.by.get("required", ()) if isinstance(held, list) for name in held}


def _required_facts(at: Pair, names: dict[str, Part], others: dict[str, Part], *, added: bool) -> Iterator[Fact]:
    rule = REQUIRED_ADDED if added else REQUIRED_REMOVED
    direction: Direction = "backward" if added else "forward"
    undescribed: dict[str, Part] = {}
    for name, part in names.items():
        if name in others:
            continue
        start, other = _described(at, name, new=added), _described(at, name, new=not added)
        if start is None and other is None:
            undescribed[name] = part
            continue
        message = f"{shown(name)} {'must be there now' if added else 'may be left out now'}"
        new, old = (start, other) if added else (other, start)
        yield at.fact(
            rule, message, new=new, old=old, alone=True,
            probes={direction: at.probe({"type": "object", "not": {"required": [name]}})},
        )  # fmt: skip
    if undescribed:
        part = next(iter(undescribed.values()))
        message = f"{listing(undescribed)} {'must be there now' if added else 'may be left out now'}"
        yield at.fact(
            rule, message, new=part if added else None, old=None if added else part,
            probes={direction: at.probe({"type": "object", "not": {"required": list(undescribed)}})},
        )  # fmt: skip


def _described(at: Pair, name: str, *, new: bool) -> Start | None:
    starts = (at.new if new else at.old).properties.get(name)
    return starts[0] if starts else None


def dependent_required(at: Pair) -> Iterator[Fact]:
    """Compares the names that must be there beside others."""
    if "object" not in at.shared_types:
        return
    old, new = _dependent(at.old), _dependent(at.new)
    for ours, theirs, rule in ((new, old, DEPENDENT_ADDED), (old, new, DEPENDENT_REMOVED)):
        differing = {name: [n for n in held if n not in theirs.get(name, ())] for name, held in ours.items()}
        differing = {name: held for name, held in differing.items() if held}
        if not differing:
            continue
        texts = [f"{listing(held)} where {shown(name)} is" for name, held in differing.items()]
        direction: Direction = "backward" if rule is DEPENDENT_ADDED else "forward"
        verb = "must be there now" if rule is DEPENDENT_ADDED else "need not be there any more"
        where: dict[str, Any] = {
            "old": at.old.holder("dependentRequired", "dependencies"),
            "new": at.new.holder("dependentRequired", "dependencies"),
        }
        cases = [{"required": [name], "not": {"required": held}} for name, held in differing.items()]
        yield at.fact(
            rule, f"{'; '.join(texts[:3])}{'; …' if len(texts) > 3 else ''} {verb}", **where,
            probes={direction: at.probe({"type": "object", "anyOf": cases})},
        )  # fmt: skip


def _dependent(side: Side) -> dict[str, list[str]]:
    """The names that each name brings, less what is required anyway."""
    always = _required(side)
    found: dict[str, list[str]] = {}
    for keyword in ("dependentRequired", "dependencies"):
        for _, held in side.by.get(keyword, ()):
            for name, names in held.items():
                if isinstance(names, list):
                    known = found.setdefault(name, [])
                    known += [n for n in names if n != name and n not in always and n not in known]
    return found
