"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies the change."""
    op.create_table(
        "entries",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_entries")),
    )
    op.create_table(
        "schemas",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=32), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schemas")),
        sa.UniqueConstraint("digest", "format", name=op.f("uq_schemas_digest_format")),
    )
    op.create_table(
        "sources",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sources")),
    )
    op.create_table(
        "verdicts",
        sa.Column("old_digest", sa.String(length=64), nullable=False),
        sa.Column("new_digest", sa.String(length=64), nullable=False),
        sa.Column("question", sa.String(length=400), nullable=False),
        sa.Column("comparison", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("old_digest", "new_digest", "question", name=op.f("pk_verdicts")),
    )
    op.create_table(
        "deployments",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("environment", sa.String(length=100), nullable=False),
        sa.Column("service", sa.String(length=100), nullable=False),
        sa.Column("service_version", sa.String(length=200), nullable=False),
        sa.Column("contracts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["entries.seq"], name=op.f("fk_deployments_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_deployments")),
        sa.UniqueConstraint("uuid", name=op.f("uq_deployments_uuid")),
    )
    with op.batch_alter_table("deployments", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_deployments_environment_service_seq"), ["environment", "service", "seq"], unique=False
        )

    op.create_table(
        "publications",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=True),
        sa.Column("contract", sa.String(length=201), nullable=False),
        sa.Column("service", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("schema_id", sa.Integer(), nullable=False),
        sa.Column("source_digest", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("of", sa.String(length=201), nullable=True),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("content_model", sa.String(length=16), nullable=False),
        sa.Column("format", sa.String(length=32), nullable=False),
        sa.Column("dialect", sa.String(length=32), nullable=True),
        sa.Column("bump", sa.String(length=8), nullable=True),
        sa.Column("gate", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["schema_id"], ["schemas.id"], name=op.f("fk_publications_schema_id")),
        sa.ForeignKeyConstraint(["seq"], ["entries.seq"], name=op.f("fk_publications_seq")),
        sa.ForeignKeyConstraint(["source_digest"], ["sources.digest"], name=op.f("fk_publications_source_digest")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_publications")),
        sa.UniqueConstraint("contract", "ordinal", name=op.f("uq_publications_contract_ordinal")),
        sa.UniqueConstraint("contract", "version", name=op.f("uq_publications_contract_version")),
        sa.UniqueConstraint("uuid", name=op.f("uq_publications_uuid")),
    )
    with op.batch_alter_table("publications", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_publications_name"), ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_publications_schema_id"), ["schema_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_publications_service"), ["service"], unique=False)

    op.create_table(
        "services",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["entries.seq"], name=op.f("fk_services_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_services")),
    )
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_services_name_seq"), ["name", "seq"], unique=False)

    op.create_table(
        "acceptances",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("publication_seq", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("accepted_by", sa.String(length=200), nullable=False),
        sa.Column("until", sa.String(length=10), nullable=True),
        sa.ForeignKeyConstraint(["publication_seq"], ["publications.seq"], name=op.f("fk_acceptances_publication_seq")),
        sa.ForeignKeyConstraint(["seq"], ["entries.seq"], name=op.f("fk_acceptances_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_acceptances")),
    )
    with op.batch_alter_table("acceptances", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_acceptances_publication_seq"), ["publication_seq"], unique=False)

    op.create_table(
        "publication_channels",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.String(length=249), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["publications.seq"], name=op.f("fk_publication_channels_seq")),
        sa.PrimaryKeyConstraint("seq", "channel", name=op.f("pk_publication_channels")),
    )
    with op.batch_alter_table("publication_channels", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_publication_channels_channel"), ["channel"], unique=False)

    op.create_table(
        "retirements",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("publication_seq", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["publication_seq"], ["publications.seq"], name=op.f("fk_retirements_publication_seq")),
        sa.ForeignKeyConstraint(["seq"], ["entries.seq"], name=op.f("fk_retirements_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_retirements")),
        sa.UniqueConstraint("publication_seq", name=op.f("uq_retirements_publication_seq")),
    )
