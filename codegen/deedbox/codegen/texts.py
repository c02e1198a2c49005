"""The texts of a package that no generator writes: its `__init__.py`, its data files, its README."""

from __future__ import annotations

import json
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Any

from deedbox.checker.canonical import canonical
from deedbox.checker.json_schema.schema import Node
from deedbox.checker.json_schema.verify import presentable
from deedbox.codegen.generating import generator_version
from deedbox.codegen.naming import TAKEN
from deedbox.codegen.preparing import is_open

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from deedbox.codegen.model import Fidelity, Obsolete, PackageRequest
    from deedbox.codegen.sources import Source

_FUNCTIONS = ("downgrade", "dump", "is_valid", "parse", "upgrade", "validate")


class Texts:
    """The texts of one package. `modules` are code, `data` are resources; paths are below the version's module."""

    def __init__(
        self, request: PackageRequest, source: Source, module: str, draft: str, obsolete: Sequence[Obsolete]
    ) -> None:
        self.request, self.source, self.module, self.draft, self.obsolete = request, source, module, draft, obsolete
        self.digest = request.digest or source.digest
        line = " ".join((request.description or source.title or source.description).split())
        self.summary = (line or f"The contract {request.contract}, version {request.version}")[:500]

    def modules(self, classes: dict[str, str], models: Iterable[str]) -> dict[str, str]:
        """The code beside the models. `classes`: root → its class; `models`: every class there is."""
        runtime = resources.files("deedbox.codegen.runtime")
        modules = {"_contract.py": runtime.joinpath("contract.py").read_text(encoding="utf-8")}
        if self.request.style != "typeddict":
            modules["_base.py"] = runtime.joinpath("base.py").read_text(encoding="utf-8")
        modules["__init__.py"] = self._init(classes, sorted(set(models) | set(classes.values())))
        return modules

    def data(self, fidelity: Fidelity) -> dict[str, bytes]:
        """The resources: the schema as it is, examples, the fidelity report, the marker of PEP 561."""
        files = {
            "schema.json": canonical(self.source.schema.root),
            "examples.json": canonical({root.class_name: list(root.examples) for root in self.source.roots}),
            "fidelity.json": (json.dumps(_report(fidelity), indent=1, ensure_ascii=False) + "\n").encode(),
            "py.typed": b"",
        }
        if self.request.open_enums:
            files["reading.json"] = canonical(_with_open_enums(self.source))
        return files

    def _init(self, classes: dict[str, str], models: list[str]) -> str:
        request = self.request
        exported = [m for m in models if m not in TAKEN and m not in _FUNCTIONS and not m.startswith("_")]
        aliases = {root: name for root, name in classes.items() if root != name and root not in models}
        reading = "reading.json" if request.open_enums else "schema.json"
        roots = {root.class_name: root.pointer for root in self.source.roots}
        doc = f"{self.summary}\n\n{request.contract} {request.version}. Made from the contract: do not edit."
        single = len(classes) == 1
        missing = ["MISSING"] if request.style != "typeddict" else []
        functions = _SINGLE if single else _SEVERAL
        lines = [
            f'"""{_quoted(doc)}\n"""',
            "",
            "from __future__ import annotations",
            "",
            "from typing import Any as _Any",
            "from typing import TypeVar as _TypeVar",
            "",
            *[f"from pydantic import {name} as {name}" for name in missing],
            "",
            "from ._contract import Contract as _Contract",
            "from ._contract import ContractViolation, NoConversion, NotRepresentable",
            "from ._contract import Conversion as _Conversion",
            "from ._contract import plain_value as _plain_value",
            "from .models import (",
            *[f"    {name} as {name}," for name in exported],
            ")",
            "",
            *[f"{root} = {name}" for root, name in aliases.items()],
            "",
            f"__version__ = {request.version!r}",
            f"CONTRACT = {request.contract!r}",
            '"""The contract: `service/name`."""',
            f"VERSION = {request.version!r}",
            '"""Its version."""',
            f"DIGEST = {self.digest!r}",
            '"""SHA-256 of its publication, in hexadecimal."""',
            f"CLASSES: dict[str, _Any] = {{{', '.join(f'{root!r}: {name}' for root, name in classes.items())}}}",
            '"""The class of each message."""',
            "",
            f"_T = _TypeVar({'_T'!r})",
            "_contract_ = _Contract(",
            "    __name__,",
            "    name=CONTRACT,",
            "    version=VERSION,",
            "    digest=DIGEST,",
            f"    draft={self.draft!r},",
            f"    roots={roots!r},",
            f"    reading={reading!r},",
            f"    plain={request.style == 'typeddict'!r},",
            ")",
            Template(functions).substitute(ROOT=repr(next(iter(roots))), CLASS=next(iter(classes.values()))),
            f"__all__ = {sorted([*exported, *aliases, *missing, *_CONSTANTS, *_ERRORS, *_FUNCTIONS])!r}",
            "",
        ]
        return "\n".join(lines)

    def readme(self, fidelity: Fidelity, distribution: str) -> str:
        """The README, in Markdown: what an index shows."""
        request = self.request
        first = self.source.roots[0].class_name
        call = "parse(text)" if len(self.source.roots) == 1 else f"parse(text, {first})"
        lines = [
            f"# {request.contract} {request.version}",
            "",
            self.summary,
            "",
            "```python",
            f"from {self.module} import {first}, dump, parse, validate",
            "",
            f"message = {call}      # by the schema, then as {first}; ContractViolation says where and why not",
            "dump(message)              # the JSON value, with exactly the properties that were set",
            "```",
            "",
            f"Install `{distribution}=={request.version}`. The code is in `{self.module}`, a distribution of its own, so that",
            "two majors can be installed side by side.",
            "",
            f"| contract | `{request.contract}` |",
            "|---|---|",
            f"| version | {request.version} |",
            f"| digest | `{self.digest}` |",
        ]
        lines += [f"| owner | {request.owner} |"] if request.owner else []
        lines += ["", "## Obsolete", ""]
        if self.obsolete:
            lines += ["| what | where | since | why, and what instead |", "|---|---|---|---|"]
            lines += [f"| `{o.name}` | `{o.pointer}` | {o.since} | {_cell(o.reason)} |" for o in self.obsolete]
        else:
            lines += ["Nothing."]
        lines += [*removed_lines(request), "", "## Fidelity", "", *_fidelity_lines(fidelity), ""]
        return "\n".join(lines)


