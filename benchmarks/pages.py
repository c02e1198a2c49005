"""Server milliseconds, bytes and requests of each page over 100,000 versions. `make bench-pages`.

The rows are put in directly, as publishing would have left them: it is reading that is measured. Each page is the first
that a new process is asked for, then is asked for twice more in a process that has read the system: made anew, and as
remembered by its ETag. All through the WSGI application, without a network. The limits are for the processor's time, which does not depend on
what else the machine does; the clock's stands beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import time
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

from deedbox.checker.drain.evidence import Committed, End, Group, Partition, Span, Topic
from deedbox.registry.app import create_app
from deedbox.registry.config import Settings
from deedbox.registry.services.drains import Submitted
from deedbox.registry.storage import migrate, obsolete
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.models import Entry, Publication, PublicationChannel, Schema, Service, Source
from deedbox.registry.storage.obsolete import ObsoleteField, marks_of
from sqlalchemy import insert

from benchmarks.registry_throughput import databases

SERVICES, CONTRACTS, VERSIONS = 300, 1_000, 100
WIDE = 1_000
OBSOLETE, READ_FOR, READINGS = ("field_2", "field_3"), 60, 3
"""Fields that every second sender marks in the second half of its versions, how many are read for, and how often."""
LIMIT_MS, LIMIT_BYTES = 1_000.0, 1_000_000
HEADERS = {"Accept": "text/html"}


def schema(contract: int, version: int, fields: int = 12, *, marks: bool = False) -> dict[str, Any]:
    """Version after version one more optional property, as contracts grow; `marks` makes two of them obsolete."""
    properties = {
        f"field_{n}": {"type": "string", "minLength": 1, "description": f"What field {n} of contract {contract} holds"}
        for n in range(fields)
    }
    if marks:
        for name in OBSOLETE:
            properties[name]["deprecated"] = True
    properties["added"] = {"enum": [f"v{n}" for n in range(version + 1)]}
    return {"type": "object", "title": f"Event {contract}", "properties": properties, "required": ["field_0"]}


def fill(database: Database, contracts: int, versions: int) -> None:
    """The rows of `contracts` contracts of 300 services, a third of which send and the others read."""
    at, seq, ids = "2026-01-01T00:00:00.000000Z", 0, 0
    with database.writing() as session:
        for number in range(SERVICES):
            seq += 1
            data = {"owner": f"team-{number % 24}", "description": f"Does the work of service {number}"}
            session.execute(
                insert(Entry),
                [
                    {
                        "seq": seq,
                        "at": at,
                        "by": "bench",
                        "kind": "service",
                        "subject": f"service-{number}",
                        "data": data,
                    }
                ],
            )
            session.execute(insert(Service), [{"seq": seq, "name": f"service-{number}", **data}])
        for contract in range(contracts):
            # Three contracts to a message: one service sends it, two others read it.
            message, part = divmod(contract, 3)
            role = "produces" if part == 0 else "consumes"
            service = f"service-{(message * 7 + part * 41) % SERVICES}"
            rows: dict[Any, list[dict[str, Any]]] = {
                Entry: [],
                Schema: [],
                Source: [],
                Publication: [],
                PublicationChannel: [],
                ObsoleteField: [],
            }
            marking = role == "produces" and message % 2 == 0
            for version in range(versions):
                seq, ids = seq + 1, ids + 1
                grown = version if role == "produces" else versions
                marks = marking and version >= versions // 2
                value = schema(message, grown, WIDE if contract == 0 else 12, marks=marks)
                value["$comment"] = f"{contract}.{version}"
                # Its own canonical form: plain letters, no numbers.
                text = json.dumps(value, sort_keys=True, separators=(",", ":"))
                key = hashlib.sha256(text.encode()).hexdigest()
                name = f"{service}/message-{message}"
                rows[Schema].append({"id": ids, "digest": key, "format": "json-schema", "canonical": text})
                rows[Source].append(
                    {
                        "digest": key,
                        "media_type": "application/schema+json",
                        "text": json.dumps(value, indent=2) if version > versions - 3 else text,
                    }
                )
                rows[Entry].append(
                    {
                        "seq": seq,
                        "at": at,
                        "by": "bench",
                        "kind": "publication",
                        "subject": f"{name}@1.{version}.0",
                        "data": {"verdict": "additive", "previous": f"1.{version - 1}.0" if version else None},
                    }
                )
                rows[Publication].append(
                    {
                        "seq": seq, "uuid": None, "contract": name, "service": service, "name": f"message-{message}",
                        "version": f"1.{version}.0", "ordinal": version + 1, "digest": key, "schema_id": ids,
                        "source_digest": key, "role": role, "kind": "event", "of": None,
                        "channels": [f"channel.{message}"], "groups": [], "content_model": "tolerant",
                        "format": "json-schema", "dialect": None, "bump": "minor", "gate": {"refusals": []},
                    }
                )  # fmt: skip
                rows[PublicationChannel].append({"seq": seq, "channel": f"channel.{message}"})
                if marks and not rows[ObsoleteField]:
                    rows[ObsoleteField] = [
                        {"contract": name, "pointer": pointer, "seq": seq} for pointer in marks_of(text, None)
                    ]
            for model in (Entry, Schema, Source, Publication, PublicationChannel, ObsoleteField):
                if rows[model]:
                    session.execute(insert(model), rows[model])


def read_for(services: Any, contract: str, pointer: str) -> None:
    """Records readings of a log that a group works off."""
    channel = f"channel.{contract.rpartition('-')[2]}"
    for number in range(READINGS):
        now = int(time.time() * 1000) - 60_000
        end = End(0, 1_000, 1_000, now, now, "t", 0)
        span = Span(0, 1_000, "t", 0, now, now, 900, now)
        topics = (
            Topic(channel, "t", "t", 1, 1),
            *(Topic(channel + copy, "", "", 0, 0, exists=False) for copy in (".checked", ".dlt")),
        )
        committed = (Committed(channel, 0, 300 * number),)
        services.drains.record(
            contract,
            pointer,
            Submitted(
                str(uuid4()), "bench", "bench", now, now, now, now, now, topics,
                (Partition(channel, 0, (end,), (span,)),), (Group("worker", "classic", "Stable", 1, committed),),
            ),
            "bench",
        )  # fmt: skip


def main() -> int:
    """Fills, asks, prints; exit 1 where a page is over a limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contracts", type=int, default=CONTRACTS)
    parser.add_argument("--versions", type=int, default=VERSIONS)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="an empty database; SQLite in a folder of its own where not said")
    where.add_argument("--postgresql", action="store_true", help="on a PostgreSQL in a folder of its own")
    parser.add_argument("--first", help="print the milliseconds of this page, the first that is asked for")
    given = parser.parse_args()
    if given.first:
        print(*first(given.url, given.first))
        return 0
    # A short path: it may hold PostgreSQL's socket, whose name may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="bench-pages-", dir="/tmp") as folder, ExitStack() as stack:
        url = given.url or f"sqlite:///{Path(folder) / 'pages.db'}"
        if given.postgresql:
            url = dict(stack.enter_context(databases(Path(folder), "pages")))["PostgreSQL"]
        database = Database(url)
        migrate.upgrade(database)
        began = time.perf_counter()
        fill(database, given.contracts, given.versions)
        print(f"{given.contracts * given.versions:,} versions put in, in {time.perf_counter() - began:.0f} s")
        app = create_app(Settings(database_url=url), migrated=True)
        services = app.extensions["deedbox"]
        began = time.perf_counter()
        snapshot = services.browsing.overview.current()
        print(f"the system read once: {time.perf_counter() - began:.2f} s")
        began = time.perf_counter()
        fits = services.browsing.fits.of(snapshot.pairs(), 1_000_000)
        print(f"{len(fits):,} links compared once: {time.perf_counter() - began:.1f} s")
        services.browsing.fits._known.clear()  # pages shall find verdicts as a new process does: in the database
        sender = fits[-1].pair.producer.contract
        wide = next(
            name for name, head in snapshot.heads.items() if head.name == "message-0" and head.role == "produces"
        )
        last = given.versions - 1
        for contract in (sender, wide):  # what publishing the last version has compared
            services.browsing.changes.compare(contract, f"1.{last - 1}.0", f"1.{last}.0")
        while not services.browsing.matrix.matrix(sender)[1]:
            pass
        with database.reading() as session:
            marked = [(field.contract, field.pointer) for field in obsolete.fields(session)]
        for contract, pointer in marked[:READ_FOR]:
            read_for(services, contract, pointer)
        print(f"{len(marked)} obsolete fields, {READINGS} readings each of {len(marked[:READ_FOR])}")
        failed = measure(
            app.test_client(),
            url,
            {
                "home": "/",
                "search": "/search?q=field_7",
                "contracts": "/contracts",
                "contract": f"/contracts/{sender}",
                "contract of 1,000 fields": f"/contracts/{wide}",
                "field": f"/contracts/{sender}/fields/properties/field_3",
                "field of 1,000": f"/contracts/{wide}/fields/properties/field_3",
                "compare": f"/contracts/{sender}/compare/1.{last - 1}.0...1.{last}.0",
                "compare of 1,000 fields": f"/contracts/{wide}/compare/1.{last - 1}.0...1.{last}.0",
                "services": "/services",
                "service": "/services/service-7",
                "map of 300 services": "/map",
                "map, one group": "/map?group=team-7",
                "who fits whom": "/fits",
                "matrix": f"/fits/{sender}",
                "drains": "/drains",
                "dead letters": "/dead-letters",
                "audit": "/audit",
                "try": "/try",
            },
        )
        services.sandbox.close()
        services.database.close()
        database.close()
    return 1 if failed else 0


