"""Run by Alembic: hands it the connection that `migrate.upgrade` opened."""

from __future__ import annotations

from alembic import context
from deedbox.registry.storage import (  # noqa: F401 - their tables
    dead_letters,
    drains,
    jobs,
    npm,
    observations,
    obsolete,
    packages,
    refusals,
    replay_orders,
    replays,
)
from deedbox.registry.storage.models import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