def removed_lines(request: PackageRequest) -> list[str]:
    """What a README says of the fields that a version dropped, in Markdown; nothing where it dropped none."""
    if not request.removed:
        return []
    return [
        "",
        f"## Removed in {request.version}",
        "",
        *[f"- `{where}`: {_cell(why)}" for where, why in request.removed],
    ]


_CONSTANTS = ("CLASSES", "CONTRACT", "DIGEST", "VERSION")
_ERRORS = ("ContractViolation", "NoConversion", "NotRepresentable")

_CONVERSIONS = '''
upgrade: _Conversion[_Any, RESULT] = _Conversion("upgrade", _fitting)
"""A message of an earlier version as one of this. Register how with `@upgrade.register(that.Class)`."""
downgrade: _Conversion[_Any, RESULT] = _Conversion("downgrade", _fitting)
"""A message of a later version as one of this. Register how with `@downgrade.register(that.Class)`."""
'''

_SINGLE = '''

def parse(message: _Any, /) -> $CLASS:
    """A message as an object. Text and bytes are JSON; all else is the JSON value itself.

    Raises:
        ContractViolation: the schema rejects it.
    """
    held: $CLASS = _contract_.parse(message, $CLASS, $ROOT)
    return held


def dump(message: $CLASS, /) -> _Any:
    """An object as a JSON value, with exactly the properties that were set.

    Raises:
        ContractViolation: what was set is no message of the contract.
    """
    return _contract_.dump(message, $CLASS, $ROOT)


def validate(value: _Any, /) -> None:
    """Raises unless a JSON value is a message of the contract. The schema decides.

    Raises:
        ContractViolation: with the faults and their places.
    """
    _contract_.validate(value, $ROOT)


def is_valid(value: _Any, /) -> bool:
    """Whether a JSON value is a message of the contract. The schema decides."""
    return _contract_.is_valid(value, $ROOT)


def _fitting(message: _Any) -> $CLASS:
    held: $CLASS = _contract_.read(_plain_value(message), $CLASS, $ROOT)
    return held

''' + _CONVERSIONS.replace("RESULT", "$CLASS")

