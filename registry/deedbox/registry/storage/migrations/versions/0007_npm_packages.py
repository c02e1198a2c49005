"""npm packages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies the change."""
    op.create_table(
        "npm_packages",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=214), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("filename", sa.String(length=300), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("shasum", sa.String(length=40), nullable=False),
        sa.Column("integrity", sa.String(length=100), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("publication_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["package_contents.digest"], name=op.f("fk_npm_packages_digest")),
        sa.ForeignKeyConstraint(
            ["publication_seq"], ["publications.seq"], name=op.f("fk_npm_packages_publication_seq")
        ),
        sa.ForeignKeyConstraint(["seq"], ["entries.seq"], name=op.f("fk_npm_packages_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_npm_packages")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_npm_packages_name_version")),
        sa.UniqueConstraint("publication_seq", name=op.f("uq_npm_packages_publication_seq")),
    )
    with op.batch_alter_table("npm_packages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_npm_packages_name"), ["name"], unique=False)
