"""What the comparison of two operations knows and gathers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from deedbox.checker.apis.findings import ADDS, BREAKS, LOSES, Findings, Weight
from deedbox.checker.model import Direction, Level, Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deedbox.checker.apis.cursor import Cursor
    from deedbox.checker.apis.positions import Position, Writer
    from deedbox.checker.openapi.model import Api, Operation
    from deedbox.checker.rules.rule import Rule

TEXTS = ("summary", "description", "externalDocs", "example", "examples")


@dataclass(slots=True)
class Context:
    """A pair of operations under comparison. Facts go to `findings`, schemas to `positions`."""

    apis: tuple[Api, Api]
    old: Operation
    new: Operation
    findings: Findings
    positions: list[Position]
    renamed: Mapping[str, str]
    """Security schemes of the old document that have another name in the new one."""
    seen: dict[str, Cursor]
    """Where a cause that many operations repeat was met first."""
    media: dict[int, dict[str, set[str]]]

    @property
    def label(self) -> str:
        """The operation's name."""
        return self.new.label

    def first(self, cause: str, place: Cursor) -> Cursor:
        """The place where a cause was met first, which its one finding is shown at."""
        return self.seen.setdefault(cause, place)

    def media_versions(self, api: Api) -> dict[str, set[str]]:
        """The versions that the media types of one of the two APIs tell. Worked out when first asked for: it reads every response."""
        from deedbox.checker.openapi.versions import media_versions

        found = self.media.get(id(api))
        if found is None:
            found = self.media[id(api)] = media_versions(api)
        return found

    def say(
        self,
        rule: Rule,
        place: Cursor,
        side: Literal["new", "old"],
        message: str,
        weights: Mapping[Direction, Weight],
        *,
        old: Any = None,
        new: Any = None,
        witness: Callable[[], Any] | None = None,
        why: str = "",
        detail: str = "",
    ) -> None:
        """States a fact about this operation; `witness` makes the message, `why` says what becomes of it."""
        self.findings.at(
            rule, place, side, message, weights, reach=self.label, old=old, new=new, detail=detail,
            witness=None if witness is None else lambda: Witness(witness(), why or message),
        )  # fmt: skip

    def annotate(self, rule: Rule, place: Cursor, side: Literal["new", "old"], message: str, *, level: Level = "additive",
                 detail: str = "") -> None:  # fmt: skip
        """States a fact that breaks nobody."""
        self.findings.at(rule, place, side, message, {"policy": (level, "annotation")}, reach=self.label, detail=detail)

    def texts(self, old: Cursor, new: Cursor, what: str) -> None:
        """States that words or examples changed."""
        from deedbox.checker.openapi.rules.operations import TEXT_CHANGED

        changed = [key for key in TEXTS if old.raw(key) != new.raw(key)]
        if changed:
            self.annotate(TEXT_CHANGED, new, "new", f"{what}: another {', '.join(changed)}", level="patch")


def removed(reader: Writer, *, required: bool) -> dict[Direction, Weight]:
    """What it means that a named value is gone from a message that `reader` reads.

    What the client sent is dropped, or what it read is missing. Where it was required, whoever is still on the old version and
    reads the message refuses it as well.
    """
    weights: dict[Direction, Weight] = {"backward": LOSES}
    if required:
        weights["forward" if reader == "provider" else "backward"] = BREAKS
    return weights


def added(reader: Writer, *, required: bool) -> dict[Direction, Weight]:
    """What it means that a named value is new in a message that `reader` reads."""
    if not required:
        return {"backward": ADDS}
    return {"backward" if reader == "provider" else "forward": BREAKS}


def refuses(reader: Writer, *, more: bool) -> dict[Direction, Weight]:
    """What it means that the messages that `reader` reads became fewer, or (`more`) more."""
    forwards = (reader == "provider") == more
    return {"forward" if forwards else "backward": BREAKS}


def both() -> dict[Direction, Weight]:
    """Either side misreads the other."""
    return {"backward": BREAKS, "forward": BREAKS}