_SEVERAL = '''

_ROOTS = {id(cls): root for root, cls in CLASSES.items()}


def parse(message: _Any, cls: type[_T], /) -> _T:
    """A message as an object of a class. Text and bytes are JSON; all else is the JSON value itself.

    Raises:
        ContractViolation: the schema rejects it.
    """
    held: _T = _contract_.parse(message, cls, _ROOTS[id(cls)])
    return held


def dump(message: _Any, cls: _Any = None, /) -> _Any:
    """An object as a JSON value, with exactly the properties that were set. `cls` is needed for plain values.

    Raises:
        ContractViolation: what was set is no message of the contract.
    """
    cls = cls or type(message)
    return _contract_.dump(message, cls, _ROOTS[id(cls)])


def validate(value: _Any, cls: _Any, /) -> None:
    """Raises unless a JSON value is a message of a class. The schema decides.

    Raises:
        ContractViolation: with the faults and their places.
    """
    _contract_.validate(value, _ROOTS[id(cls)])


def is_valid(value: _Any, cls: _Any, /) -> bool:
    """Whether a JSON value is a message of a class. The schema decides."""
    return _contract_.is_valid(value, _ROOTS[id(cls)])


def _fitting(message: _Any) -> _Any:
    cls = CLASSES.get(type(message).__name__)
    if cls is None:
        raise TypeError(f"no class {type(message).__name__} here")
    return _contract_.read(_plain_value(message), cls, _ROOTS[id(cls)])

''' + _CONVERSIONS.replace("RESULT", "_Any")


def _report(fidelity: Fidelity) -> dict[str, Any]:
    return {
        "generator": generator_version(),
        "messages": fidelity.messages,
        "accepted": fidelity.accepted,
        "round_tripped": fidelity.round_tripped,
        "broken": fidelity.broken,
        "rejected_by_classes": fidelity.rejected,
        "loosened": [{"pointer": line.pointer, "reason": line.reason} for line in fidelity.loosened],
        "not_enforced": [
            {"pointer": n.pointer, "keyword": n.keyword, "message": n.message} for n in fidelity.not_enforced
        ],
    }


def _fidelity_lines(fidelity: Fidelity) -> list[str]:
    lines = [
        f"Measured when the package was built: the classes took {fidelity.accepted} of {fidelity.messages} valid messages,"
        f" {fidelity.round_tripped} came out as they went in, and of {fidelity.broken} broken ones the classes alone"
        f" refused {fidelity.rejected}. `validate()` and `parse()` go by the schema and refuse all of them.",
    ]
    shown = [(line.pointer, line.reason) for line in fidelity.loosened]
    shown += [(line.pointer, line.message) for line in fidelity.not_enforced]
    if shown:
        lines += ["", "What only the schema says:", ""]
        lines += [f"- `{pointer or '/'}`: {_cell(reason)}" for pointer, reason in shown[:40]]
        if len(shown) > 40:
            lines.append(f"- and {len(shown) - 40} more, in `fidelity.json`")
    return lines


def _with_open_enums(source: Source) -> Any:
    """The schema with every enum of strings open: what messages are read by."""
    root = presentable(source.schema.root)
    pending: list[Node] = [source.schema.node]
    seen: set[Node] = set()
    while pending:
        node = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        pending += [below for _, below in node.subschemas()]
        place = root
        for token in node.pointer.split("/")[1:]:
            key = token.replace("~1", "/").replace("~0", "~")
            place = place[int(key)] if isinstance(place, list) else place[key]
        if isinstance(place, dict) and is_open(place):
            nullable = None in place.pop("enum")
            place.setdefault("type", ["string", "null"] if nullable else "string")
    from deedbox.checker.documents import load_document

    return load_document(root).value


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"').rstrip('"')


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
