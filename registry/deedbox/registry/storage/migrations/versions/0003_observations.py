"""What guards saw of live messages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies the change."""
    op.create_table(
        "observations",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("guard", sa.String(length=400), nullable=False),
        sa.Column("tool", sa.String(length=100), nullable=False),
        sa.Column("cluster", sa.String(length=100), nullable=False),
        sa.Column("since", sa.String(length=32), nullable=False),
        sa.Column("until", sa.String(length=32), nullable=False),
        sa.Column("lost_reports", sa.Integer(), nullable=False),
        sa.Column("lost_messages", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_observations")),
        sa.UniqueConstraint("uuid", name=op.f("uq_observations_uuid")),
    )
    op.create_table(
        "observed_counts",
        sa.Column("observation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("contract", sa.String(length=201), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.String(length=100), nullable=False),
        sa.Column("pointer", sa.String(length=500), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["observation"], ["observations.number"], name=op.f("fk_observed_counts_observation")),
        sa.PrimaryKeyConstraint("observation", "n", name=op.f("pk_observed_counts")),
    )
    with op.batch_alter_table("observed_counts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_observed_counts_contract"), ["contract"], unique=False)
        batch_op.create_index(batch_op.f("ix_observed_counts_topic"), ["topic"], unique=False)

    op.create_table(
        "observed_fields",
        sa.Column("observation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("contract", sa.String(length=201), nullable=False),
        sa.Column("pointer", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["observation"], ["observations.number"], name=op.f("fk_observed_fields_observation")),
        sa.PrimaryKeyConstraint("observation", "n", name=op.f("pk_observed_fields")),
    )
    with op.batch_alter_table("observed_fields", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_observed_fields_contract_topic"), ["contract", "topic"], unique=False)

    op.create_table(
        "observed_groups",
        sa.Column("observation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("group", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["observation"], ["observations.number"], name=op.f("fk_observed_groups_observation")),
        sa.PrimaryKeyConstraint("observation", "topic", "group", name=op.f("pk_observed_groups")),
    )
    with op.batch_alter_table("observed_groups", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_observed_groups_topic"), ["topic"], unique=False)

    op.create_table(
        "observed_ranges",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("observation", sa.Integer(), nullable=False),
        sa.Column("cluster", sa.String(length=100), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("topic_id", sa.String(length=36), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("log_start", sa.BigInteger(), nullable=True),
        sa.Column("leader_epoch", sa.Integer(), nullable=True),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.Column("unreadable", sa.BigInteger(), nullable=False),
        sa.Column("unreadable_last_offset", sa.BigInteger(), nullable=True),
        sa.Column("unreadable_last_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["observation"], ["observations.number"], name=op.f("fk_observed_ranges_observation")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_observed_ranges")),
    )
    with op.batch_alter_table("observed_ranges", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_observed_ranges_observation"), ["observation"], unique=False)
        batch_op.create_index(batch_op.f("ix_observed_ranges_topic_partition"), ["topic", "partition"], unique=False)

    op.create_table(
        "observed_sightings",
        sa.Column("range", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("contract", sa.String(length=201), nullable=False),
        sa.Column("pointer", sa.String(length=500), nullable=False),
        sa.Column("writer", sa.String(length=201), nullable=False),
        sa.Column("writer_version", sa.String(length=200), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_offset", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["range"], ["observed_ranges.number"], name=op.f("fk_observed_sightings_range")),
        sa.PrimaryKeyConstraint("range", "n", name=op.f("pk_observed_sightings")),
    )
    with op.batch_alter_table("observed_sightings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_observed_sightings_contract"), ["contract"], unique=False)
