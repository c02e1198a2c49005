"""The lives of obsolete fields: evidence, revocations, waivers, policies of channels, reminders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies the change."""
    op.create_table(
        "channel_policies",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.String(length=249), nullable=False),
        sa.Column("grace_ms", sa.BigInteger(), nullable=False),
        sa.Column("opens_at", sa.String(length=16), nullable=False),
        sa.Column("copies", sa.JSON(), nullable=False),
        sa.Column("overdue_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["entries.seq"], name=op.f("fk_channel_policies_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_channel_policies")),
    )
    op.create_index(op.f("ix_channel_policies_channel_seq"), "channel_policies", ["channel", "seq"], unique=False)
    op.create_table(
        "drain_evidence",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("contract", sa.String(length=201), nullable=False),
        sa.Column("pointer", sa.String(length=500), nullable=False),
        sa.Column("cluster", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("consumed", sa.Boolean(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("claim", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["entries.seq"], name=op.f("fk_drain_evidence_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_drain_evidence")),
        sa.UniqueConstraint("uuid", name=op.f("uq_drain_evidence_uuid")),
    )
    op.create_index(
        op.f("ix_drain_evidence_contract_pointer_seq"), "drain_evidence", ["contract", "pointer", "seq"], unique=False
    )
    op.create_table(
        "drain_reminders",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("contract", sa.String(length=201), nullable=False),
        sa.Column("pointer", sa.String(length=500), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("about", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["entries.seq"], name=op.f("fk_drain_reminders_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_drain_reminders")),
        sa.UniqueConstraint(
            "contract", "pointer", "what", "about", name=op.f("uq_drain_reminders_contract_pointer_what_about")
        ),
    )
    op.create_table(
        "drain_waivers",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("contract", sa.String(length=201), nullable=False),
        sa.Column("pointer", sa.String(length=500), nullable=False),
        sa.Column("waived", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.String(length=10), nullable=True),
        sa.ForeignKeyConstraint(["seq"], ["entries.seq"], name=op.f("fk_drain_waivers_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_drain_waivers")),
    )
    op.create_index(op.f("ix_drain_waivers_contract_pointer"), "drain_waivers", ["contract", "pointer"], unique=False)
    op.create_table(
        "drain_revocations",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("evidence_seq", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evidence_seq"], ["drain_evidence.seq"], name=op.f("fk_drain_revocations_evidence_seq")
        ),
        sa.ForeignKeyConstraint(["seq"], ["entries.seq"], name=op.f("fk_drain_revocations_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_drain_revocations")),
        sa.UniqueConstraint("evidence_seq", name=op.f("uq_drain_revocations_evidence_seq")),
    )
