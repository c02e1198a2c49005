"""Server milliseconds, bytes and requests of each page over 100,000 versions, on SQLite. `make bench-pages`.

The rows are put in directly, as publishing would have left them: it is reading that is measured. Then every page is
asked for twice through the WSGI application, by itself, without a network: made anew, and as remembered by its ETag. The
limits are for the processor's time, which does not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

from deedbox.registry.app import create_app
from deedbox.registry.config import Settings
from deedbox.registry.storage import migrate
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.models import Entry, Publication, PublicationChannel, Schema, Service, Source
from sqlalchemy import insert

SERVICES, CONTRACTS, VERSIONS = 300, 1_000, 100
WIDE = 1_000
LIMIT_MS, LIMIT_BYTES = 1_000.0, 1_000_000
HEADERS = {"Accept": "text/html"}


def schema(contract: int, version: int, fields: int = 12) -> dict[str, Any]:
    """Version after version one more optional property, as contracts grow."""
    properties = {
        f"field_{n}": {"type": "string", "minLength": 1, "description": f"What field {n} of contract {contract} holds"}
        for n in range(fields)
    }
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
            }
            for version in range(versions):
                seq, ids = seq + 1, ids + 1
                grown = version if role == "produces" else versions
                value = schema(message, grown, WIDE if contract == 0 else 12)
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
            for model in (Entry, Schema, Source, Publication, PublicationChannel):
                session.execute(insert(model), rows[model])


def main() -> int:
    """Fills, asks, prints; exit 1 where a limit of the issue is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contracts", type=int, default=CONTRACTS)
    parser.add_argument("--versions", type=int, default=VERSIONS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-pages-") as folder:
        url = f"sqlite:///{Path(folder) / 'pages.db'}"
        database = Database(url)
        migrate.upgrade(database)
        began = time.perf_counter()
        fill(database, given.contracts, given.versions)
        print(f"{given.contracts * given.versions:,} versions put in, in {time.perf_counter() - began:.0f} s")
        app = create_app(Settings(database_url=url), migrated=True)
        services = app.extensions["deedbox"]
        began = time.perf_counter()
        snapshot = services.browsing.overview.current()
        print(f"the system read once, as a starting server does: {time.perf_counter() - began:.1f} s")
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
        failed = measure(
            app.test_client(),
            {
                "home": "/",
                "search": "/search?q=field_7",
                "contracts": "/contracts",
                "contract": f"/contracts/{sender}",
                "contract, 1,000 fields": f"/contracts/{wide}",
                "field": f"/contracts/{sender}/fields/properties/field_3",
                "compare": f"/contracts/{sender}/compare/1.{last - 1}.0...1.{last}.0",
                "compare, 1,000 fields": f"/contracts/{wide}/compare/1.{last - 1}.0...1.{last}.0",
                "services": "/services",
                "service": "/services/service-7",
                "map, 300 services": "/map",
                "map, one group": "/map?group=team-7",
                "who fits whom": "/fits",
                "matrix": f"/fits/{sender}",
                "drains": "/drains",
                "audit": "/audit",
                "try": "/try",
            },
        )
        services.sandbox.close()
        services.database.close()
        database.close()
    return 1 if failed else 0


def measure(client: Any, pages: dict[str, str]) -> bool:
    """Prints a line a page; whether one of those with a limit passes it."""
    failed = False
    print(
        f"\n{'page':24} {'made, ms':>9} {'again, ms':>10} {'304, ms':>8} {'bytes':>9} {'deflated':>9} {'requests':>9}"
    )
    for name, address in pages.items():
        used = time.process_time()
        first, reply = timed(client, address, HEADERS)
        used = 1000 * (time.process_time() - used)
        again, _ = timed(client, address, HEADERS)
        same, kept = timed(client, address, {**HEADERS, "If-None-Match": reply.headers["ETag"]})
        assert (reply.status_code, kept.status_code) == (200, 304), (name, reply.status_code, kept.status_code)
        asked = 1 + len(re.findall(r'(?:src|rel="stylesheet" href)="/', reply.text))
        print(
            f"{name:24} {first:9.1f} {used:10.1f} {again:10.2f} {same:8.2f} {len(reply.data):9,} {len(zlib.compress(reply.data)):9,} {asked:9}"
        )
        if name in ("contract, 1,000 fields", "map, 300 services") and (
            first > LIMIT_MS or len(reply.data) > LIMIT_BYTES
        ):
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
