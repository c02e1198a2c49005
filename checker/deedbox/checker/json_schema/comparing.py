"""Two JSON Schemas compared: inclusions by the decision procedure, findings by the walker, each with its own proof."""

from __future__ import annotations

import hashlib
import logging
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from deedbox.checker.budget import Budget
from deedbox.checker.canonical import canonical, digest
from deedbox.checker.documents import Document, load_document
from deedbox.checker.json_schema import algebra as set_algebra
from deedbox.checker.json_schema.inclusion import Outcome, Reading, Search
from deedbox.checker.json_schema.metaschema import check_schema
from deedbox.checker.json_schema.probes import Probe, placed, probe_schema
from deedbox.checker.json_schema.schema import Schema
from deedbox.checker.json_schema.verify import Reader, presentable
from deedbox.checker.json_schema.walker import walk
from deedbox.checker.model import Comparison, ContentModel, Direction, Finding, Inclusion, Kind, Level, Witness
from deedbox.checker.patterns import UnusablePattern
from deedbox.checker.rules import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from deedbox.checker.json_schema.facts import Fact

logger = logging.getLogger(__name__)

_NODES = 400_000
_DIRECTION_SHARE = 0.4
"""The part of the time that one direction's inclusion may take; what is left goes to findings."""
_FINDING_SHARE = 0.25
"""The part of what is left that one finding's witness may take."""
_MANY = 60
"""Facts from which on a witness is made by changing one message at one place, before a search of its own is tried."""


def compare_schemas(
    old: Document,
    new: Document,
    *,
    content_model: ContentModel,
    dialect: str | None,
    format_assertion: bool,
    milliseconds: float,
    algebra: bool,
    contract: str,
) -> Comparison:
    """See `deedbox.checker.compare`."""
    schemas = [_read(document, dialect) for document in (old, new)]
    task = Task(schemas[0], schemas[1], content_model, format_assertion, milliseconds, algebra, contract)
    backward, forward = task.inclusion("backward"), task.inclusion("forward")
    facts, unread = task.facts
    equal = task.equal(backward, forward)
    findings = list(task.findings(facts, {"backward": backward, "forward": forward}, equal))
    # A finding's own search may find what the whole direction's could not.
    backward, forward = task.settled("backward", backward, findings), task.settled("forward", forward, findings)
    findings += task.unexplained({"backward": backward, "forward": forward}, findings)
    if unread:
        # Policy needs the facts: without them a removal might pass unseen.
        findings.append(task.undecided("policy", unread))
    return Comparison(
        format="json-schema",
        content_model=content_model,
        old_digest=schemas[0].digest,
        new_digest=schemas[1].digest,
        backward=backward,
        forward=forward,
        equal=equal,
        findings=tuple(findings),
    )


def read_schema(document: Document, dialect: str | None = None) -> Schema:
    """A document as a schema that its metaschema accepts and whose references all lead somewhere.

    Raises:
        DocumentError: see `Schema` and `check_schema`.
    """
    return _read(document, dialect)


def _read(document: Document, dialect: str | None) -> Schema:
    from deedbox.checker.errors import DocumentError

    try:
        schema = Schema(document, dialect)
    except DocumentError as error:
        if error.line is None and error.pointer is not None:
            error.line, error.column = document.position(error.pointer) or (None, None)
        raise
    check_schema(document, schema.dialect)
    return schema


