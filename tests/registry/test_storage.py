"""The rows themselves, on both databases."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from deedbox.registry.errors import Busy, ConfigurationError, StorageUnavailable
from deedbox.registry.storage import migrate, queries
from deedbox.registry.storage.database import Database, parse_url
from deedbox.registry.storage.models import Base
from sqlalchemy import text


def test_migrations_make_what_the_models_say(database: Database) -> None:
    with database.reading() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    assert migrate.is_current(database)


def test_many_servers_may_migrate_at_once(database_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_upgrade, args=(database_url,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    database = Database(database_url)
    assert migrate.is_current(database)
    database.close()


def _upgrade(url: str) -> None:
    database = Database(url)
    migrate.upgrade(database)
    database.close()


def test_a_database_of_a_newer_release_is_refused(database: Database) -> None:
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not migrate.is_current(database)
    with pytest.raises(ConfigurationError, match="9999"):
        migrate.upgrade(database)


def test_sequence_numbers_are_dense_and_visible_in_order(database: Database) -> None:
    seen_gaps = []

    def write(n: int) -> None:
        with database.writing() as session:
            queries.add_entry(session, "t", "test", f"s{n}", {})
        with database.reading() as session:
            seqs = [entry.seq for entry in queries.entries_after(session, 0, 1000)]
        if seqs != list(range(1, len(seqs) + 1)):
            seen_gaps.append(seqs)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(60)))
    assert seen_gaps == []
    assert database.generation() == 60


def test_a_failed_write_leaves_nothing_and_no_gap(database: Database) -> None:
    def fail() -> None:
        with database.writing() as session:
            queries.add_entry(session, "t", "test", "lost", {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.writing() as session:
        assert queries.add_entry(session, "t", "test", "kept", {}).seq == 1


def test_schema_ids_are_dense_and_one_a_content(database: Database) -> None:
    with database.writing() as session:
        ids = [queries.put_schema(session, d * 64, "json-schema", "{}").id for d in "abcab"]
    assert ids == [1, 2, 3, 1, 2]


def test_writers_wait_for_one_another_but_not_for_ever(database_url: str) -> None:
    first, second = Database(database_url), Database(database_url, busy_seconds=1)
    migrate.upgrade(first)
    with first.writing() as session:
        queries.add_entry(session, "t", "test", "first", {})
        with pytest.raises(Busy), second.writing():
            pass
        with second.reading() as reader:
            assert queries.last_seq(reader) == 0
    with second.writing() as session:
        assert queries.add_entry(session, "t", "test", "second", {}).seq == 2
    first.close()
    second.close()


@pytest.mark.parametrize("url", ["sqlite:////no/such/folder/x.db", "postgresql://nobody@127.0.0.1:1/none"])
def test_a_database_that_is_away_says_so(url: str) -> None:
    database = Database(url, busy_seconds=1)
    with pytest.raises(StorageUnavailable, match="does not answer"):
        migrate.upgrade(database)
    with pytest.raises(StorageUnavailable):
        database.generation()
    database.close()


def test_the_password_of_a_database_is_not_told() -> None:
    database = Database("postgresql://user:secret@127.0.0.1:1/none", busy_seconds=1)
    with pytest.raises(StorageUnavailable) as error:
        database.generation()
    assert "secret" not in str(error.value)
    database.close()


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:", ""])
def test_urls_of_no_use_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_url(url)


def test_a_sqlite_file_is_in_wal_mode(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/x.db")
    with database.reading() as session:
        assert session.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert session.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
        assert session.execute(text("PRAGMA synchronous")).scalar_one() == 2
    database.close()
