"""Sums of dead letters by kind, which were added up anew for each reader."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_KEY = ("cluster", "topic", "topic_id", "fingerprint")
_GROUPS = sa.table(
    "dead_letter_groups",
    *(sa.column(name) for name in (*_KEY, "version", "origin")),
    *(sa.column(name, sa.BigInteger()) for name in ("number", "count", "replayed", "first_at", "last_at")),
)


def upgrade() -> None:
    """Applies the change."""
    kinds = op.create_table(
        "dead_letter_kinds",
        sa.Column("cluster", sa.String(length=100), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("topic_id", sa.String(length=36), nullable=False),
        sa.Column("fingerprint", sa.String(length=100), nullable=False),
        sa.Column("newest", sa.Integer(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("replayed", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("origins", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["newest"], ["dead_letter_groups.number"], name=op.f("fk_dead_letter_kinds_newest")),
        sa.PrimaryKeyConstraint("cluster", "topic", "topic_id", "fingerprint", name=op.f("pk_dead_letter_kinds")),
    )
    with op.batch_alter_table("dead_letter_kinds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dead_letter_kinds_newest"), ["newest"], unique=False)
    rows = _summed()
    if rows:
        op.bulk_insert(kinds, rows)
    with op.batch_alter_table("dead_letter_groups", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dead_letter_groups_cluster_topic_fingerprint_number"))
        batch_op.drop_index(batch_op.f("ix_dead_letter_groups_contract"))


def _summed() -> list[dict[str, Any]]:
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in op.get_bind().execute(sa.select(_GROUPS).order_by(_GROUPS.c.number)).mappings():
        names = {name: row[name] for name in _KEY}
        empty: dict[str, Any] = {
            "count": 0,
            "replayed": 0,
            "first_at": None,
            "last_at": None,
            "versions": [],
            "origins": [],
        }
        kind = found.setdefault(tuple(names.values()), {**names, **empty})
        kind["newest"] = row["number"]
        kind["count"] += row["count"]
        kind["replayed"] += row["replayed"]
        kind["first_at"] = min((at for at in (kind["first_at"], row["first_at"]) if at is not None), default=None)
        kind["last_at"] = max((at for at in (kind["last_at"], row["last_at"]) if at is not None), default=None)
        kind["versions"] = sorted({*kind["versions"], row["version"]} - {""})[:100]
        kind["origins"] = sorted({*kind["origins"], row["origin"]} - {""})[:100]
    return list(found.values())
