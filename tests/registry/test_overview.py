"""What pages take from the database in a few narrow questions is what all versions read one by one say."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.runtime.migration import MigrationContext
from deedbox.registry.services import links as linking
from deedbox.registry.services.browsing.overview import Overview, Snapshot
from deedbox.registry.services.judging import latest
from deedbox.registry.storage import browsing, migrate, obsolete, queries
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.models import Deployment, Publication, Retirement, Schema, Source
from sqlalchemy import insert, select, text

NUMBERS = (
    "0.1.0",
    "0.2.0",
    "1.0.0",
    "1.0.0+a",
    "1.0.0+b",
    "1.2.0",
    "1.10.0",
    "1.10.0-rc.1",
    "2.0.0-rc.1",
    "2.0.0",
    "10.0.0",
)
NUMBERS += ("9.0.0", f"{10**60}.0.0", "3.0.0-alpha", "1.9.99")


def publish(database: Database, contract: str, version: str, canonical: str = "{}", **said: Any) -> int:
    """Puts a version in as publishing leaves it; its seq."""
    service, _, name = contract.partition("/")
    with database.writing() as session:
        schema = queries.put_schema(session, f"{abs(hash(canonical)):064}", "json-schema", canonical)
        queries.put_source(session, "s", "application/schema+json", "{}")
        entry = queries.add_entry(session, "t", "publication", f"{contract}@{version}", {})
        ordinal = len(queries.history(session, contract)) + 1
        row = {"role": "produces", "kind": "event", "of": None, "channels": ["c"], "groups": [], **said}
        session.add(Publication(
            seq=entry.seq, uuid=None, contract=contract, service=service, name=name, version=version, ordinal=ordinal,
            digest="d", schema_id=schema.id, source_digest="s", content_model="tolerant", format="json-schema",
            dialect=None, bump="minor", gate={}, **row,
        ))  # fmt: skip
    return entry.seq


def retire(database: Database, seq: int, subject: str) -> None:
    with database.writing() as session:
        entry = queries.add_entry(session, "t", "retirement", subject, {"reason": "r"})
        session.add(Retirement(seq=entry.seq, publication_seq=seq, reason="r"))


def deploy(database: Database, service: str, contracts: dict[str, str]) -> None:
    with database.writing() as session:
        entry = queries.add_entry(session, "t", "deployment", service, {"environment": "prod"})
        session.add(Deployment(
            seq=entry.seq, uuid=str(uuid4()), environment="prod", service=service, service_version="1", contracts=contracts
        ))  # fmt: skip


def plainly(database: Database) -> dict[str, Any]:
    """By contract: latest, shown and live versions and how many there are, from whole histories."""
    with database.reading() as session:
        names = queries.contract_names(session, service=None, message=None, channel=None, after="", limit=1000)
        deployed = linking.deployed_versions(session, names)
        found = {}
        for name, history in queries.histories(session, names).items():
            last = latest(history)
            live = [linking.end_of(v) for v in linking.live(history, deployed.get(name))]
            shown = last or history[-1]
            found[name] = (last.row.version if last else None, shown.row.version, live, len(history))
        return found


def told(snapshot: Snapshot) -> dict[str, Any]:
    return {n: (h.latest, h.shown.row.version, list(h.live), h.versions) for n, h in snapshot.heads.items()}


@pytest.mark.parametrize("seed", range(3))
def test_a_snapshot_says_what_all_versions_say_at_each_step(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    kept, published, taken = Overview(database), [], set()
    for _ in range(45):
        contract = f"{chance.choice('ab')}/{chance.choice('xyz')}"
        free = [n for n in NUMBERS if (contract, n) not in taken]
        what = chance.random()
        if what < 0.6 and free:
            version = chance.choice(free)
            taken.add((contract, version))
            published.append((publish(database, contract, version), contract, version))
        elif what < 0.85 and published:
            seq, about, version = published.pop(chance.randrange(len(published)))
            retire(database, seq, f"{about}@{version}")
        elif published:
            _, about, version = chance.choice(published)
            service, _, name = about.partition("/")
            deploy(database, service, {name: chance.choice([version, "7.7.7"])})
        if chance.random() < 0.4:
            assert told(kept.current()) == plainly(database)
    assert told(kept.current()) == told(Overview(database).current()) == plainly(database)
    assert kept.current() == Overview(database).current()
    assert kept.current().versions == sum(len_ for *_, len_ in plainly(database).values())


def test_two_servers_see_what_a_third_writes(database: Database, database_url: str) -> None:
    servers = [Database(database_url), Database(database_url)]
    overviews = [Overview(server) for server in servers]
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        publish(database, "a/x", version)
        assert [o.current().heads["a/x"].latest for o in overviews] == [version, version]
    for server in servers:
        server.close()


def test_words_are_those_of_the_shown_version_and_do_not_pile_up(database: Database) -> None:
    overview = Overview(database)
    for n in range(12):
        publish(database, "a/x", f"1.{n}.0", f'{{"properties":{{"f{n}":{{}}}}}}')
        assert [name for _, name, _ in overview.words(overview.current().heads.values())["a/x"].named] == [f"f{n}"]
    assert len(overview._words) <= 4


def test_of_many_versions_few_rows_and_no_schema_are_read(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(40):
        publish(database, "a/x", f"{1 + n // 20}.{n % 20}.0")
    read: list[str] = []
    rows = browsing._rows

    def counted(*arguments: Any) -> Iterator[browsing.BriefVersion]:
        for version in rows(*arguments):
            read.append(version.row.version)
            yield version

    monkeypatch.setattr(browsing, "_rows", counted)
    monkeypatch.setattr(browsing, "schema_texts", None)  # a call would fail
    head = Overview(database).current().heads["a/x"]
    assert (head.latest, head.versions, [end.version for end in head.live]) == ("2.19.0", 40, ["1.19.0", "2.19.0"])
    assert sorted(read) == ["1.19.0", "2.19.0"]


def test_an_older_database_is_put_in_order(database_url: str) -> None:
    database = Database(database_url)
    config = migrate.alembic_config()
    with database.writing() as session:
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "0008")
    marked = '{"properties":{"old":{"deprecated":true},"items":{"items":{"properties":{"x":{"deprecated":true}}}}}}'
    with database.writing() as session:
        session.execute(insert(Source), [{"digest": "s", "media_type": "m", "text": "{}"}])
        for id_, canonical in enumerate(("{}", marked), 1):
            row = {"id": id_, "digest": f"{id_}", "format": "json-schema", "canonical": canonical}
            session.execute(insert(Schema), [row])
        old = text(
            "INSERT INTO publications (seq, contract, service, name, version, ordinal, digest, schema_id, source_digest, role, "
            "kind, channels, groups, content_model, format, gate) VALUES (:seq, :contract, 'a', 'x', :version, :ordinal, 'd', "
            ":schema, 's', 'consumes', 'event', :channels, '[]', 'tolerant', 'json-schema', '{}')"
        )
        for contract, channels, versions in (
            ("a/x", '["c"]', [("1.0.0", 1), ("1.10.0", 2), ("1.9.0", 2), ("2.0.0-rc.1", 2)]),
            ("a/y", "[]", [("1.0.0", 2)]),
        ):
            for ordinal, (version, schema) in enumerate(versions, 1):
                seq = queries.add_entry(session, "t", "publication", f"{contract}@{version}", {}).seq
                said = {"seq": seq, "contract": contract, "version": version, "ordinal": ordinal, "schema": schema}
                session.execute(old, {**said, "channels": channels})
    migrate.upgrade(database)
    with database.reading() as session:
        assert MigrationContext.configure(session.connection()).get_current_revision() != "0008"
        rows = {row[0]: row[1] for row in session.execute(select(Publication.version, Publication.precedence))}
        assert sorted((v for v in rows if rows[v]), key=lambda v: str(rows[v])) == ["1.0.0", "1.9.0", "1.10.0"]
        fields = [(f.contract, f.pointer, f.seq) for f in obsolete.fields(session)]
        assert fields == [("a/x", "/items/*/x", 2), ("a/x", "/old", 2)], "what travels on no channel has no queue"
        assert browsing.highest(session)["a/x"] == [2]
    database.close()