class Task:
    """One question and its facts: two schemas, their readers, and the time that is left."""

    def __init__(
        self,
        old: Schema,
        new: Schema,
        content_model: ContentModel,
        format_assertion: bool,
        milliseconds: float,
        algebra: bool,
        contract: str,
    ) -> None:
        self.old, self.new, self.model, self.contract = old, new, content_model, contract
        self.milliseconds, self.deadline = milliseconds, time.monotonic() + milliseconds / 1_000
        self.format_assertion = format_assertion
        self.search = Search(format_assertion=format_assertion)
        self.readers = {
            "old": Reader(old, format_assertion=format_assertion),
            "new": Reader(new, format_assertion=format_assertion),
        }
        self.operands = {"old": set_algebra.Operand(old), "new": set_algebra.Operand(new)}
        self.algebra = algebra and not format_assertion
        self.writer_closed = content_model != "open"
        self.reader_closed = content_model == "closed"

    @cached_property
    def identical(self) -> bool:
        """Whether both are one document and one dialect."""
        return self.old.digest == self.new.digest and self.old.dialect is self.new.dialect

    def sides(self, direction: Direction) -> tuple[str, str]:
        """Writer and reader of a direction."""
        return ("new", "old") if direction == "forward" else ("old", "new")

    def reading(self, side: str, *, closed: bool) -> Reading:
        """One side's schema as the search takes it."""
        return Reading((self.old if side == "old" else self.new).node, closed)

    def budget(self, share: float) -> Budget:
        """A part of the time that is left."""
        left = max(0.0, (self.deadline - time.monotonic()) * 1_000)
        return Budget(_NODES, max(1.0, left * share))

    def find(self, accepts: Sequence[Reading], rejects: Sequence[Reading], share: float) -> Outcome:
        """One search, within a part of the time that is left."""
        if time.monotonic() > self.deadline:
            # Before any work: with thousands of facts the little that each search does unasked adds up.
            return Outcome("unknown", reason=f"{self.milliseconds:g} ms were not enough")
        return self._searched(accepts, rejects, self.budget(share))

    def _searched(self, accepts: Sequence[Reading], rejects: Sequence[Reading], budget: Budget) -> Outcome:
        try:
            return self.search.find(accepts, rejects, budget)
        except UnusablePattern as error:
            return Outcome("unknown", reason=str(error))

    @cached_property
    def facts(self) -> tuple[list[Fact], str]:
        """What the walker states, and why it could not (empty where it could)."""
        if self.identical:
            return [], ""
        try:
            return (
                walk(self.old, self.new, content_model=self.model, format_assertion=self.format_assertion),
                "",
            )
        except UnusablePattern as error:
            return [], str(error)

    @property
    def many(self) -> bool:
        """Whether there are too many facts for a search of the whole schema for each."""
        return len(self.facts[0]) > _MANY

    def inclusion(self, direction: Direction) -> Inclusion:
        """`writer ⊆ reader`, decided cheapest first."""
        if self.identical:
            return Inclusion(True, "identical")
        writer, reader = self.sides(direction)
        if self.algebra and self.proved_by_algebra(writer, reader):
            return self._unless_empty(writer, Inclusion(True, "algebra"))
        outcome = self.find(
            [self.reading(writer, closed=self.writer_closed)],
            [self.reading(reader, closed=self.reader_closed)],
            _DIRECTION_SHARE,
        )
        if outcome.status == "empty":
            return self._unless_empty(writer, Inclusion(True, "search"))
        if outcome.status == "unknown":
            return Inclusion(None, reason=outcome.reason)
        witness = self.confirmed(direction, outcome.value)
        if witness is None:
            return Inclusion(None, reason=f"a counterexample was found that could not be confirmed: {self.doubt()}")
        return Inclusion(False, witness=witness)

    def proved_by_algebra(self, writer: str, reader: str) -> bool:
        """Whether the algebra's YES settles it.

        It reads both sides to the letter. That proves the tolerant question too, whose writer admits less; not the
        closed one, whose reader does.
        """
        return not self.reader_closed and set_algebra.proves_inclusion(self.operands[writer], self.operands[reader])

    def _unless_empty(self, writer: str, proved: Inclusion) -> Inclusion:
        """A proof, unless the writer admits something and its closed reading nothing: then nothing was said."""
        if not self.writer_closed:
            return proved
        closed = self.find([self.reading(writer, closed=True)], [], _DIRECTION_SHARE)
        if closed.status != "empty":
            return proved
        letter = self.find([self.reading(writer, closed=False)], [], _DIRECTION_SHARE)
        if letter.status == "empty":
            return proved
        return Inclusion(None, reason="read closed the writer admits no message at all: declare what it sends")

    def proved_to_the_letter(self, direction: Direction) -> bool:
        """Whether the inclusion holds with the writer read to the letter: it then holds however the writer is read."""
        writer, reader = self.sides(direction)
        outcome = self.find(
            [self.reading(writer, closed=False)],
            [self.reading(reader, closed=self.reader_closed)],
            _DIRECTION_SHARE,
        )
        return outcome.status == "empty"

    def confirmed(self, direction: Direction, value: Any) -> Witness | None:
        """A counterexample as a witness, once both validators confirm it; None (and a log entry) where they do not."""
        writer, reader = self.sides(direction)
        accepted = self.readers[writer].accepts(value, closed=self.writer_closed)
        rejected = self.readers[reader].accepts(value, closed=self.reader_closed)
        if accepted is not True or rejected is not False:
            # Where a validator could not judge it, nobody was wrong.
            logger.log(
                logging.DEBUG if None in (accepted, rejected) else logging.ERROR,
                "unconfirmed witness: %s, %s accepts: %s, %s accepts: %s, value: %s",
                direction, writer, accepted, reader, rejected, canonical(value).decode()[:2_000],
            )  # fmt: skip
            return None
        return Witness(presentable(value), self.readers[reader].why(value))

    def doubt(self) -> str:
        """Why a counterexample may go unconfirmed, in words."""
        costs = [schema.measures.cost or schema.measures.objection for schema in (self.old, self.new)]
        return next((cost for cost in costs if cost), "the two validators do not agree on it")

    def equal(self, backward: Inclusion, forward: Inclusion) -> bool | None:
        """Whether both accept the same, to the letter and read closed. Asked only where both directions hold."""
        if self.identical:
            return True
        if backward.holds is False or forward.holds is False:
            return False
        if backward.holds is None or forward.holds is None:
            return None
        answers = []
        for closed in (False, True):
            for writer, reader in (("old", "new"), ("new", "old")):
                if not closed and self.algebra and self._letter_proved(writer, reader):
                    continue
                outcome = self.find(
                    [self.reading(writer, closed=closed)],
                    [self.reading(reader, closed=closed)],
                    _DIRECTION_SHARE,
                )
                if outcome.status == "found":
                    return False
                answers.append(outcome.status == "empty")
        return True if all(answers) else None

    def _letter_proved(self, writer: str, reader: str) -> bool:
        return set_algebra.proves_inclusion(self.operands[writer], self.operands[reader])

    def findings(
        self, facts: Sequence[Fact], inclusions: dict[Direction, Inclusion], equal: bool | None
    ) -> Iterator[Finding]:
        """Each fact with the level its proof gives it, per direction in which it can break."""
        for fact in facts:
            for direction, probe in fact.probes.items():
                if direction == "policy":
                    continue
                level, witness = self.level(direction, probe, inclusions[direction], equal)
                if fact.rule.kind == "inclusion" or level == "breaking":
                    yield self.finding(fact, direction, level, witness, kind="inclusion")
            if fact.rule.kind != "inclusion":
                shared = fact.probes.get("policy")
                witness = self.shared(fact, shared) if shared is not None else None
                yield self.finding(fact, "policy", fact.level or "patch", witness, kind=fact.rule.kind)

    def level(
        self, direction: Direction, probe: Probe, inclusion: Inclusion, equal: bool | None
    ) -> tuple[Level, Witness | None]:
        """Whether a fact breaks its direction: asked of the search with the fact's own probe."""
        if inclusion.holds is True:
            return ("patch" if equal else "additive"), None
        outcome = self.probed(direction, probe)
        if outcome.status == "found":
            witness = self.confirmed(direction, outcome.value)
            if witness is not None:
                return "breaking", witness
        return ("additive" if outcome.status == "empty" else "undecided"), None

    def probed(self, direction: Direction, probe: Probe) -> Outcome:
        """A whole message in which the probe's place has the fact's values, accepted by the writer, not by the reader."""
        writer, reader = self.sides(direction)
        fragment = probe.fragment
        if fragment is None:
            writes = [Reading(probe.writer)] if probe.writer is not None else []
            reads = [Reading(probe.reader)] if probe.reader is not None else []
            local = self.find(writes, reads, _FINDING_SHARE)
            if local.status != "found":
                return local
            fragment = {"const": local.value}
        if self.many and (made := self.changed_at(probe, fragment, {writer: True, reader: False})) is not None:
            return made
        return self.find(
            [self.reading(writer, closed=self.writer_closed), _probe_reading(probe, fragment)],
            [self.reading(reader, closed=self.reader_closed)],
            _FINDING_SHARE,
        )

    @cached_property
    def ordinary(self) -> Outcome:
        """A message that both sides accept."""
        both = [self.reading(side, closed=self.writer_closed) for side in ("old", "new")]
        return self.find(both, [], _FINDING_SHARE)

    def changed_at(self, probe: Probe, fragment: Any, wanted: Mapping[str, bool]) -> Outcome | None:
        """The ordinary message with a value of the fragment at the probe's place, if the sides answer it as wanted.

        A search for each fact looks at the whole schema each time, which thousands of facts cannot afford.
        """
        if self.ordinary.status != "found":
            return None
        local = self.find([_reading(fragment)], [], _FINDING_SHARE)
        if local.status != "found":
            return None
        message = placed(self.ordinary.value, probe.path, local.value)
        if message is None or any(self.readers[side].quickly(message) is not answer for side, answer in wanted.items()):
            return None
        return Outcome("found", message)

    def to_the_letter(self, direction: Direction, probe: Probe) -> Witness | None:
        """What shows a fact where the writer, too, is read to the letter; None where nothing does."""
        writer, reader = self.sides(direction)
        outcome = self.find(
            [self.reading(writer, closed=False), _probe_reading(probe, probe.fragment)],
            [self.reading(reader, closed=False)],
            _FINDING_SHARE,
        )
        if outcome.status != "found" or self.readers[writer].accepts(outcome.value) is not True:
            return None
        if self.readers[reader].accepts(outcome.value) is not False:
            return None
        return Witness(presentable(outcome.value), self.readers[reader].why(outcome.value))

    def shared(self, fact: Fact, probe: Probe) -> Witness | None:
        """For a policy finding: a message that both sides accept and that has a value at the place in question."""
        return self.shown(self.both(probe), fact.message)

    def both(self, probe: Probe) -> Outcome:
        """A message that both sides accept, the old one as it is sent, with the probe's values."""
        fragment = True if probe.fragment is None else probe.fragment
        outcome = self.changed_at(probe, fragment, {"old": True, "new": True}) if self.many else None
        if outcome is None:
            outcome = self.find(
                [
                    self.reading("old", closed=self.writer_closed),
                    self.reading("new", closed=False),
                    _probe_reading(probe, fragment),
                ],
                [],
                _FINDING_SHARE,
            )
        return outcome

    def shown(self, outcome: Outcome, why: str) -> Witness | None:
        """What was found for both sides as a witness, once the validators confirm it; None where they do not."""
        if outcome.status != "found":
            return None
        accepted = [self.readers[side].accepts(outcome.value) for side in ("old", "new")]
        if accepted != [True, True]:
            logger.error("unconfirmed shared message: %s", canonical(outcome.value).decode()[:2_000])
            return None
        return Witness(presentable(outcome.value), why)

    def wholly(
        self, direction: Direction, probe: Probe, asks: Literal["refused", "shared", "letter"], milliseconds: float
    ) -> Outcome:
        """A message with the probe's values that shows what is asked, searched for in a time of its own.

        Asked is one that the reader refuses, that it refuses where both are read to the letter, or that both take.
        """
        budget = Budget(_NODES, milliseconds)
        probed = _probe_reading(probe, probe.fragment)
        if asks == "shared":
            both = [self.reading("old", closed=self.writer_closed), self.reading("new", closed=False)]
            return self._searched([*both, probed], [], budget)
        writer, reader = self.sides(direction)
        closed = asks == "refused"
        return self._searched(
            [self.reading(writer, closed=self.writer_closed and closed), probed],
            [self.reading(reader, closed=self.reader_closed and closed)],
            budget,
        )

    def finding(
        self, fact: Fact, direction: Direction, level: Level, witness: Witness | None, *, kind: Kind
    ) -> Finding:
        """A fact with its level and fingerprint."""
        return Finding(
            rule=fact.rule.id,
            kind=kind,
            pointer=fact.pointer,
            location=fact.location,
            level=level,
            direction=direction,
            message=fact.message,
            witness=witness,
            fingerprint=fingerprint(fact.rule.id, self.contract, fact.pointer, fact.old, fact.new),
            side=fact.side,
        )

    def settled(self, direction: Direction, inclusion: Inclusion, findings: Sequence[Finding]) -> Inclusion:
        """The direction's answer, with a finding's witness where its own search had given up."""
        if inclusion.holds is None:
            for finding in findings:
                if finding.direction == direction and finding.kind == "inclusion" and finding.level == "breaking":
                    return Inclusion(False, witness=finding.witness)
        return inclusion

    def unexplained(self, inclusions: dict[Direction, Inclusion], findings: Sequence[Finding]) -> list[Finding]:
        """A finding for each direction that fails, or is undecided, without a rule that says why."""
        rules = catalogue()
        extra = []
        for direction, inclusion in inclusions.items():
            own = [f for f in findings if f.direction == direction]
            side = "new" if direction == "backward" else "old"
            if inclusion.holds is False and not any(f.level == "breaking" for f in own):
                assert inclusion.witness is not None
                rule = rules["accepts-less" if direction == "backward" else "accepts-more"]
                pointer = self.readers[side].fault_location(inclusion.witness.value)
                extra.append(self.whole(rule.id, pointer, "breaking", direction, rule.title, inclusion.witness))
            elif inclusion.holds is None:
                extra.append(self.undecided(direction, inclusion.reason))
        return extra

    def undecided(self, direction: Direction, reason: str) -> Finding:
        """The finding that a direction, or policy, is an open question."""
        return self.whole("undecided", "", "undecided", direction, f"{direction}: {reason}", None)

    def whole(
        self, rule: str, pointer: str, level: Level, direction: Direction, message: str, witness: Witness | None
    ) -> Finding:
        """A finding about the documents as a whole; its pointer, where it has one, is the reader's."""
        print_ = fingerprint(f"{rule}:{direction}", self.contract, pointer, self.old.root, self.new.root)
        side: Literal["new", "old"] = "old" if pointer and direction == "forward" else "new"
        return Finding(rule, "inclusion", pointer, pointer, level, direction, message, witness, print_, side)


def fingerprint(rule: str, contract: str, pointer: str, old: Any, new: Any) -> str:
    """Twelve hexadecimal digits that stay the same as long as the change does: never of the message's text."""
    parts = [rule, contract, pointer, *("" if side is None else digest(side) for side in (old, new))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _probe_reading(probe: Probe, fragment: Any) -> Reading:
    return _reading(probe_schema(probe, fragment))


def _reading(fragment: Any) -> Reading:
    return Reading(Schema(load_document(fragment, "probe"), "draft2020-12").node)
