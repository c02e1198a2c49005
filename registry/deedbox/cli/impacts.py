"""`impact`: which contracts a pointer asks about, and the registry's answers as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from deedbox.cli.draining import split
from deedbox.cli.errors import UsageError
from deedbox.cli.exits import Exit, worst
from deedbox.cli.plain import json_text, plural, printable
from deedbox.cli.report import link_sentence
from deedbox.cli.reports.text import MARKS, witness_lines
from deedbox.client import Problem
from deedbox.client.values import link_from_dict

if TYPE_CHECKING:
    from deedbox.cli.project import Project
    from deedbox.client import RegistryClient


def asked(field: str, project: Project | None) -> list[tuple[str, str]]:
    """Contracts and pointers: the one of `CONTRACT#POINTER`, else the pointer in each contract of the project.

    Raises:
        UsageError: it is neither, or there is no project with contracts.
    """
    if not field.startswith("/"):
        return [split(field)]
    if project is None or not project.contracts:
        raise UsageError(f"{field} of which contract? Write CONTRACT#{field}, or ask in the folder of a deedbox.toml")
    return [(contract.full_name, field) for contract in project.contracts]


def ask(client: RegistryClient, fields: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """The registry's answer for each contract that has the field.

    Raises:
        UsageError: none has it. ClientError: the registry did not say.
    """
    found, missing = [], []
    for contract, pointer in fields:
        try:
            found.append(client.impact(contract, pointer))
        except Problem as problem:
            if problem.status != 404:
                raise
            missing.append(problem.detail)
    if not found:
        raise UsageError("; ".join(missing))
    return found


def exit_of(found: Sequence[Mapping[str, Any]]) -> Exit:
    """No where a live link would break; unknown where that could not be told."""
    return worst(_exit(answer) for answer in found)


def _exit(answer: Mapping[str, Any]) -> Exit:
    held = [link["holds"] for link in answer["links"]]
    if False in held:
        return Exit.NO
    return Exit.UNKNOWN if None in held or answer["verdict"] in (None, "undecided") else Exit.FINE


def as_json(found: Sequence[Mapping[str, Any]]) -> str:
    """The answers as JSON."""
    return json_text(list(found), 2) + "\n"


def as_text(found: Sequence[Mapping[str, Any]]) -> str:
    """The answers, a block for each contract."""
    return "\n".join("".join(f"{line}\n" for line in _block(answer)) for answer in found)


def _block(answer: Mapping[str, Any]) -> Iterator[str]:
    title = click.style(printable(f"{answer['contract']} {answer['version']}: {answer['field']}"), bold=True)
    yield f"{title} ({printable(answer['type'])}, {answer['presence']})"
    if answer["obsolete_since"]:
        yield f"  marked obsolete since {printable(answer['obsolete_since'])}"
    else:
        yield '  not marked obsolete: publish it with "deprecated": true before it goes, so that everybody is told'
    yield from (
        f"  it drains: {d['state']} (deedbox drain {printable(answer['contract'] + '#' + d['pointer'])})"
        for d in answer["drains"]
    )
    by, needs, spares = (
        ("sent by", "in every message", "in some messages")
        if answer["role"] == "consumes"
        else ("read by", "which requires it", "which does without it, too")
    )
    for other in answer["others"]:
        said = needs if other["presence"] == "required" else spares
        yield f"  {by} {printable(other['contract'])} {printable(other['version'])}, {said}"
    if not answer["others"]:
        yield f"  {by} nobody who is linked with this contract"
    yield from _removal(answer)


def _removal(answer: Mapping[str, Any]) -> Iterator[str]:
    if answer["verdict"] is None:
        yield "  its removal was not judged: that can be done of properties, named by themselves, of a JSON Schema"
        return
    doubtful = [link for link in map(link_from_dict, answer["links"]) if link.holds is not True]
    hit = sum(link.holds is False for link in doubtful)
    breaks = f"breaks {plural(hit, 'live link')}" if hit else "breaks no live link"
    said = breaks if hit or not doubtful else "could not be told of all links"
    bump = f", a {answer['bump']} version" if answer["bump"] in ("major", "minor", "patch") else ""
    yield f"  if it goes: {answer['verdict']}{bump}; {said}"
    for link in doubtful:
        sentence = link_sentence(link)
        yield f"    {MARKS[link.holds]} {printable(sentence)}"
        yield from witness_lines(link.witness, sentence, "      ")
