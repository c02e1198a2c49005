"""Compares who may call: requirements, alternatives, schemes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from deedbox.checker.apis.findings import BREAKS, LOSES
from deedbox.checker.model import Witness
from deedbox.checker.openapi import messages
from deedbox.checker.openapi.context import both
from deedbox.checker.openapi.rules import security as rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deedbox.checker.apis.cursor import Cursor
    from deedbox.checker.apis.findings import Findings
    from deedbox.checker.openapi.context import Context
    from deedbox.checker.openapi.model import Api, Operation, Requirement

_IDENTITY = ("type", "in", "name", "scheme", "openIdConnectUrl")
_LOWER = ("scheme",)


def requirements(at: Context) -> None:
    """States what became of the ways to authenticate."""
    if not at.new.received:
        return
    old, new = _alternatives(at.old, at.renamed), _alternatives(at.new, {})
    explained: set[int] = set()
    for schemes, requirement in old:
        enough = [i for i, (other, _) in enumerate(new) if _within(other, schemes)]
        if any(new[i][0] == schemes for i in enough):
            explained |= {i for i in enough if new[i][0] == schemes}
            continue
        if enough:
            explained |= set(enough)
            place = requirement.at if requirement is not None else at.old.at
            lost = _spelled(_less(schemes, new[enough[0]][0]))
            at.say(
                rules.LOOSENED, place, "old", f"{lost} {'is' if ',' not in lost else 'are'} not asked for any more",
                {"backward": LOSES}, old=_plain(schemes), new=_plain(new[enough[0]][0]),
                witness=partial(messages.with_credentials, at.old, at.apis[0], _shown(requirement)),
                why=f"it passes, but {lost} is not looked at",
            )  # fmt: skip
            continue
        stricter = [i for i, (other, _) in enumerate(new) if _within(schemes, other) or (set(other) & set(schemes))]
        explained |= set(stricter)
        if stricter or not schemes:
            target = new[stricter[0]] if stricter else new[0]
            if not schemes:
                explained.add(0)
            more = _spelled(_less(target[0], schemes))
            rule, message = rules.TIGHTENED, f"{more} must be shown now"
            place = target[1].at if target[1] is not None else at.new.at
        else:
            rule, message = rules.ALTERNATIVE_REMOVED, f"{_spelled(schemes)} no longer suffices"
            place = at.new.at if requirement is None else requirement.at
        at.say(
            rule, place, "old" if rule is rules.ALTERNATIVE_REMOVED else "new", message, {"backward": BREAKS},
            old=_plain(schemes), new=[_plain(s) for s, _ in new],
            witness=partial(messages.with_credentials, at.old, at.apis[0], _shown(requirement)),
            why="401: no requirement is met by these credentials",
        )  # fmt: skip
    for i, (schemes, requirement) in enumerate(new):
        if i in explained or any(schemes == other for other, _ in old):
            continue
        if not any(_within(other, schemes) for other, _ in old):
            at.say(
                rules.ALTERNATIVE_ADDED, requirement.at if requirement is not None else at.new.at, "new",
                f"{_spelled(schemes)} suffices now too", {"forward": BREAKS}, new=_plain(schemes),
                witness=partial(messages.with_credentials, at.new, at.apis[1], tuple(schemes)),
                why="401: an old provider knows no such way",
            )  # fmt: skip


def schemes(old: Api, new: Api, findings: Findings, users: Mapping[str, list[Operation]]) -> None:
    """States which schemes changed; `users` has the operations by the schemes that they name in both documents."""
    for name, before in old.schemes.items():
        after = new.schemes.get(name)
        if after is None or before.value == after.value:
            continue
        operations = users.get(name, [])
        changed = [key for key in _IDENTITY if _of(before, key) != _of(after, key)]
        for operation in operations if changed else ():
            findings.at(
                rules.SCHEME_CHANGED, after, "new", f"{name} is another scheme: another {', '.join(changed)}", both(),
                reach=operation.label, old=[before.raw(k) for k in _IDENTITY], new=[after.raw(k) for k in _IDENTITY],
                witness=partial(_refused, operation, old, name),
            )  # fmt: skip
        if before.raw("flows", before.raw("flow")) != after.raw("flows", after.raw("flow")):
            findings.at(
                rules.FLOWS_CHANGED, after, "new", f"the flows of {name} have other addresses or scopes",
                {"policy": ("additive", "annotation")},
            )  # fmt: skip


def _refused(operation: Operation, api: Api, name: str) -> Witness:
    return Witness(
        messages.with_credentials(operation, api, (name,)), f"401: {name} is not looked for there, or not in that form"
    )


def _of(scheme: Cursor, key: str) -> Any:
    value = scheme.raw(key)
    return value.lower() if key in _LOWER and isinstance(value, str) else value


def renamed(old: Api, new: Api) -> dict[str, str]:
    """The schemes that are called otherwise and are the same: names do not travel. Exactly one may be meant each way."""
    gone = [name for name in old.schemes if name not in new.schemes]
    come = [name for name in new.schemes if name not in old.schemes]
    found = {}
    for name in gone:
        heirs = [other for other in come if _same(old.schemes[name], new.schemes[other])]
        rivals = [other for other in gone if _same(old.schemes[name], old.schemes[other])]
        if len(heirs) == len(rivals) == 1:
            found[name] = heirs[0]
    return found


def _same(one: Cursor, other: Cursor) -> bool:
    return all(_of(one, key) == _of(other, key) for key in (*_IDENTITY, "flows", "flow"))


def _shown(requirement: Requirement | None) -> tuple[str, ...]:
    return () if requirement is None else tuple(requirement.schemes)


def _alternatives(
    operation: Operation, names: Mapping[str, str]
) -> list[tuple[Mapping[str, frozenset[str]], Requirement | None]]:
    found: list[tuple[Mapping[str, frozenset[str]], Requirement | None]] = []
    for requirement in operation.security:
        asked = {names.get(name, name): scopes for name, scopes in requirement.schemes.items()}
        if not any(asked == schemes for schemes, _ in found):
            found.append((asked, requirement))
    return found or [({}, None)]


def _within(smaller: Mapping[str, frozenset[str]], larger: Mapping[str, frozenset[str]]) -> bool:
    """Whether who meets the larger requirement meets the smaller one too."""
    return all(name in larger and scopes <= larger[name] for name, scopes in smaller.items())


def _less(larger: Mapping[str, frozenset[str]], smaller: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    return {
        name: scopes - smaller.get(name, frozenset())
        for name, scopes in larger.items()
        if name not in smaller or scopes - smaller[name]
    }


def _spelled(schemes: Mapping[str, frozenset[str]]) -> str:
    if not schemes:
        return "no credentials at all"
    return ", ".join(f"{n} ({', '.join(sorted(s))})" if s else n for n, s in schemes.items())


def _plain(schemes: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    return {name: sorted(scopes) for name, scopes in schemes.items()}
