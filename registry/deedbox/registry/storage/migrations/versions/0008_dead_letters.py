"""Dead letters that workers read, and orders to send them again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies the change."""
    op.create_table(
        "dead_letter_reports",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("cluster", sa.String(length=100), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("topic_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_dead_letter_reports")),
        sa.UniqueConstraint("uuid", name=op.f("uq_dead_letter_reports_uuid")),
    )
    with op.batch_alter_table("dead_letter_reports", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_dead_letter_reports_cluster_topic_number"), ["cluster", "topic", "number"], unique=False
        )

    op.create_table(
        "dead_letter_samples",
        sa.Column("cluster", sa.String(length=100), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("fingerprint", sa.String(length=100), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("topic_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("origin", sa.String(length=249), nullable=False),
        sa.Column("origin_partition", sa.Integer(), nullable=True),
        sa.Column("origin_offset", sa.BigInteger(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("cluster", "topic", "fingerprint", "n", name=op.f("pk_dead_letter_samples")),
    )
    op.create_table(
        "dead_letter_groups",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("report", sa.Integer(), nullable=False),
        sa.Column("cluster", sa.String(length=100), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("topic_id", sa.String(length=36), nullable=False),
        sa.Column("fingerprint", sa.String(length=100), nullable=False),
        sa.Column("contract", sa.String(length=201), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("rule", sa.String(length=100), nullable=False),
        sa.Column("pointer", sa.String(length=500), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=249), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("replayed", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["report"], ["dead_letter_reports.number"], name=op.f("fk_dead_letter_groups_report")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_dead_letter_groups")),
    )
    with op.batch_alter_table("dead_letter_groups", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_dead_letter_groups_cluster_topic_fingerprint_number"),
            ["cluster", "topic", "fingerprint", "number"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_dead_letter_groups_contract"), ["contract"], unique=False)

    op.create_table(
        "dead_letter_ranges",
        sa.Column("report", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cluster", sa.String(length=100), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("topic_id", sa.String(length=36), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["report"], ["dead_letter_reports.number"], name=op.f("fk_dead_letter_ranges_report")),
        sa.PrimaryKeyConstraint("report", "partition", name=op.f("pk_dead_letter_ranges")),
    )
    with op.batch_alter_table("dead_letter_ranges", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_dead_letter_ranges_cluster_topic_topic_id_partition_end"),
            ["cluster", "topic", "topic_id", "partition", "end"],
            unique=False,
        )

    op.create_table(
        "replay_orders",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("cluster", sa.String(length=100), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("fingerprint", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["entries.seq"], name=op.f("fk_replay_orders_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_replay_orders")),
        sa.UniqueConstraint("uuid", name=op.f("uq_replay_orders_uuid")),
    )
    with op.batch_alter_table("replay_orders", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_replay_orders_cluster_topic_fingerprint"), ["cluster", "topic", "fingerprint"], unique=False
        )

    op.create_table(
        "replay_cancellations",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("order_seq", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["order_seq"], ["replay_orders.seq"], name=op.f("fk_replay_cancellations_order_seq")),
        sa.ForeignKeyConstraint(["seq"], ["entries.seq"], name=op.f("fk_replay_cancellations_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_replay_cancellations")),
        sa.UniqueConstraint("order_seq", name=op.f("uq_replay_cancellations_order_seq")),
    )
    op.create_table(
        "replay_confirmations",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("order_seq", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["order_seq"], ["replay_orders.seq"], name=op.f("fk_replay_confirmations_order_seq")),
        sa.ForeignKeyConstraint(["seq"], ["entries.seq"], name=op.f("fk_replay_confirmations_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_replay_confirmations")),
        sa.UniqueConstraint("order_seq", name=op.f("uq_replay_confirmations_order_seq")),
    )
    op.create_table(
        "replay_leases",
        sa.Column("order_seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("worker", sa.String(length=200), nullable=False),
        sa.Column("task", sa.String(length=16), nullable=False),
        sa.Column("until", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["order_seq"], ["replay_orders.seq"], name=op.f("fk_replay_leases_order_seq")),
        sa.PrimaryKeyConstraint("order_seq", name=op.f("pk_replay_leases")),
    )
    op.create_table(
        "replay_results",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("order_seq", sa.Integer(), nullable=False),
        sa.Column("task", sa.String(length=16), nullable=False),
        sa.Column("worker", sa.String(length=200), nullable=False),
        sa.Column("read", sa.Integer(), nullable=False),
        sa.Column("replayed", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("failing", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("examples", sa.JSON(), nullable=False),
        sa.Column("ends", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["order_seq"], ["replay_orders.seq"], name=op.f("fk_replay_results_order_seq")),
        sa.ForeignKeyConstraint(["seq"], ["entries.seq"], name=op.f("fk_replay_results_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_replay_results")),
        sa.UniqueConstraint("order_seq", "task", name=op.f("uq_replay_results_order_seq_task")),
    )
