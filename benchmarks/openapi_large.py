"""How long two large OpenAPI documents take: `python benchmarks/openapi_large.py [--megabytes 4] [FILE…]`.

The documents are made here and look like a company's real API: a few hundred resources that refer to each other, five
operations each, and shared errors and pages. Measured are: nothing changed, one shared schema changed, and a release's
worth of changes. Where files are given, each is compared with itself and with a copy in which changes were made instead.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import resource
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from deedbox.checker import compare

if TYPE_CHECKING:
    from collections.abc import Callable

_WORDS = [
    "account",
    "address",
    "amount",
    "asset",
    "badge",
    "batch",
    "card",
    "carrier",
    "claim",
    "clause",
    "contact",
    "country",
    "coupon",
    "courier",
    "currency",
]


def document(megabytes: float, seed: int = 7) -> dict[str, Any]:
    """An OpenAPI document of about that size, the same one for the same seed."""
    draw = random.Random(seed)
    schemas: dict[str, Any] = {
        "Error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "field": {"type": "string"}},
        },
        "Money": {
            "type": "object",
            "required": ["amount", "currency"],
            "properties": {
                "amount": {"type": "integer"},
                "currency": {"type": "string", "minLength": 3, "maxLength": 3},
            },
        },
    }
    paths: dict[str, Any] = {}
    root = {
        "openapi": "3.0.3", "info": {"title": "Large", "version": "1.0.0"}, "paths": paths,
        "components": {"schemas": schemas},
    }  # fmt: skip
    resources = int(megabytes * 1_000_000 / 5_600)
    names = [f"{_WORDS[i % len(_WORDS)].capitalize()}{i}" for i in range(resources)]
    for i, name in enumerate(names):
        properties = {f"{word}_{n}": _property(draw, names, i) for n, word in enumerate(draw.sample(_WORDS, 12))}
        schemas[name] = {
            "type": "object",
            "description": f"A {name} as the API shows it. " * 4,
            "required": ["id", *list(properties)[:3]],
            "properties": {"id": {"type": "string", "format": "uuid", "readOnly": True}} | properties,
        }
        paths.update(_paths(name))
    return root


def _property(draw: random.Random, names: list[str], own: int) -> dict[str, Any]:
    kind = draw.randrange(8)
    text = {"description": "What it says, in a sentence or two that people wrote, because somebody asked for it once."}
    if kind == 0 and own:
        return {"$ref": f"#/components/schemas/{names[draw.randrange(own)]}"}
    if kind == 1:
        return {"type": "array", "items": {"$ref": "#/components/schemas/Money"}} | text
    if kind == 2:
        return {"type": "string", "enum": draw.sample(_WORDS, 5)} | text
    if kind == 3:
        return {"type": "integer", "minimum": 0, "maximum": draw.randrange(100, 10_000)} | text
    if kind == 4:
        return {"type": "string", "format": "date-time", "nullable": True} | text
    return {"type": "string", "maxLength": draw.randrange(10, 500)} | text


def _paths(name: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{name}"}
    json_of = {"application/json": {"schema": reference}}
    errors = {
        status: {
            "description": "It went wrong.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
        for status in ("400", "401", "404")
    }
    shown = {"200": {"description": f"The {name}.", "content": json_of}} | errors
    page = {
        "type": "object",
        "properties": {"items": {"type": "array", "items": reference}, "next": {"type": "string"}},
    }
    listed = {"200": {"description": "A page.", "content": {"application/json": {"schema": page}}}} | errors
    identity = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}}
    body = {"required": True, "content": json_of}
    plural = f"/v1/{name.lower()}s"
    return {
        plural: {
            "get": {"operationId": f"list{name}", "parameters": [limit], "responses": listed},
            "post": {"operationId": f"create{name}", "requestBody": body, "responses": shown},
        },
        plural + "/{id}": {
            "parameters": [identity],
            "get": {"operationId": f"get{name}", "responses": shown},
            "put": {"operationId": f"replace{name}", "requestBody": body, "responses": shown},
            "delete": {"operationId": f"delete{name}", "responses": {"204": {"description": "Gone."}} | errors},
        },
    }


def changed(old: dict[str, Any], kind: str) -> dict[str, Any]:
    """A later version of a document."""
    new = copy.deepcopy(old)
    schemas = new["components"]["schemas"]
    if kind == "one shared schema":
        del schemas["Error"]["properties"]["field"]
        schemas["Money"]["properties"]["amount"]["minimum"] = 0
    elif kind == "a release":
        draw = random.Random(11)
        for name in draw.sample([n for n in schemas if n not in ("Error", "Money")], 20):
            properties = schemas[name]["properties"]
            properties["added"] = {"type": "string"}
            properties.pop(list(properties)[-2])
        for path in draw.sample(list(new["paths"]), 3):
            del new["paths"][path]
    return new


def spoilt(old: dict[str, Any], most: int = 24, seed: int = 5) -> tuple[dict[str, Any], Counter[str]]:
    """A copy of any API with that many changes drawn by the seed, of each kind alike where it has them; and their number by kind."""
    new = copy.deepcopy(old)
    places: dict[str, list[Callable[[], Any]]] = {
        kind: [] for kind in ("operation gone", "property gone", "parameter required", "type changed", "value gone")
    }
    for item in new.get("paths", {}).values():
        places["operation gone"] += [
            partial(item.pop, m) for m in ("get", "put", "post", "delete", "patch") if m in item
        ]
    stack: list[Any] = [new]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack += value
            continue
        if not isinstance(value, dict):
            continue
        stack += value.values()
        if isinstance(properties := value.get("properties"), dict) and value.get("type") == "object":
            places["property gone"] += [partial(properties.pop, name) for name in properties]
        if value.get("in") in ("query", "header") and value.get("required") is not True:
            places["parameter required"].append(partial(value.update, required=True))
        if value.get("type") == "string" and "enum" not in value:
            places["type changed"].append(partial(value.update, type="boolean"))
        if isinstance(value.get("enum"), list) and len(value["enum"]) > 1:
            places["value gone"].append(partial(value["enum"].pop, 0))
    draw = random.Random(seed)
    made: Counter[str] = Counter()
    kinds = [kind for kind, held in places.items() if held]
    for number in range(most):
        kind = kinds[number % len(kinds)]
        if places[kind]:
            places[kind].pop(draw.randrange(len(places[kind])))()
            made[kind] += 1
    return new, made


def _loaded(load: Callable[[str], Any], *texts: str) -> float:
    """Seconds of processor that merely parsing the texts takes, the best of three."""
    taken = []
    for _ in range(3):
        start = time.process_time()
        for text in texts:
            load(text)
        taken.append(time.process_time() - start)
    return min(taken)


def measured(name: str, load: Callable[[str], Any], old: str, new: str, kind: str) -> None:
    """Prints one line: the seconds of a comparison, beside what only loading the two documents takes with the usual parser."""
    start, cpu = time.perf_counter(), time.process_time()
    comparison = compare(old, new, format="openapi", old_name=f"old-{name}", new_name=f"new-{name}")
    took, cpu = time.perf_counter() - start, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    loading = _loaded(load, old, new)
    judgement = comparison.judge("provides")
    breaking = sum(f.level == "breaking" for f in judgement.findings)
    print(
        f"{name}, {len(old) / 1e6:.1f} MB, {kind}: {took:.2f} s ({cpu:.2f} s of processor, {cpu / loading:.1f} times the "
        f"{loading:.2f} s of only loading both), {memory:.0f} MB at most, {judgement.verdict}, "
        f"{len(judgement.findings)} findings, {breaking} breaking",
        flush=True,
    )


def main() -> None:
    """Measures the documents that are made here, or files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=4.0)
    parser.add_argument("files", nargs="*", type=Path, help="documents in JSON or YAML, each of one file")
    options = parser.parse_args()
    parsers: dict[str, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
        "json": (json.dumps, json.loads),
        "yaml": (_yaml, partial(yaml.load, Loader=yaml.CSafeLoader)),
    }
    for file in options.files:
        write, load = parsers["json" if file.suffix == ".json" else "yaml"]
        text = file.read_text(encoding="utf-8")
        new, made = spoilt(load(text))
        measured(file.name, load, text, text, "nothing")
        measured(file.name, load, text, write(new), ", ".join(f"{n} × {kind}" for kind, n in made.items()))
    if options.files:
        return
    old = document(options.megabytes)
    print(f"{len(old['paths'])} paths, {len(old['components']['schemas'])} schemas")
    # A YAML text is longer than the JSON of the same document, which is made shorter for it, so that both are as long.
    for syntax, base in (("json", old), ("yaml", document(options.megabytes * 0.78))):
        write, load = parsers[syntax]
        text = write(base)
        for kind in ("nothing", "one shared schema", "a release"):
            measured(syntax, load, text, write(changed(base, kind)), kind)


def _yaml(value: Any) -> str:
    return str(yaml.dump(value, Dumper=_NoAliases, sort_keys=False, width=120))


class _NoAliases(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


if __name__ == "__main__":
    main()
