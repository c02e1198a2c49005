"""Decides the schema positions of an API: each pair of schemas is one question, put once, in the direction of its writer."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from deedbox.checker import pointers
from deedbox.checker.apis.findings import ApiFact, Weight
from deedbox.checker.apis.formats import refusing_format
from deedbox.checker.apis.samples import dressed, sampled
from deedbox.checker.apis.translation import Reading, Translator, widened
from deedbox.checker.apis.units import Pair, Reach, Units
from deedbox.checker.apis.wholes import Question, Wholes
from deedbox.checker.budget import Budget
from deedbox.checker.json_schema.comparing import Task
from deedbox.checker.json_schema.facts import Fact
from deedbox.checker.json_schema.inclusion import Reading as Taken
from deedbox.checker.json_schema.inclusion import Search
from deedbox.checker.model import ContentModel, Direction, Inclusion, Witness
from deedbox.checker.patterns import UnusablePattern
from deedbox.checker.pointers import join, split
from deedbox.checker.rules import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

    from deedbox.checker.apis.findings import Findings
    from deedbox.checker.apis.positions import Position, Writer
    from deedbox.checker.apis.sources import ApiBundle
    from deedbox.checker.apis.translation import Dialect
    from deedbox.checker.apis.wholes import Asks
    from deedbox.checker.json_schema.schema import Schema

_LEAST = 250.0
"""Milliseconds that a question may take, once the time for all of them is up."""
_AT_ONCE = 2
"""Questions that the time that is left is shared by: most need a thousandth of it, and a hard one what the others leave."""
_TO_THE_LETTER = frozenset({"max-properties-lowered", "max-properties-raised"})
"""Rules about names that a schema does not list: a limit on their number would say nothing of a writer that sends listed names only."""
_REQUIRED = frozenset({"required-added", "required-removed"})
API_DIRECTIONS: tuple[Direction, Direction] = ("backward", "forward")


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller asks of every question. `milliseconds` is for all of them together."""

    content_model: ContentModel
    format_assertion: bool
    milliseconds: float
    algebra: bool
    http: bool = True
    """Whether it is about requests and responses, which have conventions of their own, and not about messages."""


@dataclass(slots=True)
class Decided:
    """What all positions say together, by the API's directions."""

    holds: dict[Direction, list[Inclusion]] = field(default_factory=lambda: {"backward": [], "forward": []})
    equal: list[bool | None] = field(default_factory=list)

    def add(self, other: Decided) -> None:
        """Takes in what other positions say."""
        for direction, inclusions in other.holds.items():
            self.holds[direction] += inclusions
        self.equal += other.equal


@dataclass(slots=True)
class _Answer:
    """One pair of schemas, as decided once: its facts have pointers from the schema's own root."""

    facts: list[tuple[Fact, dict[Direction, tuple[Weight, Witness | None]]]]
    inclusions: dict[Direction, Inclusion]
    equal: bool | None


