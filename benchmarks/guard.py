"""`make bench-guard`: judging live messages beside only parsing them, as ratios of one run.

Three schemas: 10 fields, 60 nested, a union. Contract look-up, headers, counting and the closed reading are included,
in batches as the guard and the consumer judge them. Then: memory over many messages and many schemas.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import jsonschema
import orjson
from deedbox.kafka.counting import Counts
from deedbox.kafka.inspection import Inspector
from deedbox.kafka.lookup import Lookup
from deedbox.kafka.messages import Record

BATCH = 500


def field(i: int) -> tuple[dict[str, Any], Any]:
    """A property's schema and a value of it."""
    kinds: list[tuple[dict[str, Any], Any]] = [
        ({"type": "string", "maxLength": 40}, f"some text {i}"),
        ({"type": "integer", "minimum": 0}, i * 7),
        ({"type": "boolean"}, True),
        ({"type": "number", "maximum": 1e6}, 1.5 * i),
    ]
    return kinds[i % 4]


def record(count: int, start: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """An object's schema with so many required properties, and a value of it."""
    names = {f"field{i}": field(i) for i in range(start, start + count)}
    schema = {
        "type": "object",
        "required": sorted(names),
        "properties": {name: schema for name, (schema, _) in names.items()},
    }
    return schema, {name: value for name, (_, value) in names.items()}


def cases() -> dict[str, tuple[Any, Any]]:
    """Name → schema and message."""
    groups = {f"group{i}": record(6, i) for i in range(10)}
    nested = {"type": "object", "properties": {name: schema for name, (schema, _) in groups.items()}}
    variants = [record(6, i) for i in range(4)]
    for i, (schema, value) in enumerate(variants):
        schema["properties"]["kind"] = {"const": f"kind{i}"}
        schema["required"].append("kind")
        value["kind"] = f"kind{i}"
    return {
        "10 fields": record(10),
        "60 nested": (nested, {name: value for name, (_, value) in groups.items()}),
        "union of 4": ({"oneOf": [schema for schema, _ in variants]}, variants[2][1]),
    }


class Registry:
    """A registry that answers from memory: what is measured is not HTTP."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self.schemas = schemas

    def contracts(self, *, channel: str) -> list[dict[str, Any]]:
        """See `RegistryClient.contracts`."""
        return [{"contract": f"bench/{channel}"}]

    def versions(self, contract: str) -> list[dict[str, Any]]:
        """See `RegistryClient.versions`."""
        return [self.publication(contract, "1.0.0")]

    def publication(self, contract: str, _version: str = "latest") -> dict[str, Any]:
        """See `RegistryClient.publication`."""
        topic = contract.partition("/")[2]
        return {
            "contract": contract, "version": "1.0.0", "role": "produces", "format": "json-schema",
            "content_model": "tolerant", "schema_id": 1, "schema_guid": str(UUID(int=1)), "schema_digest": topic,
            "channels": [topic],
        }  # fmt: skip

    def schema(self, contract: str, _version: str) -> bytes:
        """See `RegistryClient.schema`."""
        return orjson.dumps(self.schemas[contract.partition("/")[2]])


def best(run: Callable[[], object], seconds: float) -> float:
    """The least processor time of one call, over so many seconds of calls: what others do meanwhile counts less."""
    least, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until:
        start = time.thread_time()
        run()
        least = min(least, time.thread_time() - start)
    return least


def records(topic: str, body: bytes, count: int) -> list[Record]:
    """Messages as our own serializer makes them, each of bytes of its own."""
    return [
        Record(topic, 0, n, None, body[:1] + body[1:], [
            ("deedbox-contract", f"bench/{topic}".encode()), ("deedbox-version", b"1.0.0"),
            ("deedbox-message-id", b"%036d" % n), ("traceparent", b"00-%032d-%016d-01" % (n, n)),
        ], n)
        for n in range(count)
    ]  # fmt: skip


def throughput(seconds: float) -> None:
    """Prints a line a schema."""
    print(f"{'schema':<12}{'bytes':>6}{'parse/s':>12}{'judged/s':>12}{'ratio':>8}{'jsonschema/s':>14}")
    for name, (schema, value) in cases().items():
        topic = name.replace(" ", "-")
        inspector = Inspector(Lookup(Registry({topic: schema})), closed=True, counts=Counts())  # type: ignore[arg-type]
        batch = records(topic, orjson.dumps(value), BATCH)
        assert {found.status for found in inspector.inspect_all(batch, values=False)} == {"valid"}
        reference = jsonschema.Draft202012Validator(schema)

        def parse(batch: list[Record] = batch) -> None:
            for each in batch:
                orjson.loads(each.value or b"")

        def slow(batch: list[Record] = batch, reference: Any = reference) -> None:
            for each in batch[:20]:
                reference.is_valid(json.loads(each.value or b""))

        # In turns, so that a machine that others use too disturbs both alike.
        parsing = judging = float("inf")
        for _ in range(10):
            parsing = min(parsing, best(parse, seconds / 20))
            judging = min(judging, best(partial(inspector.inspect_all, batch, values=False), seconds / 20))
        rate = [BATCH / parsing, BATCH / judging, 20 / best(slow, seconds / 4)]
        print(
            f"{name:<12}{len(orjson.dumps(value)):>6}{rate[0]:>12,.0f}{rate[1]:>12,.0f}{rate[1] / rate[0]:>8.2f}{rate[2]:>14,.0f}"
        )


def memory(messages: int, schemas: int) -> None:
    """Prints resident memory after a tenth of the work and after all of it."""
    names = [f"t{i}" for i in range(schemas)]
    held = {name: record(10, i)[0] for i, name in enumerate(names)}
    inspector = Inspector(Lookup(Registry(held)), closed=True, counts=Counts())  # type: ignore[arg-type]
    bodies = [orjson.dumps(record(10, i)[1]) for i in range(schemas)]
    for i, name in enumerate(names):
        assert inspector.inspect(name, [("deedbox-contract", f"bench/{name}".encode())], bodies[i]).status == "valid"
    batches = [records(name, bodies[i], BATCH) for i, name in enumerate(names[:20])]
    shown = []
    done = 0
    for part in (messages // 10, messages):
        while done < part:
            inspector.inspect_all(batches[(done // BATCH) % len(batches)], values=False)
            done += BATCH
        shown.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(
        f"peak memory, {schemas:,} schemas: {shown[0]:.0f} MB after {messages // 10:,} messages, {shown[1]:.0f} MB after {messages:,}"
    )


def main() -> None:
    """Runs all."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=4.0, help="for each schema")
    options.add_argument("--messages", type=int, default=10_000_000)
    options.add_argument("--schemas", type=int, default=10_000)
    given = options.parse_args()
    throughput(given.seconds)
    memory(given.messages, given.schemas)


if __name__ == "__main__":
    main()
