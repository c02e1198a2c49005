"""`try` and `check --observed`: proposed contracts against the messages that really travel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deedbox.cli.errors import UsageError
from deedbox.cli.plain import plural, printable, shorten
from deedbox.cli.progress import counting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from deedbox.checker.documents import Document
    from deedbox.cli.project import Contract, Project
    from deedbox.cli.report import Change
    from deedbox.kafka.broker import Broker
    from deedbox.kafka.judging.validation import CompiledSchema
    from deedbox.kafka.lookup import Lookup, Version
    from deedbox.kafka.trying import Kind, Trial

_JUDGED = "json-schema"
"""The format that messages are judged by."""
_MOST_KINDS = 10
"""Kinds of failures that are printed."""


def find(project: Project | None, name: str, file: str | None, topics: Sequence[str]) -> Contract:
    """The contract to try: of the project file, or as the arguments say it.

    Raises:
        UsageError: no file or no topic is known of it.
    """
    from deedbox.cli.project import Contract

    known = next((c for c in project.contracts if name in (c.name, c.full_name)), None) if project else None
    if known is None:
        if file is None:
            raise UsageError(f"{name}: no contract of the project file has this name; give the schema with --file")
        service, slash, own = name.partition("/")
        own_service = project.service if project is not None and project.service else ""
        known = Contract(
            name=own if slash else name,
            service=service if slash else own_service,
            file=file,
            path=Path(file),
            role="consumes",
        )
    elif file is not None:
        known = replace(known, file=file, path=Path(file))
    if topics:
        known = replace(known, channels=tuple(topics))
    if not known.channels:
        raise UsageError(f"{name}: no channel is known of it; give --topics")
    return known


def format_of(contract: Contract, document: Document) -> str:
    """The format of a contract's document: as the project file says, or the document."""
    from deedbox.checker.formats import detect

    return contract.format or detect(document)


def try_contract(broker: Broker, lookup: Lookup, contract: Contract, last: int) -> Trial:
    """Judges the last messages of a contract's channels by its file, beside the latest published version.

    Raises:
        UsageError: the file is of another format. SourceUnreadable, CheckerError: it is no schema.
        LiveError: the broker did not answer.
    """
    from deedbox.cli.checking import read_contract
    from deedbox.client.folders import text_of
    from deedbox.kafka.inspection import Inspector
    from deedbox.kafka.judging.validation import CompiledSchema
    from deedbox.kafka.lookup import Unknown
    from deedbox.kafka.trying import Proposal, attempt

    document = read_contract(contract)
    if (described := format_of(contract, document)) != _JUDGED:
        raise UsageError(
            f"{contract.full_name}: messages are tried by JSON Schema only, and {contract.file} is {described}"
        )
    published = lookup.latest(contract.full_name) if contract.service else Unknown.ABSENT
    proposal = Proposal(
        contract.full_name,
        contract.of,
        CompiledSchema(text_of(document), contract.dialect),
        _compiled(lookup, published),
        closes=contract.role == "produces" and contract.content_model != "open",
    )
    with counting("Reading", last * len(contract.channels)) as advance:
        return attempt(broker, Inspector(lookup), proposal, contract.channels, last, advance)


def observing(broker: Broker, lookup: Lookup, last: int) -> Callable[[Contract, Change], Change]:
    """What `check --observed` does with each change: adds what live messages say of it, and lets the gate heed it.

    Messages that are read today and would fail stop a consumer's change, unless it is announced as a break or accepted.
    A producer may promise less than it sent before.
    """

    def observe(contract: Contract, change: Change) -> Change:
        from deedbox.checker.policy import API_FORMATS, Refusal
        from deedbox.cli.checking import read_contract
        from deedbox.cli.report import Observed

        described = format_of(contract, read_contract(contract))
        if contract.kind == "api" or described in API_FORMATS:
            return change  # what travels by no topic
        if not contract.channels or described != _JUDGED:
            why = "it names no channel" if not contract.channels else f"its messages are described by {described}"
            return replace(change, observed=Observed((f"no message was looked at, for {why}",), {"judged": 0}))
        trial = try_contract(broker, lookup, contract, last)
        said: tuple[str, ...]
        if trial.judged <= trial.unreadable:
            said = (f"assumed that writers send only what they declare: {sentence(trial)}",)
        else:
            said = (sentence(trial), *declared(trial), *_shown(trial))
        change = replace(change, observed=Observed(said, as_object(contract.full_name, trial)))
        if trial.newly and contract.role == "consumes" and not change.allowed_by:
            refusal = Refusal(
                "observed-failing", f"{trial.newly:,} messages that are read today would fail: {sentence(trial)}"
            )
            change = replace(change, allowed=False, refusals=(*change.refusals, refusal))
        return change

    return observe


