"""How long two large OpenAPI documents take: `python benchmarks/openapi_large.py [--megabytes 4]`.

The documents are made here and look like a company's real API: a few hundred resources that refer to each other, five
operations each, and shared errors and pages. Measured are: nothing changed, one shared schema changed, and a release's
worth of changes.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import resource
import time
from functools import partial
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


def _loaded(load: Callable[[str], Any], *texts: str) -> float:
    """Seconds of processor that merely parsing the texts takes, the best of three."""
    taken = []
    for _ in range(3):
        start = time.process_time()
        for text in texts:
            load(text)
        taken.append(time.process_time() - start)
    return min(taken)


def main() -> None:
    """Prints one line a measurement, beside what only loading the two documents takes with the usual parser."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=4.0)
    megabytes = parser.parse_args().megabytes
    old = document(megabytes)
    print(f"{len(old['paths'])} paths, {len(old['components']['schemas'])} schemas")
    # A YAML text is longer than the JSON of the same document, which is made shorter for it, so that both are as long.
    for syntax, write, load, base in (
        ("json", json.dumps, json.loads, old),
        ("yaml", _yaml, partial(yaml.load, Loader=yaml.CSafeLoader), document(megabytes * 0.78)),
    ):
        text = write(base)
        for kind in ("nothing", "one shared schema", "a release"):
            other = write(changed(base, kind))
            start, cpu = time.perf_counter(), time.process_time()
            comparison = compare(text, other, format="openapi", old_name=f"old.{syntax}", new_name=f"new.{syntax}")
            took, cpu = time.perf_counter() - start, time.process_time() - cpu
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            loading = _loaded(load, text, other) if kind == "a release" else 0.0
            judgement = comparison.judge("provides")
            breaking = sum(f.level == "breaking" for f in judgement.findings)
            beside = (
                f", {cpu / loading:.1f} times the processor that only loading both takes ({loading:.2f} s)"
                if loading
                else ""
            )
            print(
                f"{syntax}, {len(text) / 1e6:.1f} MB, {kind}: {took:.2f} s ({cpu:.2f} s of processor), {memory:.0f} MB at most, "
                f"{judgement.verdict}, {len(judgement.findings)} findings, {breaking} breaking{beside}"
            )


def _yaml(value: Any) -> str:
    return str(yaml.dump(value, Dumper=_NoAliases, sort_keys=False, width=120))


class _NoAliases(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


if __name__ == "__main__":
    main()
