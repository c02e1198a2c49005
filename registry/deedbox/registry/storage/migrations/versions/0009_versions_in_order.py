"""Versions in an order that the database knows, and the obsolete fields by name."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa
from alembic import op
from deedbox.registry.storage.obsolete import marks_of
from deedbox.registry.storage.ordering import major_key, precedence_key

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_MARK = '"deprecated":true'
_MANY = 1_000


def upgrade() -> None:
    """Applies the change."""
    op.create_table(
        "obsolete_fields",
        sa.Column("contract", sa.String(length=201), nullable=False),
        sa.Column("pointer", sa.String(length=500), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["publications.seq"], name=op.f("fk_obsolete_fields_seq")),
        sa.PrimaryKeyConstraint("contract", "pointer", name=op.f("pk_obsolete_fields")),
    )
    op.create_index(op.f("ix_obsolete_fields_seq"), "obsolete_fields", ["seq"])
    # Not by a batch: that would copy every row, and adding an empty column copies none.
    op.add_column("publications", sa.Column("major", sa.String(length=210), nullable=True))
    op.add_column("publications", sa.Column("precedence", sa.String(length=220), nullable=True))
    _put_in_order()
    op.create_index(
        op.f("ix_publications_contract_major_precedence"), "publications", ["contract", "major", "precedence"]
    )
    _name_obsolete_fields()


def _put_in_order() -> None:
    publications = sa.table("publications", *map(sa.column, ("seq", "version", "major", "precedence")))
    connection = op.get_bind()
    rows = connection.execute(sa.select(publications.c.seq, publications.c.version)).all()
    change = (
        publications.update()
        .where(publications.c.seq == sa.bindparam("at"))
        .values(major=sa.bindparam("first"), precedence=sa.bindparam("all"))
    )
    for start in range(0, len(rows), _MANY):
        part = [{"at": s, "first": major_key(v), "all": precedence_key(v)} for s, v in rows[start : start + _MANY]]
        connection.execute(change, part)


def _name_obsolete_fields() -> None:
    publications = sa.table(
        "publications",
        *map(sa.column, ("seq", "contract", "ordinal", "schema_id", "format", "dialect")),
        sa.column("channels", sa.JSON),
    )
    schemas = sa.table("schemas", sa.column("id"), sa.column("canonical"))
    fields = sa.table("obsolete_fields", *map(sa.column, ("contract", "pointer", "seq")))
    connection = op.get_bind()
    marking = (
        sa.select(publications, schemas.c.canonical)
        .join(schemas, schemas.c.id == publications.c.schema_id)
        .where(publications.c.format == "json-schema", schemas.c.canonical.contains(_MARK, autoescape=True))
        .order_by(publications.c.contract, publications.c.ordinal)
    )
    known: dict[str, set[str]] = defaultdict(set)
    found = []
    for row in connection.execute(marking):
        for pointer in marks_of(row.canonical, row.dialect) if row.channels else ():
            if pointer not in known[row.contract]:
                known[row.contract].add(pointer)
                found.append({"contract": row.contract, "pointer": pointer, "seq": row.seq})
    if found:
        connection.execute(fields.insert(), found)
