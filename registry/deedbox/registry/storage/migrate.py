"""Brings a database to the newest schema. Several servers may start at once: one migrates, the others wait."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from deedbox.registry.errors import ConfigurationError
from deedbox.registry.storage.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def alembic_config() -> Config:
    """Alembic's configuration, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def upgrade(database: Database) -> None:
    """Applies the migrations that are missing, in one transaction.

    Raises:
        StorageUnavailable: the database does not answer.
        ConfigurationError: the database was made by a newer release.
    """
    config = alembic_config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with database.writing() as session:
        connection = session.connection()
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in known:
            raise ConfigurationError(
                f"the database is at revision {current}, which this release does not know: run the newer release"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(database: Database) -> bool:
    """Whether the database is at the newest revision.

    Raises:
        StorageUnavailable: the database does not answer.
    """
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    with database.reading() as session:
        return MigrationContext.configure(session.connection()).get_current_revision() == head