class Decider:
    """Puts the questions of two documents.

    Args:
        documents: old and new.
        dialects: of their schemas.
        positions: the pairs in question.
        findings: where the facts go.
        options: see there.
    """

    def __init__(
        self,
        documents: tuple[ApiBundle, ApiBundle],
        dialects: tuple[Dialect, Dialect],
        positions: list[Position],
        findings: Findings,
        options: Options,
        same: Callable[[str, str], bool],
    ) -> None:
        self.documents, self.dialects = documents, dialects
        self.positions, self.findings, self.options, self.same = positions, findings, options, same
        siblings = (dialects[0] == "draft2020-12", dialects[1] == "draft2020-12")
        self.never_null = dialects == ("openapi-3.0", "openapi-3.0")
        self.units = Units(documents, siblings, same)
        self.asked: dict[tuple[Pair, Writer], list[Reach]] = {}
        """Every pair of schemas that was in question, with the positions that it reaches; filled by `decide`."""
        self._translators: dict[tuple[int, Reading], Translator] = {}
        self._wholly: dict[tuple[int, Reading], Translator] = {}
        """For whole bodies alone: what they have translated stays."""
        self.wholes = Wholes(self.units, self._whole, options)

    def decide(self) -> Decided:
        """Decides every position that is not certainly the same on both sides."""
        decided = Decided()
        alike = self.dialects[0] == self.dialects[1]
        asked = self.asked = self.units.asked(self.positions, alike=alike)
        deadline = time.monotonic() + self.options.milliseconds / 1_000
        left = len(asked)
        for (pair, writer), reaches in asked.items():
            share = max(_LEAST, (deadline - time.monotonic()) * 1_000 / min(left, _AT_ONCE))
            left -= 1
            answer = self._answer(pair, writer, share)
            for direction in API_DIRECTIONS:
                inclusion = answer.inclusions[direction]
                # The finding shows the whole message: this one is of the schema alone.
                decided.holds[direction].append(Inclusion(inclusion.holds, inclusion.proof, inclusion.reason))
            decided.equal.append(answer.equal)
            self._report(answer, pair, writer, reaches)
        return decided

    def _report(self, answer: _Answer, pair: Pair, writer: Writer, reaches: list[Reach]) -> None:
        first = reaches[0]
        for fact, weights in answer.facts:
            place = first.position.new if fact.side == "new" else first.position.old
            pointer = first.paths[fact.side == "new"] + fact.pointer
            location = fact.location or pair[1 if fact.side == "new" else 0]
            where = f"{first.position.where}{pointer and ' at ' + pointer}: "
            for direction, (weight, witness) in weights.items():
                asks: Asks = (
                    "refused" if weight[1] == "inclusion" else "letter" if fact.rule.id in _TO_THE_LETTER else "shared"
                )
                question = Question(pair, writer, direction, reaches)
                shown = partial(self.wholes.witness, question, witness, asks) if witness is not None else None
                stated = ApiFact(
                    fact.rule, place.pointer + pointer, location, fact.side, where + fact.message, {direction: weight},
                    fact.old, fact.new, shown,
                )  # fmt: skip
                for reach in reaches:
                    self.findings.add(stated, reach.position.reach)

    def _whole(self, pair: Pair, writer: Writer, direction: Direction) -> tuple[Schema, Schema, Direction]:
        return self._schemas(pair, writer, direction, cuts=[], translators=self._wholly)

    def _schemas(
        self,
        pair: Pair,
        writer: Writer,
        direction: Direction,
        cuts: list[Pair],
        translators: dict[tuple[int, Reading], Translator],
    ) -> tuple[Schema, Schema, Direction]:
        """Both sides as an API's direction asks for them, and that direction as schemas have it."""
        union = self.options.http and self.options.content_model == "tolerant"
        # Backward: old clients and the new provider. Whoever is on the reading side is read as a reader.
        old_reads = (writer == "provider") == (direction == "backward")
        sides = []
        for i, reads in enumerate((old_reads, not old_reads)):
            reading = Reading(writer, reads, union, self.options.http, self.never_null)
            translator = translators.get((i, reading))
            if translator is None:
                translator = translators[i, reading] = Translator(self.documents[i], self.dialects[i], reading)
            sides.append(translator.closure(pair[i], frozenset(cut[i] for cut in cuts)))
        if union and writer == "provider":
            if old_reads:
                sides[0] = widened(sides[0], sides[1])
            else:
                sides[1] = widened(sides[1], sides[0])
        return sides[0], sides[1], "forward" if old_reads else "backward"

    def _cuts(self, pair: Pair, writer: Writer) -> list[Pair]:
        """Where the question stops: nowhere, if what stands for the components leaves a side no value at all."""
        unit = self.units.unit(pair)
        if not unit.cuts or not unit.composed:
            return unit.cuts
        for schema in self._schemas(pair, writer, "backward", unit.cuts, self._translators)[:2]:
            search = Search(format_assertion=self.options.format_assertion)
            with suppress(UnusablePattern):
                if search.find([Taken(schema.node, False)], [], Budget(milliseconds=_LEAST)).status == "empty":
                    return []
        return unit.cuts

    def _equal(self, pair: Pair, writer: Writer, cuts: list[Pair], milliseconds: float) -> bool | None:
        """Whether both say the same, before any side is read with a reader's tolerance."""
        reading = Reading(writer, False, False, self.options.http, self.never_null)
        old, new = (
            Translator(self.documents[i], self.dialects[i], reading).closure(pair[i], frozenset(cut[i] for cut in cuts))
            for i in (0, 1)
        )
        task = Task(
            old, new, self.options.content_model, self.options.format_assertion, milliseconds, self.options.algebra, ""
        )
        if task.identical:
            return True
        return task.equal(task.inclusion("backward"), task.inclusion("forward"))

    def _answer(self, pair: Pair, writer: Writer, milliseconds: float) -> _Answer:
        facts: dict[tuple[str, str, str], tuple[Fact, dict[Direction, tuple[Weight, Witness | None]]]] = {}
        inclusions: dict[Direction, Inclusion] = {}
        cuts = self._cuts(pair, writer)
        equal = self._equal(pair, writer, cuts, milliseconds / 2)
        unsaid = not self.units.said(1, pair[1])
        for direction in API_DIRECTIONS:
            before, after, asked = self._schemas(pair, writer, direction, cuts, self._translators)
            task = Task(
                before,
                after,
                self.options.content_model,
                self.options.format_assertion,
                milliseconds / 2,
                self.options.algebra,
                "",
            )
            inclusion = task.inclusion(asked)
            if inclusion.holds is None and task.proved_to_the_letter(asked):
                inclusion = Inclusion(True, "search")
            found, unread = task.facts
            if unread:
                # Policy needs the facts: without them a removal might pass unseen.
                facts["undecided", "policy", ""] = (_undecided(unread), {"policy": (("undecided", "inclusion"), None)})
            explained = False
            for fact in found:
                if fact.rule.kind == "policy" and unsaid:
                    continue  # no schema is said any more: what it listed may be there as before
                weighed = self._weighed(task, fact, asked, inclusion, equal, direction)
                if fact.rule.id in _REQUIRED and self._required_alike(fact, pair):
                    # Only the reader's default tells the sides apart, and nobody changed it.
                    weighed = {d: w for d, w in weighed.items() if w[0][0] == "breaking"}
                    if not weighed:
                        continue
                entry = facts.setdefault((fact.rule.id, fact.side, fact.pointer), (fact, {}))
                entry[1].update(weighed)
                explained |= any(w[0] == "breaking" and w[1] == "inclusion" for w, _ in weighed.values())
                if inclusion.holds is None and any(w == ("breaking", "inclusion") for w, _ in weighed.values()):
                    inclusion = Inclusion(False, witness=next(w for _, w in weighed.values() if w is not None))
            if inclusion.holds is not True and not explained:
                fact = _unexplained(task, asked, inclusion)
                level: Weight = ("breaking" if inclusion.holds is False else "undecided", "inclusion")
                facts[fact.rule.id, direction, fact.pointer] = (fact, {direction: (level, inclusion.witness)})
            inclusions[direction] = inclusion
        return _Answer(list(facts.values()), inclusions, equal)

    def _required_alike(self, fact: Fact, pair: Pair) -> bool:
        """Whether both documents require the property that a fact is about."""
        side = 1 if fact.side == "new" else 0
        rest = fact.location.removeprefix(pair[side]) if fact.location.startswith(pair[side] + "/") else None
        for i in (0, 1):
            tokens = split(fact.location if rest is None else pair[i] + rest)
            if tokens[-2:-1] != ["properties"]:
                return False
            *holder, _, name = tokens
            try:
                required = pointers.get(self.documents[i].value, join("", *holder)).get("required", ())
            except (LookupError, ValueError, AttributeError):
                return False
            if not isinstance(required, list) or name not in required:
                return False
        return True

    def _weighed(
        self, task: Task, fact: Fact, asked: Direction, inclusion: Inclusion, equal: bool | None, direction: Direction
    ) -> dict[Direction, tuple[Weight, Witness | None]]:
        """What a fact means in one of the API's directions."""
        weighed: dict[Direction, tuple[Weight, Witness | None]] = {}
        probe = fact.probes.get(asked)
        if probe is not None:
            level, witness = task.level(asked, probe, inclusion, equal)
            if fact.rule.kind == "inclusion" or level == "breaking":
                weighed[direction] = ((level, "inclusion"), witness)
            if level != "breaking" and self.options.http and fact.rule.id in _TO_THE_LETTER:
                witness = task.to_the_letter(asked, probe)
                if witness is not None:
                    weighed[direction] = (("breaking", "policy"), witness)
        if fact.rule.kind == "policy" and direction == "backward" and direction not in weighed:
            # What is gone is missed by the clients, whichever way the message goes; a client that no longer looks breaks nobody.
            shared = fact.probes.get("policy")
            witness = (task.shared(fact, shared) if shared is not None else None) or _likely(task, fact)
            weighed[direction] = ((fact.level or "breaking", "policy"), witness)
        elif fact.rule.kind == "annotation":
            if self.options.http and fact.rule.id == "format-changed":
                breaks, witness = refusing_format(task, fact, asked)
                if breaks:
                    weighed[direction] = (("breaking", "policy"), witness)
                    return weighed
            weighed["policy"] = ((fact.level or "patch", "annotation"), None)
        elif not weighed and fact.rule.kind == "inclusion":
            weighed[direction] = (("patch" if equal else "additive", "inclusion"), None)
        return weighed


def _undecided(reason: str) -> Fact:
    return Fact(catalogue()["undecided"], "", "", "new", reason, None, None, {}, "undecided")


def _unexplained(task: Task, asked: Direction, inclusion: Inclusion) -> Fact:
    """What stands for an inclusion that fails, or is undecided, without a rule that says why."""
    if inclusion.holds is None:
        return _undecided(inclusion.reason)
    rule = catalogue()["accepts-less" if asked == "backward" else "accepts-more"]
    return Fact(
        rule, "", "", "new", rule.title[:1].lower() + rule.title[1:-1], task.old.root, task.new.root, {}, "breaking"
    )


def _likely(task: Task, fact: Fact) -> Witness | None:
    """A believable message with what is gone, where the search found none in time and both sides take it all the same."""
    if fact.side != "old":
        return None
    root = task.old.root
    for plain in (False, True):
        try:
            gone = sampled(root, fact.location, plain=plain)
            value = dressed(root, "", fact.pointer, gone, plain=plain)
        except (LookupError, ValueError, TypeError):
            continue
        if all(task.readers[side].accepts(value) is True for side in ("old", "new")):
            return Witness(value, fact.message)
    return None