def _shown(trial: Trial) -> Iterator[str]:
    for kind in trial.worst[:3]:
        for where, body in list(_samples(kind))[:3]:
            yield f"{where} fails ({kind.fault.rule} at {kind.fault.pointer or 'the root'}): {shorten(body)}"


def _compiled(lookup: Lookup, version: Version | Any) -> CompiledSchema | None:
    from deedbox.kafka.lookup import Version

    return lookup.compiled(version) if isinstance(version, Version) and version.format == "json-schema" else None


def sentence(trial: Trial) -> str:
    """What a trial found, in one sentence: "12 of 5,000 messages on shop.orders would fail"."""
    on = ", ".join(trial.topics)
    gone = f"; there is no topic {' or '.join(trial.missing)} on this cluster" if trial.missing else ""
    passed = trial.read - trial.judged
    other = f"; {passed:,} more were read, of other contracts or without a value" if passed else ""
    if not trial.judged:
        return f"no message of it was found on {on}{other}{gone}"
    said = f"{trial.failing:,} of {plural(trial.judged, 'message')} on {on} would fail"
    if trial.failing:
        already = trial.failing - trial.newly
        said += f", {already:,} of them fail already" if already else ", none of them fails today"
    return said + (f"; {trial.unreadable:,} could not be read" if trial.unreadable else "") + other + gone


def declared(trial: Trial) -> Iterator[str]:
    """Of each property that is newly declared, what was seen of it: "0 of 5,000 messages carried `note` undeclared"."""
    for pointer, count in trial.undeclared.items():
        if trial.judged > trial.unreadable:
            yield f"{count:,} of {plural(trial.judged, 'message')} carried {pointer} undeclared"
        else:
            yield f"assumed: no message carried {pointer} undeclared, for none was seen"


def as_text(name: str, trial: Trial) -> str:
    """A trial for people."""
    lines = [f"{name}: {sentence(trial)}", *(f"  {line}" for line in declared(trial))]
    for kind in trial.worst[:_MOST_KINDS]:
        lines.append(f"  {kind.count:,} × {kind.fault.rule} at {kind.fault.pointer or 'the root'}: {kind.fault.reason}")
        lines += [f"    {where}: {shorten(body)}" for where, body in _samples(kind)]
    if len(trial.kinds) > _MOST_KINDS:
        lines.append(f"  and {len(trial.kinds) - _MOST_KINDS} other kinds: --format json has them all")
    return "".join(f"{printable(line)}\n" for line in lines)


def as_object(name: str, trial: Trial) -> dict[str, Any]:
    """A trial as JSON."""
    return {
        "contract": name,
        "topics": list(trial.topics),
        "missing_topics": list(trial.missing),
        "read": trial.read,
        "judged": trial.judged,
        "failing": trial.failing,
        "newly_failing": trial.newly,
        "unreadable": trial.unreadable,
        "undeclared": [{"pointer": pointer, "count": count} for pointer, count in trial.undeclared.items()],
        "kinds": [
            {
                "rule": kind.fault.rule,
                "pointer": kind.fault.pointer,
                "reason": kind.fault.reason,
                "count": kind.count,
                "newly": kind.new,
                "samples": [{"where": where, "value": body} for where, body in _samples(kind)],
            }
            for kind in trial.worst
        ],
    }


def _samples(kind: Kind) -> Iterator[tuple[str, str]]:
    for record in kind.samples:
        yield record.where, (record.value or b"").decode("utf-8", "backslashreplace")