def first(url: str, address: str) -> tuple[float, float]:
    """Milliseconds by the clock and of the processor of the first page that a new process is asked for."""
    app = create_app(Settings(database_url=url), migrated=True)
    used = time.process_time()
    taken, reply = timed(app.test_client(), address, HEADERS)
    used = 1000 * (time.process_time() - used)
    assert reply.status_code == 200, reply.status_code
    app.extensions["deedbox"].sandbox.close()
    return taken, used


def first_of_all(url: str, address: str) -> tuple[float, float]:
    """The same, in a process of its own."""
    asked = [sys.executable, "-m", "benchmarks.pages", "--url", url, "--first", address]
    root = Path(__file__).resolve().parents[1]
    taken, used = subprocess.run(asked, check=True, capture_output=True, text=True, cwd=root).stdout.split()
    return float(taken), float(used)


def measure(client: Any, url: str, pages: dict[str, str]) -> bool:
    """Prints a line a page; whether one of them passes a limit."""
    failed = False
    names = ("first, ms", "CPU, ms", "made, ms", "CPU, ms", "again, ms", "bytes", "deflated", "requests")
    print(f"\n{'page':24}" + "".join(f" {name:>9}" for name in names))
    for name, address in pages.items():
        opened, opened_used = first_of_all(url, address)
        used = time.process_time()
        made, reply = timed(client, address, HEADERS)
        used = 1000 * (time.process_time() - used)
        again, kept = timed(client, address, {**HEADERS, "If-None-Match": reply.headers["ETag"]})
        assert (reply.status_code, kept.status_code) == (200, 304), (name, reply.status_code, kept.status_code)
        asked = 1 + len(re.findall(r'(?:src|rel="stylesheet" href)="/', reply.text))
        print(
            f"{name:24} {opened:9.0f} {opened_used:9.0f} {made:9.0f} {used:9.0f} {again:9.2f} {len(reply.data):9,} "
            f"{len(zlib.compress(reply.data)):9,} {asked:9}"
        )
        if max(opened_used, used) > LIMIT_MS or len(reply.data) > LIMIT_BYTES:
            failed = True
            print(f"  over the limit of {LIMIT_MS:.0f} ms and {LIMIT_BYTES:,} bytes", file=sys.stderr)
    return failed


def timed(client: Any, address: str, headers: dict[str, str]) -> tuple[float, Any]:
    """Milliseconds and the reply."""
    began = time.perf_counter()
    reply = client.get(address, headers=headers)
    reply.get_data()
    return 1000 * (time.perf_counter() - began), reply


if __name__ == "__main__":
    sys.exit(main())
