"""Pairs the operations of two documents, like with like, and asks the rules about each pair."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from deedbox.checker.apis.findings import ADDS, BREAKS, LOSES, Findings
from deedbox.checker.model import Witness
from deedbox.checker.openapi import heads, messages, payloads, security
from deedbox.checker.openapi.context import Context
from deedbox.checker.openapi.paths import normalised, route_version, without_version
from deedbox.checker.openapi.reading import base_of
from deedbox.checker.openapi.rules import operations as rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deedbox.checker.apis.cursor import Cursor
    from deedbox.checker.apis.positions import Position
    from deedbox.checker.openapi.model import Api, Operation

_Key = tuple[str, str]


class Pairing:
    """Two documents, what differs between them, and the pairs of schemas that are left to decide.

    Args:
        old: the earlier version.
        new: the later one.
        same: whether the two places certainly say the same, references followed: such operations cost nothing more.
        contract: for the findings' fingerprints.
    """

    def __init__(self, old: Api, new: Api, same: Callable[[str, str], bool], contract: str) -> None:
        self.old, self.new, self.same = old, new, same
        self.findings = Findings(contract)
        self.positions: list[Position] = []
        self.renamed = security.renamed(old, new)
        self._seen: dict[str, Cursor] = {}
        self._media: dict[int, dict[str, set[str]]] = {}

    def compare(self) -> None:
        """Fills `findings` and `positions`."""
        pairs, gone, come = self._paired()
        users: dict[str, list[Operation]] = {}
        for before, after in pairs:
            self._operation(before, after)
            named = {n for r in before.security for n in r.schemes} & {n for r in after.security for n in r.schemes}
            for name in named:
                users.setdefault(name, []).append(before)
        self._gone(gone)
        self._come(come)
        self._webhooks()
        security.schemes(self.old, self.new, self.findings, users)
        if self.old.servers != self.new.servers:
            self.findings.at(
                rules.SERVERS_CHANGED, self.new.root, "new",
                f"the addresses were {', '.join(self.old.servers) or '/'} and are {', '.join(self.new.servers) or '/'}",
                {"policy": ("additive", "annotation")},
            )  # fmt: skip

    def _paired(self) -> tuple[list[tuple[Operation, Operation]], list[Operation], list[Operation]]:
        """Operations with the same method and path; what is left is paired by the path with its server's own before it."""
        old, new = dict(self.old.operations), dict(self.new.operations)
        pairs = [(old.pop(key), new.pop(key)) for key in [k for k in old if k in new]]
        routes: dict[_Key, _Key] = {}
        for key, operation in new.items():
            routes.setdefault((key[0], normalised(base_of(operation) + operation.path)), key)
        for key, operation in list(old.items()):
            other = routes.get((key[0], normalised(base_of(operation) + operation.path)))
            if other is not None and other in new:
                pairs.append((old.pop(key), new.pop(other)))
        return pairs, list(old.values()), list(new.values())

    def _operation(self, old: Operation, new: Operation) -> None:
        at = Context(
            (self.old, self.new), old, new, self.findings, self.positions, self.renamed, self._seen, self._media
        )
        self._marks(at)
        if (
            self.same(old.at.location, new.at.location)
            and old.parameters.keys() == new.parameters.keys()
            and all(self.same(p.at.location, new.parameters[k].at.location) for k, p in old.parameters.items())
        ):
            security.requirements(at)
            return
        heads.parameters(at)
        payloads.request_body(at)
        payloads.responses(at)
        security.requirements(at)
        self._callbacks(at)

    def _marks(self, at: Context) -> None:
        old, new = at.old, at.new
        if old.deprecated != new.deprecated:
            rule = rules.DEPRECATED if new.deprecated else rules.NOT_DEPRECATED
            at.annotate(
                rule, new.at, "new", f"{new.label} is {'' if new.deprecated else 'no longer '}marked deprecated"
            )
        heads.sunset(at, (old.sunset, new.sunset), new.at, new.label, lambda: messages.request(old))
        if old.operation_id != new.operation_id:
            at.annotate(
                rules.ID_CHANGED, new.at, "new",
                f"the operationId was {old.operation_id or 'none'} and is {new.operation_id or 'none'}",
            )  # fmt: skip
        if old.tags != new.tags:
            at.annotate(rules.TAGS_CHANGED, new.at, "new", "the operation has other tags", level="patch")
        if old.servers != new.servers and (old.servers, new.servers) != (self.old.servers, self.new.servers):
            at.annotate(
                rules.SERVERS_CHANGED, new.at, "new",
                f"the addresses were {', '.join(old.servers) or '/'} and are {', '.join(new.servers) or '/'}",
            )  # fmt: skip
        at.texts(old.at, new.at, new.label)

    def _callbacks(self, at: Context) -> None:
        for key, before in at.old.callbacks.items():
            after = at.new.callbacks.get(key)
            if after is not None:
                self._operation(before, after)
            else:
                at.say(
                    rules.CALLBACK_REMOVED, before.at, "old", f"the callback {key[0]} is sent no more", {"backward": LOSES},
                    old=before.at.value, witness=partial(messages.request, before),
                    why="clients wait for it, and it is never sent",
                )  # fmt: skip
        for key, after in at.new.callbacks.items():
            if key not in at.old.callbacks:
                at.annotate(rules.CALLBACK_ADDED, after.at, "new", f"the callback {key[0]} is new")

    def _webhooks(self) -> None:
        for key, before in self.old.webhooks.items():
            after = self.new.webhooks.get(key)
            if after is not None:
                self._operation(before, after)
                continue
            self.findings.at(
                rules.WEBHOOK_REMOVED, before.at, "old", f"the webhook {before.path} is sent no more", {"backward": LOSES},
                reach=before.label, old=before.at.value,
                witness=partial(_asked, before, "clients wait for it, and it is never sent"),
            )  # fmt: skip
        for key, after in self.new.webhooks.items():
            if key not in self.old.webhooks:
                self.findings.at(
                    rules.WEBHOOK_ADDED, after.at, "new", f"the webhook {after.path} is new",
                    {"policy": ("additive", "annotation")}, reach=after.label,
                )  # fmt: skip

    def _gone(self, gone: list[Operation]) -> None:
        left = [o for o in gone if not self._whole_version(gone, self.new.operations, o)]
        for version, operations in _by_version([o for o in gone if o not in left]).items():
            first = operations[0]
            other = sorted({v for o in self.new.operations.values() if (v := route_version(o.path))})
            for operation in operations:
                self.findings.at(
                    rules.VERSION_REMOVED, first.at, "old",
                    f"version {version} of the API is gone{f': {chr(44).join(other)} left' if other else ''}",
                    {"backward": BREAKS}, reach=operation.label, old=version,
                    witness=partial(_asked, first, "404: no such version any more"),
                )  # fmt: skip
        for operation in left:
            heir = self._like(operation, self.new.operations)
            note = f"; {heir.label} is like it" if heir is not None else ""
            was = ", which was marked deprecated," if operation.deprecated else ""
            status = "405" if any(k[1] == normalised(operation.path) for k in self.new.operations) else "404"
            self.findings.at(
                rules.REMOVED, operation.at, "old", f"{operation.label}{was} is gone{note}", {"backward": BREAKS},
                reach=operation.label, old=operation.at.value, detail=operation.label,
                witness=partial(
                    _asked, operation, f"{status}: the provider has no such operation any more"
                ),
            )  # fmt: skip

    def _come(self, come: list[Operation]) -> None:
        left = [o for o in come if not self._whole_version(come, self.old.operations, o)]
        for version, operations in _by_version([o for o in come if o not in left]).items():
            first = operations[0]
            for operation in operations:
                self.findings.at(
                    rules.VERSION_ADDED, first.at, "new", f"version {version} of the API is new", {"forward": BREAKS},
                    reach=operation.label, new=version,
                    witness=partial(_asked, first, "404: an old provider has no such version"),
                )  # fmt: skip
        for operation in left:
            self.findings.at(
                rules.ADDED, operation.at, "new", f"{operation.label} is new", {"backward": ADDS, "forward": BREAKS},
                reach=operation.label, new=operation.at.value, detail=operation.label,
                witness=partial(_asked, operation, "404: an old provider has no such operation"),
            )  # fmt: skip

    @staticmethod
    def _whole_version(changed: list[Operation], other: Mapping[_Key, Operation], operation: Operation) -> bool:
        """Whether the operation's version has come or gone as a whole, beside others."""
        version = route_version(operation.path)
        return (
            version is not None
            and sum(route_version(o.path) == version for o in changed) > 1
            and not any(route_version(o.path) == version for o in other.values())
            and any(route_version(o.path) is not None for o in other.values())
        )

    @staticmethod
    def _like(operation: Operation, others: Mapping[_Key, Operation]) -> Operation | None:
        """The same operation under another version's route."""
        route = normalised(without_version(operation.path))
        for (method, path), other in others.items():
            if method != operation.method or path == normalised(operation.path):
                continue
            if route_version(other.path) is not None and normalised(without_version(other.path)) == route:
                return other
        return None


def _asked(operation: Operation, why: str) -> Witness:
    return Witness(messages.request(operation), why)


def _by_version(operations: list[Operation]) -> dict[str, list[Operation]]:
    found: dict[str, list[Operation]] = {}
    for operation in operations:
        found.setdefault(route_version(operation.path) or "", []).append(operation)
    return found
