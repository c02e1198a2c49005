"""What another `format` means to those who exchange values.

JSON Schema takes it for a remark; clients and providers of an API parse by it. So it is a policy: who reads a format that the
other side does not promise may get what it cannot parse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema.probes import Probe
from deedbox.checker.model import Witness

if TYPE_CHECKING:
    from deedbox.checker.json_schema.comparing import Task
    from deedbox.checker.json_schema.facts import Fact
    from deedbox.checker.model import Direction

HINTS = frozenset({"password", "binary", ""})
"""Formats that restrict no value."""
_WIDER = {
    "int32": {"int64", "double", "float"}, "int64": set(), "float": {"double"}, "email": {"idn-email"},
    "hostname": {"idn-hostname"}, "uri": {"uri-reference", "iri", "iri-reference"}, "iri": {"iri-reference"},
    "uri-reference": {"iri-reference"}, "uuid": set(),
}  # fmt: skip
"""Each format with those that take all of its values (OpenAPI format registry; JSON Schema 2020-12 validation §7.3)."""
_NOT: dict[str, list[Any]] = {
    "int32": [2**31], "int64": [2**63], "float": [1e300], "double": [10**400],
}  # fmt: skip
"""Values that a format does not take, to show one."""


def refusing_format(task: Task, fact: Fact, asked: Direction) -> Witness | None:
    """A message that the writer sends and whose value has not the format that the reader expects; None where none can be."""
    from deedbox.checker.apis.schemas import steps_of

    old, new = _format(fact.old), _format(fact.new)
    written, read = (old, new) if asked == "backward" else (new, old)
    if read in HINTS or written == read or read in _WIDER.get(written, ()):
        return None
    steps = steps_of(fact.pointer)
    if steps is None:
        steps = []
    path = tuple(steps)
    candidates: list[Any] = [{"const": value} for value in _NOT.get(read, [f"not {read}"])]
    for fragment in (*candidates, True):
        witness = task.shared(fact, Probe(path, fragment))
        if witness is not None:
            return Witness(
                witness.value, f"the reader parses {read} there, and {written or 'no format'} is what may be sent"
            )
    return Witness(None, f"the reader parses {read} there, and {written or 'no format'} is what may be sent")


def _format(schema: Any) -> str:
    value = schema.get("format") if isinstance(schema, dict) else None
    return value if isinstance(value, str) else ""
