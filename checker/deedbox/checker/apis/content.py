"""Which places of two documents certainly say the same, references followed. Costs little more than reading them once."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from deedbox.checker import pointers
from deedbox.checker.apis.cursor import target_of
from deedbox.checker.json_schema.sameness import same

if TYPE_CHECKING:
    from deedbox.checker.apis.sources import ApiBundle

_MISSING = object()


class _Index:
    """The references of a document, in the order of their pointers."""

    def __init__(self, document: ApiBundle) -> None:
        self.document = document
        ordered = sorted(
            (pointer, target)
            for pointer, holder in document.references
            if (target := target_of(holder["$ref"])) is not None
        )
        self._pointers = [pointer for pointer, _ in ordered]
        self._targets = [target for _, target in ordered]
        self.targets = set(self._targets)

    def below(self, location: str) -> list[tuple[str, str]]:
        """(pointer, target) of each reference at or below a place."""
        found = []
        # "0" is the character after "/": what starts with the location and a slash lies between the two.
        for low, high in ((location, location + "\0"), (location + "/", location + "0")):
            start, end = bisect_left(self._pointers, low), bisect_left(self._pointers, high)
            found += list(zip(self._pointers[start:end], self._targets[start:end], strict=True))
        return found

    def value(self, location: str) -> Any:
        try:
            return pointers.get(self.document.value, location)
        except (LookupError, ValueError):
            return _MISSING


class Content:
    """What two documents say alike."""

    def __init__(self, old: ApiBundle, new: ApiBundle) -> None:
        self.old, self.new = _Index(old), _Index(new)
        self._known: dict[tuple[str, str], bool] = {}
        self._changed = self._spread()

    def _spread(self) -> set[str]:
        """The targets of references that differ, or lead to something that does."""
        users: dict[str, list[str]] = {}
        changed = []
        for target in self.old.targets | self.new.targets:
            before, after = self.old.value(target), self.new.value(target)
            if before is _MISSING or after is _MISSING or not same(before, after):
                changed.append(target)
                continue
            for _, below in self.old.below(target):
                users.setdefault(below, []).append(target)
        found = set(changed)
        while changed:
            for user in users.get(changed.pop(), ()):
                if user not in found:
                    found.add(user)
                    changed.append(user)
        return found

    def same(self, old: str, new: str) -> bool:
        """Whether what stands at the one place in the old document and at the other in the new one means the same."""
        known = self._known.get((old, new))
        if known is None:
            known = self._known[old, new] = self._same(old, new)
        return known

    def _same(self, old: str, new: str) -> bool:
        before, after = self.old.value(old), self.new.value(new)
        if before is _MISSING or after is _MISSING or not same(before, after):
            return False
        return not self._changed or not any(target in self._changed for _, target in self.old.below(old))
