"""What a schema asks of a value, in words: the one table from keywords to phrases that tables of fields show."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from deedbox.checker.canonical import canonical
from deedbox.checker.json_schema.sides import Side, refuses_nothing

_SHOWN_VALUES = 12


def shown(value: Any, most: int = 120) -> str:
    """A JSON value on one line, shortened to `most` characters."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except TypeError:
        text = canonical(value).decode()
    return text if len(text) <= most else text[: most - 1] + "…"


def constraints(side: Side) -> list[str]:
    """The phrases for all that applies at one place, in the order of the table; none where anything is taken."""
    found: list[str] = []
    for phrase in _PHRASES:
        found += phrase(side)
    return list(dict.fromkeys(found))


def _values(side: Side) -> Iterator[str]:
    for value in side.values("const"):
        yield f"exactly {shown(value)}"
    for values in side.values("enum"):
        listed = [shown(v, 60) for v in values[:_SHOWN_VALUES]]
        more = len(values) - len(listed)
        yield f"one of {', '.join(listed)}{f' and {more} more' if more else ''}"


def _number(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _range(side: Side) -> Iterator[str]:
    lower, upper = side.values("minimum"), side.values("maximum")
    above = [v for v in side.values("exclusiveMinimum") if not isinstance(v, bool)]
    below = [v for v in side.values("exclusiveMaximum") if not isinstance(v, bool)]
    if any(v is True for v in side.values("exclusiveMinimum")):  # drafts up to 4: it sharpens `minimum`
        lower, above = [], lower
    if any(v is True for v in side.values("exclusiveMaximum")):
        upper, below = [], upper
    if lower and upper:
        yield f"{_number(max(lower))} to {_number(min(upper))}"
    elif lower:
        yield f"at least {_number(max(lower))}"
    elif upper:
        yield f"at most {_number(min(upper))}"
    if above:
        yield f"more than {_number(max(above))}"
    if below:
        yield f"less than {_number(min(below))}"
    for value in side.values("multipleOf"):
        yield f"a multiple of {_number(value)}"


def _counted(least: str, most: str, one: str, many: str) -> Callable[[Side], Iterator[str]]:
    def phrase(side: Side) -> Iterator[str]:
        low, high = max(side.values(least), default=None), min(side.values(most), default=None)
        if low is not None and high is not None:
            yield f"exactly {_times(low, one, many)}" if low == high else f"{low} to {_times(high, one, many)}"
        elif low:
            yield f"at least {_times(low, one, many)}"
        elif high is not None:
            yield f"at most {_times(high, one, many)}"

    return phrase


def _times(number: Any, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _text(side: Side) -> Iterator[str]:
    for pattern in side.values("pattern"):
        yield f"matches {pattern}"
    for name in side.values("format"):
        yield f"format {name}"
    for name in side.values("contentEncoding"):
        yield f"encoded as {name}"
    for name in side.values("contentMediaType"):
        yield f"holds {name}"


def _array(side: Side) -> Iterator[str]:
    if any(v is True for v in side.values("uniqueItems")):
        yield "no item twice"
    if side.by.get("contains"):
        low = max(side.values("minContains"), default=1)
        yield f"at least {_times(low, 'item', 'items')} of a kind that it describes"
    if side.prefix:
        yield f"the first {_times(side.prefix, 'item is', 'items are')} described one by one"


def _object(side: Side) -> Iterator[str]:
    for keyword in ("additionalProperties", "unevaluatedProperties"):
        if any(v is False for v in side.values(keyword)):
            yield "no other properties"
    if any(not refuses_nothing(v) for v in side.values("propertyNames")):
        yield "names are restricted"
    for needs in (*side.values("dependentRequired"), *side.values("dependencies")):
        for name, wanted in needs.items():
            if isinstance(wanted, list) and wanted:
                yield f"with {name} also {', '.join(wanted)}"


def _rest(side: Side) -> Iterator[str]:
    if side.never is not None:
        yield "never allowed"
    for value in side.values("not"):
        yield f"not {shown(value, 80)}"
    for value in side.values("default"):
        yield f"{shown(value, 60)} where absent"
    if any(v is True for v in side.values("readOnly")):
        yield "read only"
    if any(v is True for v in side.values("writeOnly")):
        yield "write only"


_PHRASES: tuple[Callable[[Side], Iterator[str]], ...] = (
    _values,
    _range,
    _counted("minLength", "maxLength", "character", "characters"),
    _text,
    _counted("minItems", "maxItems", "item", "items"),
    _array,
    _counted("minProperties", "maxProperties", "property", "properties"),
    _object,
    _rest,
)
