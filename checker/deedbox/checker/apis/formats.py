"""What another `format` means to those who exchange values.

JSON Schema takes it for a remark; clients and providers of an API parse by it. So it is a policy: who reads a format that the
other side does not promise may get what it cannot parse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.apis.wholes import steps_of
from deedbox.checker.json_schema.probes import Probe

if TYPE_CHECKING:
    from deedbox.checker.json_schema.comparing import Task
    from deedbox.checker.json_schema.facts import Fact
    from deedbox.checker.model import Direction, Witness

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


def refusing_format(task: Task, fact: Fact, asked: Direction) -> tuple[bool, Witness | None]:
    """Whether a reader may get what it cannot parse, and a message whose value has not the format that it expects.

    Not where no value at all can stand there for both sides: then another rule says what changed.
    """
    old, new = _format(fact.old), _format(fact.new)
    written, read = (old, new) if asked == "backward" else (new, old)
    if read in HINTS or written == read or read in _WIDER.get(written, ()):
        return False, None
    path = tuple(steps_of(fact.pointer) or ())
    why = f"the reader parses {read} there, and {written or 'no format'} is what may be sent"
    fragments: list[dict[str, Any] | bool] = [{"const": value} for value in _NOT.get(read, [f"not {read}"])]
    for fragment in (*fragments, True):
        outcome = task.both(Probe(path, fragment))
        witness = task.shown(outcome, why)
        if witness is not None:
            return True, witness
        if fragment is True and outcome.status == "empty":
            return False, None
    return True, None


def _format(schema: Any) -> str:
    value = schema.get("format") if isinstance(schema, dict) else None
    return value if isinstance(value, str) else ""
