"""Two AsyncAPI documents compared: each message in the direction of its operation."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from deedbox.checker.apis.content import Content
from deedbox.checker.apis.findings import ADDS, BREAKS, LOSES, Findings
from deedbox.checker.apis.outcome import comparison_of
from deedbox.checker.apis.positions import Position
from deedbox.checker.apis.samples import sample
from deedbox.checker.apis.schemas import Decided, Decider, Options
from deedbox.checker.apis.sources import bundle
from deedbox.checker.asyncapi import rules
from deedbox.checker.asyncapi.reading import Application, Message, Operation, read
from deedbox.checker.model import Inclusion, Witness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.apis.cursor import Cursor
    from deedbox.checker.apis.translation import Dialect
    from deedbox.checker.documents import Document
    from deedbox.checker.model import Comparison, ContentModel
    from deedbox.checker.rules.rule import Rule

_TEXTS = ("summary", "description", "title", "tags", "externalDocs", "examples")
_DIALECTS: tuple[Dialect, ...] = ("draft7", "draft2020-12", "openapi-3.0")


def compare_asyncapi(
    old: Document,
    new: Document,
    *,
    content_model: ContentModel,
    format_assertion: bool,
    milliseconds: float,
    algebra: bool,
    contract: str,
) -> Comparison:
    """See `deedbox.checker.compare`."""
    documents = bundle(old), bundle(new)
    content = Content(*documents)
    pairing = _Pairing(read(documents[0]), read(documents[1]), Findings(contract), content)
    pairing.compare()
    options = Options(content_model, format_assertion, milliseconds, algebra, http=False)
    decided = Decided()
    for (before, after), positions in pairing.positions.items():
        decider = Decider(documents, (before, after), positions, pairing.findings, options, content.same)
        decided.add(decider.decide())
    for direction in ("backward", "forward"):
        decided.holds[direction] += [Inclusion(None, reason=reason) for reason in pairing.undecided]
    return comparison_of("asyncapi", content_model, documents[0], documents[1], pairing.findings, decided)


class _Pairing:
    """Pairs operations by action and address, and their messages by name."""

    def __init__(self, old: Application, new: Application, findings: Findings, content: Content) -> None:
        self.old, self.new, self.findings, self.content = old, new, findings, content
        self.positions: dict[tuple[Dialect, Dialect], list[Position]] = {}
        self.undecided: list[str] = []

    def compare(self) -> None:
        """Fills `findings`, `positions` and `undecided`."""
        moved = dict(self._moved())
        for key, before in self.old.operations.items():
            after = self.new.operations.get(key)
            if after is not None:
                self._operation(before, after)
            elif key in moved:
                after = self.new.operations[moved[key]]
                self.findings.at(
                    rules.ADDRESS_CHANGED, after.channel_at, "new",
                    f"the channel was at {before.address} and is at {after.address}",
                    {"backward": BREAKS, "forward": BREAKS}, reach=after.label, old=before.address, new=after.address,
                    witness=partial(_shown, before, "nobody is at that address any more"),
                )  # fmt: skip
                self._operation(before, after)
            elif before.answers:
                if (_opposite(before.action), before.answers) in self._asked(self.new):
                    self.findings.at(
                        rules.REPLY_REMOVED, before.at, "old", f"{before.answers} has no reply any more", {"backward": LOSES},
                        reach=before.label, old=before.at.value,
                        witness=partial(_shown, before, "it is waited for, or sent to nobody"),
                    )  # fmt: skip
            else:
                verb = "sent to" if before.action == "send" else "read from"
                self.findings.at(
                    rules.OPERATION_REMOVED, before.at, "old", f"{before.address} is {verb} no more", {"backward": LOSES},
                    reach=before.label, old=before.at.value,
                    witness=partial(_shown, before, "it is never sent" if before.action == "send" else "nobody reads it"),
                )  # fmt: skip
        for key, after in self.new.operations.items():
            if key not in self.old.operations and after.answers:
                if (_opposite(after.action), after.answers) in self._asked(self.old):
                    self._note(rules.REPLY_ADDED, after.at, f"{after.answers} has a reply now", after.label)
            elif key not in self.old.operations and key not in moved.values():
                verb = "sent to" if after.action == "send" else "read from"
                self._note(rules.OPERATION_ADDED, after.at, f"{after.address} is {verb} now", after.label)
        if self.old.root.raw("servers") != self.new.root.raw("servers"):
            self._note(rules.SERVERS_CHANGED, self.new.root, "the servers are others", "")

    def _moved(self) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
        """Operations on a channel that kept its name (version 3) and changed its address."""
        come = {
            (o.action, o.channel): key
            for key, o in self.new.operations.items()
            if key not in self.old.operations and not o.answers
        }
        for key, operation in self.old.operations.items():
            if (
                key not in self.new.operations
                and not operation.answers
                and (operation.action, operation.channel) in come
            ):
                yield key, come[operation.action, operation.channel]

    @staticmethod
    def _asked(application: Application) -> set[tuple[str, str]]:
        """The operations that a reply may answer. A reply that goes with its request is no finding of its own."""
        return {(o.action, o.label) for o in application.operations.values() if not o.answers}

    def _operation(self, old: Operation, new: Operation) -> None:
        if new.answers and old.address != new.address:
            self.findings.at(
                rules.REPLY_ADDRESS, new.at, "new",
                f"{new.answers} was answered at {old.address or 'no set address'} and is at {new.address or 'no set address'}",
                {"backward": BREAKS, "forward": BREAKS}, reach=new.label, old=old.address, new=new.address,
                witness=partial(_shown, new, "nobody waits for it at that address"),
            )  # fmt: skip
        self._bindings(old.at, new.at, new.label, "operation")
        self._bindings(old.channel_at, new.channel_at, new.label, "channel")
        if old.channel_at.raw("parameters") != new.channel_at.raw("parameters"):
            self._note(
                rules.PARAMETER_CHANGED, new.channel_at, f"the parameters of {new.address} are others", new.label
            )
        self._texts(old.at, new.at, new.label)
        pairs, gone, come = _paired(old, new)
        for before, after in pairs:
            self._message(before, after, new)
        for message in gone:
            if new.action == "receive":
                weights: Any = {"backward": BREAKS}
                why = "nobody reads it"
            else:
                weights, why = {"backward": LOSES}, "it is never sent"
            self.findings.at(
                rules.MESSAGE_REMOVED, message.at, "old", f"the message {message.name} is gone from {new.address}", weights,
                reach=new.label, old=message.name, detail=message.name, witness=partial(_whole, old, message, why),
            )  # fmt: skip
        for message in come:
            self.findings.at(
                rules.MESSAGE_ADDED, message.at, "new", f"the message {message.name} is new on {new.address}",
                {"backward": BREAKS} if new.action == "send" else {"backward": ADDS, "forward": BREAKS},
                reach=new.label, new=message.name, detail=message.name,
                witness=partial(_whole, new, message, "readers know no such message"),
            )  # fmt: skip

    def _message(self, old: Message, new: Message, operation: Operation) -> None:
        self._bindings(old.at, new.at, operation.label, f"message {new.name}")
        self._texts(old.at, new.at, operation.label)
        if old.content_type != new.content_type:
            self.findings.at(
                rules.CONTENT_TYPE_CHANGED, new.at, "new",
                f"{new.name} was {old.content_type} and is {new.content_type}", {"backward": BREAKS, "forward": BREAKS},
                reach=operation.label, old=old.content_type, new=new.content_type,
                witness=partial(_whole, operation, new, f"a reader of {old.content_type} cannot decode it"),
            )  # fmt: skip
        if old.at.raw("correlationId") != new.at.raw("correlationId"):
            self._note(
                rules.CORRELATION_CHANGED, new.at, f"the correlation id of {new.name} is elsewhere", operation.label
            )
        self._position(old.headers, new.headers, "draft7", "draft7", operation, new, "headers")
        if old.language in _DIALECTS and new.language in _DIALECTS:
            self._position(old.payload, new.payload, old.language, new.language, operation, new, "payload")
        elif old.language != new.language or not self._same(old.payload, new.payload):
            named = next(str(m.language) for m in (new, old) if m.language not in _DIALECTS)
            reason = f"the payload of {new.name} changed, and {named} is not compared yet"
            self.undecided.append(reason)
            self.findings.at(
                rules.PAYLOAD_UNDECIDED, new.at, "new", reason,
                {"backward": ("undecided", "inclusion"), "forward": ("undecided", "inclusion")}, reach=operation.label,
                old=old.payload and old.payload.value, new=new.payload and new.payload.value,
            )  # fmt: skip

    def _same(self, old: Cursor | None, new: Cursor | None) -> bool:
        if old is None or new is None:
            return old is new
        return self.content.same(old.location, new.location)

    def _position(
        self,
        old: Cursor | None,
        new: Cursor | None,
        before: Dialect,
        after: Dialect,
        operation: Operation,
        message: Message,
        part: str,
    ) -> None:
        if old is None or new is None:
            return
        self.positions.setdefault((before, after), []).append(
            Position(
                old, new, "provider" if operation.action == "send" else "client", operation.label,
                f"the {part} of {message.name}", partial(_around, operation, part),
            )
        )  # fmt: skip

    def _bindings(self, old: Cursor, new: Cursor, reach: str, what: str) -> None:
        if old.raw("bindings") != new.raw("bindings"):
            self._note(rules.BINDINGS_CHANGED, new, f"the {what} has other bindings", reach)

    def _texts(self, old: Cursor, new: Cursor, reach: str) -> None:
        changed = [key for key in _TEXTS if old.raw(key) != new.raw(key)]
        if changed:
            self._note(rules.TEXT_CHANGED, new, f"another {', '.join(changed)}", reach, patch=True)

    def _note(self, rule: Rule, place: Cursor, message: str, reach: str, *, patch: bool = False) -> None:
        level: Any = "patch" if patch else "additive"
        self.findings.at(rule, place, "new", message, {"policy": (level, "annotation")}, reach=reach)


def _paired(old: Operation, new: Operation) -> tuple[list[tuple[Message, Message]], list[Message], list[Message]]:
    """Messages by name; one alone on both sides is the same, whatever it is called: the name does not travel."""
    if len(old.messages) == len(new.messages) == 1:
        return [(next(iter(old.messages.values())), next(iter(new.messages.values())))], [], []
    pairs = [(m, new.messages[name]) for name, m in old.messages.items() if name in new.messages]
    gone = [m for name, m in old.messages.items() if name not in new.messages]
    come = [m for name, m in new.messages.items() if name not in old.messages]
    return pairs, gone, come


def _opposite(action: str) -> str:
    return "send" if action == "receive" else "receive"


def _around(operation: Operation, part: str, value: Any) -> dict[str, Any]:
    return {"channel": operation.address, part: value}


def _whole(operation: Operation, message: Message, why: str) -> Witness:
    value: dict[str, Any] = {"channel": operation.address, "headers": {"content-type": message.content_type}}
    if message.language in _DIALECTS:
        value["payload"] = sample(message.payload)
    return Witness(value, why)


def _shown(operation: Operation, why: str) -> Witness:
    message = next(iter(operation.messages.values()), None)
    return Witness({"channel": operation.address}, why) if message is None else _whole(operation, message, why)
