"""A place in an API document: its value, the path that led there, and where that path ends after references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from deedbox.checker import pointers
from deedbox.checker.apis.errors import NotAnApi, ReferenceCycle
from deedbox.checker.errors import UnresolvedReference
from deedbox.checker.pointers import join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.documents import Document

_MAX_CHAIN = 50


class Cursor:
    """A place. `pointer` is the resolved path from the root, `location` where it is written."""

    __slots__ = ("document", "location", "pointer", "value")

    def __init__(self, document: Document, value: Any, pointer: str = "", location: str = "") -> None:
        self.document, self.value, self.pointer, self.location = document, value, pointer, location

    def __repr__(self) -> str:
        return f"Cursor({self.pointer!r} at {self.location!r})"

    def fault(self, message: str, *tokens: str | int) -> NotAnApi:
        """An error about this place, or one below it."""
        location = join(self.location, *tokens)
        line, column = self.document.position(location) or (None, None)
        return NotAnApi(message, source=self.document.name, pointer=location, line=line, column=column)

    def has(self, key: str) -> bool:
        """Whether there is such a member."""
        return isinstance(self.value, dict) and key in self.value

    def raw(self, key: str, default: Any = None) -> Any:
        """A member's value as it is written."""
        return self.value.get(key, default) if isinstance(self.value, dict) else default

    def child(self, *tokens: str | int) -> Cursor:
        """The place below, which must be there."""
        value = self.value
        for token in tokens:
            value = value[token]
        return Cursor(self.document, value, join(self.pointer, *tokens), join(self.location, *tokens))

    def resolved(self) -> Cursor:
        """What the place is after its `$ref`s: the path stays, the location moves.

        Raises:
            UnresolvedReference, ReferenceCycle: with pointer and line.
        """
        here, seen = self, {self.location}
        while isinstance(here.value, dict) and isinstance(here.value.get("$ref"), str):
            location = target_of(here.value["$ref"])
            try:
                if location is None:
                    raise KeyError(here.value["$ref"])
                value = pointers.get(self.document.value, location)
            except (LookupError, ValueError):
                raise self._error(
                    UnresolvedReference, here, f"{here.value['$ref']!r} leads nowhere: there is nothing at that place"
                ) from None
            if location in seen or len(seen) > _MAX_CHAIN:
                raise self._error(ReferenceCycle, here, f"{here.value['$ref']!r} leads back to itself")
            seen.add(location)
            here = Cursor(self.document, value, self.pointer, location)
        return here

    def _error(self, kind: Any, here: Cursor, message: str) -> Exception:
        line, column = self.document.position(join(here.location, "$ref")) or (None, None)
        error: Exception = kind(message, source=self.document.name, pointer=here.location, line=line, column=column)
        return error

    def object(self, key: str) -> Cursor | None:
        """A member that is an object, after references; None without it.

        Raises:
            NotAnApi: it is something else.
        """
        value = self.raw(key)
        if value is None:
            return None
        found = self.child(key).resolved()
        if not isinstance(found.value, dict):
            raise self.fault(f"{key} must be an object", key)
        return found

    def members(self, key: str) -> Iterator[tuple[str, Cursor]]:
        """The members of a member that is an object of named things, each after its references. Extensions are left out."""
        holder = self.object(key)
        if holder is not None:
            for name in holder.value:
                if not name.startswith("x-") or key in ("headers", "parameters", "schemas"):
                    found = holder.child(name).resolved()
                    if not isinstance(found.value, dict):
                        raise holder.fault(f"{name} must be an object", name)
                    yield name, found

    def items(self, key: str) -> Iterator[Cursor]:
        """The items of a member that is an array, each after its references.

        Raises:
            NotAnApi: it is no array, or an item no object.
        """
        value = self.raw(key)
        if value is None:
            return
        if not isinstance(value, list):
            raise self.fault(f"{key} must be an array", key)
        for i in range(len(value)):
            found = self.child(key, i).resolved()
            if not isinstance(found.value, dict):
                raise self.fault(f"an item of {key} must be an object", key, i)
            yield found

    def text(self, key: str, default: str = "") -> str:
        """A member that is a string."""
        value = self.raw(key, default)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self.fault(f"{key} must be a string", key)
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """A member that is true or false."""
        value = self.raw(key, default)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.fault(f"{key} must be true or false", key)
        return value


def target_of(reference: str) -> str | None:
    """The pointer that a reference within the document names; None for any other reference."""
    if reference == "#":
        return ""
    return unquote(reference[1:]) if reference.startswith("#/") else None
