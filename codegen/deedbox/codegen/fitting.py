"""Fits classes to messages: what refuses or changes a valid message is said less exactly, until nothing does.

A generator's types are a reading of the schema, and now and then a wrong one. So they are tried on valid messages. Where
one is refused or does not come out as it went in, the place is loosened: first the keyword that refused it, then the
whole value, then what it stands in. In the worst case a message is held as any value at all. Each loosening is reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.canonical import canonical
from deedbox.checker.documents import load_document
from deedbox.codegen import places
from deedbox.codegen.errors import GenerationFailed
from deedbox.codegen.model import Loosened
from deedbox.codegen.preparing import Loosening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from deedbox.checker.json_schema.schema import Node

ROUNDS = 14
"""After so many, what still refuses a message is held as any value, from its root."""
_GENTLE_ROUNDS = 8
_END = object()

# What pydantic's error types name, as the keyword that is left out first.
_KEYWORDS = {
    "extra_forbidden": "additionalProperties", "string_pattern_mismatch": "pattern", "too_short": "minItems",
    "too_long": "maxItems", "string_too_short": "minLength", "string_too_long": "maxLength", "multiple_of": "multipleOf",
    "greater_than_equal": "minimum", "less_than_equal": "maximum", "greater_than": "exclusiveMinimum",
    "less_than": "exclusiveMaximum", "enum": "enum", "literal_error": "enum",
}  # fmt: skip


class Trial:
    """The classes of one round: `hold` takes a root's class name and a value and gives the object, `plain` the way back."""

    def __init__(self, hold: Callable[[str, Any], Any], plain: Callable[[str, Any], Any]) -> None:
        self.hold, self.plain = hold, plain


def faults(trial: Trial, root: str, message: Any) -> list[tuple[tuple[str | int, ...], str, str]]:
    """What is wrong with how the classes hold a message: path in it, kind of error, in words. Empty where nothing is."""
    try:
        held = trial.hold(root, message)
    except Exception as error:  # noqa: BLE001 - generated code and pydantic's internals may raise anything
        cause = getattr(error, "__context__", None)
        details = getattr(cause, "errors", None)
        if details is None:
            return [((), type(error).__name__, str(error)[:200])]
        return [
            (*_located(message, detail["loc"], detail["type"]), detail["msg"])
            for detail in details(include_url=False, include_context=False, include_input=False)
        ]
    try:
        plain = trial.plain(root, held)
        if canonical(load_document(plain).value if not isinstance(plain, str) else plain) == canonical(message):
            return []
    except Exception as error:  # noqa: BLE001 - as above
        return [((), type(error).__name__, str(error)[:200])]
    return [(_difference(message, plain), "changed", "its value comes out changed")]


def loosen(
    loosening: Loosening, root: Node, message: Any, found: Sequence[tuple[tuple[str | int, ...], str, str]], round_: int
) -> None:
    """Says less exactly what refused a message. Each call loosens at least one place more, up to the root."""
    if round_ < _GENTLE_ROUNDS:
        for path, kind, words in sorted(found, key=lambda f: -len(f[0])):
            keyword = _KEYWORDS.get(kind)
            if keyword and _drop(loosening, root, message, path, keyword, words):
                return
            if kind == "missing" and _drop(loosening, root, message, path, "required", words):
                return
        candidates = sorted({path for path, _, _ in found}, key=lambda p: (-len(p), str(p)))
    else:
        candidates = sorted({path[: len(path) // 2] for path, _, _ in found}, key=len)
    words = found[0][2]
    for path in candidates:
        for shorter in range(len(path), -1, -1):
            nodes = [n for n in places.at(root, message, path[:shorter]) if isinstance(n.value, dict)]
            new = [n for n in nodes if n.pointer not in loosening.anything]
            if new and not any(_under(n.pointer, loosening) for n in new):
                loosening.anything |= {n.pointer: words for n in new}
                return
    loosening.anything[root.pointer] = words


def loosened(loosening: Loosening) -> tuple[Loosened, ...]:
    """The report's lines, by pointer."""
    lines = [Loosened(pointer, f"held as any value: {words}") for pointer, words in loosening.anything.items()]
    lines += [
        Loosened(pointer, f"{keyword} is left to validate(): {words}")
        for pointer, dropped in loosening.without.items()
        for keyword, words in dropped.items()
    ]
    return tuple(sorted(lines, key=lambda line: (line.pointer, line.reason)))


def give_up(loosening: Loosening, roots: Sequence[Node], error: GenerationFailed) -> None:
    """Loosens what is left when nothing can be imported: every definition, then every root.

    Raises:
        GenerationFailed: all of it is loosened already.
    """
    schema = roots[0].schema
    root = schema.root if isinstance(schema.root, dict) else {}
    definitions = [
        schema.node.child(keyword, name).pointer
        for keyword in ("definitions", "$defs")
        if isinstance(root.get(keyword), dict)
        for name, held in root[keyword].items()
        if isinstance(held, dict)
    ]
    for pointers in (definitions, [node.pointer for node in roots]):
        new = [p for p in pointers if p not in loosening.anything]
        if new:
            loosening.anything |= dict.fromkeys(new, error.message)
            return
    raise error


def _under(pointer: str, loosening: Loosening) -> bool:
    return any(pointer.startswith(place + "/") for place in loosening.anything if place)


def _drop(
    loosening: Loosening, root: Node, message: Any, path: tuple[str | int, ...], keyword: str, words: str
) -> bool:
    dropped = False
    for node in places.in_place(places.at(root, message, path)):
        keywords = node.keywords()
        for name in (keyword, "const") if keyword == "enum" else (keyword,):
            if name in keywords and name not in loosening.without.get(node.pointer, {}):
                if name == "additionalProperties" and keywords[name] is not False:
                    continue
                loosening.without.setdefault(node.pointer, {})[name] = words
                dropped = True
    return dropped


def _located(message: Any, loc: Sequence[str | int], kind: str) -> tuple[tuple[str | int, ...], str]:
    """The path in a message that pydantic's location names: it has names of classes in between, where unions are."""
    path: list[str | int] = []
    value = message
    for token in loc:
        held = value.get(token, _END) if isinstance(value, dict) else _END
        if isinstance(value, list) and isinstance(token, int) and token < len(value):
            held = value[token]
        if held is _END:
            continue
        value = held
        path.append(token)
    # An undeclared property is the fault of the object that does not admit it.
    return tuple(path[:-1] if kind == "extra_forbidden" and path else path), kind


def _difference(before: Any, after: Any) -> tuple[str | int, ...]:
    pairs: Iterator[tuple[str | int, Any, Any]]
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        pairs = ((k, v, after[k]) for k, v in before.items())
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = ((i, *both) for i, both in enumerate(zip(before, after, strict=True)))
    else:
        return ()
    for key, old, new in pairs:
        if canonical(load_document(old).value if not isinstance(old, str) else old) != canonical(
            load_document(new).value if not isinstance(new, str) else new
        ):
            return (key, *_difference(old, new))
    return ()
